// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// convolution where channels are last and a window has few elements: channels in many small groups, and images of few
// channels. What the places of some rows of the output read is copied once, with zeros for what is outside:
//
//   band[depth][row][column][channel of the group]
//
// so that a row of a window is a run of the band, and neighbouring places lie apart by stride_w columns. Copies of
// whole windows would hold each element as often as windows read it. Sums are one chain over ascending k, as in
// convolution_last.cpp.
#ifndef INGOT_TARGET_CPU_KERNELS_CONVOLUTION_LAST_BANDS_H
#define INGOT_TARGET_CPU_KERNELS_CONVOLUTION_LAST_BANDS_H

#include "compiler/target/cpu/kernels/convolution_last_rows.h"
#include "compiler/target/cpu/kernels/convolution_operands.h"

namespace ingot::kernels {

// Runs of the band that a window reads, one after the other.
struct BandRuns {
  int32_t planes, rows, columns; // of runs: along depth, rows, and columns where these lie apart
  int64_t plane, row, column;    // floats from run to run
  int32_t length;                // floats of a run
};

struct Bands : ConvolutionOperands {
  float *band;
  int64_t panels; // of a group
  // Of all bands, the last ones may have less: places along a row, rows.
  int64_t across, down, partsAcross, partsDown;
  // Of this one.
  int64_t width, lines; // columns and rows of the band
  BandRuns runs;

  INGOT_INLINE Bands(const convolution_params *p, const ingot_env *env, void *const *buffers, const int64_t *symbols,
                     char *scratch)
      : ConvolutionOperands(p, buffers, symbols) {
    band = (float *)scratch;
    panels = (rows + 15) / 16;
    partsAcross = most(1, (places[2] + kLastPlaces - 1) / kLastPlaces);
    across = (places[2] + partsAcross - 1) / partsAcross;
    // As many rows as lie in half of the first-level cache, and leave every worker some bands.
    int64_t some = most(1, least(places[1], kLastBandPlaces / most(1, across)));
    const int64_t others = batch * p->groups * places[0] * partsAcross, wanted = (int64_t)env->workers * 8;
    const int64_t floats = least(kLastBandFloats, (int64_t)(env->l1_bytes / 8));
    while (some > 1 && (p->kernel_d * linesOf(some) * columnsOf(across) * channels > floats ||
                        others * ((places[1] + some - 1) / some) < wanted))
      --some;
    partsDown = (places[1] + some - 1) / some;
    down = partsDown ? (places[1] + partsDown - 1) / partsDown : 1;
  }

  // Rows and columns of the image that so many rows and columns of the output read.
  INGOT_INLINE int64_t linesOf(int64_t some) const {
    return (some - 1) * p->stride_h + (int64_t)(p->kernel_h - 1) * p->dilation_h + 1;
  }
  INGOT_INLINE int64_t columnsOf(int64_t some) const {
    return (some - 1) * p->stride_w + (int64_t)(p->kernel_w - 1) * p->dilation_w + 1;
  }

  // What the windows of `high` rows of `wide` places read of group g, the first of them at z, y and x of image b.
  INGOT_INLINE void fill(int64_t b, int64_t g, int64_t z, int64_t y, int64_t x, int64_t high, int64_t wide) {
    width = columnsOf(wide);
    lines = linesOf(high);
    // Columns [low, top) lie inside.
    const int64_t low = least(most(-x, 0), width), top = most(low, least(width, size[2] - x));
    float *to = band;
    for (int32_t dz = 0; dz < p->kernel_d; ++dz) {
      const int64_t deep = z + (int64_t)dz * p->dilation_d;
      for (int64_t line = 0; line < lines; ++line, to += width * channels) {
        if ((uint64_t)deep >= (uint64_t)size[0] || (uint64_t)(y + line) >= (uint64_t)size[1]) {
          clearVectors(to, width * channels);
          continue;
        }
        const float *from =
            in + (((b * size[0] + deep) * size[1] + y + line) * size[2] + x + low) * p->channels + g * channels;
        clearVectors(to, low * channels);
        if (p->groups == 1)
          copy(to + low * channels, from, (top - low) * channels);
        else
          for (int64_t column = low; column < top; ++column, from += p->channels)
            copy(to + column * channels, from, channels);
        clearVectors(to + top * channels, (width - top) * channels);
      }
    }
    const bool whole = p->dilation_w == 1;
    runs = {p->kernel_d,
            p->kernel_h,
            whole ? 1 : p->kernel_w,
            lines * width * channels,
            p->dilation_h * width * channels,
            p->dilation_w * channels,
            (int32_t)(channels * (whole ? p->kernel_w : 1))};
  }

  // A row of the output by some panels.
  struct Line {
    const float *from;   // what its first place reads in the band
    const float *weight; // of the first panel
    LastEnd end;
    int64_t column;  // the first output channel
    int32_t columns; // of the last panel
  };

