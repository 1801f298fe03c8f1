// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which tiles of a step a worker does. Each has a contiguous share of its own, the same in every step of equal tiles, so
// that it finds in its caches what it read there before. It takes pieces from the front of its share; who has none left
// takes from the back of a neighbour's, so that one CPU that is slow or busy elsewhere holds up no step for longer than a
// piece:
//
//   share of worker 0   |0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0|
//   share of worker 1   |1 1 1 1 1 1 1 1 1 1 1 1 0 0 0 0|        worker 1 was slower by half
//
// A call may have work of its own to do before it begins, such as copying what it reads, so the owner's first one takes all
// but a reserve: a piece where nobody wants more, up to half the share while others empty it. From the back, half of what
// is left is taken each time. Neighbours are the workers of a group of 8: beyond them it costs more to look for work than
// there is to win.
#ifndef INGOT_RUNTIME_DEVICE_CPU_SHARES_H
#define INGOT_RUNTIME_DEVICE_CPU_SHARES_H

#include <atomic>
#include <cstdint>
#include <memory>

namespace ingot::runtime {

// Tiles [first, end).
struct TileRange {
  uint32_t first, end;
};
// The share of a worker: contiguous, in the order of the workers, as even as whole tiles allow.
inline TileRange tileShare(uint32_t tiles, unsigned worker, unsigned workers) {
  return {uint32_t(uint64_t(tiles) * worker / workers), uint32_t(uint64_t(tiles) * (worker + 1) / workers)};
}

class Shares {
public:
  explicit Shares(unsigned workers) : workers(workers), states(new State[workers]) {}

  // Calls work(TileRange) for what `worker` does of a step of `tiles` tiles, until its group has none left to take.
  // `number` identifies the step and grows from step to step; nobody may begin a step before all tiles of the one
  // before it are taken, which is so when every worker calls this for every step.
  template <class Work> void over(unsigned worker, uint64_t number, uint32_t tiles, const Work &work) {
    State &own = states[worker];
    for (TileRange range; takeFront(worker, number, tiles, range);)
      if (range.first < range.end)
        work(range);
    learn(own, number);
    const unsigned group = worker / kGroup * kGroup, size = workers - group < kGroup ? workers - group : kGroup;
    for (unsigned i = 1; i < size; ++i) {
      const unsigned other = group + (worker - group + i) % size;
      for (TileRange range; takeBack(other, number, tiles, range);)
        if (range.first < range.end)
          work(range);
    }
  }

private:
  static constexpr unsigned kGroup = 8, kPieces = 16;

  struct alignas(64) State {
    // number << 16 | pieces taken from the front << 8 | from the back
    std::atomic<uint64_t> taken{0};
    // How many pieces of the share its owner's first call leaves. The owner's alone.
    unsigned reserve = 2;
  };

  // What is taken of a share in the step `number`; all of it where the share's state is of a later step.
  struct Taken {
    unsigned front, back;
  };
  static bool read(uint64_t state, uint64_t number, unsigned pieces, Taken &taken) {
    if (state >> 16 > number)
      return false;
    taken = state >> 16 == number ? Taken{unsigned(state >> 8 & 0xff), unsigned(state & 0xff)} : Taken{0, 0};
    return taken.front + taken.back < pieces;
  }
  static uint64_t state(uint64_t number, Taken taken) { return number << 16 | taken.front << 8 | taken.back; }

  static unsigned piecesOf(TileRange share) {
    return share.end - share.first < kPieces ? share.end - share.first : kPieces;
  }
  // The pieces [first, end) of a share: in multiples of 8 or 4 tiles where there are many, as kernels take them side by
  // side.
  static TileRange piecesAt(TileRange share, unsigned first, unsigned end) {
    const uint32_t size = share.end - share.first, pieces = piecesOf(share);
    const uint32_t grain = size >= 8 * kPieces ? 8 : size >= 4 * kPieces ? 4 : 1;
    auto at = [&](unsigned piece) {
      return piece == pieces ? share.end : share.first + uint32_t(uint64_t(size) * piece / pieces) / grain * grain;
    };
    return {at(first), at(end)};
  }

  bool takeFront(unsigned worker, uint64_t number, uint32_t tiles, TileRange &range);
  bool takeBack(unsigned worker, uint64_t number, uint32_t tiles, TileRange &range);
  static void learn(State &own, uint64_t number);

  unsigned workers;
  std::unique_ptr<State[]> states;
};

} // namespace ingot::runtime

#endif
