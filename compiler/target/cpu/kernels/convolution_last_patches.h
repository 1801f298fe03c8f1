// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// convolution by windows of 3 x 3 where channels are last, by F(2 x 2, 3 x 3) of Winograd (Lavin and Gray, "Fast
// Algorithms for Convolutional Neural Networks", 2015): 2 x 2 places of a channel, a patch, take 16 products where
// their windows take 36.
//
//   V = B^T d B    of the 4 x 4 elements d that the patch's windows cover, for each input channel
//   U = G g G^T    of the 3 x 3 weights g, for each pair of channels
//   M = sum over input channels of V * U, element by element
//   Y = A^T M A    the patch
//
//         1  0 -1  0            1    0    0
//   B^T = 0  1  1  0      G =  1/2  1/2  1/2       A^T = 1  1  1  0
//         0 -1  1  0           1/2 -1/2  1/2             0  1 -1 -1
//         0  1  0 -1            0    0    1
//
// M is a product of matrices for each of the 16 elements: patches are its rows, output channels its columns. It is
// summed in chunks of kPatchChunk channels, each a chain of fused multiply-adds, as docs/spec/numerics.md states with
// the order of all else. Weights are transformed when they are used: that takes as long as multiplying one patch or
// two, and engines and memory hold them once. Work is cut into units: a block of patches by some panels of 16 output
// channels.
//
// What is not finite would spread over its patch. Where sums come out so, the patch is computed again by its windows.
#ifndef INGOT_TARGET_CPU_KERNELS_CONVOLUTION_LAST_PATCHES_H
#define INGOT_TARGET_CPU_KERNELS_CONVOLUTION_LAST_PATCHES_H

#include "compiler/target/cpu/kernels/convolution_last_rows.h"
#include "compiler/target/cpu/kernels/convolution_operands.h"

namespace ingot::kernels {

// The rows of B^T, G and A^T times a column.
INGOT_INLINE void timesB(const f32x16 (&d)[4], f32x16 (&to)[4]) {
  to[0] = d[0] - d[2];
  to[1] = d[1] + d[2];
  to[2] = d[2] - d[1];
  to[3] = d[1] - d[3];
}
INGOT_INLINE void timesG(const f32x16 (&g)[3], f32x16 (&to)[4]) {
  const f32x16 ends = g[0] + g[2];
  to[0] = g[0];
  to[1] = (ends + g[1]) * 0.5f;
  to[2] = (ends - g[1]) * 0.5f;
  to[3] = g[2];
}
INGOT_INLINE void timesA(const f32x16 (&m)[4], f32x16 (&to)[2]) {
  to[0] = (m[0] + m[1]) + m[2];
  to[1] = (m[1] - m[2]) - m[3];
}

// T x T^T for T of `times`, columns and then rows: read(y, x) gives x, write(y, x, v) takes the result.
template <int IN, int OUT, class Times, class Read, class Write>
INGOT_INLINE void bothWays(const Times &times, const Read &read, const Write &write) {
  f32x16 columns[IN][OUT];
#pragma unroll
  for (int x = 0; x < IN; ++x) {
    f32x16 from[IN];
#pragma unroll
    for (int y = 0; y < IN; ++y)
      from[y] = read(y, x);
    times(from, columns[x]);
  }
#pragma unroll
  for (int y = 0; y < OUT; ++y) {
    f32x16 from[IN], to[OUT];
#pragma unroll
    for (int x = 0; x < IN; ++x)
      from[x] = columns[x][y];
    times(from, to);
#pragma unroll
    for (int x = 0; x < OUT; ++x)
      write(y, x, to[x]);
  }
}

INGOT_INLINE bool allFinite(f32x16 x) {
  const f32x16 nothing = x - x; // 0, or not a number
  return sum(nothing * nothing) == 0.0f;
}

// How the work of a launch is cut: `parts` of up to `panels` panels, one after the other, each by `blocks` of up to
// `patches` patches. A part's weights are transformed once for all blocks that a worker multiplies one after the other,
// and so are patches where they are one block.
struct PatchUnits {
  int64_t panels, parts, patches, blocks;