  // MR neighbouring places by NP panels.
  template <class V, int MR, int NP> INGOT_INLINE void group(const Line &c, int32_t place) const {
    fetchEnd<MR, NP>(c.end, place, 0);
    V acc[MR][NP];
#pragma unroll
    for (int r = 0; r < MR; ++r)
#pragma unroll
      for (int i = 0; i < NP; ++i)
        acc[r][i] = (V)(0.0f);
    const int64_t apart = p->stride_w * channels;
    const float *from = c.from + place * apart;
    Apart<NP> right(c.weight, depth * 64);
    for (int32_t dz = 0; dz < runs.planes; ++dz)
      for (int32_t dy = 0; dy < runs.rows; ++dy)
        for (int32_t dx = 0; dx < runs.columns; ++dx) {
          Apart<MR> left(from + dz * runs.plane + dy * runs.row + dx * runs.column, apart * 4);
          multiplySteps<MultiplyAdd>(acc, left, right, runs.length);
        }
#pragma unroll
    for (int r = 0; r < MR; ++r)
#pragma unroll
      for (int i = 0; i < NP; ++i)
        acc[r][i] = (V)(0.0f) + acc[r][i];
    if (!p->act && c.columns == (int32_t)(sizeof(V) / sizeof(float)))
      return finishLast<V, MR, NP>(acc, c.end, place, 0);
    float sums[NP][MR][16]; // by which the compiler keeps the others in registers
#pragma unroll
    for (int i = 0; i < NP; ++i)
#pragma unroll
      for (int r = 0; r < MR; ++r)
        storeLanes(sums[i][r], acc[r][i]);
    finish(c, sums[0][0], MR, NP, place, (int32_t)(sizeof(V) / sizeof(float)));
  }

  // Sums of rows by panels, of so many lanes each, that are stored otherwise than by whole vectors.
  __attribute__((noinline)) void finish(const Line &c, const float *sums, int32_t count, int32_t some, int32_t place,
                                        int32_t lanes) const {
    for (int32_t i = 0; i < some; ++i) {
      const ConvolutionLanes to(result, c.column + i * 16, i + 1 < some ? 16 : c.columns);
      for (int32_t r = 0; r < count; ++r, sums += 16)
        to.finish(load16(sums, lanes), c.end.out - result.out + (place + r) * p->outputs + i * 16);
    }
  }

  // `wide` places of a row of the output by NP panels.
  template <class V, int NP> INGOT_INLINE void line(const Line &c, int32_t wide) const {
    auto some = [&]<int MR>(int32_t place) __attribute__((always_inline)) { group<V, MR, NP>(c, place); };
    if constexpr (NP > 1 || kRows == 6 || sizeof(V) < 64) {
      overBlockRows<(NP > 1 && NP == kBlockPanels) ? kBlockUnit : kRows, NP>(wide, some);
    } else {
      // One panel leaves registers for 14 places, and images are often as wide as some times 7.
      int32_t place = 0;
      for (; wide - place >= 14 && (wide - place) % 12 != 0; place += 14)
        some.template operator()<14>(place);
      for (; wide - place >= 12; place += 12)
        some.template operator()<12>(place);
      if (wide - place >= 7) {
        some.template operator()<7>(place);
        place += 7;
      }
      for (; wide - place >= 4; place += 4)
        some.template operator()<4>(place);
      if (wide - place >= 2) {
        some.template operator()<2>(place);
        place += 2;
      }
      if (wide - place >= 1)
        some.template operator()<1>(place);
    }
  }

  // Panels [first, last) of group g over the band, whose first place is `begin`.
  INGOT_INLINE void multiply(int64_t g, int64_t first, int64_t last, int64_t begin, int64_t high, int64_t wide) const {
    constexpr float infinity = __builtin_inff();
    const int32_t total = (int32_t)least((last - first) * 16, rows - first * 16), whole = total / 16;
    for (int64_t y = 0; y < high; ++y) {
      const float *row = band + y * p->stride_h * width * channels;
      auto some = [&]<class V, int NP>(int32_t panel, int32_t columns) __attribute__((always_inline)) {
        const int64_t column = g * rows + (first + panel) * 16, at = (begin + y * places[2]) * p->outputs + column;
        const LastEnd end = {result.scale ? result.scale + column : nullptr,
                             result.bias ? result.bias + column : nullptr,
                             result.residual ? result.residual + at : nullptr,
                             result.out + at,
                             p->outputs,
                             p->clamp & 1 ? p->low : -infinity,
                             p->clamp & 2 ? p->high : infinity};
        line<V, NP>({row, weight + (g * panels + first + panel) * depth * 16, end, column, columns}, (int32_t)wide);
      };
      overBlockPanels(
          whole, [&]<int NP>(int32_t panel)
                     __attribute__((always_inline)) { some.template operator()<f32x16, NP>(panel, 16); });
      if (const int32_t rest = total - whole * 16; rest > 8)
        some.template operator()<f32x16, 1>(whole, rest);
      else if (rest > 0)
        some.template operator()<f32x8, 1>(whole, rest);
    }
  }

  INGOT_INLINE void work(uint32_t tile0, uint32_t tile1) {
    const int64_t parts = (panels + kLastUnit - 1) / kLastUnit;
    const int64_t units = batch * places[0] * partsDown * partsAcross * p->groups * parts;
    const int64_t last = units * tile1 / kConvolutionTiles;
    for (int64_t unit = units * tile0 / kConvolutionTiles; unit < last;) {
      int64_t rest = unit / parts;
      const int64_t part = unit % parts, some = least(parts - part, last - unit);
      auto next = [&](int64_t count) {
        const int64_t at = rest % count;
        rest /= count;
        return at;
      };
      // A group's weights stay in the first-level cache while its bands pass by.
      const int64_t x = next(partsAcross) * across, y = next(partsDown) * down, z = next(places[0]),
                    g = next(p->groups);
      const int64_t high = least(down, places[1] - y), wide = least(across, places[2] - x);
      if (high > 0 && wide > 0) {
        fill(rest, g, z * p->stride_d - p->pad_d, y * p->stride_h - p->pad_h, x * p->stride_w - p->pad_w, high, wide);
        multiply(g, part * kLastUnit, least((part + some) * kLastUnit, panels),
                 ((rest * places[0] + z) * places[1] + y) * places[2] + x, high, wide);
      }
      unit += some;
    }
  }
};

} // namespace ingot::kernels

#endif
