// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The engine file's outermost layout, shared by the compiler that writes it and the runtime that maps it.
// All integers are little-endian. Checksums are XXH3-64 (seed 0) of the section's bytes.
//
//   1. bytes 0..63: FileHeader.
//   2. bytes 64..: `section_count` SectionEntry records of 32 bytes.
//   3. HEAD: a FlatBuffer (head.fbs), which ends within the first 64 KB of the file: everything that decides
//      whether a machine can run this engine and what it will need.
//   4. PLAN: a FlatBuffer (plan.fbs): entries, launches, buffers, kernels, weight table, cache groups.
//   5. CODE: flat images of position-independent machine code, one per CPU feature set, page-aligned.
//   6. TOKENIZER: the tokenizer ready to use (runtime/text); absent when the model came without one.
//   7. CHAT: JSON text: chat templates and special tokens (runtime/chat/section.h); absent when there is no template.
//   8. REPORT: JSON text: where every tensor came from and what was done to it.
//   9. WEIGHTS: page-aligned; each tensor starts at a multiple of 64 bytes.
//
// Every section starts at a multiple of its alignment (CODE and WEIGHTS: 4096, others: 64); the gaps are zero.
// HEAD .. REPORT are checked at each load; WEIGHTS too when it is under 256 MB, else by `ingot-run check --weights`.
#ifndef INGOT_FORMAT_ENGINE_H
#define INGOT_FORMAT_ENGINE_H

#include <cstdint>

namespace ingot::format {

inline constexpr char kMagic[8] = {'I', 'N', 'G', 'O', 'T', '\r', '\n', '\x1a'};
inline constexpr uint32_t kVersion = 1;            // frozen: docs/spec/engine.md, "Compatibility"
inline constexpr uint64_t kHeadLimit = 64 * 1024;  // HEAD ends before this offset
inline constexpr uint64_t kPage = 4096;
inline constexpr uint64_t kWeightsCheckedAtLoad = 256ull << 20;

enum class Section : uint32_t { Head = 1, Plan = 2, Code = 3, Tokenizer = 4, Chat = 5, Report = 6, Weights = 7 };

struct FileHeader {
  char magic[8];
  uint32_t version;
  uint32_t section_count;
  uint64_t file_bytes;
  uint64_t table_checksum;  // XXH3-64 of the section table
  uint64_t reserved[4];     // zero
};
static_assert(sizeof(FileHeader) == 64);

struct SectionEntry {
  uint32_t kind;      // Section
  uint32_t reserved;  // zero
  uint64_t offset;    // from the start of the file
  uint64_t size;
  uint64_t checksum;
};
static_assert(sizeof(SectionEntry) == 32);

}  // namespace ingot::format

#endif
