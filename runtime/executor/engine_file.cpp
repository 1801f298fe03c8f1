// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// EngineFile: see engine_file.h.
#include "runtime/executor/engine_file.h"

#include "runtime/core/memory.h"
#include "runtime/executor/verify.h"

#include <algorithm>
#include <sys/mman.h>

namespace ingot::runtime {

using format::Section;
using format::SectionEntry;

// The bytes between sections are zero and no more than alignment asks for, so that no bit of the file goes unchecked.
static Result<void> verifyGaps(const std::string &path, std::span<const uint8_t> file, const SectionTable &table) {
  std::vector<SectionEntry> order;
  for (const SectionEntry &entry : table.entries)
    if (entry.kind != 0)
      order.push_back(entry);
  std::sort(order.begin(), order.end(),
            [](const SectionEntry &a, const SectionEntry &b) { return a.offset < b.offset; });
  uint64_t end = sizeof(format::FileHeader) + order.size() * sizeof(SectionEntry);
  order.push_back({0, 0, file.size(), 0, 0});
  for (const SectionEntry &next : order) {
    Checker check(path,
                  next.kind ? "before " + std::string(sectionName(Section(next.kind))) : "after the last section");
    if (next.offset - end >= format::kPage)
      return check.bad("%llu bytes belong to no section", print(next.offset - end));
    for (uint64_t at = end; at < next.offset; ++at)
      if (file[at] != 0)
        return check.bad("byte %llu between the sections is not zero", print(at));
    end = next.offset + next.size;
  }
  return {};
}

Result<std::shared_ptr<const EngineFile>> EngineFile::open(const std::string &path, const EngineOpenOptions &options) {
  std::shared_ptr<EngineFile> engine(new EngineFile());
  INGOT_ASSIGN_OR_RETURN(engine->mapped, MappedFile::open(path));
  INGOT_ASSIGN_OR_RETURN(engine->table, readSectionTable(engine->file()));
  std::span<const uint8_t> weights = engine->section(Section::Weights);
  preferLargePages(weights.data(), weights.size());
  for (const SectionEntry &entry : engine->table.entries) {
    if (entry.kind == 0)
      continue;
    bool large = Section(entry.kind) == Section::Weights && entry.size >= format::kWeightsCheckedAtLoad;
    if (!large || options.checkLargeWeights)
      INGOT_RETURN_IF_ERROR(verifyChecksum(path, entry, engine->section(Section(entry.kind))));
  }
  INGOT_RETURN_IF_ERROR(verifyGaps(path, engine->mapped->bytes(), engine->table));
  INGOT_ASSIGN_OR_RETURN(engine->headTable, verifyHead(path, engine->section(Section::Head), engine->table));
  INGOT_ASSIGN_OR_RETURN(engine->planTable,
                         verifyPlan(path, engine->section(Section::Plan), engine->head(), engine->table));
  return std::shared_ptr<const EngineFile>(std::move(engine));
}

std::span<const uint8_t> EngineFile::section(Section section) const {
  if (!table.has(section))
    return {};
  const SectionEntry &entry = table[section];
  return mapped->bytes().subspan(entry.offset, entry.size);
}

static std::string_view asText(std::span<const uint8_t> bytes) {
  return {reinterpret_cast<const char *>(bytes.data()), bytes.size()};
}

std::string_view EngineFile::chat() const { return asText(section(Section::Chat)); }
std::string_view EngineFile::report() const { return asText(section(Section::Report)); }

const uint8_t *EngineFile::weight(unsigned index) const {
  return section(Section::Weights).data() + plan().weights()->Get(index)->offset();
}

void EngineFile::prefetchWeights() const {
  std::span<const uint8_t> weights = section(Section::Weights);
  if (!weights.empty())
    madvise(const_cast<uint8_t *>(weights.data()), weights.size(), MADV_WILLNEED);
}

Result<void> EngineFile::checkWeights() const {
  return verifyChecksum(path(), table[Section::Weights], section(Section::Weights));
}

} // namespace ingot::runtime
