// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// sample: one token per row of logits; operands and the order of steps as params.h states, sums as
// docs/spec/numerics.md does. One tile is a row. Two passes over the row in vectors: the largest of each block of 64
// ids; the sums of weights. Nothing is sorted, and what top-k, top-p and min-p decide is decided on a short list: ids
// near enough to the largest that no other can stay. How near follows from the largest of the blocks, or from the sum
// of all weights.
//
// Returns 2 when no token is allowed (every logit masked, or not a number).
#include "compiler/target/cpu/kernels/math.h"

namespace ingot::kernels {
namespace {

// Philox4x32-10 after Salmon et al., "Parallel random numbers: as easy as 1, 2, 3" (2011).
INGOT_INLINE void philox(uint32_t counter[4], uint32_t key0, uint32_t key1) {
  for (int32_t round = 0; round < 10; ++round) {
    uint64_t a = (uint64_t)0xD2511F53u * counter[0], b = (uint64_t)0xCD9E8D57u * counter[2];
    uint32_t c1 = counter[1], c3 = counter[3];
    counter[0] = (uint32_t)(b >> 32) ^ c1 ^ key0;
    counter[1] = (uint32_t)b;
    counter[2] = (uint32_t)(a >> 32) ^ c3 ^ key1;
    counter[3] = (uint32_t)a;
    key0 += 0x9E3779B9u;
    key1 += 0xBB67AE85u;
  }
}

typedef bool bits16 __attribute__((ext_vector_type(16)));

constexpr int32_t kIds = 64; // of a block
// Logits further below the largest, in temperatures, weigh nothing.
constexpr float kFar = 87.0f;

// Order-preserving map of floats to unsigned integers; -0 and +0 are one value.
INGOT_INLINE uint32_t orderOf(float x) {
  uint32_t bits = asBits(x + 0.0f);
  return bits & 0x80000000u ? ~bits : bits | 0x80000000u;
}

// exp(x) for x <= 0, bit for bit as math.h has it; 0 below -kFar and where x is not a number.
INGOT_INLINE f32x16 weigh(f32x16 x) {
  const i32x16 near = x >= -kFar;
  return select(near, expNormal(select(near, x, splat(0.0f))), splat(0.0f));
}

// A row of logits, penalized and masked, seen in blocks of kIds ids.
struct Row {
  const float *logit;
  int32_t vocabulary;

  INGOT_INLINE int32_t blocks() const { return (vocabulary + kIds - 1) / kIds; }
  // Ids v..v+15; -inf past the last.
  INGOT_INLINE f32x16 at(int32_t v) const {
    if (v + 16 <= vocabulary)
      return load16(logit + v);
    float lane[16];
    for (int32_t i = 0; i < 16; ++i)
      lane[i] = v + i < vocabulary ? logit[v + i] : -__builtin_inff();
    return load16(lane);
  }

  // The largest of each block; what is not a number counts as -inf.
  INGOT_INLINE float findLargest(float *largestOf) const {
    float most = -__builtin_inff();
    for (int32_t b = 0; b < blocks(); ++b) {
      f32x16 here = splat(-__builtin_inff());
      for (int32_t i = 0; i < kIds; i += 16)
        here = larger(at(b * kIds + i), here);
      largestOf[b] = largest(here);
      most = largestOf[b] > most ? largestOf[b] : most;
    }
    return most;
  }

  // Weights of block b: exp((logit - most) * inverse).
  INGOT_INLINE void weights(int32_t b, float most, float inverse, f32x16 w[4]) const {
    for (int32_t i = 0; i < 4; ++i)
      w[i] = weigh((at(b * kIds + i * 16) - most) * inverse);
  }
  INGOT_INLINE float sumOf(int32_t b, float most, float inverse) const {
    f32x16 w[4];
    weights(b, most, inverse, w);
    return sum((w[0] + w[1]) + (w[2] + w[3]));
  }
};

// Ids that may be drawn, ascending, with their weights: 0 once dropped.
struct List {
  const float *logit; // of the row
  int32_t *ids;
  float *weight;
  int32_t *open;
  int32_t count;
  float most, reach; // no logit of the list is further below `most`

