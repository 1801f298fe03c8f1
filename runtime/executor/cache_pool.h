// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The memory of the KV cache: for each cache group, layer and plane a run of `pages` pages, reserved at load and paid
// for page by page as they are written. Who owns which page is the scheduler's business, not ours.
#ifndef INGOT_RUNTIME_EXECUTOR_CACHE_POOL_H
#define INGOT_RUNTIME_EXECUTOR_CACHE_POOL_H

#include "runtime/core/error.h"
#include "runtime/core/memory.h"
#include "runtime/format/plan_generated.h"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace ingot::runtime {

struct CacheGroupInfo {
  std::string name;
  unsigned layers = 0;
  unsigned pageTokens = 0;
  format::Retention retention = format::Retention::full;
  unsigned window = 0;    // tokens, for Retention::window
  uint64_t pageBytes = 0; // one page over all layers and planes
  uint64_t pages = 0;     // in the pool; 0 in what cacheGroups() tells of a plan
};

// What a plan's cache groups need; to choose the number of pages from a budget.
std::vector<CacheGroupInfo> cacheGroups(const format::Plan &plan);

// Bytes that each group's pool takes with that many pages; the same checks as CachePool::reserve.
Result<std::vector<uint64_t>> cacheBytes(const format::Plan &plan, std::span<const uint64_t> pages);

// Where the planes of a group lie in one allocation.
struct CacheLayout {
  uint64_t bytes = 0;
  std::vector<std::vector<uint64_t>> planes; // [layer][plane]: offset of page 0; page p follows at p * page_bytes
};
// One for each group, with pages[g] pages; the same checks as CachePool::reserve.
Result<std::vector<CacheLayout>> layOutCache(const format::Plan &plan, std::span<const uint64_t> pages);

class CachePool {
public:
  CachePool() = default;
  // pages[g]: pages of group g.
  static Result<CachePool> reserve(const format::Plan &plan, std::span<const uint64_t> pages);

  const std::vector<CacheGroupInfo> &groups() const { return info; }
  // First byte of page 0; page p follows at p * page_bytes. 64-byte aligned.
  uint8_t *plane(unsigned group, unsigned layer, unsigned plane) const { return planes[group][layer][plane]; }
  uint64_t bytes() const;

private:
  std::vector<CacheGroupInfo> info;
  std::vector<Region> regions; // one per group
  std::vector<std::vector<std::vector<uint8_t *>>> planes;
};

} // namespace ingot::runtime

#endif
