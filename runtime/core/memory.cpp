// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See memory.h.
#include "runtime/core/memory.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <sys/mman.h>
#include <unistd.h>
#include <utility>

namespace ingot::runtime {

void *mapAtLargePages(uint64_t bytes, int protection, int flags, int file) {
  if (bytes > SIZE_MAX / 2) {
    errno = ENOMEM;
    return MAP_FAILED;
  }
  // A place with room to move, of which the mapping takes what it needs.
  const size_t room = bytes + kLargePage;
  void *place = bytes < kLargePage ? MAP_FAILED
                                   : mmap(nullptr, room, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (place == MAP_FAILED)
    return mmap(nullptr, bytes, protection, flags, file, 0);
  auto *first = static_cast<uint8_t *>(place);
  const size_t before = (kLargePage - reinterpret_cast<uintptr_t>(first) % kLargePage) % kLargePage;
  const size_t page = size_t(sysconf(_SC_PAGESIZE)), pages = (bytes + page - 1) / page * page;
  void *address = mmap(first + before, bytes, protection, flags | MAP_FIXED, file, 0);
  if (address == MAP_FAILED) {
    const int error = errno;
    munmap(first, room);
    errno = error;
    return MAP_FAILED;
  }
  if (before)
    munmap(first, before);
  if (before + pages < room)
    munmap(first + before + pages, room - before - pages);
  return address;
}

Result<Region> Region::reserve(uint64_t bytes, const std::string &what) {
  Region region;
  if (bytes == 0)
    return region;
  // No swap is set aside: a page costs nothing before it is written.
  void *address = mapAtLargePages(bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1);
  if (address == MAP_FAILED)
    return makeError(ErrorCode::ResourceExhausted, "cannot reserve %s for %s: %s; ask for less",
                     humanBytes(bytes).c_str(), what.c_str(), systemReason(errno).c_str());
  region.base = static_cast<uint8_t *>(address);
  region.length = bytes;
  return region;
}

void preferLargePages(const void *from, uint64_t bytes) {
  const uintptr_t start = (reinterpret_cast<uintptr_t>(from) + kLargePage - 1) / kLargePage * kLargePage;
  const uintptr_t end = (reinterpret_cast<uintptr_t>(from) + bytes) / kLargePage * kLargePage;
  if (start < end)
    madvise(reinterpret_cast<void *>(start), end - start, MADV_HUGEPAGE); // advice: what fails changes no result
}

uint64_t inLargePages(const void *from, uint64_t bytes) {
  std::FILE *maps = std::fopen("/proc/self/smaps", "re");
  if (!maps)
    return 0;
  const auto first = reinterpret_cast<uintptr_t>(from);
  uint64_t kibibytes = 0;
  bool inside = false;
  char line[512];
  while (std::fgets(line, sizeof line, maps)) {
    unsigned long long start, end, size;
    char name[32];
    if (std::sscanf(line, "%llx-%llx ", &start, &end) == 2)
      inside = start < first + bytes && first < end;
    else if (inside && std::sscanf(line, "%31[A-Za-z]: %llu kB", name, &size) == 2 &&
             (!std::strcmp(name, "AnonHugePages") || !std::strcmp(name, "ShmemPmdMapped") || !std::strcmp(name, "FilePmdMapped")))
      kibibytes += size;
  }
  std::fclose(maps);
  return std::min<uint64_t>(kibibytes << 10, bytes);
}

void Region::preferLargePages(uint64_t from, uint64_t to) const { runtime::preferLargePages(base + from, to - from); }

Region &Region::operator=(Region &&other) noexcept {
  std::swap(base, other.base);
  std::swap(length, other.length);
  return *this;
}

Region::~Region() {
  if (base)
    munmap(base, length);
}

std::string humanBytes(uint64_t bytes) {
  char text[32];
  if (bytes < 1024) {
    std::snprintf(text, sizeof text, "%u B", unsigned(bytes));
    return text;
  }
  const char *unit = "KMGTPE";
  double value = double(bytes) / 1024;
  for (; value >= 1024 && unit[1]; value /= 1024)
    ++unit;
  std::snprintf(text, sizeof text, "%.1f %ciB", value, *unit);
  return text;
}

} // namespace ingot::runtime