  INGOT_INLINE void collect(const Row &row, const float *largestOf, float inverse) {
    count = 0;
    for (int32_t b = 0; b < row.blocks(); ++b) {
      if (!(most - largestOf[b] <= reach))
        continue;
      for (int32_t v = b * kIds; v < minimum(b * kIds + kIds, row.vocabulary); v += 16) {
        i32x16 near = splat(most) - row.at(v) <= reach;
        uint32_t bits = __builtin_bit_cast(uint16_t, __builtin_convertvector(near, bits16));
        for (; bits; bits &= bits - 1)
          ids[count++] = v + __builtin_ctz(bits);
      }
    }
    for (int32_t i = 0; i < count; i += 16) {
      float lane[16];
      for (int32_t j = 0; j < 16; ++j)
        lane[j] = i + j < count ? logit[ids[i + j]] : most;
      store16(weight + i, weigh((load16(lane) - most) * inverse), minimum(16, count - i));
    }
  }

  INGOT_INLINE double mass() const {
    double sum = 0.0;
    for (int32_t i = 0; i < count; ++i)
      sum += (double)weight[i];
    return sum;
  }

  // Bins of entries in five steps, each of them 0..255 and larger for larger logits: equal parts of the reach, then the
  // four bytes of orderOf.
  INGOT_INLINE int32_t binOf(int32_t step, int32_t entry) const {
    float x = logit[ids[entry]];
    if (step > 0)
      return (int32_t)(orderOf(x) >> (32 - 8 * step)) & 255;
    float part = (most - x) * (255.0f / reach);
    return part < 255.0f ? 255 - (int32_t)part : 0; // 0 where the reach is 0, too
  }

  // Keeps the largest until their sum of `mass` reaches `target`, where mass is 1 (COUNT) or the weight. At least one
  // stays; ties at the boundary stay lowest id first. Each step sums what lies in each bin, and leaves the bin open in
  // which the target is reached.
  template <bool COUNT> INGOT_INLINE void keepUntil(double target) {
    double above = 0.0; // mass of everything larger than what is open
    int32_t opened = 0;
    for (int32_t i = 0; i < count; ++i)
      if (weight[i] > 0.0f)
        open[opened++] = i;
#pragma clang loop unroll(disable)
    for (int32_t step = 0; step < 5; ++step) {
      double mass[256];
      for (int32_t i = 0; i < 256; ++i)
        mass[i] = 0.0;
      for (int32_t i = 0; i < opened; ++i)
        mass[binOf(step, open[i])] += COUNT ? 1.0 : (double)weight[open[i]];
      int32_t bin = 255, lowest = 0;
      while (bin > 0 && mass[bin] == 0.0)
        --bin;
      while (lowest < bin && mass[lowest] == 0.0)
        ++lowest;
      for (; bin > lowest && above + mass[bin] < target; --bin)
        above += mass[bin];
      int32_t left = 0;
      for (int32_t i = 0; i < opened; ++i) {
        int32_t entry = open[i], of = binOf(step, entry);
        if (of < bin)
          weight[entry] = 0.0f;
        if (of == bin)
          open[left++] = entry;
      }
      opened = left;
    }
    for (int32_t i = 0; i < opened; ++i) {
      if (above < target || above == 0.0)
        above += COUNT ? 1.0 : (double)weight[open[i]];
      else
        weight[open[i]] = 0.0f;
    }
  }
};

INGOT_INLINE float nearer(float a, float b) { return a < b ? a : b; }

// How far below the largest the k-th largest may lie: so far as the k-th largest of blocks, found by bins; infinity
// where there are fewer blocks.
INGOT_INLINE float reachOf(int32_t k, float most, const float *largestOf, int32_t blocks) {
  float furthest = 0.0f;
  int32_t finite = 0;
  for (int32_t b = 0; b < blocks; ++b)
    if (float far = most - largestOf[b]; far < __builtin_inff()) {
      furthest = far > furthest ? far : furthest;
      ++finite;
    }
  if (finite < k)
    return __builtin_inff();
  if (furthest < 0x1p-100f)
    return furthest;
  const float scale = 255.0f / furthest;
  int32_t counts[256];
  for (int32_t i = 0; i < 256; ++i)
    counts[i] = 0;
  auto binOf = [&](float far) { return minimum((int32_t)(far * scale), 255); };
  for (int32_t b = 0; b < blocks; ++b)
    if (float far = most - largestOf[b]; far < __builtin_inff())
      ++counts[binOf(far)];
  int32_t bin = 0;
  for (int32_t seen = counts[0]; seen < k; seen += counts[bin])
    ++bin;
  float reach = 0.0f;
  for (int32_t b = 0; b < blocks; ++b)
    if (float far = most - largestOf[b]; far < __builtin_inff() && binOf(far) <= bin)
      reach = far > reach ? far : reach;
  return reach;
}

INGOT_INLINE double uniform(uint64_t seed, uint64_t counter) {
  uint32_t random[4] = {(uint32_t)counter, (uint32_t)(counter >> 32), 0, 0};
  philox(random, (uint32_t)seed, (uint32_t)(seed >> 32));
  // 53 random bits: in [0, 1).
  return (double)((((uint64_t)random[0] << 32) | random[1]) >> 11) * 0x1p-53;
}

} // namespace
} // namespace ingot::kernels