  // The cut that takes least, by what the parts of a unit take, counted in multiplications of vectors (measured beside
  // each other): 8 of patches by channels are a product, 24 transform a channel's weights, 3 a channel of a patch, 32
  // finish a panel of a patch. What lies in scratch stays in the second cache.
  INGOT_INLINE PatchUnits(const PatchScratch &layout, const ingot_env *env, int64_t channels, int64_t allPanels,
                          int64_t allPatches) {
    const int64_t workers = env->workers;
    int64_t best = -1;
    for (int64_t most = layout.panels; most > 0; most = most > 1 ? (most + 1) / 2 : 0)
      for (int64_t block = least(kPatches, kPatchSums / most); block >= 16; block /= 2) {
        const int64_t p = (allPanels + most - 1) / most, b = (allPatches + block - 1) / block;
        const int64_t across = (allPanels + p - 1) / p, along = (allPatches + b - 1) / b;
        const int64_t units = (p * b + workers - 1) / workers;
        // How often a worker transforms a part's weights, and a block's patches.
        const bool whole = channels <= layout.chunk;
        const int64_t weights = least(units, units / (whole ? b : least(b, kPatchBlocks)) + 2);
        const int64_t images = whole && b == 1 ? 2 : units;
        const int64_t held = kPatchProducts * 4 * (along * layout.stride + across * 16 * (layout.chunk + along));
        const int64_t cost = units * across * along * (8 * channels + 32) + weights * across * 24 * channels +
                             images * along * 3 * channels;
        const int64_t spilt = held * 8 > (int64_t)env->l2_bytes * 7 ? cost + cost / 4 : cost;
        if (best >= 0 && spilt >= best)
          continue;
        best = spilt;
        panels = across;
        parts = p;
        patches = along;
        blocks = b;
      }
  }
};

struct Patches : ConvolutionOperands {
  PatchScratch layout;
  float *patches, *weights, *sums;
  int64_t rowsOfPatches, columnsOfPatches; // of an image
  PatchUnits units;

  Patches(const convolution_params *p, const ingot_env *env, void *const *buffers, const int64_t *symbols,
          char *scratch)
      : ConvolutionOperands(p, buffers, symbols), layout(patchScratch(*p)), rowsOfPatches((places[1] + 1) / 2),
        columnsOfPatches((places[2] + 1) / 2),
        units(layout, env, channels, (rows + 15) / 16, most(1, batch * places[0] * patchesOf(places[1], places[2]))) {
    patches = (float *)scratch;
    weights = (float *)(scratch + layout.patches);
    sums = (float *)(scratch + layout.patches + layout.weights);
  }

  // Floats from product to product, of `count` panels and `length` channels.
  INGOT_INLINE int64_t patchesOfProduct() const { return kPatches * layout.stride + 16; }
  INGOT_INLINE static int64_t weightsOf(int64_t count, int64_t length) { return (count * length + 1) * 16; }
  INGOT_INLINE int64_t sumsOf(int64_t count) const { return (count * units.patches + 1) * 16; }
  INGOT_INLINE int64_t sumsOfBlock(int64_t count) const { return kPatchProducts * sumsOf(count); }

  // The block at hand: its patches.
  int32_t some;
  int64_t image[kPatches];                    // which, of all depths of all batches
  int32_t firstY[kPatches], firstX[kPatches]; // of the patch's places

  INGOT_INLINE void beginBlock(int64_t block) {
    const int64_t begin = block * units.patches, each = rowsOfPatches * columnsOfPatches;
    some = (int32_t)least(units.patches, batch * places[0] * each - begin);
    int64_t number = begin / each, within = begin % each;
    auto y = (int32_t)(within / columnsOfPatches * 2), x = (int32_t)(within % columnsOfPatches * 2);
    for (int32_t t = 0; t < some; ++t) {
      image[t] = number;
      firstY[t] = y;
      firstX[t] = x;
      x += 2;
      if (x >= places[2]) {
        x = 0;
        y += 2;
        if (y >= places[1]) {
          y = 0;
          ++number;
        }
      }
    }
  }

