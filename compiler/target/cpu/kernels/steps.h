// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The loop of all products of many rows: rows by panels in registers, step by step along K.
#ifndef INGOT_TARGET_CPU_KERNELS_STEPS_H
#define INGOT_TARGET_CPU_KERNELS_STEPS_H

#include "compiler/target/cpu/kernels/lanes.h"

namespace ingot::kernels {

// COUNT rows (or panels) `by` bytes apart, read by address alone: a register, another times 1, 2 or 3, and a displacement.
// The compiler would keep or compute an address for each, by additions in the units that multiply (products of f32 1.03 to
// 1.05 times as fast).
template <int COUNT> struct Apart {
  static constexpr int kBases = (COUNT + 3) / 4; // of four each
  const char *base[kBases];
  int64_t by, by3;

  INGOT_INLINE Apart(const void *first, int64_t by) : by(by), by3(3 * by) {
#pragma unroll
    for (int i = 0; i < kBases; ++i)
      base[i] = (const char *)first + 4 * i * by;
    __asm__("" : "+r"(this->by), "+r"(by3));
  }
  INGOT_INLINE const char *operator[](int i) const { return base[i / 4] + (i % 4 == 3 ? by3 : i % 4 * by); }
  INGOT_INLINE void advance(int64_t bytes) {
#pragma unroll
    for (int i = 0; i < kBases; ++i) {
      base[i] += bytes;
      __asm__("" : "+r"(base[i])); // is not derived from what the others are
    }
  }
};

// How a step multiplies: 4 bytes of a row by a line of a panel. load: the line; add: the sum with its product.
struct MultiplyAdd {
  template <class V> static INGOT_INLINE V load(const char *line) { return loadLanes<V>((const float *)line); }
  template <class V> static INGOT_INLINE V add(V sum, const char *row, V line) {
    return __builtin_elementwise_fma((V)(*(const float *)row), line, sum);
  }
};

// acc[r][p] += row r * panel p over `steps` steps of 4 bytes of a row and 64 of a panel; both go on by them.
template <class Product, class V, int MR, int NP>
INGOT_INLINE void multiplySteps(V (&acc)[MR][NP], Apart<MR> &rows, Apart<NP> &panels, int32_t steps) {
  auto some = [&]<int STEPS>() __attribute__((always_inline)) {
#pragma unroll
    for (int step = 0; step < STEPS; ++step) {
      if (step > 0)
        keepOrder();
      decltype(Product::template load<V>(nullptr)) line[NP];
#pragma unroll
      for (int p = 0; p < NP; ++p)
        line[p] = Product::template load<V>(panels[p] + step * 64);
#pragma unroll
      for (int r = 0; r < MR; ++r)
#pragma unroll
        for (int p = 0; p < NP; ++p)
          acc[r][p] = Product::add(acc[r][p], rows[r] + step * 4, line[p]);
    }
    rows.advance(STEPS * 4);
    panels.advance(STEPS * 64);
  };
  int32_t step = 0;
#pragma clang loop unroll(disable)
  for (; step + 4 <= steps; step += 4)
    some.template operator()<4>();
#pragma clang loop unroll(disable)
  for (; step < steps; ++step)
    some.template operator()<1>();
}

} // namespace ingot::kernels

#endif