INGOT_KERNEL(sample) {
  using namespace ingot::kernels;
  const float *logits = (const float *)buffers[0];
  const float *temperatures = (const float *)buffers[1];
  const int32_t *topKs = (const int32_t *)buffers[2];
  const float *topPs = (const float *)buffers[3];
  const float *minPs = (const float *)buffers[4];
  const float *repetitions = (const float *)buffers[5];
  const float *presences = (const float *)buffers[6];
  const float *frequencies = (const float *)buffers[7];
  const int64_t *seeds = (const int64_t *)buffers[8];
  const int64_t *counters = (const int64_t *)buffers[9];
  const int32_t *penaltyStarts = (const int32_t *)buffers[10];
  const int32_t *penaltyIds = (const int32_t *)buffers[11];
  const int32_t *penaltyCounts = (const int32_t *)buffers[12];
  const int32_t *maskRows = (const int32_t *)buffers[13];
  const uint32_t *masks = (const uint32_t *)buffers[14];
  int32_t *ids = (int32_t *)buffers[15];
  float *logProbabilities = (float *)buffers[16];
  const int32_t n = p->vocabulary;
  const int32_t blocks = (n + kIds - 1) / kIds;
  const SampleScratch parts = sampleScratch(*p);
  char *space = (char *)scratch;
  float *copy = (float *)space;
  float *largestOf = (float *)(space + parts.row), *sums = (float *)(space + parts.row + parts.blocks);
  List list;
  list.ids = (int32_t *)(space + parts.row + 2 * parts.blocks);
  list.weight = (float *)((char *)list.ids + parts.row);
  list.open = (int32_t *)((char *)list.weight + parts.row);
  int32_t status = 0;
  for (uint32_t r = tile0; r < tile1; ++r) {
    Row row;
    row.vocabulary = n;
    row.logit = logits + (int64_t)r * n;
    if (maskRows[r] >= 0 || penaltyStarts[r] < penaltyStarts[r + 1]) {
      const uint32_t *allowed = maskRows[r] >= 0 ? masks + (int64_t)maskRows[r] * ((n + 31) / 32) : nullptr;
      for (int32_t v = 0; v < n; v += 16) {
        f32x16 y = row.at(v);
        if (allowed) {
          i32x16 bits = (i32x16)(int32_t)(allowed[v >> 5] >> (v & 16)) >> lanes();
          y = select((bits & 1) != 0, y, splat(-__builtin_inff()));
        }
        store16(copy + v, y, minimum(16, n - v));
      }
      for (int32_t i = penaltyStarts[r]; i < penaltyStarts[r + 1]; ++i) {
        int32_t id = penaltyIds[i];
        if ((uint32_t)id >= (uint32_t)n)
          continue;
        float y = copy[id];
        y = y < 0.0f ? y * repetitions[r] : y / repetitions[r];
        if (penaltyCounts[i] > 0)
          y = y - presences[r] - frequencies[r] * (float)penaltyCounts[i];
        copy[id] = y;
      }
      row.logit = copy;
    }
    const float most = row.findLargest(largestOf);
    if (most == -__builtin_inff() || most == __builtin_inff()) {
      status = 2;
      ids[r] = 0;
      logProbabilities[r] = -__builtin_inff();
      continue;
    }
    // The lowest id of the largest.
    int32_t id = 0;
    while (largestOf[id / kIds] != most)
      id += kIds;
    while (row.logit[id] != most)
      ++id;

    const bool draws = temperatures[r] > 0.0f;
    const float inverse = draws ? 1.0f / temperatures[r] : 1.0f;
    const bool first = draws && topKs[r] > 0 && topKs[r] < n, nucleus = draws && topPs[r] < 1.0f,
               least = draws && minPs[r] > 0.0f;
    // Of all ids: the sum of weights at temperature 1, and at that of the row where it is wanted.
    double total = 0.0, mass = 0.0;
    if (inverse != 1.0f && !first && (nucleus || !least)) {
      for (int32_t b = 0; b < blocks; ++b) {
        total += (double)row.sumOf(b, most, 1.0f);
        sums[b] = row.sumOf(b, most, inverse);
        mass += (double)sums[b];
      }
    } else {
      for (int32_t b = 0; b < blocks; ++b) {
        sums[b] = row.sumOf(b, most, 1.0f);
        total += (double)sums[b];
      }
      mass = total;
    }
    const double u = draws ? uniform((uint64_t)seeds[r], (uint64_t)counters[r]) : 0.0;
    if (first || nucleus || least) {
      const float temperature = temperatures[r];
      list.logit = row.logit;
      list.most = most;
      list.reach = nearer((kFar + 1.0f) * temperature, 3.4e38f); // finite: -inf never stays
      if (first) {
        list.reach = nearer(reachOf(topKs[r], most, largestOf, blocks), list.reach);
      } else {
        // Ids lighter than this weigh less than 1 - top_p of the sum all together, so that those before them reach
        // top_p of it. The tenth is for rounding.
        double light = nucleus ? 0.9 * (1.0 - (double)topPs[r]) * mass / n : 0.0;
        if (least && (double)minPs[r] > light)
          light = 0.9 * (double)minPs[r];
        if (light > 0x1p-120)
          list.reach =
              nearer(light < 0.999 ? (float)-log(light) * temperature * 1.0001f : 0.002f * temperature, list.reach);
      }
      list.collect(row, largestOf, inverse);
      if (first)
        list.keepUntil<true>((double)topKs[r]);
      if (nucleus)
        list.keepUntil<false>((double)topPs[r] * (first ? list.mass() : mass));
      if (least)
        for (int32_t i = 0; i < list.count; ++i)
          if (list.weight[i] < minPs[r]) // the largest weighs 1
            list.weight[i] = 0.0f;
      double target = u * list.mass(), reached = 0.0;
      for (int32_t i = 0; i < list.count; ++i) {
        if (list.weight[i] == 0.0f)
          continue;
        id = list.ids[i]; // the last one with weight stays, should rounding leave the target unreached
        reached += (double)list.weight[i];
        if (reached > target)
          break;
      }
    } else if (draws) {
      double target = u * mass, reached = 0.0;
      int32_t block = id / kIds;
      for (int32_t b = 0; b < blocks; ++b) {
        if (sums[b] == 0.0f)
          continue;
        block = b;
        if (reached + (double)sums[b] > target)
          break;
        reached += (double)sums[b];
      }
      f32x16 w[4];
      float weight[kIds];
      row.weights(block, most, inverse, w);
      for (int32_t i = 0; i < 4; ++i)
        store16(weight + i * 16, w[i]);
      for (int32_t i = 0; i < kIds; ++i) {
        if (weight[i] == 0.0f)
          continue;
        id = block * kIds + i;
        reached += (double)weight[i];
        if (reached > target)
          break;
      }
    }
    ids[r] = id;
    logProbabilities[r] = (float)((double)row.logit[id] - (double)most - log(total));
  }
  return status;
}
