// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// convolution: windows of an image times a weight (params.h).
// Grid (any), block any; no shared memory. in f32[B][channels][D][H][W], weight f32[outputs][channels/groups][..], out
// f32, or channels last as params.h states. A thread computes elements of the output, `threads` of the whole grid
// apart, in f32 without tensor cores, as chains of fused multiply-adds over chunks of 512: those of the CPU's kernel.
// It is right rather than fast: neighbours read neighbouring elements and share the weight through the cache, and no
// more.
#ifndef INGOT_CUDA_DEVICE_CONVOLUTION_H
#define INGOT_CUDA_DEVICE_CONVOLUTION_H

#include "compiler/target/cuda/device/linear_epilogue.h"

namespace ingot::device {

template <class P> INGOT_DEVICE void convolve(const ingot_cuda_args &args) {
  constexpr auto p = P::p;
  constexpr int32_t channels = p.channels / p.groups, rows = p.outputs / p.groups, kChunk = 512;
  waitForPreviousLaunch();
  letNextLaunchBegin();
  const float *in = (const float *)args.buffers[0], *weight = (const float *)args.buffers[1];
  int32_t next = 2;
  const float *scale = p.scale ? (const float *)args.buffers[next++] : nullptr;
  const float *bias = p.bias ? (const float *)args.buffers[next++] : nullptr;
  const float *residual = p.residual ? (const float *)args.buffers[next++] : nullptr;
  float *out = (float *)args.buffers[next];
  const int64_t depth = args.symbols[p.in_d_symbol], height = args.symbols[p.in_h_symbol],
                width = args.symbols[p.in_w_symbol];
  const int64_t outDepth = args.symbols[p.out_d_symbol], outHeight = args.symbols[p.out_h_symbol],
                outWidth = args.symbols[p.out_w_symbol];
  const int64_t total = args.symbols[p.batch_symbol] * p.outputs * outDepth * outHeight * outWidth;
  constexpr int32_t taps = p.kernel_d * p.kernel_h * p.kernel_w;
  constexpr bool last = p.channels_last != 0, alone = last && p.channels == p.groups && p.outputs == p.groups;
  // From element to element of the input: the next column, and the next channel.
  const int64_t column = last ? p.channels : 1, channel = last ? 1 : depth * height * width;
  for (int64_t at = (int64_t)blockX() * threads() + thread(); at < total; at += (int64_t)gridX() * threads()) {
    const int64_t places = outDepth * outHeight * outWidth, image = at / places / p.outputs;
    const auto o = (int32_t)(last ? at % p.outputs : at / places % p.outputs);
    const int64_t place = last ? at / p.outputs % places : at % places;
    const int64_t x = place % outWidth, y = place / outWidth % outHeight, z = place / outWidth / outHeight;
    const float *from = in + image * p.channels * depth * height * width + o / rows * channels * channel;
    // From k to k of the output's weight.
    const float *w = alone  ? weight + o
                     : last ? weight + (int64_t)(o / 16) * taps * channels * 16 + o % 16
                            : weight + (int64_t)o * taps * channels;
    constexpr int32_t step = alone ? p.channels : last ? 16 : 1;
    float sum = 0.0f, chain = 0.0f;
    int32_t k = 0;
    auto addTap = [&](int32_t c, int32_t tz, int32_t ty, int32_t tx) {
      const int64_t iz = z * p.stride_d + (int64_t)tz * p.dilation_d - p.pad_d;
      const int64_t iy = y * p.stride_h + (int64_t)ty * p.dilation_h - p.pad_h;
      const int64_t ix = x * p.stride_w + (int64_t)tx * p.dilation_w - p.pad_w;
      const bool inside = iz >= 0 && iz < depth && iy >= 0 && iy < height && ix >= 0 && ix < width;
      chain = fma(*w, inside ? from[c * channel + ((iz * height + iy) * width + ix) * column] : 0.0f, chain);
      w += step;
      if (++k == kChunk) {
        sum = add(sum, chain);
        chain = 0.0f;
        k = 0;
      }
    };
    if constexpr (last) {
      for (int32_t tz = 0; tz < p.kernel_d; ++tz)
        for (int32_t ty = 0; ty < p.kernel_h; ++ty)
          for (int32_t tx = 0; tx < p.kernel_w; ++tx)
            for (int32_t c = 0; c < channels; ++c)
              addTap(c, tz, ty, tx);
    } else {
      for (int32_t c = 0; c < channels; ++c)
        for (int32_t tz = 0; tz < p.kernel_d; ++tz)
          for (int32_t ty = 0; ty < p.kernel_h; ++ty)
            for (int32_t tx = 0; tx < p.kernel_w; ++tx)
              addTap(c, tz, ty, tx);
    }
    if (k != 0)
      sum = add(sum, chain);
    if constexpr (p.scale != 0)
      sum = multiply(sum, scale[o]);
    if constexpr (p.bias != 0)
      sum = add(sum, bias[o]);
    if constexpr (p.residual != 0)
      sum = add(sum, residual[at]);
    sum = activated<p.act>(sum);
    if ((p.clamp & 1) && sum < p.low)
      sum = p.low;
    if ((p.clamp & 2) && sum > p.high)
      sum = p.high;
    out[at] = sum;
  }
}

} // namespace ingot::device

#endif