  // U of panels [first, first + count), channels [c, c + length): [product][panel][channel][16].
  INGOT_INLINE void transformWeights(int64_t first, int64_t count, int64_t c, int32_t length) const {
    const int64_t product = weightsOf(count, length);
    for (int64_t panel = 0; panel < count; ++panel) {
      const float *from = weight + ((first + panel) * depth + c) * 16;
      float *to = weights + panel * length * 16;
      for (int32_t i = 0; i < length; ++i, from += 16, to += 16) {
        bothWays<3, 4>(
            timesG, [&](int y, int x) __attribute__((always_inline)) { return load16(from + (y * 3 + x) * channels * 16); },
            [&](int y, int x, f32x16 u) __attribute__((always_inline)) { store16(to + (y * 4 + x) * product, u); });
      }
    }
  }

  // V of 16 channels of a patch from where its elements are: [product][patch][stride].
  template <class Element> INGOT_INLINE void transformElements(float *to, const Element &element) const {
    const int64_t product = patchesOfProduct();
    bothWays<4, 4>(timesB, element, [&](int y, int x, f32x16 v) __attribute__((always_inline)) {
      store16(to + (y * 4 + x) * product, v);
    });
  }

  // V of the block's patches, channels [c, c + length).
  INGOT_INLINE void transformPatches(int64_t c, int32_t length) const {
    const int64_t right = p->channels, down = size[2] * p->channels;
    for (int32_t t = 0; t < some; ++t) {
      const int64_t y0 = firstY[t] - p->pad_h, x0 = firstX[t] - p->pad_w;
      const float *from = in + (image[t] * plane / size[0] + y0 * size[2] + x0) * p->channels + c;
      float *to = patches + t * layout.stride;
      const bool inside = y0 >= 0 && x0 >= 0 && y0 + 4 <= size[1] && x0 + 4 <= size[2];
      for (int32_t i = 0; i < length; i += 16) {
        const int32_t width = minimum(16, length - i);
        if (inside && width == 16)
          transformElements(
              to + i, [&](int y, int x)
                          __attribute__((always_inline)) { return load16(from + y * down + x * right + i); });
        else
          transformElements(
              to + i, [&](int y, int x) __attribute__((always_inline)) {
                const bool there = (uint64_t)(y0 + y) < (uint64_t)size[1] && (uint64_t)(x0 + x) < (uint64_t)size[2];
                return there ? load16(from + y * down + x * right + i, width) : splat(0.0f);
              });
      }
    }
  }

  // The sum of one place by its window, as convolution_last.cpp has it.
  __attribute__((noinline)) f32x16 byWindow(int32_t t, int32_t y, int32_t x, int64_t panel) const {
    const float *w = weight + panel * depth * 16;
    const int64_t y0 = firstY[t] + y - p->pad_h, x0 = firstX[t] + x - p->pad_w;
    f32x16 total = splat(0.0f), chain = splat(0.0f);
    int64_t k = 0;
    for (int64_t dy = 0; dy < 3; ++dy)
      for (int64_t dx = 0; dx < 3; ++dx) {
        const bool there = (uint64_t)(y0 + dy) < (uint64_t)size[1] && (uint64_t)(x0 + dx) < (uint64_t)size[2];
        const float *from =
            in + (there ? (image[t] * plane / size[0] + (y0 + dy) * size[2] + x0 + dx) * p->channels : 0);
        for (int64_t c = 0; c < channels; ++c) {
          chain = fma(splat(there ? from[c] : 0.0f), load16(w + k * 16), chain);
          if (++k % kChunk == 0 || k == depth) {
            total = total + chain;
            chain = splat(0.0f);
          }
        }
      }
    return total;
  }

