// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The operands of products as fragments of mma.sync. Weights are the operand A, so that a panel of 16 columns fills M = 16 and
// few rows of activations waste little of N = 8:
//
//   D[column][row] += A[column][k] * B[k][row]
//
// A step is 32 k of one panel. In shared memory it lies as it is packed (params.h): lines of 16 words, a word for each column,
// where a word holds (line, k) of   f32: k = line      16 bits: k = 2 line, 2 line + 1      8 bits: k = 4 line ..+3
//                                  4 bits: k = 8 line + e in the low half of byte e, 8 line + 4 + e in the high half.
// Column n of a line stands at n ^ 8 in every other pair of lines, so that a fragment's 32 words come from 32 banks.
//
// Products of floats are of bf16 with sums in f32, those of f16 by f16 of f16. What bf16 does not hold is split into parts, each
// a bf16 of what the parts before leave: f32 in three, f16 in two, which hold all of it; u - z of quantized weights is one.
// Part i is at most 2^-9i of its number, so pairs of parts whose places add up to 3 or more are left out: an f32 product has
// an error of 2^-26 of its size (two such pairs), one of f32 by f16 2^-27, all others are exact before they are added.
// The order of k within a step is free; B follows A's.
#ifndef INGOT_CUDA_DEVICE_LINEAR_OPERANDS_H
#define INGOT_CUDA_DEVICE_LINEAR_OPERANDS_H

#include "compiler/target/cuda/device/elements.h"

namespace ingot::device {

constexpr int32_t kStep = 32; // k

INGOT_CONSTEXPR int32_t inTypeOf(const linear_params &p) { return p.in_type; }
INGOT_CONSTEXPR int32_t inTypeOf(const linear_int_params &) { return INGOT_I8; }
INGOT_CONSTEXPR int32_t weightTypeOf(const linear_params &p) { return p.weight_type; }
INGOT_CONSTEXPR int32_t weightTypeOf(const linear_int_params &) { return INGOT_U8; }

// What a template's parameters mean for its operands; of linear_params and linear_int_params.
template <class P> struct OperandTypes {
  static constexpr auto p = P::p;
  static constexpr bool integers = inTypeOf(P::p) == INGOT_I8;
  static constexpr int32_t inType = inTypeOf(P::p);
  static constexpr int32_t weightType = weightTypeOf(P::p);
  static constexpr bool quantized = weightType == INGOT_U8;
  static constexpr int32_t lines = p.layout == INGOT_N16K ? 32 : p.layout == INGOT_N16K2 ? 16 : p.layout == INGOT_N16K4 ? 8 : 4;
  static constexpr int32_t stepBytes = lines * 64; // of a panel
  static constexpr int32_t granules = stepBytes / 16;
  // Parts of a weight and of an activation.
  static constexpr bool halves = weightType == INGOT_F16 && inType == INGOT_F16; // products of f16 as they are
  static constexpr int32_t weightParts = weightType == INGOT_F32 ? 3 : weightType == INGOT_F16 && !halves ? 2 : 1;
  static constexpr int32_t inParts = inType == INGOT_F32 ? 3 : inType == INGOT_F16 && !halves ? 2 : 1;
  static constexpr bool inAsIs = inType == INGOT_BF16 || halves; // pairs of 16 bits are operands as they lie
  static constexpr int32_t panels = (p.n + 15) / 16 * (p.gated ? 2 : 1);
  // Packed K of the weights. Steps end with k: beyond it there are no scales.
  static constexpr int32_t weightK =
      p.layout == INGOT_N16K ? p.k : (int32_t)roundedUp(p.k, quantized ? 64 : 32);
  static constexpr int32_t steps = (p.k + kStep - 1) / kStep;
  static constexpr int64_t panelBytes = (int64_t)weightK * (stepBytes / kStep);
  static constexpr int32_t group = quantized ? p.group : p.k;
  static constexpr int32_t groups = (p.k + group - 1) / group;
  // Steps that share a scale; the last group may have fewer.
  static constexpr int32_t groupSteps = group % kStep == 0 ? group / kStep : steps;
  static constexpr int64_t inRowBytes = integers ? p.k_padded + roundedUp(4 + 4 * (int64_t)groups, 64)
                                                 : (int64_t)p.k_padded * bytesOfType(inType);
};

// Operands of a launch by their places in params.h.
template <class P> struct LinearOperands {
  using T = OperandTypes<P>;
  const unsigned char *in, *weight;
  const void *scales = nullptr;
  const uint8_t *zeros = nullptr;
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
  }
};

