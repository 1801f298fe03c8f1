// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// convolution as products of a weight with the windows of an image, which are never in memory as a whole. Places of the
// output are the lanes, output channels the rows:
//
//   out[o][place] = sum over k of weight[o][k] * window[k][place]      k = (channel of the group, place in the window)
//
// A block of kPlaces places is a few panels [k][16]: one chunk of k of them is gathered into scratch from lines of the
// input (convolution_lines.h) and multiplied with rows of the weight, which lie as they are stored
// (convolution_rows.h). Work is cut into units of kUnit output channels of a block; a tile is an equal share of them.
// One function for all convolutions: it takes the parameters as they come.
#include "compiler/target/cpu/kernels/convolution_blocks.h"
#include "compiler/target/cpu/kernels/convolution_operands.h"
#include "compiler/target/cpu/kernels/convolution_rows.h"

namespace ingot::kernels {
namespace {

constexpr int64_t kPanels = kPlaces / 16;
constexpr int64_t kPanelStride = kChunk * 16 + 16; // a line's last vector may reach past the last row

// Neighbouring places of one row of the output.
struct Run {
  int64_t batch;
  int32_t z, y, x;     // of the first
  int32_t from, count; // within the block
};
// A vector that is moved for each k: from a run's line to lanes of a panel.
struct Piece {
  int32_t run, start; // element of the line
  int32_t to;         // panel * kPanelStride + lane
  bool whole;         // all lanes of the panel
};
// Neighbouring places that are stored together: of one panel and one image.
struct Store {
  int32_t panel, lane, count;
  int64_t at; // in the output, of channel 0
};

struct Blocks : ConvolutionOperands {
  ConvolutionScratch layout;
  float *panels, *sums, *lines, *zeros;
  const float **line;       // [run][row of the window]
  int32_t *phases, *shifts; // of a column of the window: where in a line it is read

  Blocks(const convolution_params *p, void *const *buffers, const int64_t *symbols, char *scratch)
      : ConvolutionOperands(p, buffers, symbols), layout(convolutionScratch(*p)) {
    panels = (float *)scratch;
    sums = (float *)(scratch + layout.panels);
    line = (const float **)(scratch + layout.panels + layout.sums);
    zeros = (float *)(scratch + layout.panels + layout.sums + layout.pointers);
    lines = (float *)(scratch + layout.panels + layout.sums + layout.pointers + layout.zeros);
    phases = (int32_t *)(scratch + layout.panels + layout.sums + layout.pointers + layout.zeros + layout.lines);
    shifts = phases + p->kernel_w;
    for (int32_t t = 0; t < p->kernel_w; ++t) {
      phases[t] = (int32_t)((int64_t)t * p->dilation_w % p->stride_w);
      shifts[t] = (int32_t)((int64_t)t * p->dilation_w / p->stride_w);
    }
    clearFloats(zeros, layout.zeros / 4);
  }

  Run run[kPlaces];
  Piece piece[kPlaces + kPanels + 1];
  Store store[2 * kPlaces];
  int64_t direct[kPanels]; // where whole panels of one image are stored, in channel 0; else -1
  int32_t runs, pieces, stores, blockPanels;

  // Places [from, from + some) of all images: what is read and where it is stored.
  INGOT_INLINE void beginBlock(int64_t from, int32_t some) {
    runs = pieces = stores = 0;
    blockPanels = (some + 15) / 16;
    for (int32_t at = 0; at < some;) {
      const int64_t place = from + at, b = place / count, within = place % count;
      const int64_t y = within / places[2], x = within % places[2];
      Run &r = run[runs];
      r.batch = b;
      r.z = (int32_t)(y / places[1]);
      r.y = (int32_t)(y % places[1]);
      r.x = (int32_t)x;
      r.from = at;
      r.count = (int32_t)least(places[2] - x, some - at);
      for (int32_t i = 0; i < r.count;) {
        const int32_t lane = (at + i) % 16;
        piece[pieces++] = {runs, i, (int32_t)((at + i) / 16 * kPanelStride + lane), lane == 0 && r.count - i >= 16};
        i += 16 - lane;
      }
      at += r.count;
      ++runs;
    }
    for (int32_t at = 0; at < some;) {
      const int64_t place = from + at, b = place / count, within = place % count;
      const int32_t lane = at % 16;
      const auto part = (int32_t)least(least(count - within, some - at), 16 - lane);
      const int64_t to = b * p->outputs * count + within;
      direct[at / 16] = part == 16 && !p->act ? to : -1;
      if (direct[at / 16] < 0)
        store[stores++] = {at / 16, lane, part, to};
      at += part;
    }
  }

