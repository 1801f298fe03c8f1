// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The operands of products as fragments of mma.sync. Weights are the operand A, so that a panel of 16 columns fills M =
// 16 and few rows of activations waste little of N = 8:
//
//   D[column][row] += A[column][k] * B[k][row]
//
// A step is 32 k of one panel. Rows g and g + 8 of A are columns 2g and 2g + 1 of the panel, neighbours in memory; and
// lane 4g + t holds k = 8t .. 8t + 7 of the step, of A and of B, so both are read in whole vectors: the order of k
// within a step is free as long as A and B agree. The step is two mma of 16 bits ("halves", k = 8t + 4 half ..+3 of
// each lane) or one of integers.
//
// A step of weights lies as it is packed (params.h): lines of 16 words, a word for each column, where a word holds
//   f32: k = line     16 bits: k = 2 line, 2 line + 1     8 bits: k = 4 line ..+3
//   4 bits: k = 8 line + e in the low half of byte e, 8 line + 4 + e in the high half
// so that lane 4g + t reads lines / 4 lines from t * lines / 4. In shared memory two lines are one row of the 32 banks,
// whose words are exchanged by blocks of 8 with t, so that the lanes of a half warp (g of 4, all t) read 8 bytes each
// from banks of their own.
//
// Products of floats are of bf16 or f16, whichever holds both operands, with sums in f32; u - z of quantized weights is
// exact in either. What bf16 does not hold is split into parts, each a bf16 of what the parts before leave: f32 in
// three, f16 in two, which hold all of it. Part i is at most 2^-9i of its number, so pairs of parts whose places add up
// to 3 or more are left out: an f32 product has an error of 2^-26 of its size (two such pairs), one of f32 by f16
// 2^-27, all others are exact before they are added. (An f32 above 3.39e38 in size is infinite in bf16, and its product no
// number.) Tensor cores truncate their sums, which is below what operands of 16 bits are rounded by, and short within a
// group; where there are parts else, the products of 16 k are added to the sum by an addition that rounds (linear_sums.h).
#ifndef INGOT_CUDA_DEVICE_LINEAR_OPERANDS_H
#define INGOT_CUDA_DEVICE_LINEAR_OPERANDS_H

#include "compiler/target/cuda/device/elements.h"

