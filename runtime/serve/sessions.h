// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sequences that stay in the cache between requests, so that a conversation computes only what is new. A session is
// the pages of one sequence and the ids that its positions hold. A request takes them at the start, cut to the ids
// that both have in common, and gives them back, longer, at its end.
//
//   session   a b c d e f g        ids in the cache
//   request   a b c d x y z        a b c d are not computed again; the pages of e f g are free
//
// Which request runs is the scheduler's. A session that no running request uses may lose its pages to one that needs
// them: its next request then computes all of its ids. Not thread-safe.
#ifndef INGOT_SERVE_SESSIONS_H
#define INGOT_SERVE_SESSIONS_H

#include "runtime/serve/page_pool.h"

#include <memory>
#include <span>

namespace ingot::serve {

class Sessions {
public:
  // `rewind`: where a group has a window, a request may differ from the session in its last `rewind` positions and
  // still use what stands before them. Without windows it may differ anywhere.
  Sessions(std::vector<PagePool> &pools, int64_t rewind) : pools(pools), rewind(rewind) {}

  // Numbers are above 0 and never used twice.
  uint64_t open();
  // Gives its pages back. Only while no request has them.
  void close(uint64_t session);
  bool isOpen(uint64_t session) const { return find(session) != nullptr; }
  // Positions that it holds in the cache; 0 while a request has them.
  int64_t length(uint64_t session) const;

  // The pages of the positions that the session has in common with `ids`, the last of which is left out: something must
  // be computed for a draw. They are the caller's until `giveBack`.
  PagedSequence take(uint64_t session, std::span<const int32_t> ids);
  // `ids` holds at least as many as `pages` has positions. Nothing is kept when the session was closed meanwhile.
  void giveBack(uint64_t session, PagedSequence pages, std::span<const int32_t> ids);

  // Frees the pages of the session that was used longest ago. False where none has pages.
  bool evict();
  // Pages of `group` that evicting all would free.
  uint64_t held(size_t group) const;

private:
  struct Session {
    uint64_t id, used;
    PagedSequence pages;
    std::vector<int32_t> ids; // of pages.length() positions
  };
  Session *find(uint64_t session) const;

  std::vector<PagePool> &pools;
  int64_t rewind;
  uint64_t next = 1, clock = 0;
  std::vector<std::unique_ptr<Session>> all;
};

} // namespace ingot::serve

#endif
