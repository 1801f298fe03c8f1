// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// convolution where channels are last, as products of windows with a packed weight. Places of the output are the rows,
// output channels the lanes:
//
//   out[place][o] = sum over k of window[place][k] * weight[k][o]      k = (place in the window, channel of the group)
//
// A row of a window is a run of the input's memory, or several of them. Windows of one element are read where they lie;
// others are copied, a block of places by a chunk of k at a time, with zeros for what is outside. Work is cut into
// units of kLastUnit panels of a block; a tile is an equal share of them. One function for all convolutions: it takes
// the parameters as they come.
#include "compiler/target/cpu/kernels/convolution_last.h"
#include "compiler/target/cpu/kernels/convolution_last_bands.h"
#include "compiler/target/cpu/kernels/convolution_last_patches.h"
#include "compiler/target/cpu/kernels/convolution_last_rows.h"
#include "compiler/target/cpu/kernels/convolution_operands.h"

namespace ingot::kernels {
namespace {

// Places of a block, a multiple of the rows that are multiplied at once.
constexpr int64_t kBlock = kLastPlaces / kRows * kRows;
constexpr int64_t kWindow = kChunk + 16; // floats from row to row of copies, whose last vector may reach past a row

struct LastBlocks : ConvolutionOperands {
  LastScratch layout;
  float *windows, *sums;
  int64_t panels, taken; // of a group; of a block's sums

  bool crowded;          // rows that lie apart by a multiple of 4096 bytes put each other out of the first-level cache

  LastBlocks(const convolution_params *p, const ingot_env *env, void *const *buffers, const int64_t *symbols, char *scratch)
      : ConvolutionOperands(p, buffers, symbols), layout(lastScratch(*p)) {
    crowded = p->channels % 1024 == 0 && env->l1_bytes < kRows * 4096;
    windows = (float *)scratch;
    sums = (float *)(scratch + layout.windows);
    panels = (rows + 15) / 16;
    taken = layout.panels;
  }

  // Where the window of a row begins: in the image, and the element that lies there if it is inside.
  int32_t firstZ[kLastPlaces], firstY[kLastPlaces], firstX[kLastPlaces];
  int64_t from[kLastPlaces];
  int64_t begin; // first place of the block
  int32_t blockPlaces;

  INGOT_INLINE void beginBlock(int64_t at, int32_t some) {
    begin = at;
    blockPlaces = some;
    if (isPointwise())
      return;
    int64_t b = at / count, within = at % count;
    int64_t x = within % places[2], y = within / places[2] % places[1], z = within / places[2] / places[1];
    for (int32_t r = 0; r < some; ++r) {
      firstZ[r] = (int32_t)(z * p->stride_d - p->pad_d);
      firstY[r] = (int32_t)(y * p->stride_h - p->pad_h);
      firstX[r] = (int32_t)(x * p->stride_w - p->pad_w);
      from[r] = (((b * size[0] + firstZ[r]) * size[1] + firstY[r]) * size[2] + firstX[r]) * p->channels;
      if (++x == places[2]) {
        x = 0;
        if (++y == places[1]) {
          y = 0;
          if (++z == places[0]) {
            z = 0;
            ++b;
          }
        }
      }
    }
  }

  // Elements [k, k + length) of the windows of group g: [place][kWindow].
  INGOT_INLINE void gather(int64_t g, int64_t k, int32_t length) {
    // Neighbouring columns of a window lie side by side where nothing is between their channels.
    const int64_t width = p->kernel_w, line = width * channels;
    const bool whole = p->dilation_w == 1 && p->groups == 1;
    const int64_t last = k + length;
    for (int64_t at = k; at < last;) {
      const int64_t row = at / line, offset = at % line; // a row of the window, and where in it
      const auto some = (int32_t)least(line - offset, last - at);
      const auto dz = (int32_t)(row / p->kernel_h * p->dilation_d), dy = (int32_t)(row % p->kernel_h * p->dilation_h);
      const int64_t delta = ((int64_t)dz * size[1] + dy) * size[2] * p->channels + g * channels;
      float *to = windows + (at - k);
      for (int32_t r = 0; r < blockPlaces; ++r, to += kWindow) {
        if ((uint32_t)(firstZ[r] + dz) >= (uint64_t)size[0] || (uint32_t)(firstY[r] + dy) >= (uint64_t)size[1]) {
          clearVectors(to, some);
          continue;
        }
        const float *source = in + from[r] + delta;
        if (whole && firstX[r] >= 0 && firstX[r] + width <= size[2]) {
          copy(to, source + offset, some);
          continue;
        }
        int64_t column = offset / channels, channel = offset % channels;
        for (int32_t done = 0; done < some; ++column, channel = 0) {
          const auto part = (int32_t)least(channels - channel, some - done);
          const int64_t dx = column * p->dilation_w;
          if ((uint64_t)(firstX[r] + dx) < (uint64_t)size[2])
            copy(to + done, source + dx * p->channels + channel, part);
          else
            clearVectors(to + done, part);
          done += part;
        }
      }
      at += some;
    }
  }