namespace ingot::device {

constexpr int32_t kStep = 32; // k

INGOT_CONSTEXPR int32_t inTypeOf(const linear_params &p) { return p.in_type; }
INGOT_CONSTEXPR int32_t inTypeOf(const linear_int_params &) { return INGOT_I8; }
INGOT_CONSTEXPR int32_t weightTypeOf(const linear_params &p) { return p.weight_type; }
INGOT_CONSTEXPR int32_t weightTypeOf(const linear_int_params &) { return INGOT_U8; }
INGOT_CONSTEXPR int32_t inZerosOf(const linear_params &) { return 0; }
INGOT_CONSTEXPR int32_t inZerosOf(const linear_int_params &p) { return p.in_zeros; }

// What a template's parameters mean for its operands; of linear_params and linear_int_params.
template <class P> struct OperandTypes {
  static constexpr auto p = P::p;
  static constexpr bool integers = inTypeOf(P::p) == INGOT_I8;
  static constexpr int32_t inType = inTypeOf(P::p);
  static constexpr int32_t weightType = weightTypeOf(P::p);
  static constexpr bool quantized = weightType == INGOT_U8;
  static constexpr bool fourBits = p.layout == INGOT_N16K8;
  // Bytes u are multiplied as u - 128: where zero points are others, sums over the row's integers make up for it.
  static constexpr bool otherZeros = integers && !fourBits && p.zeros != 0;
  static constexpr bool inZeros = inZerosOf(P::p) != 0; // rows have a zero point
  static constexpr int32_t lines = p.layout == INGOT_N16K    ? 32
                                   : p.layout == INGOT_N16K2 ? 16
                                   : p.layout == INGOT_N16K4 ? 8
                                                             : 4;
  static constexpr int32_t stepBytes = lines * 64; // of a panel
  static constexpr int32_t granules = stepBytes / 16;
  // Products of f16, or of bf16 in parts of a weight and of an activation.
  static constexpr bool halves = inType == INGOT_F16 && (weightType == INGOT_F16 || quantized);
  static constexpr int32_t weightParts = halves ? 1 : weightType == INGOT_F32 ? 3 : weightType == INGOT_F16 ? 2 : 1;
  static constexpr int32_t inParts = halves ? 1 : inType == INGOT_F32 ? 3 : inType == INGOT_F16 ? 2 : 1;
  static constexpr bool inWords = halves || inType == INGOT_BF16; // activations are multiplied as they are stored
  static constexpr int32_t panels = (p.n + 15) / 16 * (p.gated ? 2 : 1);
  // Packed K of the weights; steps that hold any of k.
  static constexpr int32_t weightK = p.layout == INGOT_N16K ? p.k : (int32_t)roundedUp(p.k, quantized ? 64 : 32);
  static constexpr int32_t steps = (p.k + kStep - 1) / kStep;
  static constexpr int64_t panelBytes = (int64_t)weightK * (stepBytes / kStep);
  static constexpr int32_t group = quantized ? p.group : p.k;
  static constexpr int32_t groups = (p.k + group - 1) / group;
  static_assert(groups == 1 || group % kStep == 0);
  // Whether sums are closed group by group, and the steps of a group; else one sum of all of K is scaled at the end.
  static constexpr bool byGroup = groups > 1;
  static constexpr int32_t groupSteps = byGroup ? group / kStep : steps;
  static constexpr int32_t element = integers ? 1 : bytesOfType(inType);
  static constexpr int64_t inRowBytes =
      integers ? p.k_padded + roundedUp(4 + 4 * (int64_t)groups, 64) : (int64_t)p.k_padded * element;
  // Rows begin at 16 bytes, and hold whole granules.
  static constexpr bool inAligned = inRowBytes % 16 == 0 && p.k_padded * element % 16 == 0;
};

// Operands of a launch by their places in params.h.
template <class P> struct LinearOperands {
  using T = OperandTypes<P>;
  const unsigned char *in, *weight;
  const void *scales = nullptr;
  const uint8_t *zeros = nullptr;
  const int32_t *columnSums = nullptr; // where rows have zero points
  int32_t next; // place of the operands of the epilogue

  INGOT_DEVICE explicit LinearOperands(const ingot_cuda_args &args) {
    in = (const unsigned char *)args.buffers[0];
    weight = (const unsigned char *)args.buffers[1];
    next = 2;
    if constexpr (T::quantized) {
      scales = args.buffers[next++];
      if constexpr (P::p.zeros != 0)
        zeros = (const uint8_t *)args.buffers[next++];
    }
    if constexpr (T::inZeros)
      columnSums = (const int32_t *)args.buffers[next++];
  }

  // What stands behind the integers of row `row` of `rows`: its scale, the sum of each group, and a zero point. A row
  // beyond them has zeros.
  INGOT_DEVICE uint32_t ofRow(int64_t row, int64_t rows, int32_t word) const {
    return row < rows ? ((const uint32_t *)(in + row * T::inRowBytes + P::p.k_padded))[word] : 0;
  }
};

// --- Weights ---

struct alignas(8) Words2 {
  uint32_t x, y;
};

// Where word `column` of a line lies in shared memory; columns of a granule (4) stay together.
template <class T> INGOT_DEVICE int32_t wordOf(int32_t line, int32_t column) {
  return line / 2 * 32 + ((line % 2 * 16 + column) ^ (line / (T::lines / 4) * 8));
}

// Copies a step of a panel to shared memory, granule i by granule. Beyond the weights' own K there are zeros.
template <class T>
INGOT_DEVICE void copyStep(unsigned char *shared, const unsigned char *panel, int32_t step, int32_t i) {
  const int64_t offset = (int64_t)step * T::stepBytes + i * 16;
  const bool inside = T::panelBytes % T::stepBytes == 0 || offset < T::panelBytes;
  copyAsync16(shared + wordOf<T>(i / 4, i % 4 * 4) * 4, panel + (inside ? offset : 0), inside ? 16 : 0);
}

// Scales and zero points of a group for columns 2g and 2g + 1 of a panel.
template <class P> struct GroupFactors {
  using T = OperandTypes<P>;
  float scale[2];
  uint32_t zero[2]; // as the weights' integers meet it

  INGOT_DEVICE void load(const LinearOperands<P> &operands, int32_t panel, int32_t group) {
    if constexpr (T::quantized) {
      const int64_t at = ((int64_t)panel * T::groups + group) * 16 + lane() / 4 * 2;
      for (int i = 0; i < 2; ++i) {
        scale[i] = loadAs<P::p.scale_type>(operands.scales, at + i);
        uint32_t z = T::fourBits ? 8 : 128;
        if constexpr (P::p.zeros != 0)
          z = operands.zeros[at + i];
        if constexpr (T::integers && !T::fourBits)
          zero[i] = 128 - z; // see LinearSums::integer
        else if constexpr (T::integers)
          zero[i] = z * 0x01010101u; // in every byte
        else if constexpr (T::halves)
          zero[i] = (0xe400u + z) * 0x00010001u; // -(1024 + z), twice
        else if constexpr (T::fourBits)
          zero[i] = (0xc300u + z) * 0x00010001u; // -(128 + z), twice
        else
          zero[i] = bitsOf(-(float)(8388608u + z)); // 2^23
      }
    }
  }
};

// A pair of floats as bf16 parts: parts[0] is nearest, each further one holds what is left.
template <int parts> INGOT_DEVICE void splitPair(float low, float high, uint32_t (&out)[parts]) {
  for (int i = 0; i < parts; ++i) {
    const uint32_t pair = packBf16(low, high);
    out[i] = pair;
    if (i + 1 < parts) {
      low = add(low, -floatOf(pair << 16));
      high = add(high, -floatOf(pair & 0xffff0000u));
    }
  }
}

// u - z of a pair of integers of a word, exact, as a pair of 16-bit floats. `which` is 0 .. 1 of the word's 8-bit pairs
// (0, 1), (2, 3), or 0 .. 3 of its 4-bit pairs (0, 2), (1, 3), (4, 6), (5, 7).
template <class T> INGOT_DEVICE uint32_t pairOfIntegers(uint32_t word, int which, uint32_t zero) {
  if constexpr (T::fourBits) {
    // An integer below the leading bit of 2^7 (bf16) or 2^10 (f16) adds to it.
    const uint32_t nibbles = word >> (which % 2 * 8 + which / 2 * 4) & 0x000f000fu;
    if constexpr (T::halves)
      return addPairs(nibbles | 0x64006400u, zero, f16{});
    else
      return addPairs(nibbles | 0x43004300u, zero, bf16{});
  } else if constexpr (T::halves) {
    return addPairs(permuteBytes(word, 0x64646464u, which ? 0x4342 : 0x4140), zero, f16{});
  } else { // bf16 has 8 bits: by way of 2^23, of whose floats the differences have no low half
    const float low = add(floatOf(permuteBytes(word, 0x4b000000u, 0x7440u | (uint32_t)(which * 2))), floatOf(zero));
    const float high = add(floatOf(permuteBytes(word, 0x4b000000u, 0x7441u | (uint32_t)(which * 2))), floatOf(zero));
    return permuteBytes(bitsOf(low), bitsOf(high), 0x7632);
  }
}

// Half `half` of a step of a panel, as the parts of A.
template <class P>
INGOT_DEVICE void loadWeights(FragmentA (&a)[OperandTypes<P>::weightParts], const unsigned char *shared, int half,
                              const GroupFactors<P> &factors) {
  using T = OperandTypes<P>;
  const int32_t g = (int32_t)lane() / 4, t = (int32_t)lane() % 4;
  const auto words = [&](int32_t line) {
    return *(const Words2 *)((const uint32_t *)shared + wordOf<T>(t * (T::lines / 4) + line, 2 * g));
  };
  if constexpr (T::quantized) {
    const Words2 w = words(T::fourBits ? 0 : half);
    for (int i = 0; i < 2; ++i) {
      const int which = T::fourBits ? half * 2 + i : i;
      a[0].r[i * 2] = pairOfIntegers<T>(w.x, which, factors.zero[0]);
      a[0].r[i * 2 + 1] = pairOfIntegers<T>(w.y, which, factors.zero[1]);
    }
  } else {
    for (int i = 0; i < 2; ++i) { // pairs of k
      if constexpr (T::weightType == INGOT_F32) {
        const Words2 low = words(half * 4 + i * 2), high = words(half * 4 + i * 2 + 1);
        uint32_t x[3], y[3];
        splitPair(floatOf(low.x), floatOf(high.x), x);
        splitPair(floatOf(low.y), floatOf(high.y), y);
        for (int part = 0; part < 3; ++part) {
          a[part].r[i * 2] = x[part];
          a[part].r[i * 2 + 1] = y[part];
        }
      } else {
        const Words2 w = words(half * 2 + i);
        if constexpr (T::weightParts == 1) {
          a[0].r[i * 2] = w.x;
          a[0].r[i * 2 + 1] = w.y;
        } else {
          uint32_t x[2], y[2];
          splitPair(toFloat(f16{(uint16_t)w.x}), toFloat(f16{(uint16_t)(w.x >> 16)}), x);
          splitPair(toFloat(f16{(uint16_t)w.y}), toFloat(f16{(uint16_t)(w.y >> 16)}), y);
          for (int part = 0; part < 2; ++part) {
            a[part].r[i * 2] = x[part];
            a[part].r[i * 2 + 1] = y[part];
          }
        }
      }
    }
  }
}

// A step of a panel as signed bytes: the zero point is taken off every one of 4 bits.
template <class P>
INGOT_DEVICE void loadIntegers(FragmentA &a, const unsigned char *shared, const GroupFactors<P> &factors) {
  using T = OperandTypes<P>;
  const int32_t g = (int32_t)lane() / 4, t = (int32_t)lane() % 4;
  const auto words = [&](int32_t line) {
    return *(const Words2 *)((const uint32_t *)shared + wordOf<T>(t * (T::lines / 4) + line, 2 * g));
  };
  if constexpr (!T::fourBits) { // u - 128 as a signed byte
    for (int i = 0; i < 2; ++i) {
      const Words2 w = words(i);
      a.r[i * 2] = w.x ^ 0x80808080u;
      a.r[i * 2 + 1] = w.y ^ 0x80808080u;
    }
  } else { // byte by byte: u + 128 - z does not borrow
    const Words2 w = words(0);
    for (int i = 0; i < 2; ++i) {
      a.r[i * 2] = (((w.x >> (i * 4) & 0x0f0f0f0fu) | 0x80808080u) - factors.zero[0]) ^ 0x80808080u;
      a.r[i * 2 + 1] = (((w.y >> (i * 4) & 0x0f0f0f0fu) | 0x80808080u) - factors.zero[1]) ^ 0x80808080u;
    }
  }
}

// --- Activations: what a lane holds of a row in a step, k = 8t .. 8t + 7, as it is stored ---

template <class T> struct RowPart {
  static constexpr int32_t bytes = 8 * T::element;
  uint32_t words[bytes / 4];

  INGOT_DEVICE void clear() {
    for (uint32_t &word : words)
      word = 0;
  }

  // The integers of B.
  INGOT_DEVICE FragmentB integers() const { return {{words[0], words[1]}}; }

  INGOT_DEVICE float at(int i) const {
    if constexpr (T::inType == INGOT_F32)
      return floatOf(words[i]);
    else if constexpr (T::inType == INGOT_F16)
      return toFloat(f16{(uint16_t)(words[i / 2] >> (i % 2 * 16))});
    else
      return toFloat(bf16{(uint16_t)(words[i / 2] >> (i % 2 * 16))});
  }

  // The parts of B for a half, with k as loadWeights pairs it.
  INGOT_DEVICE void half(FragmentB (&b)[T::inParts], int which) const {
    if constexpr (T::inWords) {
      const uint32_t x = words[which * 2], y = words[which * 2 + 1];
      if constexpr (T::fourBits)
        b[0] = {{permuteBytes(x, y, 0x5410), permuteBytes(x, y, 0x7632)}};
      else
        b[0] = {{x, y}};
    } else {
      constexpr int second = T::fourBits ? 2 : 1; // of the first pair, beyond its first
      constexpr int next = T::fourBits ? 1 : 2;   // pair
      uint32_t x[T::inParts], y[T::inParts];
      splitPair(at(which * 4), at(which * 4 + second), x);
      splitPair(at(which * 4 + next), at(which * 4 + next + second), y);
      for (int i = 0; i < T::inParts; ++i)
        b[i] = {{x[i], y[i]}};
    }
  }
};

// c += a * b over all parts that matter.
template <class T>
INGOT_DEVICE void multiplyParts(FragmentC &c, const FragmentA (&a)[T::weightParts], const FragmentB (&b)[T::inParts]) {
  if constexpr (T::halves)
    mma(c, a[0], b[0], f16{});
  else
    for (int i = T::weightParts - 1; i >= 0; --i) // the smallest first
      for (int j = T::inParts - 1; j >= 0; --j)
        if (i + j < 3)
          mma(c, a[i], b[j], bf16{});
}

} // namespace ingot::device

#endif
