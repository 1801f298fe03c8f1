// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// sample: one token per row of logits; operands and the order of steps as params.h states. One tile is a row. Nothing
// is sorted: the thresholds of top-k and top-p are found by a radix descent over the bits of the logits (8 bits a pass,
// counting or weighing what lies in each bin), ties at the threshold are kept lowest id first.
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

// Order-preserving map of floats to unsigned integers; -0 and +0 are one value.
INGOT_INLINE uint32_t orderOf(float x) {
  uint32_t bits = asBits(x + 0.0f);
  return bits & 0x80000000u ? ~bits : bits | 0x80000000u;
}

struct Row {
  float *logit;  // penalized; -inf where masked or dropped
  float *weight; // exp((logit - largest) / temperature); 0 where dropped
  int32_t vocabulary;

  // Keeps the largest ids until their sum of `mass` reaches `target`, where mass is 1 (COUNT) or the weight.
  // At least one stays; ties at the boundary stay lowest id first.
  template <bool COUNT> INGOT_INLINE void keepUntil(double target) const {
    double above = 0.0; // mass of everything larger than the bins still open
    uint32_t prefix = 0, mask = 0;
    for (int32_t shift = 24; shift >= 0; shift -= 8) {
      double mass[256];
      for (int32_t i = 0; i < 256; ++i)
        mass[i] = 0.0;
      for (int32_t v = 0; v < vocabulary; ++v) {
        uint32_t order = orderOf(logit[v]);
        if ((order & mask) == prefix && weight[v] > 0.0f)
          mass[(order >> shift) & 255] += COUNT ? 1.0 : (double)weight[v];
      }
      int32_t bin = 255, lowest = 0;
      while (lowest < 255 && mass[lowest] == 0.0)
        ++lowest;
      for (; bin > lowest && above + mass[bin] < target; --bin)
        above += mass[bin];
      prefix |= (uint32_t)bin << shift;
      mask |= 255u << shift;
    }
    for (int32_t v = 0; v < vocabulary; ++v) {
      uint32_t order = orderOf(logit[v]);
      if (order > prefix || weight[v] == 0.0f)
        continue;
      if (order == prefix && above < target) {
        above += COUNT ? 1.0 : (double)weight[v];
        continue;
      }
      weight[v] = 0.0f;
    }
  }
};

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
  Row row;
  row.vocabulary = n;
  row.logit = (float *)scratch;
  row.weight = (float *)((char *)scratch + roundUp((int64_t)n * 4, 64));
  int32_t status = 0;
  for (uint32_t r = tile0; r < tile1; ++r) {
    const float *x = logits + (int64_t)r * n;
    for (int32_t v = 0; v < n; v += 16)
      store16(row.logit + v, load16(x + v, minimum(16, n - v)), minimum(16, n - v));
    if (maskRows[r] >= 0) {
      const uint32_t *allowed = masks + (int64_t)maskRows[r] * ((n + 31) / 32);
      for (int32_t v = 0; v < n; ++v)
        if (!((allowed[v >> 5] >> (v & 31)) & 1u))
          row.logit[v] = -__builtin_inff();
    }
    for (int32_t i = penaltyStarts[r]; i < penaltyStarts[r + 1]; ++i) {
      int32_t id = penaltyIds[i];
      if ((uint32_t)id >= (uint32_t)n)
        continue;
      float y = row.logit[id];
      y = y < 0.0f ? y * repetitions[r] : y / repetitions[r];
      if (penaltyCounts[i] > 0)
        y = y - presences[r] - frequencies[r] * (float)penaltyCounts[i];
      row.logit[id] = y;
    }
    // The largest, lowest id first among equals.
    float most = -__builtin_inff();
    int32_t best = -1;
    for (int32_t v = 0; v < n; v += 16) {
      f32x16 y = load16(row.logit + v, minimum(16, n - v));
      y = select(lanes() < n - v, y, splat(-__builtin_inff()));
      float here = largest(y);
      if (!(here > most))
        continue;
      for (int32_t i = v; i < minimum(v + 16, n); ++i)
        if (row.logit[i] > most) {
          most = row.logit[i];
          best = i;
        }
    }
    if (best < 0 || most == __builtin_inff()) {
      status = 2;
      ids[r] = 0;
      logProbabilities[r] = -__builtin_inff();
      continue;
    }
    double total = 0.0;
    for (int32_t v = 0; v < n; v += 16) {
      f32x16 y = exp(load16(row.logit + v, minimum(16, n - v)) - most);
      total += (double)sum(select(lanes() < n - v, y, splat(0.0f)));
    }
    int32_t id = best;
    if (temperatures[r] > 0.0f) {
      float inverse = 1.0f / temperatures[r];
      for (int32_t v = 0; v < n; v += 16)
        store16(row.weight + v, exp((load16(row.logit + v, minimum(16, n - v)) - most) * inverse), minimum(16, n - v));
      if (topKs[r] > 0 && topKs[r] < n)
        row.keepUntil<true>((double)topKs[r]);
      if (topPs[r] < 1.0f) {
        double mass = 0.0;
        for (int32_t v = 0; v < n; ++v)
          mass += (double)row.weight[v];
        row.keepUntil<false>((double)topPs[r] * mass);
      }
      if (minPs[r] > 0.0f)
        for (int32_t v = 0; v < n; ++v)
          if (row.weight[v] < minPs[r]) // the largest weighs 1
            row.weight[v] = 0.0f;
      double mass = 0.0;
      for (int32_t v = 0; v < n; ++v)
        mass += (double)row.weight[v];
      uint64_t seed = (uint64_t)seeds[r], counter = (uint64_t)counters[r];
      uint32_t random[4] = {(uint32_t)counter, (uint32_t)(counter >> 32), 0, 0};
      philox(random, (uint32_t)seed, (uint32_t)(seed >> 32));
      // 53 random bits: u in [0, 1).
      double u = (double)((((uint64_t)random[0] << 32) | random[1]) >> 11) * 0x1p-53;
      double target = u * mass, reached = 0.0;
      for (int32_t v = 0; v < n; ++v) {
        if (row.weight[v] == 0.0f)
          continue;
        id = v; // the last one with weight stays, should rounding leave the target unreached
        reached += (double)row.weight[v];
        if (reached > target)
          break;
      }
    }
    ids[r] = id;
    logProbabilities[r] = (float)((double)row.logit[id] - (double)most - log(total));
  }
  return status;
}
