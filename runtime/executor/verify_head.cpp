// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// HEAD: the FlatBuffer itself, then the variants' images and the arena table.
#include "runtime/executor/verify.h"

#include <set>

namespace ingot::runtime {

static constexpr unsigned kMostVariants = 64, kMostFeatures = 64;
static constexpr uint64_t kMostArena = 1ull << 44; // as in PLAN, which repeats these sizes

Result<const format::Head *> verifyHead(const std::string &path, std::span<const uint8_t> bytes,
                                        const SectionTable &table) {
  Checker check(path, "HEAD");
  flatbuffers::Verifier verifier(bytes.data(), bytes.size(), 16, 16 * 1024);
  if (!format::VerifyHeadBuffer(verifier))
    return check.bad("its FlatBuffer is malformed");
  const format::Head &head = *format::GetHead(bytes.data());

  const auto &variants = *head.variants();
  if (variants.size() == 0 || variants.size() > kMostVariants)
    return check.bad("%u variants, expected 1 to %u", variants.size(), kMostVariants);
  uint64_t code = table[format::Section::Code].size;
  std::set<std::string> names;
  for (const format::Variant *variant : variants) {
    std::string name = quoted(variant->name()->string_view());
    if (!names.insert(variant->target()->str() + "/" + variant->name()->str()).second)
      return check.bad("two variants %s", name.c_str());
    if (variant->features()->size() > kMostFeatures)
      return check.bad("variant %s: %u features, expected at most %u", name.c_str(), variant->features()->size(),
                       kMostFeatures);
    if (variant->code_offset() % format::kPage != 0)
      return check.bad("variant %s: its code starts at byte %llu of CODE, expected a multiple of %llu", name.c_str(),
                       print(variant->code_offset()), print(format::kPage));
    if (variant->code_size() == 0 || variant->code_offset() > code ||
        variant->code_size() > code - variant->code_offset())
      return check.bad("variant %s: %llu bytes of code at byte %llu of CODE, which has %llu", name.c_str(),
                       print(variant->code_size()), print(variant->code_offset()), print(code));
  }

  unsigned symbols = head.arena_symbols() ? head.arena_symbols()->size() : 0;
  unsigned arenas = head.arena_bytes() ? head.arena_bytes()->size() : 0;
  if (symbols != arenas)
    return check.bad("%u names of arenas but %u sizes", symbols, arenas);
  if (!aligned(head.arena_bytes()))
    return check.bad("its FlatBuffer is malformed: a vector is not aligned");
  for (unsigned i = 0; i < arenas; ++i)
    if (head.arena_bytes()->Get(i) > kMostArena)
      return check.bad("an arena of %llu bytes per unit, expected at most %llu", print(head.arena_bytes()->Get(i)),
                       print(kMostArena));
  return &head;
}

} // namespace ingot::runtime
