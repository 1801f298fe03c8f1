// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Best-fit placement of lifetimes in an arena (see Placement.h). Quadratic in the number of buffers: a plan of a
// thousand launches takes milliseconds.
#include "passes/planning/Placement.h"

#include <algorithm>
#include <numeric>

namespace ingot::passes {

uint64_t roundToGranule(uint64_t bytes) { return (bytes + kArenaGranule - 1) / kArenaGranule * kArenaGranule; }

static bool aliveTogether(const Lifetime &a, const Lifetime &b) { return a.first <= b.last && b.first <= a.last; }

Placement place(const std::vector<Lifetime> &lifetimes) {
  Placement result;
  result.offsets.assign(lifetimes.size(), 0);
  std::vector<size_t> order(lifetimes.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    if (lifetimes[a].size != lifetimes[b].size)
      return lifetimes[a].size > lifetimes[b].size;
    return std::pair(lifetimes[a].first, a) < std::pair(lifetimes[b].first, b);
  });

  std::vector<size_t> placed;
  for (size_t index : order) {
    uint64_t size = roundToGranule(lifetimes[index].size);
    // What is taken while this buffer lives, as [begin, end) in ascending order.
    std::vector<std::pair<uint64_t, uint64_t>> taken;
    for (size_t other : placed)
      if (aliveTogether(lifetimes[index], lifetimes[other]))
        taken.push_back({result.offsets[other], result.offsets[other] + roundToGranule(lifetimes[other].size)});
    std::sort(taken.begin(), taken.end());

    uint64_t best = 0, bestGap = UINT64_MAX, end = 0;
    for (auto [from, to] : taken) {
      if (from > end && from - end >= size && from - end < bestGap) {
        best = end;
        bestGap = from - end;
      }
      end = std::max(end, to);
    }
    result.offsets[index] = bestGap == UINT64_MAX ? end : best;
    result.bytes = std::max(result.bytes, result.offsets[index] + size);
    placed.push_back(index);
  }
  return result;
}

std::optional<std::pair<size_t, size_t>> findOverlap(const std::vector<Lifetime> &lifetimes,
                                                     const std::vector<uint64_t> &offsets) {
  for (size_t b = 0; b < lifetimes.size(); ++b)
    for (size_t a = 0; a < b; ++a)
      if (aliveTogether(lifetimes[a], lifetimes[b]) && offsets[a] < offsets[b] + lifetimes[b].size &&
          offsets[b] < offsets[a] + lifetimes[a].size)
        return std::make_pair(a, b);
  return std::nullopt;
}

} // namespace ingot::passes
