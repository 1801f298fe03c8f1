// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See memory.h. Allocations are placed one after the other with gaps between; a freed range is used again when it fits.
#include "test/simulator/memory.h"
#include "test/simulator/block.h"

#include <cstdlib>
#include <cstring>
#include <map>
#include <sys/mman.h>

namespace ingot::simulator {

namespace {

constexpr size_t kGap = 512;
constexpr int kFresh = 0xcb;

struct Block {
  size_t bytes;
  std::string name;
};

struct Heap {
  size_t next = kGap;
  std::map<uintptr_t, Block> blocks;    // by address
  std::multimap<size_t, uint8_t *> old; // freed, by size
};

Heap &heap() {
  static Heap only;
  return only;
}

} // namespace

uint8_t *const globalBegin = [] {
  void *at = mmap(nullptr, kReserved, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (at == MAP_FAILED)
    std::abort();
  return static_cast<uint8_t *>(at);
}();
Range lastRanges[2];

void *allocate(size_t bytes, const std::string &name) {
  Heap &h = heap();
  const size_t rounded = (bytes + 255) / 256 * 256;
  uint8_t *at = nullptr;
  if (auto found = h.old.lower_bound(rounded); found != h.old.end() && found->first <= 2 * rounded) {
    at = found->second;
    h.old.erase(found);
  } else {
    if (rounded > kReserved || h.next > kReserved - rounded - kGap)
      return nullptr;
    at = globalBegin + h.next;
    h.next += rounded + kGap;
  }
  h.blocks[reinterpret_cast<uintptr_t>(at)] = {bytes, name};
  // Large ranges stay untouched, so that they cost nothing; they read as zero.
  if (bytes <= (64u << 20))
    std::memset(at, kFresh, bytes);
  return at;
}

void release(void *memory) {
  Heap &h = heap();
  auto found = h.blocks.find(reinterpret_cast<uintptr_t>(memory));
  if (found == h.blocks.end())
    return;
  h.old.emplace((found->second.bytes + 255) / 256 * 256, static_cast<uint8_t *>(memory));
  h.blocks.erase(found);
  lastRanges[0] = lastRanges[1] = {};
}

std::string outsideOfAllocations(const void *address, size_t bytes) {
  Heap &h = heap();
  const uintptr_t at = reinterpret_cast<uintptr_t>(address);
  if (insideLastAllocation(address, bytes))
    return "";
  auto next = h.blocks.upper_bound(at);
  if (next == h.blocks.begin())
    return "before all allocations";
  auto found = std::prev(next);
  if (at + bytes <= found->first + found->second.bytes) {
    lastRanges[1] = lastRanges[0];
    lastRanges[0] = {found->first, found->first + found->second.bytes};
    return "";
  }
  std::string text = "byte " + std::to_string(at - found->first) + " of " + found->second.name + ", which has " +
                     std::to_string(found->second.bytes) + " bytes";
  if (next != h.blocks.end())
    text += "; " + std::to_string(next->first - at) + " bytes before " + next->second.name;
  return text;
}

std::string placeName(const void *address) {
  Heap &h = heap();
  const uintptr_t at = reinterpret_cast<uintptr_t>(address);
  if (const size_t offset = size_t(static_cast<const uint8_t *>(address) - sharedBegin); offset < kSharedArena)
    return "byte " + std::to_string(offset) + " of shared memory";
  auto next = h.blocks.upper_bound(at);
  if (!isGlobal(address) || next == h.blocks.begin())
    return "address " + std::to_string(at);
  auto found = std::prev(next);
  return "byte " + std::to_string(at - found->first) + " of " + found->second.name;
}

} // namespace ingot::simulator
