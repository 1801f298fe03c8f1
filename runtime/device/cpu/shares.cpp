// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/device/cpu/shares.h"

#include <algorithm>

namespace ingot::runtime {

// All but the reserve at first, then the reserve.
bool Shares::takeFront(unsigned worker, uint64_t number, uint32_t tiles, TileRange &range) {
  const TileRange share = tileShare(tiles, worker, workers);
  const unsigned pieces = piecesOf(share);
  const unsigned reserve = states[worker].reserve;
  std::atomic<uint64_t> &word = states[worker].taken;
  uint64_t before = word.load(std::memory_order_relaxed);
  for (Taken taken; read(before, number, pieces, taken);) {
    const unsigned left = pieces - taken.front - taken.back;
    const unsigned some = left > reserve ? left - reserve : left;
    if (word.compare_exchange_weak(before, state(number, {taken.front + some, taken.back}),
                                   std::memory_order_relaxed)) {
      range = piecesAt(share, taken.front, taken.front + some);
      return true;
    }
  }
  return false;
}

bool Shares::takeBack(unsigned worker, uint64_t number, uint32_t tiles, TileRange &range) {
  const TileRange share = tileShare(tiles, worker, workers);
  const unsigned pieces = piecesOf(share);
  std::atomic<uint64_t> &word = states[worker].taken;
  uint64_t before = word.load(std::memory_order_relaxed);
  for (Taken taken; read(before, number, pieces, taken);) {
    const unsigned some = (pieces - taken.front - taken.back + 1) / 2;
    if (word.compare_exchange_weak(before, state(number, {taken.front, taken.back + some}),
                                   std::memory_order_relaxed)) {
      range = piecesAt(share, pieces - taken.back - some, pieces - taken.back);
      return true;
    }
  }
  return false;
}

// The reserve doubles where others took all of it, and shrinks where nobody wanted it.
void Shares::learn(State &own, uint64_t number) {
  const uint64_t state = own.taken.load(std::memory_order_relaxed);
  if (state >> 16 != number)
    return;
  const auto lost = unsigned(state & 0xff);
  if (lost >= own.reserve)
    own.reserve = std::min(own.reserve * 2, kPieces / 2);
  else if (lost == 0)
    own.reserve = std::max(own.reserve - 1, 1u);
}

} // namespace ingot::runtime