  // The lines of channel c of the input that the block reads.
  INGOT_INLINE void readLines(int64_t c) {
    const int64_t over = convolutionSpan(*p);
    const uint64_t used = usedPhases(*p);
    float *to = lines;
    int32_t number = 0;
    for (int32_t i = 0; i < runs; ++i) {
      const Run &r = run[i];
      const float *image = in + (r.batch * p->channels + c) * plane;
      const int64_t x = (int64_t)r.x * p->stride_w - p->pad_w;
      const int64_t each = r.count + over;
      for (int32_t tz = 0; tz < p->kernel_d; ++tz) {
        const int64_t z = (int64_t)r.z * p->stride_d + (int64_t)tz * p->dilation_d - p->pad_d;
        for (int32_t ty = 0; ty < p->kernel_h; ++ty, ++number) {
          const int64_t y = (int64_t)r.y * p->stride_h + (int64_t)ty * p->dilation_h - p->pad_h;
          if (z < 0 || z >= size[0] || y < 0 || y >= size[1]) {
            line[number] = zeros;
            continue;
          }
          const float *row = image + (z * size[1] + y) * size[2];
          if (p->stride_w == 1 && x >= 0 && x + each <= size[2] && row + x + each + 16 <= end) {
            line[number] = row + x;
            continue;
          }
          line[number] = to;
          copyLine(to, each, used, row, size[2], x, p->stride_w, end);
          to += each * p->stride_w;
        }
      }
    }
  }

  // Elements [k, k + length) of the windows of group g into the panels.
  INGOT_INLINE void gather(int64_t g, int64_t k, int32_t length) {
    const int64_t of = taps();
    if (of == 1 && gatherLines(g * channels + k, length))
      return;
    for (int32_t done = 0; done < length;) {
      const int64_t c = (k + done) / of;
      readLines(g * channels + c);
      const auto first = (int32_t)((k + done) % of), taken = (int32_t)least(of - first, length - done);
      gatherTaps(panels + (int64_t)done * 16, first, first + taken);
      done += taken;
    }
    clearRest(length);
  }

  // Lanes behind the last place of the block.
  INGOT_INLINE void clearRest(int32_t length) {
    const Run &last = run[runs - 1];
    const int32_t some = last.from + last.count;
    if (some % 16)
      for (int32_t k = 0; k < length; ++k)
        for (int32_t lane = some % 16; lane < 16; ++lane)
          panels[some / 16 * kPanelStride + k * 16 + lane] = 0.0f;
  }

  // Windows of one element whose places are neighbours in memory: channels from c on, line by line.
  INGOT_INLINE bool gatherLines(int64_t c, int32_t length) {
    const Run &r = run[0];
    if (runs != 1 || !isPointwise())
      return false;
    const float *from = in + (r.batch * p->channels + c) * plane + ((int64_t)r.z * size[1] + r.y) * size[2] + r.x;
    if (from + (length - 1) * plane + blockPanels * 16 > end)
      return false;
    for (int32_t k = 0; k < length; ++k, from += plane)
      for (int32_t i = 0; i < blockPanels; ++i)
        store16(panels + i * kPanelStride + k * 16, load16(from + i * 16));
    return true; // lanes behind the last place hold what lies behind it in memory
  }

