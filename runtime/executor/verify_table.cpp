// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The header and the section table of an engine file, as runtime/format/engine.h lays them out.
#include "runtime/core/checksum.h"
#include "runtime/executor/verify.h"

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstring>

namespace ingot::runtime {

using format::FileHeader;
using format::Section;
using format::SectionEntry;

static constexpr uint32_t kMostSections = 64;

std::string_view sectionName(Section section) {
  static constexpr std::string_view kNames[] = {"?", "HEAD", "PLAN", "CODE", "TOKENIZER", "CHAT", "REPORT", "WEIGHTS"};
  return unsigned(section) <= kSectionKinds ? kNames[unsigned(section)] : kNames[0];
}

Error Checker::bad(const char *format, ...) const {
  char text[1024];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  return Error(ErrorCode::Corrupt, path + ": " + section + ": " + text + "; copy or compile the engine again");
}

static uint64_t alignmentOf(Section section) {
  return section == Section::Code || section == Section::Weights ? format::kPage : 64;
}

static Result<FileHeader> readHeader(const File &file) {
  const std::string &path = file.path();
  FileHeader header{};
  if (file.size() < sizeof header) {
    if (file.size() == 0)
      return makeError(ErrorCode::Corrupt, "%s: is empty, expected an Ingot engine; compile it again", path.c_str());
    char start[sizeof header] = {};
    INGOT_RETURN_IF_ERROR(file.readAt(0, {reinterpret_cast<uint8_t *>(start), size_t(file.size())}));
    size_t compared = std::min<size_t>(sizeof format::kMagic, file.size());
    if (std::memcmp(start, format::kMagic, compared) == 0)
      return makeError(ErrorCode::Corrupt,
                       "%s: is truncated: %llu bytes, the header alone has %zu; copy or compile the engine again",
                       path.c_str(), print(file.size()), sizeof header);
  } else {
    INGOT_RETURN_IF_ERROR(file.readAt(0, {reinterpret_cast<uint8_t *>(&header), sizeof header}));
  }
  if (std::memcmp(header.magic, format::kMagic, sizeof header.magic) != 0)
    return makeError(ErrorCode::Corrupt,
                     "%s: is not an Ingot engine (its first bytes are not INGOT); make one with `ingot compile`",
                     path.c_str());
  if (header.version > format::kVersion)
    return makeError(ErrorCode::Unsupported,
                     "%s: made by a newer Ingot: format %u, this runtime reads up to %u; use a newer ingot-run or "
                     "compile the engine again",
                     path.c_str(), header.version, format::kVersion);
  if (header.version < 1)
    return Checker(path, "header").bad("format version %u does not exist", header.version);
  for (uint64_t word : header.reserved)
    if (word != 0)
      return Checker(path, "header").bad("a reserved field is not zero");
  return header;
}

Result<SectionTable> readSectionTable(const File &file) {
  const std::string &path = file.path();
  Checker check(path, "section table");
  INGOT_ASSIGN_OR_RETURN(FileHeader header, readHeader(file));
  if (header.section_count == 0 || header.section_count > kMostSections)
    return Checker(path, "header").bad("%u sections, expected 1 to %u", header.section_count, kMostSections);
  if (file.size() < header.file_bytes)
    return makeError(ErrorCode::Corrupt,
                     "%s: is truncated: %llu bytes, its header says %llu; copy or compile the engine again",
                     path.c_str(), print(file.size()), print(header.file_bytes));
  if (file.size() > header.file_bytes)
    return Checker(path, "header")
        .bad("the file has %llu bytes, the header says %llu", print(file.size()), print(header.file_bytes));

  std::vector<SectionEntry> entries(header.section_count);
  std::span<uint8_t> bytes(reinterpret_cast<uint8_t *>(entries.data()), entries.size() * sizeof(SectionEntry));
  uint64_t tableEnd = sizeof(FileHeader) + bytes.size();
  if (tableEnd > header.file_bytes)
    return check.bad("its %u entries end at byte %llu, the file has %llu", header.section_count, print(tableEnd),
                     print(header.file_bytes));
  INGOT_RETURN_IF_ERROR(file.readAt(sizeof(FileHeader), bytes));
  if (uint64_t found = checksum(bytes); found != header.table_checksum)
    return check.bad("checksum %016llx, expected %016llx", print(found), print(header.table_checksum));

  SectionTable table;
  for (const SectionEntry &entry : entries) {
    if (entry.kind < 1 || entry.kind > kSectionKinds)
      return check.bad("a section of unknown kind %u", entry.kind);
    auto section = Section(entry.kind);
    const char *name = sectionName(section).data();
    if (table.has(section))
      return check.bad("two sections %s", name);
    if (entry.reserved != 0)
      return check.bad("%s: a reserved field is not zero", name);
    if (entry.offset % alignmentOf(section) != 0)
      return check.bad("%s starts at byte %llu, expected a multiple of %llu", name, print(entry.offset),
                       print(alignmentOf(section)));
    if (entry.offset < tableEnd || entry.offset > header.file_bytes || entry.size > header.file_bytes - entry.offset)
      return check.bad("%s: %llu bytes at byte %llu do not lie between the table's end (%llu) and the file's (%llu)",
                       name, print(entry.size), print(entry.offset), print(tableEnd), print(header.file_bytes));
    table.entries[entry.kind] = entry;
  }
  for (Section section : {Section::Head, Section::Plan, Section::Code, Section::Weights})
    if (!table.has(section))
      return check.bad("section %s is missing", sectionName(section).data());
  const SectionEntry &head = table[Section::Head];
  if (head.offset + head.size > format::kHeadLimit)
    return check.bad("HEAD ends at byte %llu, expected at most %llu", print(head.offset + head.size),
                     print(format::kHeadLimit));

  std::sort(entries.begin(), entries.end(),
            [](const SectionEntry &a, const SectionEntry &b) { return a.offset < b.offset; });
  for (size_t i = 1; i < entries.size(); ++i)
    if (entries[i - 1].offset + entries[i - 1].size > entries[i].offset)
      return check.bad("sections %s and %s overlap", sectionName(Section(entries[i - 1].kind)).data(),
                       sectionName(Section(entries[i].kind)).data());
  return table;
}

Result<void> verifyChecksum(const std::string &path, const SectionEntry &entry, std::span<const uint8_t> bytes) {
  uint64_t found = checksum(bytes);
  if (found == entry.checksum)
    return {};
  return Checker(path, std::string(sectionName(Section(entry.kind))))
      .bad("damaged: checksum %016llx, expected %016llx", print(found), print(entry.checksum));
}

} // namespace ingot::runtime
