// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See sessions.h. While a request has the pages, the session holds an empty sequence.
#include "runtime/serve/sessions.h"

#include <algorithm>

namespace ingot::serve {

Sessions::Session *Sessions::find(uint64_t session) const {
  auto at = std::find_if(all.begin(), all.end(), [&](auto &one) { return one->id == session; });
  return at == all.end() ? nullptr : at->get();
}

uint64_t Sessions::open() {
  all.push_back(std::unique_ptr<Session>(new Session{next, ++clock, PagedSequence(pools.size(), rewind), {}}));
  return next++;
}

void Sessions::close(uint64_t session) {
  std::erase_if(all, [&](auto &one) {
    if (one->id != session)
      return false;
    one->pages.release(pools);
    return true;
  });
}

int64_t Sessions::length(uint64_t session) const {
  const Session *one = find(session);
  return one ? one->pages.length() : 0;
}

PagedSequence Sessions::take(uint64_t session, std::span<const int32_t> ids) {
  PagedSequence taken(pools.size(), rewind);
  if (Session *one = find(session)) {
    std::swap(taken, one->pages);
    size_t most = std::min(one->ids.size(), ids.size() - 1);
    int64_t common = std::mismatch(ids.begin(), ids.begin() + int64_t(most), one->ids.begin()).first - ids.begin();
    one->ids.clear();
    if (taken.rewindable(pools, common))
      taken.rewind(pools, common);
    else
      taken.release(pools);
  }
  return taken;
}

void Sessions::giveBack(uint64_t session, PagedSequence pages, std::span<const int32_t> ids) {
  Session *one = find(session);
  if (!one)
    return pages.release(pools);
  one->used = ++clock;
  one->ids.assign(ids.begin(), ids.begin() + pages.length());
  one->pages = std::move(pages);
}

bool Sessions::evict() {
  Session *oldest = nullptr;
  for (const std::unique_ptr<Session> &one : all)
    if (one->pages.length() > 0 && (!oldest || one->used < oldest->used))
      oldest = one.get();
  if (!oldest)
    return false;
  oldest->pages.release(pools);
  oldest->ids.clear();
  return true;
}

uint64_t Sessions::held(size_t group) const {
  uint64_t pages = 0;
  for (const std::unique_ptr<Session> &one : all)
    pages += one->pages.held(group);
  return pages;
}

} // namespace ingot::serve