  // Stores the block's places of panels [first, first + count).
  INGOT_INLINE void finish(const float *blockSums, int64_t first, int64_t count) const {
    const int64_t product = sumsOf(count);
    for (int64_t panel = 0; panel < count; ++panel) {
      const int64_t column = (first + panel) * 16;
      const auto width = (int32_t)least(16, rows - column);
      const ConvolutionLanes lanes(result, column, width);
      for (int32_t t = 0; t < some; ++t) {
        const float *from = blockSums + (panel * units.patches + t) * 16;
        f32x16 patch[2][2];
        bothWays<4, 2>(
            timesA, [&](int y, int x) __attribute__((always_inline)) { return load16(from + (y * 4 + x) * product); },
            [&](int y, int x, f32x16 c) __attribute__((always_inline)) { patch[y][x] = c; });
        const bool finite = allFinite((patch[0][0] + patch[0][1]) + (patch[1][0] + patch[1][1]));
#pragma unroll
        for (int y = 0; y < 2; ++y)
#pragma unroll
          for (int x = 0; x < 2; ++x) {
            if (firstY[t] + y >= places[1] || firstX[t] + x >= places[2])
              continue;
            f32x16 c = patch[y][x];
            if (!finite)
              c = byWindow(t, y, x, first + panel);
            const int64_t at =
                ((image[t] * places[1] + firstY[t] + y) * places[2] + firstX[t] + x) * p->outputs + column;
            lanes.finish(c, at);
          }
      }
    }
  }

  INGOT_INLINE void multiply(float *blockSums, int64_t count, int32_t length, bool begins) const {
    for (int64_t product = 0; product < kPatchProducts; ++product) {
      LastChunk chunk;
      chunk.rows = patches + product * patchesOfProduct();
      chunk.lda = layout.stride;
      chunk.count = some;
      chunk.weight = weights + product * weightsOf(count, length);
      chunk.ldw = (int64_t)length * 16;
      chunk.columns = (int32_t)count * 16;
      chunk.length = length;
      chunk.sums = blockSums + product * sumsOf(count);
      chunk.ldsums = units.patches * 16;
      chunk.first = begins;
      chunk.ahead = false;
      chunk.end = nullptr;
      multiplyLast(chunk);
    }
  }

  INGOT_INLINE void work(uint32_t tile0, uint32_t tile1) {
    const int64_t total = units.parts * units.blocks;
    const int64_t last = total * tile1 / kConvolutionTiles;
    const bool whole = channels <= layout.chunk;
    int64_t weightsOfPart = -1, patchesOfBlock = -1; // which are there, where they are all channels
    for (int64_t unit = total * tile0 / kConvolutionTiles; unit < last;) {
      const int64_t part = unit / units.blocks, block = unit % units.blocks, first = part * units.panels;
      const int64_t count = least(units.panels, (rows + 15) / 16 - first);
      const int64_t many = least(whole ? 1 : kPatchBlocks, least(units.blocks - block, last - unit));
      for (int64_t c = 0; c < channels; c += layout.chunk) {
        const auto length = (int32_t)least(layout.chunk, channels - c);
        if (!whole || weightsOfPart != part)
          transformWeights(first, count, c, length);
        weightsOfPart = part;
        for (int64_t i = 0; i < many; ++i) {
          if (!whole || patchesOfBlock != block) {
            beginBlock(block + i);
            transformPatches(c, length);
          }
          patchesOfBlock = block;
          multiply(sums + i * sumsOfBlock(count), count, length, c == 0);
        }
      }
      for (int64_t i = 0; i < many; ++i) {
        if (!whole)
          beginBlock(block + i);
        finish(sums + i * sumsOfBlock(count), first, count);
      }
      unit += many;
    }
  }
};

} // namespace ingot::kernels

#endif
