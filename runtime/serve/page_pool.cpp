// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See page_pool.h. The only arithmetic is blocks of a length, and the first block that a window still reads.
#include "runtime/serve/page_pool.h"

#include <algorithm>

namespace ingot::serve {
namespace {

int64_t ceilDiv(int64_t a, int64_t b) { return (a + b - 1) / b; }

// Attention reduces over blocks of 64 positions aligned to absolute positions, so a block that holds one readable
// position is read whole.
constexpr int64_t kAttentionBlock = 64;

// The first page that position `next` or a later one can still read.
int64_t firstLivePage(const PageGroup &group, int64_t next) {
  if (group.window == 0)
    return 0;
  int64_t first = std::max<int64_t>(0, next - int64_t(group.window) + 1);
  return first / kAttentionBlock * kAttentionBlock / group.page_tokens;
}

} // namespace

PagePool::PagePool(const PageGroup &group) : info(group) {}

int32_t PagePool::take() {
  if (!free.empty()) {
    int32_t page = free.back();
    free.pop_back();
    return page;
  }
  return touched < info.pages ? int32_t(touched++) : -1;
}

void PagePool::giveBack(int32_t page) { free.push_back(page); }

bool PagedSequence::reserve(std::vector<PagePool> &pools, int64_t length, int64_t source) {
  auto blocksOf = [&](size_t g) {
    const PageGroup &group = pools[g].group();
    return ceilDiv(group.source ? source : length, group.page_tokens);
  };
  for (size_t g = 0; g < tables.size(); ++g) {
    int64_t need = blocksOf(g) - int64_t(tables[g].size());
    if (need > 0 && uint64_t(need) > pools[g].freePages())
      return false;
  }
  for (size_t g = 0; g < tables.size(); ++g)
    while (int64_t(tables[g].size()) < blocksOf(g))
      tables[g].push_back(pools[g].take());
  ofSource = std::max(ofSource, source);
  return true;
}

void PagedSequence::advance(std::vector<PagePool> &pools, int64_t length) {
  computed = length;
  for (size_t g = 0; g < tables.size(); ++g) {
    int64_t live = firstLivePage(pools[g].group(), std::max<int64_t>(0, length - slack));
    live = std::min(live, int64_t(tables[g].size()));
    for (; released[g] < live; ++released[g]) {
      pools[g].giveBack(tables[g][released[g]]);
      tables[g][released[g]] = 0;
    }
  }
}

bool PagedSequence::rewindable(const std::vector<PagePool> &pools, int64_t length) const {
  for (size_t g = 0; g < tables.size(); ++g)
    if (released[g] > firstLivePage(pools[g].group(), length))
      return false;
  return length <= computed;
}

void PagedSequence::rewind(std::vector<PagePool> &pools, int64_t length) {
  for (size_t g = 0; g < tables.size(); ++g)
    while (!pools[g].group().source && int64_t(tables[g].size()) > ceilDiv(length, pools[g].group().page_tokens)) {
      pools[g].giveBack(tables[g].back());
      tables[g].pop_back();
    }
  computed = length;
}

void PagedSequence::release(std::vector<PagePool> &pools) {
  for (size_t g = 0; g < tables.size(); ++g) {
    for (size_t b = size_t(released[g]); b < tables[g].size(); ++b)
      pools[g].giveBack(tables[g][b]);
    tables[g].clear();
    released[g] = 0;
  }
  computed = ofSource = 0;
}

int32_t PagedSequence::slot(const std::vector<PagePool> &pools, size_t group, int64_t position) const {
  int64_t pageTokens = pools[group].group().page_tokens;
  return int32_t(tables[group][size_t(position / pageTokens)] * pageTokens + position % pageTokens);
}

uint64_t pagesFor(const PageGroup &group, int64_t length, int64_t chunk, int64_t rewind) {
  int64_t blocks = ceilDiv(group.source ? group.source : length, group.page_tokens);
  if (group.window == 0)
    return uint64_t(blocks);
  // A chunk is appended before what slid out of the window is given back; both ends may cut a page.
  int64_t held = std::min(length, int64_t(group.window) + kAttentionBlock + chunk + rewind);
  return uint64_t(std::min(blocks, ceilDiv(held, group.page_tokens) + 1));
}

} // namespace ingot::serve
