// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Convolution of channels that are groups by themselves, where channels are last: lanes are channels, and the weight is
// [place in the window][channel]. Work goes through a plane in the order of memory, by bands of kLastBand channels
// whose weights stay in the first-level cache. Inlined, so that the taps of a window are unrolled.
#ifndef INGOT_TARGET_CPU_KERNELS_CONVOLUTION_LAST_CHANNELS_H
#define INGOT_TARGET_CPU_KERNELS_CONVOLUTION_LAST_CHANNELS_H

#include "compiler/target/cpu/kernels/convolution_last_rows.h"
#include "compiler/target/cpu/kernels/convolution_operands.h"

namespace ingot::kernels {

struct LastChannels : ConvolutionOperands {
  INGOT_INLINE LastChannels(const convolution_params *p, void *const *buffers, const int64_t *symbols)
      : ConvolutionOperands(p, buffers, symbols) {}

  // The taps [from, to) along an axis that lie inside, of a window that begins at `first`.
  struct Inside {
    int64_t from, to;
  };
  INGOT_INLINE static Inside inside(int64_t first, int32_t taps, int32_t dilation, int64_t size) {
    const int64_t from = first >= 0 ? 0 : stepsTo(-first, dilation);
    const int64_t to = size <= first ? 0 : stepsTo(size - first, dilation);
    return {least(from, taps), least(to, taps)};
  }

  INGOT_INLINE f32x16 finished(f32x16 y) const { return result.end(y); }
  INGOT_INLINE f32x8 finished(f32x8 y) const {
    const f32x16 wide = result.end(__builtin_shufflevector(y, y, 0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3, 4, 5, 6, 7));
    return __builtin_shufflevector(wide, wide, 0, 1, 2, 3, 4, 5, 6, 7);
  }
  INGOT_INLINE f32x1 finished(f32x1 y) const { return (f32x1)(result.end(splat(y[0]))[0]); }

  // N neighbouring places of a row of the output from column x on, stored from `to` on, and the lanes of V from channel
  // c on. The window begins at z and y of the image; taps that are inside along each axis count.
  template <class V, int N>
  INGOT_INLINE void sumPlaces(const float *image, int64_t x, int64_t to, int64_t c, Inside deep, Inside high,
                              Inside wide, int64_t z, int64_t y) const {
    const int64_t C = p->channels;
    V acc[N];
#pragma unroll
    for (int i = 0; i < N; ++i)
      acc[i] = (V)(0.0f);
    const int64_t first = x * p->stride_w - p->pad_w, step = p->stride_w * C;
    for (int64_t tz = deep.from; tz < deep.to; ++tz)
      for (int64_t ty = high.from; ty < high.to; ++ty) {
        const float *row =
            image + (((z + tz * p->dilation_d) * size[1] + y + ty * p->dilation_h) * size[2] + first) * C + c;
        const float *w = weight + (tz * p->kernel_h + ty) * p->kernel_w * C + c;
        auto tap = [&](int64_t tx) __attribute__((always_inline)) {
          const V factor = loadLanes<V>(w + tx * C);
          const float *source = row + tx * p->dilation_w * C;
#pragma unroll
          for (int i = 0; i < N; ++i)
            acc[i] = __builtin_elementwise_fma(factor, loadLanes<V>(source + i * step), acc[i]);
        };
        if (wide.from == 0 && wide.to == p->kernel_w) {
#pragma unroll 8
          for (int32_t tx = 0; tx < p->kernel_w; ++tx)
            tap(tx);
        } else {
          for (int64_t tx = wide.from; tx < wide.to; ++tx)
            tap(tx);
        }
      }
    if (p->scale) {
      const V scale = loadLanes<V>(result.scale + c);
#pragma unroll
      for (int i = 0; i < N; ++i)
        acc[i] = acc[i] * scale;
    }
    if (p->bias) {
      const V bias = loadLanes<V>(result.bias + c);
#pragma unroll
      for (int i = 0; i < N; ++i)
        acc[i] = acc[i] + bias;
    }
#pragma unroll
    for (int i = 0; i < N; ++i) {
      if (p->residual)
        acc[i] = acc[i] + loadLanes<V>(result.residual + to + i * C);
      storeLanes(result.out + to + i * C, finished(acc[i]));
    }
  }

  // Channels [c, last) of N neighbouring places, as sumPlaces takes them: by vectors, then what is left.
  template <int N>
  INGOT_INLINE void sumChannels(const float *image, int64_t x, int64_t to, int64_t c, int64_t last, Inside deep,
                                Inside high, Inside wide, int64_t z, int64_t y) const {
    for (; c + 16 <= last; c += 16)
      sumPlaces<f32x16, N>(image, x, to + c, c, deep, high, wide, z, y);
    if (c + 8 <= last) {
      sumPlaces<f32x8, N>(image, x, to + c, c, deep, high, wide, z, y);
      c += 8;
    }
    for (; c < last; ++c)
      sumPlaces<f32x1, N>(image, x, to + c, c, deep, high, wide, z, y);
  }

  // Channels [c, last) of one row of the output.
  INGOT_INLINE void sumRow(int64_t b, int64_t oz, int64_t oy, int64_t c, int64_t last) const {
    const float *image = in + b * plane * p->channels;
    const int64_t z = oz * p->stride_d - p->pad_d, y = oy * p->stride_h - p->pad_h;
    const Inside deep = inside(z, p->kernel_d, p->dilation_d, size[0]),
                 high = inside(y, p->kernel_h, p->dilation_h, size[1]);
    const int64_t width = places[2], to = ((b * places[0] + oz) * places[1] + oy) * width * p->channels;
    // Places [low, end) have whole windows.
    const int64_t reach = (int64_t)(p->kernel_w - 1) * p->dilation_w;
    const int64_t low = least(width, stepsTo(p->pad_w, p->stride_w));
    const int64_t room = size[2] + p->pad_w - reach; // beginnings of whole windows, from the padding's first column
    const int64_t end = room <= 0 ? low : most(low, least(width, stepsTo(room, p->stride_w)));
    for (int64_t x = 0; x < width;) {
      if (x >= low && x + 4 <= end) {
        sumChannels<4>(image, x, to + x * p->channels, c, last, deep, high, {0, p->kernel_w}, z, y);
        x += 4;
      } else {
        const Inside wide = inside(x * p->stride_w - p->pad_w, p->kernel_w, p->dilation_w, size[2]);
        sumChannels<1>(image, x, to + x * p->channels, c, last, deep, high, wide, z, y);
        ++x;
      }
    }
  }

  INGOT_INLINE void work(uint32_t tile0, uint32_t tile1) const {
    const int64_t bands = (p->channels + kLastBand - 1) / kLastBand, lines = places[0] * places[1];
    const int64_t units = batch * bands * lines;
    const int64_t last = units * tile1 / kConvolutionTiles;
    for (int64_t unit = units * tile0 / kConvolutionTiles; unit < last; ++unit) {
      const int64_t line = unit % lines, band = unit / lines % bands, b = unit / lines / bands;
      sumRow(b, line / places[1], line % places[1], band * kLastBand, least((band + 1) * kLastBand, p->channels));
    }
  }
};

} // namespace ingot::kernels

#endif