// The place of granule (4 columns) q of a line in shared memory, in granules.
INGOT_DEVICE int32_t granuleOf(int32_t line, int32_t q) { return line * 4 + (q ^ (line & 2)); }
INGOT_DEVICE int32_t wordOf(int32_t line, int32_t column) { return line * 16 + (column ^ ((line & 2) << 2)); }

// Copies a step of a panel to shared memory, granule i by granule. Beyond the weights' own K there are zeros.
template <class T> INGOT_DEVICE void copyStep(unsigned char *shared, const unsigned char *panel, int32_t step, int32_t i) {
  const int32_t line = i / 4;
  const int64_t offset = (int64_t)step * T::stepBytes + i * 16;
  const bool inside = T::panelBytes % T::stepBytes == 0 || offset < T::panelBytes;
  copyAsync16(shared + granuleOf(line, i % 4) * 16, panel + (inside ? offset : 0), inside ? 16 : 0);
}

// A pair of floats as bf16 parts: parts[0] is nearest, each further one holds what is left.
template <int parts> INGOT_DEVICE void splitPair(float low, float high, uint32_t (&out)[parts]) {
  for (int i = 0; i < parts; ++i) {
    const uint32_t pair = packBf16(low, high);
    out[i] = pair;
    low = add(low, -floatOf(pair << 16));
    high = add(high, -floatOf(pair & 0xffff0000u));
  }
}

// Byte i of a word as a float, exact.
INGOT_DEVICE float byteOf(uint32_t word, uint32_t i) {
  return add(floatOf(permuteBytes(word, 0x4b000000u, 0x7440u | i)), -8388608.0f);
}

// Half `half` (16 k) of a step of a panel, as the parts of A. z: zero points of columns g and g + 8.
template <class T> INGOT_DEVICE void loadWeights(FragmentA (&a)[T::weightParts], const unsigned char *shared, int half,
                                                 const float (&z)[2]) {
  const uint32_t *words = (const uint32_t *)shared;
  const int32_t g = (int32_t)lane() / 4, t = (int32_t)lane() % 4;
  if constexpr (T::weightType == INGOT_BF16 || T::halves) {
    for (int i = 0; i < 4; ++i) // columns g, g + 8; then k 8 further
      a[0].r[i] = words[wordOf(half * 8 + t + i / 2 * 4, g + i % 2 * 8)];
  } else if constexpr (T::weightType == INGOT_F16) {
    for (int i = 0; i < 4; ++i) {
      const uint32_t pair = words[wordOf(half * 8 + t + i / 2 * 4, g + i % 2 * 8)];
      uint32_t parts[2];
      splitPair(toFloat(f16{(uint16_t)pair}), toFloat(f16{(uint16_t)(pair >> 16)}), parts);
      a[0].r[i] = parts[0];
      a[1].r[i] = parts[1];
    }
  } else if constexpr (T::weightType == INGOT_F32) {
    for (int i = 0; i < 4; ++i) {
      const int32_t line = half * 16 + 2 * t + i / 2 * 8, column = g + i % 2 * 8;
      uint32_t parts[3];
      splitPair(floatOf(words[wordOf(line, column)]), floatOf(words[wordOf(line + 1, column)]), parts);
      for (int part = 0; part < 3; ++part)
        a[part].r[i] = parts[part];
    }
  } else {
    for (int i = 0; i < 2; ++i) { // columns g, g + 8
      uint32_t word;
      if constexpr (T::p.layout == INGOT_N16K4)
        word = words[wordOf(half * 4 + t, g + i * 8)];
      else
        word = words[wordOf(t, g + i * 8)] >> (half * 4) & 0x0f0f0f0fu;
      a[0].r[i] = packBf16(add(byteOf(word, 0), -z[i]), add(byteOf(word, 1), -z[i]));
      a[0].r[i + 2] = packBf16(add(byteOf(word, 2), -z[i]), add(byteOf(word, 3), -z[i]));
    }
  }
}

