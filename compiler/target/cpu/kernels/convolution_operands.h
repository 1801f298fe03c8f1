// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a launch of convolution works on (params.h): operands, sizes, and the end of its sums.
#ifndef INGOT_TARGET_CPU_KERNELS_CONVOLUTION_OPERANDS_H
#define INGOT_TARGET_CPU_KERNELS_CONVOLUTION_OPERANDS_H

#include "compiler/target/cpu/kernels/convolution_lines.h"

namespace ingot::kernels {

// Copies at most 16 floats.
INGOT_INLINE void copySome(float *to, const float *from, int32_t count) {
  typedef float f32x4 __attribute__((ext_vector_type(4), aligned(4)));
  for (; count >= 4; count -= 4, to += 4, from += 4)
    *(f32x4 *)to = *(const f32x4 *)from;
  for (; count > 0; --count)
    *to++ = *from++;
}

// The end of a convolution: c * scale + bias + residual, the activation, the bounds.
struct ConvolutionResult {
  const convolution_params *p;
  const float *scale, *bias, *residual;
  float *out;

  // sums: of output channel o; stored at out + at, the first `count` from lane `lane` on.
  INGOT_INLINE void finish(f32x16 y, int64_t o, int64_t at, int32_t lane, int32_t count) const {
    if (p->scale)
      y = y * splat(scale[o]);
    if (p->bias)
      y = y + splat(bias[o]);
    if (count == 16) {
      if (p->residual)
        y = y + load16(residual + at);
      store16(out + at, end(y));
      return;
    }
    float lanes[32];
    if (p->residual) {
      store16(lanes, splat(0.0f));
      copySome(lanes + lane, residual + at, count);
      y = y + load16(lanes);
    }
    store16(lanes, end(y));
    copySome(out + at, lanes + lane, count);
  }
  INGOT_INLINE f32x16 end(f32x16 y) const {
    y = activate(y, p->act);
    if (p->clamp & 1)
      y = y < p->low ? splat(p->low) : y;
    if (p->clamp & 2)
      y = y > p->high ? splat(p->high) : y;
    return y;
  }
};

// The same for `width` output channels side by side, from `column` on.
struct ConvolutionLanes {
  const ConvolutionResult &result;
  const f32x16 scale, bias;
  const int32_t width;

  INGOT_INLINE ConvolutionLanes(const ConvolutionResult &result, int64_t column, int32_t width)
      : result(result), scale(result.scale ? load16(result.scale + column, width) : splat(1.0f)),
        bias(result.bias ? load16(result.bias + column, width) : splat(0.0f)), width(width) {}
  // y: their sums of one place, stored at out + at.
  INGOT_INLINE void finish(f32x16 y, int64_t at) const {
    if (result.scale)
      y = y * scale;
    if (result.bias)
      y = y + bias;
    if (result.residual)
      y = y + load16(result.residual + at, width);
    store16(result.out + at, result.end(y), width);
  }
};

struct ConvolutionOperands {
  const convolution_params *p;
  const float *in, *weight;
  ConvolutionResult result;
  int64_t batch, size[3], places[3]; // spatial sizes of input and output: depth, height, width
  int64_t plane, count;              // elements of a channel of input and output
  const float *end;                  // of the input
  int64_t channels, rows, depth;     // of a group: input channels, output channels, elements of a window

  INGOT_INLINE int64_t taps() const { return (int64_t)p->kernel_d * p->kernel_h * p->kernel_w; }
  INGOT_INLINE bool isPointwise() const {
    return taps() == 1 && p->stride_d == 1 && p->stride_h == 1 && p->stride_w == 1 && !p->pad_d && !p->pad_h &&
           !p->pad_w;
  }

  // to[0 .. count) = from[0 .. count) of the input: by vectors, which reach past the end in `to` (by 15), and in `from` up
  // to the input's end.
  INGOT_INLINE void copy(float *to, const float *from, int64_t count) const {
    int64_t i = 0;
    for (; i < count && from + i + 16 <= end; i += 16)
      store16(to + i, load16(from + i));
    for (; i < count; ++i)
      to[i] = from[i];
  }

  INGOT_INLINE ConvolutionOperands(const convolution_params *params, void *const *buffers, const int64_t *symbols)
      : p(params) {
    in = (const float *)*buffers++;
    weight = (const float *)*buffers++;
    result.p = p;
    result.scale = p->scale ? (const float *)*buffers++ : nullptr;
    result.bias = p->bias ? (const float *)*buffers++ : nullptr;
    result.residual = p->residual ? (const float *)*buffers++ : nullptr;
    result.out = (float *)*buffers;
    batch = symbols[p->batch_symbol];
    size[0] = symbols[p->in_d_symbol], size[1] = symbols[p->in_h_symbol], size[2] = symbols[p->in_w_symbol];
    places[0] = symbols[p->out_d_symbol], places[1] = symbols[p->out_h_symbol], places[2] = symbols[p->out_w_symbol];
    plane = size[0] * size[1] * size[2];
    count = places[0] * places[1] * places[2];
    if (isPointwise() && plane == count) { // one line, whatever its shape
      size[0] = size[1] = places[0] = places[1] = 1;
      size[2] = places[2] = count;
    }
    end = in + batch * p->channels * plane;
    channels = p->channels / p->groups;
    rows = p->outputs / p->groups;
    depth = channels * taps();
  }
};

} // namespace ingot::kernels

#endif
