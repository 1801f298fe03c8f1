// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Opening an engine file. Everything that later code relies on is checked here once: the header, the section table, the
// checksums, the FlatBuffers, and every index, offset and size in HEAD and PLAN. After that it is trusted. A damaged
// file gives an error that names the file and the thing, never a crash. Layout: runtime/format/engine.h.
#ifndef INGOT_RUNTIME_EXECUTOR_ENGINE_FILE_H
#define INGOT_RUNTIME_EXECUTOR_ENGINE_FILE_H

#include "runtime/core/error.h"
#include "runtime/core/file.h"
#include "runtime/executor/variants.h"
#include "runtime/format/engine.h"
#include "runtime/format/head_generated.h"
#include "runtime/format/plan_generated.h"

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ingot::runtime {

inline constexpr unsigned kSectionKinds = 7;

// "HEAD", "PLAN", ...
std::string_view sectionName(format::Section section);

// Where the sections lie, from a header and a table that were found sound.
struct SectionTable {
  std::array<format::SectionEntry, kSectionKinds + 1> entries{}; // by kind; kind 0 where the file lacks it
  bool has(format::Section section) const { return entries[unsigned(section)].kind != 0; }
  const format::SectionEntry &operator[](format::Section section) const { return entries[unsigned(section)]; }
};

// The first 64 KB alone: enough to say whether a machine can run the engine.
class EngineHead {
public:
  // Reads under 64 KB of the file. Checks header, section table and HEAD; says nothing about the other sections' bytes.
  static Result<EngineHead> open(const std::string &path);

  const format::Head &head() const { return *format::GetHead(bytes.data()); }
  const SectionTable &sections() const { return table; }
  uint64_t fileBytes() const { return size; }
  uint64_t bytesRead() const { return read; }
  // Under the host's features and INGOT_ISA; an unknown INGOT_ISA is an error.
  Result<VariantChoice> choice() const;

private:
  EngineHead() = default;
  std::vector<uint8_t> bytes; // of HEAD
  SectionTable table;
  uint64_t size = 0;
  uint64_t read = 0;
};

struct EngineOpenOptions {
  bool checkLargeWeights = false; // also the checksum of WEIGHTS of 256 MB and more: reads them all
};

// A whole engine, mapped. Immutable; safe to share among threads. Pointers and views into it live as long as it does.
class EngineFile {
public:
  static Result<std::shared_ptr<const EngineFile>> open(const std::string &path, const EngineOpenOptions &options = {});

  const std::string &path() const { return mapped->path(); }
  const File &file() const { return mapped->file(); }
  const format::Head &head() const { return *headTable; }
  const format::Plan &plan() const { return *planTable; }
  const SectionTable &sections() const { return table; }

  // Empty where the file lacks the section.
  std::span<const uint8_t> section(format::Section section) const;
  std::span<const uint8_t> tokenizer() const { return section(format::Section::Tokenizer); }
  std::string_view chat() const;   // JSON: runtime/chat/section.h
  std::string_view report() const; // JSON

  const uint8_t *weight(unsigned index) const;
  // Tells the operating system to start reading the weights from disk.
  void prefetchWeights() const;

  // Reads all of WEIGHTS and compares its checksum.
  Result<void> checkWeights() const;

private:
  EngineFile() = default;
  std::shared_ptr<const MappedFile> mapped;
  SectionTable table;
  const format::Head *headTable = nullptr;
  const format::Plan *planTable = nullptr;
};

} // namespace ingot::runtime

#endif