// Where in a step the pairs of k lie that a lane holds of B in this half: first, second.
template <class T> INGOT_DEVICE int32_t firstPair(int half) {
  const int32_t t = (int32_t)lane() % 4;
  if constexpr (!T::quantized)
    return half * 16 + 2 * t;
  else if constexpr (T::p.layout == INGOT_N16K4)
    return half * 16 + 4 * t;
  else
    return 8 * t + half * 4;
}
template <class T> INGOT_CONSTEXPR int32_t secondPair() { return T::quantized ? 2 : 8; } // beyond the first

// --- Integers: a whole step of 32 k is one mma; weights are made signed by taking the zero point off every byte ---

// z: zero points of columns g and g + 8, in every byte.
template <class T> INGOT_DEVICE void loadIntegers(FragmentA &a, const unsigned char *shared, const uint32_t (&z)[2]) {
  const uint32_t *words = (const uint32_t *)shared;
  const int32_t g = (int32_t)lane() / 4, t = (int32_t)lane() % 4;
  for (int i = 0; i < 2; ++i) {
    if constexpr (T::p.layout == INGOT_N16K4) { // z is 128: u - 128 as a signed byte
      a.r[i] = words[wordOf(t, g + i * 8)] ^ 0x80808080u;
      a.r[i + 2] = words[wordOf(t + 4, g + i * 8)] ^ 0x80808080u;
    } else { // byte by byte: u + 128 - z does not borrow
      const uint32_t word = words[wordOf(t, g + i * 8)];
      a.r[i] = (((word & 0x0f0f0f0fu) | 0x80808080u) - z[i]) ^ 0x80808080u;
      a.r[i + 2] = (((word >> 4 & 0x0f0f0f0fu) | 0x80808080u) - z[i]) ^ 0x80808080u;
    }
  }
}
// Where the two words of B lie in a step, in k.
template <class T> INGOT_DEVICE int32_t firstWord() {
  const int32_t t = (int32_t)lane() % 4;
  return T::p.layout == INGOT_N16K4 ? 4 * t : 8 * t;
}
template <class T> INGOT_CONSTEXPR int32_t secondWord() { return T::p.layout == INGOT_N16K4 ? 16 : 4; }

// --- Scales ---

// Scale and zero point of a group for columns g and g + 8 of a panel.
template <class P> struct GroupFactors {
  using T = OperandTypes<P>;
  float scale[2];
  float zero[2];
  uint32_t zeroBytes[2];

  INGOT_DEVICE void load(const LinearOperands<P> &operands, int32_t panel, int32_t group) {
    if constexpr (T::quantized) {
      const int64_t at = ((int64_t)panel * T::groups + group) * 16 + lane() / 4;
      for (int i = 0; i < 2; ++i) {
        scale[i] = loadAs<P::p.scale_type>(operands.scales, at + i * 8);
        uint32_t z = P::p.layout == INGOT_N16K4 ? 128 : 8;
        if constexpr (P::p.zeros != 0)
          z = operands.zeros[at + i * 8];
        zero[i] = (float)z;
        zeroBytes[i] = z * 0x01010101u;
      }
    } else {
      scale[0] = scale[1] = 1.0f;
      zero[0] = zero[1] = 0.0f;
      zeroBytes[0] = zeroBytes[1] = 0;
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
