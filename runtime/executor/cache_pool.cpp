// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See cache_pool.h.
#include "runtime/executor/cache_pool.h"

#include <limits>

namespace ingot::runtime {

static constexpr uint64_t kGranule = 4096;

std::vector<CacheGroupInfo> cacheGroups(const format::Plan &plan) {
  std::vector<CacheGroupInfo> groups;
  for (const format::CacheGroup *group : *plan.cache_groups()) {
    CacheGroupInfo info;
    info.name = group->name()->str();
    info.layers = group->layers();
    info.pageTokens = group->page_tokens();
    info.retention = group->retention();
    info.window = group->window();
    for (const format::CachePlane *plane : *group->planes())
      info.pageBytes += group->layers() * plane->page_bytes();
    groups.push_back(std::move(info));
  }
  return groups;
}

// Bytes of one plane of one layer, rounded to pages of the machine; false where they pass 64 bits.
static bool planeBytes(const format::CachePlane &plane, uint64_t pages, uint64_t &bytes) {
  if (__builtin_mul_overflow(plane.page_bytes(), pages, &bytes) || __builtin_add_overflow(bytes, kGranule - 1, &bytes))
    return false;
  bytes -= bytes % kGranule;
  return true;
}

Result<std::vector<uint64_t>> cacheBytes(const format::Plan &plan, std::span<const uint64_t> pages) {
  const auto &groups = *plan.cache_groups();
  if (pages.size() != groups.size())
    return makeError(ErrorCode::InvalidArgument, "pages are given for %zu cache groups, the engine has %u",
                     pages.size(), groups.size());
  std::vector<uint64_t> bytes;
  for (unsigned g = 0; g < groups.size(); ++g) {
    const format::CacheGroup &group = *groups.Get(g);
    // Slots are numbered in 32 bits.
    uint64_t most = uint64_t(std::numeric_limits<int32_t>::max()) / group.page_tokens();
    if (pages[g] > most)
      return makeError(ErrorCode::InvalidArgument, "cache group %s: %llu pages, expected at most %llu of %u tokens",
                       quoted(group.name()->string_view()).c_str(), static_cast<unsigned long long>(pages[g]),
                       static_cast<unsigned long long>(most), group.page_tokens());
    uint64_t total = 0;
    bool fits = true;
    for (const format::CachePlane *plane : *group.planes()) {
      uint64_t one = 0, all = 0;
      fits = fits && planeBytes(*plane, pages[g], one) && !__builtin_mul_overflow(one, group.layers(), &all) &&
             !__builtin_add_overflow(total, all, &total);
    }
    if (!fits)
      return makeError(ErrorCode::ResourceExhausted, "cache group %s: %llu pages need more than 2^64 bytes",
                       quoted(group.name()->string_view()).c_str(), static_cast<unsigned long long>(pages[g]));
    bytes.push_back(total);
  }
  return bytes;
}

Result<std::vector<CacheLayout>> layOutCache(const format::Plan &plan, std::span<const uint64_t> pages) {
  INGOT_ASSIGN_OR_RETURN(std::vector<uint64_t> bytes, cacheBytes(plan, pages));
  std::vector<CacheLayout> layouts;
  for (unsigned g = 0; g < pages.size(); ++g) {
    const format::CacheGroup &group = *plan.cache_groups()->Get(g);
    CacheLayout layout;
    layout.planes.resize(group.layers());
    for (auto &layer : layout.planes)
      for (const format::CachePlane *plane : *group.planes()) {
        layer.push_back(layout.bytes);
        uint64_t one = 0;
        planeBytes(*plane, pages[g], one);
        layout.bytes += one;
      }
    layouts.push_back(std::move(layout));
  }
  return layouts;
}

Result<CachePool> CachePool::reserve(const format::Plan &plan, std::span<const uint64_t> pages) {
  INGOT_ASSIGN_OR_RETURN(std::vector<CacheLayout> layouts, layOutCache(plan, pages));
  CachePool pool;
  pool.info = cacheGroups(plan);
  for (unsigned g = 0; g < pages.size(); ++g) {
    pool.info[g].pages = pages[g];
    INGOT_ASSIGN_OR_RETURN(Region region,
                           Region::reserve(layouts[g].bytes, std::to_string(pages[g]) +
                                                                 " pages of the KV cache's group " +
                                                                 quoted(pool.info[g].name)));
    auto &layers = pool.planes.emplace_back();
    for (const std::vector<uint64_t> &offsets : layouts[g].planes) {
      auto &layer = layers.emplace_back();
      for (unsigned plane = 0; plane < offsets.size(); ++plane) {
        layer.push_back(region.data() + offsets[plane]);
        uint64_t one = 0;
        planeBytes(*plan.cache_groups()->Get(g)->planes()->Get(plane), pages[g], one);
        // Long contexts are read in short runs from all over the plane. Its start stays in small pages, so that short
        // ones touch no more than they need.
        if (one > kLargePage)
          region.preferLargePages(offsets[plane] + kLargePage, offsets[plane] + one);
      }
    }
    pool.regions.push_back(std::move(region));
  }
  return pool;
}

uint64_t CachePool::bytes() const {
  uint64_t sum = 0;
  for (const Region &region : regions)
    sum += region.size();
  return sum;
}

} // namespace ingot::runtime
