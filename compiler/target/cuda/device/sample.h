// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// sample: one token per row of logits, all of it on the device (params.h has operands and the order of steps,
// docs/spec/numerics.md the sums and the draw).
// Three launches: sampleLargest and sampleSums (sample_passes.h), then sampleChoose, which is here.
// Grid (rows), block a multiple of 64; shared: SampleShape. Workspace: kCounterBytes that belong to others, then a
// row's parts (sample_row.h).
//
// Weights, sums of 64 ids and Philox are the CPU's, bit for bit. Sums in f64 are added in another order: of each
// thread's share, then over the block. So a draw can differ from the CPU's where u times the sum lies within about
// 1e-13 of the sum from a boundary between ids, and top-p where its target does.
//
// Nothing is sorted. top-k and top-p seek
// the key at which enough is kept, by bits of the order-preserving integer of a logit, two at a time from the highest
// in which keys differ: each step sums, over the entries, what lies at or above three candidates. Entries are a list in
// shared memory of the ids near enough to the largest (as the CPU finds them); where those are more than 4,096, all
// ids.
#ifndef INGOT_CUDA_DEVICE_SAMPLE_H
#define INGOT_CUDA_DEVICE_SAMPLE_H

#include "compiler/target/cuda/device/sample_row.h"

namespace ingot::device {

template <class P> struct SampleRow {
  static constexpr int32_t n = P::p.vocabulary;
  static constexpr SampleShape s = sampleShape(P::p);
  static constexpr int32_t blocks = s.blocks;
  const float *logit;
  double *sums;   // what goes from warp to warp
  float *largest; // [blocks]
  float *counts;  // [blocks]: sums of weights, then where the list has a block's entries
  int32_t *ids;   // the list, ascending
  uint32_t *orders;
  float most, inverse; // 1 / temperature

  // The lowest id of the largest.
  INGOT_DEVICE int32_t lowestOfLargest() const {
    int32_t block = blocks;
    for (int32_t b = (int32_t)thread(); b < blocks; b += (int32_t)threads())
      if (largest[b] == most) {
        block = b;
        break;
      }
    block = leastOverBlock(block, sums);
    int32_t id = n;
    if (thread() < kSampleIds)
      if (const int32_t v = block * kSampleIds + (int32_t)thread(); v < n && logit[v] == most)
        id = v;
    return leastOverBlock(id, sums);
  }

  // --- Entries that may be drawn ---

  bool isShort;
  int32_t count;   // of entries
  uint32_t lowest; // no entry has a key below
  INGOT_DEVICE int32_t idOf(int32_t entry) const { return isShort ? ids[entry] : entry; }
  INGOT_DEVICE uint32_t orderAt(int32_t entry) const { return isShort ? orders[entry] : orderOf(logit[entry]); }
  INGOT_DEVICE float weightAt(uint32_t order) const { return weightOf(logitOf(order), most, inverse); }

  // Entries that stay: those above `order`, and of those at it the ones up to `id`; all that weigh at least `least`.
  struct Cut {
    uint32_t order;
    int32_t id;
    float least;
    INGOT_DEVICE bool keeps(uint32_t o, int32_t i) const { return o > order || (o == order && i <= id); }
  };
  INGOT_DEVICE float kept(const Cut &cut, int32_t entry) const { // its weight; 0 where it was dropped
    const uint32_t order = orderAt(entry);
    if (!cut.keeps(order, idOf(entry)))
      return 0.0f;
    const float w = weightAt(order);
    return w < cut.least ? 0.0f : w;
  }

  // The ids whose logits lie at most `reach` below the largest, where shared memory holds them.
  INGOT_DEVICE void collect(float reach) {
    int32_t *at = (int32_t *)counts; // by block: how many, then how many before
    const int32_t warps = (int32_t)threads() / 32;
    for (int32_t b = (int32_t)warp(); b < blocks; b += warps) {
      int32_t found = 0;
      if (add(most, -largest[b]) <= reach)
        for (int32_t half = 0; half < 2; ++half) {
          const int32_t v = b * kSampleIds + half * 32 + (int32_t)lane();
          found += countBits(ballot(v < n && add(most, -logit[v]) <= reach));
        }
      if (lane() == 0)
        at[b] = found;
    }
    barrier();
    // A thread has neighbouring blocks.
    const int32_t each = (blocks + (int32_t)threads() - 1) / (int32_t)threads();
    const int32_t from = lesser(blocks, (int32_t)thread() * each), to = lesser(blocks, from + each);
    int32_t own = 0, all;
    for (int32_t b = from; b < to; ++b)
      own += at[b];
    int32_t before = sumBefore(own, all, sums);
    for (int32_t b = from; b < to; ++b) {
      const int32_t here = at[b];
      at[b] = before;
      before += here;
    }
    barrier();
    isShort = all <= kSampleShort;
    count = isShort ? all : n;
    lowest = 0;
    if (!isShort)
      return;
    int32_t least = 0x7fffffff;
    for (int32_t b = (int32_t)warp(); b < blocks; b += warps) {
      if (!(add(most, -largest[b]) <= reach))
        continue;
      int32_t to = at[b];
      for (int32_t half = 0; half < 2; ++half) {
        const int32_t v = b * kSampleIds + half * 32 + (int32_t)lane();
        const bool near = v < n && add(most, -logit[v]) <= reach;
        const uint32_t bits = ballot(near);
        if (near) {
          const int32_t entry = to + countBits(bits & ((1u << lane()) - 1));
          ids[entry] = v;
          orders[entry] = orderOf(logit[v]);
          least = lesser(least, (int32_t)(orders[entry] ^ 0x80000000u));
        }
        to += countBits(bits);
      }
    }
    lowest = (uint32_t)leastOverBlock(least, sums) ^ 0x80000000u;
  }

  // The largest key K for which the keys at or above it have a mass of `target` (0 where all have less): counts or
  // weights of what `massOf` gives a key and an entry. Keys lie in [low, high].
  template <class MassOf>
  INGOT_DEVICE uint32_t seek(uint32_t low, uint32_t high, int32_t entries, double target, MassOf massOf) const {
    int32_t shift = 30;
    while (shift > 0 && (low ^ high) >> shift == 0)
      shift -= 2;
    uint32_t key = shift == 30 ? 0 : high >> (shift + 2) << (shift + 2);
    for (; shift >= 0; shift -= 2) {
      double mass[3] = {0.0, 0.0, 0.0};
      for (int32_t i = (int32_t)thread(); i < entries; i += (int32_t)threads()) {
        uint32_t order;
        const double m = massOf(i, order);
        for (uint32_t c = 0; c < 3; ++c)
          mass[c] += order >= key + ((c + 1) << shift) ? m : 0.0;
      }
      sumOverBlock64(mass, sums);
      for (int32_t c = 2; c >= 0; --c)
        if (mass[c] >= target && mass[c] > 0.0) {
          key += (uint32_t)(c + 1) << shift;
          break;
        }
    }
    return key;
  }

  // Narrows the cut to the largest entries whose count or weight reaches `target`; at least one stays, and of equals at
  // the boundary the lowest ids.
  template <bool counts> INGOT_DEVICE void keepUntil(Cut &cut, double target) const {
    auto massOf = [&](int32_t i, uint32_t &order) {
      order = orderAt(i);
      const float w = kept(cut, i);
      return counts ? (w > 0.0f ? 1.0 : 0.0) : (double)w;
    };
    const uint32_t key = seek(lowest, orderOf(most), count, target, massOf);
    double mass[2] = {0.0, 0.0}; // above the key, at it
    for (int32_t i = (int32_t)thread(); i < count; i += (int32_t)threads()) {
      uint32_t order;
      const double m = massOf(i, order);
      mass[0] += order > key ? m : 0.0;
      mass[1] += order == key ? m : 0.0;
    }
    sumOverBlock64(mass, sums);
    // How many of the equals stay: the least number that reaches the target.
    const double one = counts ? 1.0 : (double)weightAt(key);
    if (!(mass[1] > 0.0)) // nothing reaches the target: all stay
      return;
    const double equals = roundEven(mass[1] / one);
    double stay = roundEven((target - mass[0]) / one);
    stay = stay < 1.0 ? (mass[0] > 0.0 ? stay : 1.0) : stay;
    stay = stay < 0.0 ? 0.0 : stay;
    while (stay > 0.0 && mass[0] + (stay - 1.0) * one >= target && (stay > 1.0 || mass[0] > 0.0))
      stay -= 1.0;
    while (stay < equals && mass[0] + stay * one < target)
      stay += 1.0;
    if (stay < equals)
      cut.id = idOfEqual(cut, key, (int32_t)stay);
    else if (key != cut.order)
      cut.id = n;
    cut.order = key;
  }
  // The id of number `stay` (from 1) among the entries that the cut keeps at a key, ascending.
  INGOT_DEVICE int32_t idOfEqual(const Cut &cut, uint32_t key, int32_t stay) const {
    int32_t seen = 0, id = n;
    for (int32_t from = 0; from < count && seen < stay; from += (int32_t)threads()) {
      const int32_t i = from + (int32_t)thread();
      const bool equal = i < count && orderAt(i) == key && kept(cut, i) > 0.0f;
      int32_t all;
      const int32_t before = sumBefore(equal ? 1 : 0, all, sums);
      if (equal && seen + before == stay - 1)
        id = idOf(i);
      seen += all;
    }
    return leastOverBlock(id, sums);
  }

  // The first id whose cumulated weight exceeds u times the sum, of what the cut keeps.
  INGOT_DEVICE int32_t drawFrom(const Cut &cut, double u) const {
    const int32_t each = (count + (int32_t)threads() - 1) / (int32_t)threads();
    const int32_t from = lesser(count, (int32_t)thread() * each), to = lesser(count, from + each);
    double own = 0.0, mass;
    for (int32_t i = from; i < to; ++i)
      own += (double)kept(cut, i);
    double reached = sumBefore64(own, mass, sums);
    const double target = u * mass;
    int32_t first = n, last = -1;
    for (int32_t i = from; i < to; ++i) {
      const float w = kept(cut, i);
      if (w == 0.0f)
        continue;
      last = idOf(i);
      reached += (double)w;
      if (reached > target) {
        first = last;
        break;
      }
    }
    first = leastOverBlock(first, sums);
    last = mostOverBlock(last, sums);
    return first < n ? first : last; // the last one with weight, should rounding leave the target unreached
  }

  // The same without any cut: block by block, then within the block in which the target lies.
  INGOT_DEVICE int32_t drawFromAll(double u, double mass) const {
    const int32_t each = (blocks + (int32_t)threads() - 1) / (int32_t)threads();
    const int32_t from = lesser(blocks, (int32_t)thread() * each), to = lesser(blocks, from + each);
    double own = 0.0, all;
    for (int32_t b = from; b < to; ++b)
      own += (double)counts[b];
    double reached = sumBefore64(own, all, sums);
    const double target = u * mass;
    int32_t first = blocks, last = -1;
    double before = reached; // of the block that was found
    for (int32_t b = from; b < to; ++b) {
      if (counts[b] == 0.0f)
        continue;
      last = b;
      before = reached;
      if (reached + (double)counts[b] > target) {
        first = b;
        break;
      }
      reached += (double)counts[b];
    }
    const int32_t found = leastOverBlock(first, sums), end = mostOverBlock(last, sums);
    const int32_t block = found < blocks ? found : end;
    // The thread that has the block goes through it.
    int32_t id = -1;
    if (block >= from && block < to) {
      reached = before;
      for (int32_t v = block * kSampleIds; v < lesser(n, block * kSampleIds + kSampleIds); ++v) {
        const float w = weightOf(logit[v], most, inverse);
        if (w == 0.0f)
          continue;
        id = v;
        reached += (double)w;
        if (reached > target)
          break;
      }
    }
    return mostOverBlock(id, sums);
  }
};

template <class P> INGOT_DEVICE void sampleChoose(const ingot_cuda_args &args) {
  constexpr int32_t n = P::p.vocabulary;
  constexpr SampleShape s = sampleShape(P::p);
  waitForPreviousLaunch();
  letNextLaunchBegin();
  const int64_t r = blockX();
  if (r >= args.symbols[args.tiles_symbol])
    return;
  const SampleRequest<P> request(args, r);
  const float temperature = request.temperature, topP = request.topP, minP = request.minP;
  const int32_t topK = request.topK;
  const bool draws = request.draws, first = request.first, nucleus = request.nucleus, least = request.least;

  unsigned char *shared = sharedMemory();
  SampleRow<P> row;
  row.sums = (double *)(shared + s.sums);
  row.largest = (float *)(shared + s.largest);
  row.counts = (float *)(shared + s.counts);
  row.ids = (int32_t *)(shared + s.ids);
  row.orders = (uint32_t *)(shared + s.orders);
  row.logit = request.logits;
  row.inverse = request.inverse();
  int32_t *idOut = (int32_t *)args.buffers[15] + r;
  float *logOut = (float *)args.buffers[16] + r;
  uint32_t top = 0;
  for (int32_t b = (int32_t)thread(); b < s.blocks; b += (int32_t)threads()) {
    const float here = request.largest[b];
    row.largest[b] = here;
    row.counts[b] = request.sums[b];
    top = orderOf(here) > top ? orderOf(here) : top;
  }
  row.most = logitOf(largestOverBlock(top, (uint32_t *)row.sums));
  const float most = row.most;
  if (most == -infinity() || most == infinity()) {
    if (thread() == 0) {
      atomicStoreIfZero(args.error, 2);
      *idOut = 0;
      *logOut = -infinity();
    }
    return;
  }
  int32_t id = row.lowestOfLargest();
  double totals[2] = {0.0, 0.0}; // of weights at temperature 1, and at the one of the block sums
  for (int32_t part = (int32_t)thread(); part < s.parts; part += (int32_t)threads()) {
    totals[0] += request.totals[2 * part];
    totals[1] += request.totals[2 * part + 1];
  }
  sumOverBlock64(totals, row.sums);
  const double total = totals[0], mass = totals[1];
  const double u =
      uniform((uint64_t)((const int64_t *)args.buffers[8])[r], (uint64_t)((const int64_t *)args.buffers[9])[r]);
  if (first || nucleus || least) {
    // How far below the largest what stays may lie: finite, so that -infinity never stays.
    float reach = multiply(kFar + 1.0f, temperature);
    reach = reach < 3.4e38f ? reach : 3.4e38f;
    float nearer = reach;
    if (first) {
      // So far as the k-th largest of blocks, where there are so many.
      auto finite = [&](int32_t b, uint32_t &order) {
        order = orderOf(row.largest[b]);
        return row.largest[b] > -infinity() ? 1.0 : 0.0;
      };
      const uint32_t key = row.seek(0, orderOf(most), row.blocks, (double)topK, finite);
      if (key > orderOf(-infinity()))
        nearer = add(most, -logitOf(key));
    } else {
      // Ids lighter than this weigh less than 1 - top_p of the sum all together, so that those before them reach top_p
      // of it. The tenth is for rounding.
      double light = nucleus ? 0.9 * (1.0 - (double)topP) * mass / n : 0.0;
      if (least && (double)minP > light)
        light = 0.9 * (double)minP;
      if (light > 0x1p-120)
        nearer = light < 0.999 ? multiply(multiply((float)-log64(light), temperature), 1.0001f)
                               : multiply(0.002f, temperature);
    }
    reach = nearer < reach ? nearer : reach;
    row.collect(reach);
    typename SampleRow<P>::Cut cut = {0, n, 0.0f};
    if (first)
      row.template keepUntil<true>(cut, (double)topK);
    if (nucleus) {
      double sum[1] = {0.0};
      if (first) {
        for (int32_t i = (int32_t)thread(); i < row.count; i += (int32_t)threads())
          sum[0] += (double)row.kept(cut, i);
        sumOverBlock64(sum, row.sums);
      }
      row.template keepUntil<false>(cut, (double)topP * (first ? sum[0] : mass));
    }
    if (least)
      cut.least = minP; // the largest weighs 1
    id = row.drawFrom(cut, u);
  } else if (draws) {
    id = row.drawFromAll(u, mass);
  }
  if (thread() == 0) {
    *idOut = id;
    *logOut = (float)((double)row.logit[id] - (double)most - log64(total));
  }
}

} // namespace ingot::device

#endif
