// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Copies that change the order of dimensions, for functions over tensors that are nothing else (codegen/Permute.cpp).
// Elements that lie side by side where they are read and apart where they are written go through squares of 8 by 8, a
// line of the cache at a time, so that no line is met twice. A function of its own, compiled once for a model.
#include "compiler/target/cpu/kernels/transpose.h"

namespace ingot::kernels {
namespace {

constexpr int64_t kMostAxes = 16; // codegen/Permute.cpp asks for no more

// A part of a row's number, (row / divisor) % modulus, and how far one of it is in the source, in elements.
struct Digit {
  int64_t divisor, modulus, stride;
};

// Eight vectors of eight: element j of vector i becomes element i of vector j, as each round moves one more bit of i.
template <class T> INGOT_INLINE void square8(const T *from, int64_t stride, T *to, int64_t across) {
  typedef T vector __attribute__((ext_vector_type(8)));
  typedef vector vector_u __attribute__((aligned(alignof(T))));
  vector r[8], next[8];
#pragma unroll
  for (int i = 0; i < 8; ++i)
    r[i] = *(const vector_u *)(from + i * stride);
#pragma unroll
  for (int round = 0; round < 3; ++round) {
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      next[2 * i] = __builtin_shufflevector(r[i], r[i + 4], 0, 8, 1, 9, 2, 10, 3, 11);
      next[2 * i + 1] = __builtin_shufflevector(r[i], r[i + 4], 4, 12, 5, 13, 6, 14, 7, 15);
    }
#pragma unroll
    for (int i = 0; i < 8; ++i)
      r[i] = next[i];
  }
#pragma unroll
  for (int i = 0; i < 8; ++i)
    *(vector_u *)(to + i * across) = r[i];
}
template <> INGOT_INLINE void square8(const uint32_t *from, int64_t stride, uint32_t *to, int64_t across) {
  const float *rows[8];
#pragma unroll
  for (int i = 0; i < 8; ++i)
    rows[i] = (const float *)from + i * stride;
  transpose8(rows, 0, (float *)to, across);
}

// to[column * across + row] = from[row * stride + column]. Eight lines that are written are done before others begin:
// rows of the result may lie apart so that more would fall into one set of the caches.
template <class T>
INGOT_INLINE void transposeBlock(const T *from, int64_t stride, int32_t rows, int32_t columns, T *to, int64_t across) {
  int32_t column = 0;
  for (; column + 8 <= columns; column += 8) {
    int32_t row = 0;
    for (; row + 8 <= rows; row += 8)
      square8(from + row * stride + column, stride, to + column * across + row, across);
    for (; row < rows; ++row)
      for (int32_t i = column; i < column + 8; ++i)
        to[i * across + row] = from[row * stride + i];
  }
  for (; column < columns; ++column)
    for (int32_t row = 0; row < rows; ++row)
      to[column * across + row] = from[row * stride + column];
}

template <class T> struct Permutation {
  static constexpr int32_t kLine = 64 / sizeof(T); // elements

  T *out = nullptr;
  const T *in = nullptr;
  int64_t digits = 0;
  const Digit *digit = nullptr;
  // Of a row of the result: sizes of its axes, and strides in the source and the result.
  int64_t rank = 0, size[kMostAxes], stride[kMostAxes], across[kMostAxes], elements = 1;

  // Axes that are neighbours in both, the last of them first in memory, are one.
  INGOT_INLINE void axes(int64_t count, const int64_t *sizes, const int64_t *strides) {
    for (int64_t i = 0; i < count; ++i) {
      elements *= sizes[i];
      if (sizes[i] == 1)
        continue;
      if (rank > 0 && stride[rank - 1] == sizes[i] * strides[i]) {
        size[rank - 1] *= sizes[i];
        stride[rank - 1] = strides[i];
      } else {
        size[rank] = sizes[i];
        stride[rank++] = strides[i];
      }
    }
    int64_t next = 1;
    for (int64_t i = rank - 1; i >= 0; --i) {
      across[i] = next;
      next *= size[i];
    }
  }

  INGOT_INLINE const T *source(int64_t row) const {
    int64_t at = 0;
    for (int64_t i = 0; i < digits; ++i)
      at += row / digit[i].divisor % digit[i].modulus * digit[i].stride;
    return in + at;
  }

  // Calls work(from, to) where the axes but `skipped` and `last` begin.
  template <class Work>
  INGOT_INLINE void overAxes(const T *from, T *to, int64_t skipped, int64_t last, const Work &work) const {
    int64_t at[kMostAxes] = {};
    for (;;) {
      work(from, to);
      int64_t axis = rank - 1;
      for (; axis >= 0; --axis) {
        if (axis == skipped || axis == last)
          continue;
        from += stride[axis];
        to += across[axis];
        if (++at[axis] < size[axis])
          break;
        from -= stride[axis] * size[axis];
        to -= across[axis] * size[axis];
        at[axis] = 0;
      }
      if (axis < 0)
        return;
    }
  }

  // Rows of which `inner` lies side by side in the source, and the last axis in the result.
  INGOT_INLINE void squares(int64_t first, int64_t end, int64_t inner) const {
    const int64_t last = rank - 1;
    for (int64_t row = first; row < end; ++row)
      overAxes(
          source(row), out + row * elements, inner, last, [&](const T *from, T *to) __attribute__((always_inline)) {
            for (int64_t v = 0; v < size[last]; v += kLine) // few streams, each of neighbouring lines
              for (int64_t x = 0; x < size[inner]; x += kLine) {
                const int32_t count = least(kLine, size[last] - v);
                for (int32_t i = 0; i < count; ++i)
                  __builtin_prefetch(from + (v + i) * stride[last] + x + 4 * kLine);
                for (int32_t i = 0; i < kLine; ++i)
                  __builtin_prefetch(to + (x + kLine + i) * across[inner] + v, 1);
                transposeBlock(from + v * stride[last] + x, stride[last], count, least(kLine, size[inner] - x),
                               to + x * across[inner] + v, across[inner]);
              }
          });
  }

  // Rows that lie side by side in the source: those of one digit, whose numbers are its divisor apart.
  INGOT_INLINE void acrossRows(int64_t first, int64_t end, const Digit &side) const {
    const int64_t last = rank - 1, apart = side.divisor;
    // Of all digits up to this one: rows after which it begins again.
    const int64_t period = side.modulus > (end - 1) / apart ? end : side.modulus * apart;
    for (int64_t base = first / period * period; base < end; base += period) {
      const int64_t low = first > base ? first - base : 0, high = least64(end - base, period);
      for (int64_t other = 0; other < apart; ++other) {
        const int64_t stop = high > other ? (high - other + apart - 1) / apart : 0;
        for (int64_t i = low > other ? (low - other + apart - 1) / apart : 0; i < stop;) {
          const int32_t some = least(kLine, stop - i);
          const int64_t row = base + i * apart + other;
          overAxes(
              source(row), out + row * elements, -1, last, [&](const T *from, T *to) __attribute__((always_inline)) {
                for (int64_t v = 0; v < size[last]; v += kLine) {
                  const int32_t count = least(kLine, size[last] - v);
                  for (int32_t i = 0; i < count; ++i)
                    __builtin_prefetch(from + (v + 2 * kLine + i) * stride[last]);
                  for (int32_t i = 0; i < some; ++i)
                    __builtin_prefetch(to + v + kLine + i * apart * elements, 1);
                  transposeBlock(from + v * stride[last], stride[last], count, some, to + v, apart * elements);
                }
              });
          i += some;
        }
      }
    }
  }

  // One element after the other.
  INGOT_INLINE void scattered(int64_t first, int64_t end) const {
    const int64_t last = rank - 1;
    for (int64_t row = first; row < end; ++row)
      overAxes(
          source(row), out + row * elements, -1, last, [&](const T *from, T *to) __attribute__((always_inline)) {
            for (int64_t v = 0; v < (last < 0 ? 1 : size[last]); ++v)
              to[v] = from[last < 0 ? 0 : v * stride[last]];
          });
  }

  static INGOT_INLINE int64_t least64(int64_t a, int64_t b) { return a < b ? a : b; }
  static INGOT_INLINE int32_t least(int64_t a, int64_t b) { return (int32_t)least64(a, b); }

  INGOT_INLINE void copy(int64_t first, int64_t end) const {
    if (elements == 0 || first >= end)
      return;
    if (rank > 0 && stride[rank - 1] != 1) {
      for (int64_t i = 0; i + 1 < rank; ++i)
        if (stride[i] == 1)
          return squares(first, end, i);
      for (int64_t i = 0; i < digits; ++i)
        if (digit[i].stride == 1)
          return acrossRows(first, end, digit[i]);
    }
    scattered(first, end);
  }
};

template <class T>
INGOT_INLINE void permute(void *out, const void *in, int64_t first, int64_t end, int64_t digits, const int64_t *digit,
                          int64_t rank, const int64_t *sizes, const int64_t *strides) {
  Permutation<T> p;
  p.out = (T *)out;
  p.in = (const T *)in;
  p.digits = digits;
  p.digit = (const Digit *)digit;
  p.axes(rank, sizes, strides);
  p.copy(first, end);
}

} // namespace
} // namespace ingot::kernels

// Rows [first, end) of the result, whose elements have `bytes` (1, 2, 4, 8) and stand one after the other: row r is
// read from element sum over i < digits of (r / divisor_i) % modulus_i * stride_i on, of digit = {divisor, modulus,
// stride}..., its axes with `strides` elements from one to the next.
extern "C" __attribute__((visibility("hidden"), noinline)) void
ingot_permute_rows(void *out, const void *in, int64_t bytes, int64_t first, int64_t end, int64_t digits,
                   const int64_t *digit, int64_t rank, const int64_t *sizes, const int64_t *strides) {
  using namespace ingot::kernels;
  if (bytes == 1)
    permute<uint8_t>(out, in, first, end, digits, digit, rank, sizes, strides);
  else if (bytes == 2)
    permute<uint16_t>(out, in, first, end, digits, digit, rank, sizes, strides);
  else if (bytes == 4)
    permute<uint32_t>(out, in, first, end, digits, digit, rank, sizes, strides);
  else
    permute<uint64_t>(out, in, first, end, digits, digit, rank, sizes, strides);
}
