// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Global memory of the simulated device: one reserved range of addresses, so that whatever lies in it and in no
// allocation is known to be a mistake.
#ifndef INGOT_TEST_SIMULATOR_MEMORY_H
#define INGOT_TEST_SIMULATOR_MEMORY_H

#include <cstddef>
#include <cstdint>
#include <string>

namespace ingot::simulator {

inline constexpr size_t kReserved = size_t(1) << 40;
extern uint8_t *const globalBegin;
// Whether an address lies in the reserved range.
inline bool isGlobal(const void *address) {
  return size_t(static_cast<const uint8_t *>(address) - globalBegin) < kReserved;
}
// Whether [address, address + bytes) is part of one of the two allocations that were asked for last: accesses come in
// runs.
struct Range {
  uintptr_t begin = 1, end = 0;
};
extern Range lastRanges[2];
inline bool insideLastAllocation(const void *address, size_t bytes) {
  const uintptr_t at = reinterpret_cast<uintptr_t>(address);
  return (at >= lastRanges[0].begin && at + bytes <= lastRanges[0].end) ||
         (at >= lastRanges[1].begin && at + bytes <= lastRanges[1].end);
}
// Empty: [address, address + bytes) is part of one allocation. Otherwise where it lies instead.
std::string outsideOfAllocations(const void *address, size_t bytes);
// "byte 16 of weights" for a message.
std::string placeName(const void *address);

} // namespace ingot::simulator

#endif
