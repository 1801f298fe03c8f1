// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Convolution of channels that are groups by themselves: sums over the window of one channel, straight from lines of a
// band of it (convolution_lines.h), which rows of the output share. Inlined, so that the taps of a window are unrolled.
#ifndef INGOT_TARGET_CPU_KERNELS_CONVOLUTION_CHANNELS_H
#define INGOT_TARGET_CPU_KERNELS_CONVOLUTION_CHANNELS_H

#include "compiler/target/cpu/kernels/convolution_operands.h"

namespace ingot::kernels {

struct Channels : ConvolutionOperands {
  float *lines;
  INGOT_INLINE Channels(const convolution_params *p, void *const *buffers, const int64_t *symbols, char *scratch)
      : ConvolutionOperands(p, buffers, symbols), lines((float *)scratch) {}

  // Rows of the output [y0, y1) of one depth, which share the lines of a band of the input.
  INGOT_INLINE void sumBand(int64_t b, int64_t o, int64_t z, int64_t y0, int64_t y1, int64_t x0, int64_t width) {
    const int64_t over = convolutionSpan(*p), each = width + over, across = each * p->stride_w;
    const int64_t high = (y1 - y0 - 1) * p->stride_h + (int64_t)(p->kernel_h - 1) * p->dilation_h + 1;
    const float *image = in + (b * p->channels + o / rows) * plane;
    const int64_t top = y0 * p->stride_h - p->pad_h;
    const uint64_t used = usedPhases(*p);
    for (int32_t tz = 0; tz < p->kernel_d; ++tz) {
      const int64_t from = z * p->stride_d + (int64_t)tz * p->dilation_d - p->pad_d;
      for (int64_t i = 0; i < high; ++i) {
        float *to = lines + (tz * high + i) * across;
        const int64_t y = top + i;
        if (from < 0 || from >= size[0] || y < 0 || y >= size[1])
          clearVectors(to, across);
        else
          copyLine(to, each, used, image + (from * size[1] + y) * size[2], size[2], x0 * p->stride_w - p->pad_w,
                   p->stride_w, end);
      }
    }
    const float *w = weight + o * depth;
    for (int64_t y = y0; y < y1; ++y) {
      const int64_t at = ((b * p->outputs + o) * places[0] + z) * places[1] * places[2] + y * places[2] + x0;
      const float *first = lines + (y - y0) * p->stride_h * across;
      // A row's last vector may reach into the band's next rows, which are stored after it.
      const int64_t room = width == places[2] && !p->residual ? (y1 - y) * width : width;
      int64_t x = 0;
      for (; x + 64 <= width; x += 64)
        sumPlaces<4>(w, first + x, high, across, each, o, at + x, 16);
      for (; x < width; x += 16)
        sumPlaces<1>(w, first + x, high, across, each, o, at + x,
                     x + 16 <= room ? 16 : (int32_t)least(16, width - x));
    }
  }

  template <int N>
  INGOT_INLINE void sumPlaces(const float *w, const float *first, int64_t high, int64_t across, int64_t each, int64_t o,
                              int64_t at, int32_t some) const {
    f32x16 acc[N];
#pragma unroll
    for (int i = 0; i < N; ++i)
      acc[i] = splat(0.0f);
    for (int32_t tz = 0; tz < p->kernel_d; ++tz)
      for (int32_t ty = 0; ty < p->kernel_h; ++ty) {
        const float *row = first + (tz * high + (int64_t)ty * p->dilation_h) * across;
        for (int32_t tx = 0; tx < p->kernel_w; ++tx) {
          const int64_t column = (int64_t)tx * p->dilation_w;
          const float *from = row + column % p->stride_w * each + column / p->stride_w;
          const f32x16 factor = splat(*w++);
#pragma unroll
          for (int i = 0; i < N; ++i)
            acc[i] = fma(factor, load16(from + i * 16), acc[i]);
        }
      }
#pragma unroll
    for (int i = 0; i < N; ++i)
      result.finish(acc[i], o, at + i * 16, 0, some);
  }

  INGOT_INLINE void work(uint32_t tile0, uint32_t tile1) {
    const int64_t over = convolutionSpan(*p), reach = (int64_t)(p->kernel_h - 1) * p->dilation_h + 1;
    const int64_t units = batch * p->outputs * places[0] * places[1];
    const int64_t last = units * tile1 / kConvolutionTiles;
    const int64_t width = least(places[2], kBand / (p->kernel_d * reach * p->stride_w) - over);
    const int64_t high = kBand / (p->kernel_d * (width + over) * p->stride_w);
    const int64_t tall = (high - reach) / p->stride_h + 1;
    for (int64_t unit = units * tile0 / kConvolutionTiles; unit < last;) {
      const int64_t y = unit % places[1], z = unit / places[1] % places[0], channel = unit / places[1] / places[0];
      const int64_t some = least(least(places[1] - y, last - unit), tall);
      for (int64_t x = 0; x < places[2]; x += width)
        sumBand(channel / p->outputs, channel % p->outputs, z, y, y + some, x, least(width, places[2] - x));
      unit += some;
    }
  }
};

} // namespace ingot::kernels

#endif
