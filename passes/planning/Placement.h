// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Placing buffers whose lifetimes are known in one arena: the arithmetic of plan-memory, free of IR so that a unit
// test can drive it with thousands of random lifetimes. It knows nothing of launches, symbols or kernels.
#ifndef INGOT_PASSES_PLANNING_PLACEMENT_H
#define INGOT_PASSES_PLANNING_PLACEMENT_H

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace ingot::passes {

// Every offset and size in an arena is a multiple of this: kernels may count on aligned buffers.
inline constexpr uint64_t kArenaGranule = 64;

// A buffer that is needed in steps first..last, both included. `size` is in bytes (per unit of the arena's symbol).
struct Lifetime {
  uint64_t size = 0;
  size_t first = 0, last = 0;
};

struct Placement {
  std::vector<uint64_t> offsets; // one per lifetime, a multiple of kArenaGranule
  uint64_t bytes = 0;            // of the whole arena
};

// Rounds up to kArenaGranule.
uint64_t roundToGranule(uint64_t bytes);

// Places the largest buffers first, each in the tightest gap that the buffers alive at the same time leave
// (best fit), else above them. Equal inputs give equal placements.
Placement place(const std::vector<Lifetime> &lifetimes);

// The first two buffers (by index) that are alive at the same time and share a byte, or nothing.
std::optional<std::pair<size_t, size_t>> findOverlap(const std::vector<Lifetime> &lifetimes,
                                                     const std::vector<uint64_t> &offsets);

} // namespace ingot::passes

#endif
