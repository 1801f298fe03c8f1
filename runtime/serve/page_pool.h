// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Pages of the KV cache, counted out one by one. A pool knows how many pages a cache group has and which are free;
// what lies in them is the executor's. A PagedSequence is the pages that one sequence holds in every group, and how
// many of its positions are in the cache. Neither knows of schedules, tokens or kernels.
//
//   position p of a sequence -> block p / page_tokens -> page blocks[p / page_tokens] of the group
//   slot(p) = page * page_tokens + p % page_tokens
//
// Not thread-safe: one scheduler owns a pool.
#ifndef INGOT_SERVE_PAGE_POOL_H
#define INGOT_SERVE_PAGE_POOL_H

#include <cstddef>
#include <cstdint>
#include <vector>

namespace ingot::serve {

// One cache group, as the schedule sees it.
struct PageGroup {
  uint32_t page_tokens = 16; // positions in a page
  uint32_t window = 0;       // only the last `window` positions are ever read; 0: all of them
  uint64_t pages = 0;        // in the pool
  uint32_t source = 0;       // the group keeps the source of a sequence, so many positions at most; 0: the sequence itself
};

class PagePool {
public:
  explicit PagePool(const PageGroup &group);

  const PageGroup &group() const { return info; }
  uint64_t freePages() const { return uint64_t(free.size()) + (info.pages - touched); }
  // The page taken last goes out first, and a page never used before only when there is no other: memory that the
  // pool has not needed yet stays untouched. Returns -1 when all are taken.
  int32_t take();
  void giveBack(int32_t page);

private:
  PageGroup info;
  uint64_t touched = 0; // pages 0 .. touched-1 have been handed out at least once
  std::vector<int32_t> free;
};

class PagedSequence {
public:
  // `rewind`: the last so many positions can be given up again, see `rewind` below; windows keep pages for it.
  explicit PagedSequence(size_t groups, int64_t rewind = 0) : slack(rewind), tables(groups), released(groups, 0) {}

  // Positions whose keys and values are in the cache.
  int64_t length() const { return computed; }
  // Takes pages so that positions up to `length` (exclusive) have a place, and those of the source up to `source`. Takes
  // nothing and returns false when some group has too few free pages.
  bool reserve(std::vector<PagePool> &pools, int64_t length, int64_t source = 0);
  // Positions of the source that have a place.
  int64_t sourceLength() const { return ofSource; }
  // Positions up to `length` are in the cache from now on; pages that no later position can read are given back.
  void advance(std::vector<PagePool> &pools, int64_t length);
  // Whether the sequence can be cut to its first `length` positions: none of the pages that the position after them
  // reads was given back. Always so for the last `rewind` positions, and where no group has a window.
  bool rewindable(const std::vector<PagePool> &pools, int64_t length) const;
  // Cuts it so, which must be possible; the pages beyond are given back.
  void rewind(std::vector<PagePool> &pools, int64_t length);
  // Gives everything back; the sequence is empty then.
  void release(std::vector<PagePool> &pools);

  int32_t slot(const std::vector<PagePool> &pools, size_t group, int64_t position) const;
  // Pages of `group` that the sequence holds now.
  uint64_t held(size_t group) const { return tables[group].size() - uint64_t(released[group]); }
  // Blocks of `group`, oldest first. Pages that were given back are named by 0: nothing reads them.
  const std::vector<int32_t> &blocks(size_t group) const { return tables[group]; }

private:
  int64_t slack;
  std::vector<std::vector<int32_t>> tables;
  std::vector<int64_t> released; // leading blocks of each table that were given back
  int64_t computed = 0, ofSource = 0;
};

// Pages that a sequence of `length` positions, fed at most `chunk` at a time, holds at most in `group` when its last
// `rewind` positions can be given up.
uint64_t pagesFor(const PageGroup &group, int64_t length, int64_t chunk, int64_t rewind = 0);

} // namespace ingot::serve

#endif
