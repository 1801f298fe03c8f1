// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sums of a product for 16 columns by 8 rows: what mma adds to, how groups of quantized weights are scaled, and how
// parts of K that others summed are added. Of linear_params and linear_int_params.
#ifndef INGOT_CUDA_DEVICE_LINEAR_SUMS_H
#define INGOT_CUDA_DEVICE_LINEAR_SUMS_H

#include "compiler/target/cuda/device/linear_operands.h"

namespace ingot::device {

// Integers are summed as such within a group. Of more than one group (T::byGroup) each is scaled when it ends, and its
// sum starts anew; else the scale comes last (scaled()), so parts of K add up exactly where they are integers.
template <class P> struct LinearSums {
  using T = OperandTypes<P>;
  static constexpr bool wholeIntegers = T::integers && !T::byGroup;
  FragmentC total{}; // not of wholeIntegers
  FragmentC group{};
  FragmentInt count{};

  INGOT_DEVICE void multiply(const FragmentA (&a)[T::weightParts], const FragmentB (&b)[T::inParts]) {
    FragmentC &sum = T::byGroup ? group : total;
    if constexpr (T::weightParts * T::inParts == 1 || T::byGroup) {
      multiplyParts<T>(sum, a, b);
    } else { // what is exact to f32 shall not be truncated by tensor cores, several times in 16 k
      FragmentC part{};
      multiplyParts<T>(part, a, b);
      for (int i = 0; i < 4; ++i)
        sum.r[i] = add(sum.r[i], part.r[i]);
    }
  }
  INGOT_DEVICE void multiply(const FragmentA &a, const FragmentB &b) { mmaS8S8(count, a, b); }

  // The sum of (u - z) * q over a group, q less its row's zero point, for number i of the fragment of rows
  // [row, row + 8) below `rows`.
  INGOT_DEVICE int32_t integer(int i, const LinearOperands<P> &operands, const GroupFactors<P> &factors, int32_t panel,
                               int32_t group, int64_t row, int64_t rows) const {
    int32_t sum = count.r[i];
    const int64_t r = row + 2 * (lane() % 4) + i % 2;
    if constexpr (T::otherZeros)
      sum += (int32_t)(factors.zero[i / 2] * operands.ofRow(r, rows, 1 + group));
    if constexpr (T::inZeros)
      sum -= operands.columnSums[panel * 16 + lane() / 4 * 2 + i / 2] * (int32_t)operands.ofRow(r, rows, 2);
    return sum;
  }

  // Ends group `which` of the panel, of rows as above.
  INGOT_DEVICE void closeGroup(const LinearOperands<P> &operands, const GroupFactors<P> &factors, int32_t panel,
                               int32_t which, int64_t row, int64_t rows) {
    if constexpr (T::byGroup)
      for (int i = 0; i < 4; ++i) {
        const float sum = T::integers ? (float)integer(i, operands, factors, panel, which, row, rows) : group.r[i];
        total.r[i] = fma(sum, factors.scale[i / 2], total.r[i]);
        group.r[i] = 0.0f;
        count.r[i] = 0;
      }
  }

  // As 16 bytes that may be added to those of another part of K.
  INGOT_DEVICE Vector16 stored() const {
    if constexpr (wholeIntegers)
      return {(uint32_t)count.r[0], (uint32_t)count.r[1], (uint32_t)count.r[2], (uint32_t)count.r[3]};
    else
      return {bitsOf(total.r[0]), bitsOf(total.r[1]), bitsOf(total.r[2]), bitsOf(total.r[3])};
  }
  INGOT_DEVICE void set(const Vector16 &v) {
    if constexpr (wholeIntegers)
      count = {{(int32_t)v.x, (int32_t)v.y, (int32_t)v.z, (int32_t)v.w}};
    else
      total = {{floatOf(v.x), floatOf(v.y), floatOf(v.z), floatOf(v.w)}};
  }
  INGOT_DEVICE void take(const Vector16 &v) {
    if constexpr (wholeIntegers) {
      const uint32_t more[4] = {v.x, v.y, v.z, v.w};
      for (int i = 0; i < 4; ++i)
        count.r[i] += (int32_t)more[i];
    } else {
      const uint32_t more[4] = {v.x, v.y, v.z, v.w};
      for (int i = 0; i < 4; ++i)
        total.r[i] = add(total.r[i], floatOf(more[i]));
    }
  }

  // The sums of all of K with what scales them last: the only group's scale, the scales of rows [row, row + 8) below
  // `rows`.
  INGOT_DEVICE FragmentC scaled(const LinearOperands<P> &operands, int32_t panel, int64_t row, int64_t rows) const {
    FragmentC c = total;
    if constexpr (T::quantized && !T::byGroup) {
      GroupFactors<P> factors;
      factors.load(operands, panel, 0);
      for (int i = 0; i < 4; ++i)
        c.r[i] = device::multiply(T::integers ? (float)integer(i, operands, factors, panel, 0, row, rows) : c.r[i],
                                  factors.scale[i / 2]);
    }
    if constexpr (T::integers)
      for (int i = 0; i < 4; ++i)
        c.r[i] = device::multiply(c.r[i], floatOf(operands.ofRow(row + 2 * (lane() % 4) + i % 2, rows, 0)));
    return c;
  }
};

// Where part `part` of `parts` of the steps begins: at a group's begin where sums are closed by group.
template <class T> INGOT_DEVICE int32_t firstStepOf(int32_t part, int32_t parts) {
  if constexpr (T::byGroup)
    return lesser((int32_t)((int64_t)T::groups * part / parts) * T::groupSteps, T::steps);
  else
    return (int32_t)((int64_t)T::steps * part / parts);
}

} // namespace ingot::device

#endif
