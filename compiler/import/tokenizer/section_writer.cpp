// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Lays the parts out one after another, each at a multiple of 64, with zeros between.
#include "compiler/import/tokenizer/section_writer.h"

namespace ingot::tokenizer {

std::pair<uint32_t, uint32_t> StringPool::add(std::string_view text) {
  size_t at = bytes_.size() <= 4096 ? bytes_.find(text) : std::string::npos;
  if (at == std::string::npos) {
    at = bytes_.size();
    bytes_.append(text);
  }
  return {static_cast<uint32_t>(at), static_cast<uint32_t>(text.size())};
}

bool SectionParts::assemble(std::vector<uint8_t> &section, std::string &error) {
  using text::Part;
  std::vector<uint8_t> set_bytes = sets.bytes();
  if (set_bytes.empty()) {
    error = "tokenizer.json: its patterns use too many different character classes";
    return false;
  }
  set(Part::Sets, set_bytes);
  set(Part::Patterns, patterns.bytes());
  set(Part::Strings, std::vector<char>(strings.bytes().begin(), strings.bytes().end()));
  set(Part::Normalizer, normalizer);
  set(Part::PreTokenizer, pre_tokenizer);
  set(Part::Decoder, decoder);
  std::vector<int32_t> post = {static_cast<int32_t>(prefix.size()), static_cast<int32_t>(suffix.size()),
                               static_cast<int32_t>(trims.size()), 0};
  post.insert(post.end(), prefix.begin(), prefix.end());
  post.insert(post.end(), suffix.begin(), suffix.end());
  post.insert(post.end(), trims.begin(), trims.end());
  set(Part::Post, post);

  uint64_t at = sizeof(text::Header);
  for (size_t i = 0; i < bytes.size(); ++i) {
    at = (at + 63) / 64 * 64;
    header.parts[i] = {at, bytes[i].size()};
    at += bytes[i].size();
    if (i == static_cast<size_t>(Part::Strings) && bytes[i].size() > UINT32_MAX) {
      error = "tokenizer.json: its added tokens are too long";
      return false;
    }
  }
  std::memcpy(header.magic, text::kSectionMagic, sizeof(header.magic));
  header.version = text::kSectionVersion;
  header.bytes = at;
  section.assign(at, 0);
  std::memcpy(section.data(), &header, sizeof(header));
  for (size_t i = 0; i < bytes.size(); ++i)
    if (!bytes[i].empty())
      std::memcpy(section.data() + header.parts[i].offset, bytes[i].data(), bytes[i].size());
  return true;
}

} // namespace ingot::tokenizer