  // Taps [first, last) of the channel whose lines were read, from row `to` of the panels on.
  INGOT_INLINE void gatherTaps(float *to, int32_t first, int32_t last) {
    const int64_t over = convolutionSpan(*p);
    const int32_t heights = p->kernel_d * p->kernel_h, width = p->kernel_w;
    // A panel of one run: row by row of the window.
    for (int32_t i = 0; i < pieces; ++i) {
      const Piece &v = piece[i];
      if (!v.whole)
        continue;
      const int64_t each = run[v.run].count + over;
      float *panel = to + v.to;
      for (int32_t tap = first; tap < last;) {
        const int32_t row = tap / width, end = minimum((row + 1) * width, last);
        const float *from = line[v.run * heights + row] + v.start;
        for (int32_t column = tap - row * width; tap < end; ++tap, ++column, panel += 16)
          store16(panel, load16(from + shifts[column] + phases[column] * each));
      }
    }
    // A panel of several: what a vector writes past its lanes is written over by the next piece or the next row.
    for (int32_t tap = first; tap < last; ++tap, to += 16) {
      const int32_t row = tap / width, column = tap % width;
      for (int32_t i = 0; i < pieces; ++i) {
        const Piece &v = piece[i];
        if (v.whole)
          continue;
        const float *from = line[v.run * heights + row] + phases[column] * (run[v.run].count + over);
        store16(to + v.to, load16(from + shifts[column] + v.start));
      }
    }
  }

  // What the inner products do with sums of output channels from `first` on (all but an activation).
  INGOT_INLINE ConvolutionEnd endAt(int64_t first) const {
    constexpr float infinity = __builtin_inff();
    const int64_t at = first * count;
    return {direct,
            count,
            result.scale ? result.scale + first : nullptr,
            result.bias ? result.bias + first : nullptr,
            result.residual ? result.residual + at : nullptr,
            result.out + at,
            p->clamp & 1 ? p->low : -infinity,
            p->clamp & 2 ? p->high : infinity};
  }

  // Output channels [from, to) of group g over the block.
  INGOT_INLINE void multiply(int64_t g, int64_t from, int64_t to) {
    const Run &last = run[runs - 1];
    const int32_t blockPlaces = last.from + last.count;
    for (int64_t first = from; first < to; first += layout.rows) {
      const int64_t some = least(layout.rows, to - first);
      const ConvolutionEnd end = endAt(g * rows + first);
      const float *w = weight + (g * rows + first) * depth;
      for (int64_t k = 0; k < depth; k += kChunk) {
        const auto length = (int32_t)least(kChunk, depth - k);
        gather(g, k, length);
        multiplyChunk({w + k, depth, (int32_t)some, panels, kPanelStride, blockPlaces, length, sums, layout.rows * 16,
                       k == 0, k + length == depth ? &end : nullptr});
      }
      finish(g * rows + first, some);
    }
  }

  // Stores the block's sums of output channels [first, first + some), as far as the inner products have not.
  INGOT_INLINE void finish(int64_t first, int64_t some) const {
    // Copies: what is stored could else be any of these.
    const convolution_params params = *p;
    ConvolutionResult to = result;
    to.p = &params;
    const int64_t across = layout.rows * 16, each = count;
    const int32_t number = stores;
    const float *from = sums;
    const Store *parts = store;
    for (int64_t row = 0; row < some; ++row, from += 16)
      for (int32_t i = 0; i < number; ++i) {
        const Store part = parts[i];
        to.finish(load16(from + part.panel * across), first + row, part.at + (first + row) * each, part.lane,
                  part.count);
      }
  }

  INGOT_INLINE void work(uint32_t tile0, uint32_t tile1) {
    const int64_t total = batch * count;
    const int64_t blocks = (total + kPlaces - 1) / kPlaces, parts = (rows + kUnit - 1) / kUnit;
    const int64_t units = blocks * parts * p->groups;
    const int64_t last = units * tile1 / kConvolutionTiles;
    for (int64_t unit = units * tile0 / kConvolutionTiles; unit < last;) {
      const int64_t part = unit % parts, block = unit / parts % blocks, g = unit / parts / blocks;
      const int64_t some = least(parts - part, last - unit);
      beginBlock(block * kPlaces, (int32_t)least(kPlaces, total - block * kPlaces));
      multiply(g, part * kUnit, least((part + some) * kUnit, rows));
      unit += some;
    }
  }
};

} // namespace
} // namespace ingot::kernels

extern "C" void ingot_convolution_blocks_f32(const convolution_params *p, void *const *buffers, const int64_t *symbols,
                                             uint32_t tile0, uint32_t tile1, void *scratch) {
  ingot::kernels::Blocks blocks(p, buffers, symbols, (char *)scratch);
  blocks.work(tile0, tile1);
}
