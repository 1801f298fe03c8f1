// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Anonymous memory straight from the operating system: page-aligned, zero, and paid for only where it is touched.
#ifndef INGOT_RUNTIME_CORE_MEMORY_H
#define INGOT_RUNTIME_CORE_MEMORY_H

#include "runtime/core/error.h"

#include <cstdint>

namespace ingot::runtime {

constexpr uint64_t kLargePage = 2 << 20;

// mmap of `bytes` from the start of `file` on, or of no file (-1) by the flags; from kLargePage on so that multiples of
// it lie at multiples of it: what lies in large pages is then mapped by large ones. MAP_FAILED, and errno.
void *mapAtLargePages(uint64_t bytes, int protection, int flags, int file);

// Asks for large pages (2 MiB) in the whole ones of [from, from + bytes): fewer translations where much of it is read. A
// system that has none ignores it.
void preferLargePages(const void *from, uint64_t bytes);
// How many of these bytes are mapped by large pages now, as /proc tells (mappings that reach out of the range count whole);
// 0 where it tells nothing.
uint64_t inLargePages(const void *from, uint64_t bytes);

class Region {
public:
  Region() = default;
  // `what` names the memory in the error: "the arena of 'tokens'".
  static Result<Region> reserve(uint64_t bytes, const std::string &what);
  Region(Region &&other) noexcept : base(other.base), length(other.length) { other.base = nullptr, other.length = 0; }
  Region &operator=(Region &&other) noexcept;
  ~Region();

  // preferLargePages in [from, to) of the region. Each is paid for whole once touched.
  void preferLargePages(uint64_t from, uint64_t to) const;

  uint8_t *data() const { return base; }
  uint64_t size() const { return length; }

private:
  uint8_t *base = nullptr;
  uint64_t length = 0;
};

// "512 B", "3.5 MiB", "12.0 GiB".
std::string humanBytes(uint64_t bytes);

} // namespace ingot::runtime

#endif
