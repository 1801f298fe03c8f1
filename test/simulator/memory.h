// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Global memory of the simulated device: one reserved range of addresses, so that whatever lies in it and in no allocation is
// known to be a mistake.
#ifndef INGOT_TEST_SIMULATOR_MEMORY_H
#define INGOT_TEST_SIMULATOR_MEMORY_H

#include <cstddef>
#include <cstdint>
#include <string>

namespace ingot::simulator {

// Whether an address lies in the reserved range.
bool isGlobal(const void *address);
// Empty: [address, address + bytes) is part of one allocation. Otherwise where it lies instead.
std::string outsideOfAllocations(const void *address, size_t bytes);
// "byte 16 of weights" for a message.
std::string placeName(const void *address);

} // namespace ingot::simulator

#endif