  // Panels [from, to) of group g over the block.
  INGOT_INLINE void multiply(int64_t g, int64_t first, int64_t last) {
    constexpr float infinity = __builtin_inff();
    // Many panels pay for a copy of rows that fall into one set of the cache.
    const bool inPlace = isPointwise() && (!crowded || last - first < 8 || blockPlaces < 16);
    const float *w = weight + g * panels * depth * 16;
    for (int64_t panel = first; panel < last; panel += taken) {
      const int64_t column = g * rows + panel * 16, some = least(taken, last - panel);
      const auto columns = (int32_t)least(some * 16, rows - panel * 16);
      const LastEnd end = {result.scale ? result.scale + column : nullptr,
                           result.bias ? result.bias + column : nullptr,
                           result.residual ? result.residual + begin * p->outputs + column : nullptr,
                           result.out + begin * p->outputs + column,
                           p->outputs,
                           p->clamp & 1 ? p->low : -infinity,
                           p->clamp & 2 ? p->high : infinity};
      LastChunk chunk;
      for (int64_t k = 0; k < depth; k += kChunk) {
        const auto length = (int32_t)least(kChunk, depth - k);
        if (inPlace) {
          chunk.rows = in + begin * p->channels + g * channels + k;
          chunk.lda = p->channels;
        } else {
          if (panel == first || depth > kChunk)
            gatherAny(g, k, length);
          chunk.rows = windows;
          chunk.lda = kWindow;
        }
        chunk.count = blockPlaces;
        chunk.weight = w + (panel * depth + k) * 16;
        chunk.ldw = depth * 16;
        chunk.columns = columns;
        chunk.length = length;
        chunk.sums = sums;
        chunk.ldsums = kLastPlaces * 16;
        chunk.first = k == 0;
        chunk.ahead = inPlace;
        chunk.end = k + length == depth && !p->act ? &end : nullptr;
        multiplyLast(chunk);
      }
      for (int32_t i = 0; i < some; ++i)
        if (!finishedInRegisters(chunk, i))
          finish(column, i, minimum(16, columns - i * 16));
    }
  }

  INGOT_INLINE void gatherAny(int64_t g, int64_t k, int32_t length) {
    if (!isPointwise())
      return gather(g, k, length);
    const float *source = in + begin * p->channels + g * channels + k;
    for (int32_t r = 0; r < blockPlaces; ++r, source += p->channels)
      copy(windows + r * kWindow, source, length);
  }

  // Stores the sums of panel `panel` of those that stand there, whose first output channel is `column`.
  INGOT_INLINE void finish(int64_t column, int32_t panel, int32_t width) const {
    const float *source = sums + panel * kLastPlaces * 16;
    const ConvolutionLanes lanes(result, column + panel * 16, width);
    for (int32_t r = 0; r < blockPlaces; ++r)
      lanes.finish(load16(source + r * 16), (begin + r) * p->outputs + column + panel * 16);
  }

  INGOT_INLINE void work(uint32_t tile0, uint32_t tile1) {
    const int64_t total = batch * count;
    // Equal blocks: of so many rows as are multiplied at once.
    const int64_t most = (total + kBlock - 1) / kBlock;
    const int64_t each = most == 0 ? kBlock : least(kBlock, roundUp((total + most - 1) / most, kRows));
    const int64_t blocks = (total + each - 1) / each, parts = (panels + kLastUnit - 1) / kLastUnit;
    const int64_t units = blocks * parts * p->groups;
    const int64_t last = units * tile1 / kConvolutionTiles;
    for (int64_t unit = units * tile0 / kConvolutionTiles; unit < last;) {
      const int64_t part = unit % parts, block = unit / parts % blocks, g = unit / parts / blocks;
      const int64_t some = least(parts - part, last - unit);
      beginBlock(block * each, (int32_t)least(each, total - block * each));
      multiply(g, part * kLastUnit, least((part + some) * kLastUnit, panels));
      unit += some;
    }
  }
};

} // namespace
} // namespace ingot::kernels

extern "C" void ingot_convolution_last_f32(const convolution_params *p, const ingot_env *env, void *const *buffers,
                                           const int64_t *symbols, uint32_t tile0, uint32_t tile1, void *scratch) {
  ingot::kernels::LastBlocks blocks(p, env, buffers, symbols, (char *)scratch);
  blocks.work(tile0, tile1);
}

extern "C" void ingot_convolution_last_bands_f32(const convolution_params *p, const ingot_env *env,
                                                 void *const *buffers, const int64_t *symbols, uint32_t tile0,
                                                 uint32_t tile1, void *scratch) {
  ingot::kernels::Bands bands(p, env, buffers, symbols, (char *)scratch);
  bands.work(tile0, tile1);
}

extern "C" void ingot_convolution_last_patches_f32(const convolution_params *p, const ingot_env *env,
                                                   void *const *buffers, const int64_t *symbols, uint32_t tile0,
                                                   uint32_t tile1, void *scratch) {
  ingot::kernels::Patches patches(p, env, buffers, symbols, (char *)scratch);
  patches.work(tile0, tile1);
}
