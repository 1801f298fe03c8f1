// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The checks behind EngineFile::open, one file per part of the engine: header and section table (verify_table.cpp),
// HEAD (verify_head.cpp), PLAN (verify_plan.cpp). Private to the executor and its tests.
#ifndef INGOT_RUNTIME_EXECUTOR_VERIFY_H
#define INGOT_RUNTIME_EXECUTOR_VERIFY_H

#include "runtime/executor/engine_file.h"

#include <string>

namespace ingot::runtime {

// Collects where in the file we are, so that a check reads as its condition and what is wrong.
class Checker {
public:
  Checker(const std::string &path, std::string section) : path(path), section(std::move(section)) {}

  // Corrupt, as "FILE: SECTION: what is wrong; copy or compile the engine again".
  [[gnu::format(printf, 2, 3)]] Error bad(const char *format, ...) const;

private:
  const std::string &path;
  std::string section;
};

inline unsigned long long print(uint64_t value) { return value; } // for %llu

// FlatBuffers' verifier checks where a vector starts, not where its 8-byte elements do. Null is fine, and so is a vector
// without elements, which its builder does not align.
template <class T> bool aligned(const flatbuffers::Vector<T> *vector) {
  return !vector || vector->size() == 0 || reinterpret_cast<uintptr_t>(vector->Data()) % sizeof(T) == 0;
}

// Reads and checks the header and the section table with at most 64 + 32 * 64 bytes of `file`.
Result<SectionTable> readSectionTable(const File &file);

// Compares a section's bytes with its checksum.
Result<void> verifyChecksum(const std::string &path, const format::SectionEntry &entry, std::span<const uint8_t> bytes);

// The bytes are HEAD's or PLAN's, 8-byte aligned. What is returned points into them.
Result<const format::Head *> verifyHead(const std::string &path, std::span<const uint8_t> bytes,
                                        const SectionTable &table);
Result<const format::Plan *> verifyPlan(const std::string &path, std::span<const uint8_t> bytes,
                                        const format::Head &head, const SectionTable &table);

} // namespace ingot::runtime

#endif
