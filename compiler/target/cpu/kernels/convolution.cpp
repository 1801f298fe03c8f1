// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// convolution: products of a weight with the windows of an image, operands as params.h states. Windows are never in
// memory as a whole. Places of the output are the lanes, output channels the rows:
//
//   out[o][place] = sum over k of weight[o][k] * window[k][place]      k = (channel of the group, place in the window)
//
// A block of kPlaces places is a few panels [k][16], as weights of `linear` are: one chunk of k of them is gathered into
// scratch from lines of the input (convolution_lines.h) and multiplied with rows of the weight, which lie as they are
// stored, by the products of linear_rows.h. Sums are those of `linear` (docs/spec/numerics.md): chunks of 512 along k,
// each a chain of fused multiply-adds. Channels that are groups by themselves are summed straight from the lines.
//
// Work is cut into units, of kUnit output channels of a block or of rows of the output; a tile is an equal share of them.
#include "compiler/target/cpu/kernels/convolution_lines.h"
#include "compiler/target/cpu/kernels/linear_rows.h"

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
};
// Neighbouring places that are stored together: of one panel and one image.
struct Store {
  int32_t panel, lane, count;
  int64_t at; // in the output, of channel 0
};

struct Convolution {
  const convolution_params *p;
  const float *in, *weight;
  ConvolutionResult result;
  int64_t batch, size[3], places[3]; // spatial sizes of input and output: depth, height, width
  int64_t plane, count;              // elements of a channel of input and output
  const float *end;                  // of the input
  int64_t channels, rows, depth;     // of a group: input channels, output channels, elements of a window
  ConvolutionScratch layout;
  float *panels, *sums, *lines, *zeros;
  const float **line; // [run][row of the window]

  INGOT_INLINE int64_t taps() const { return (int64_t)p->kernel_d * p->kernel_h * p->kernel_w; }
  // Elements of a phase beyond those of its places.
  INGOT_INLINE int64_t span() const { return convolutionSpan(*p); }
  INGOT_INLINE bool isPointwise() const {
    return taps() == 1 && p->stride_d == 1 && p->stride_h == 1 && p->stride_w == 1 && !p->pad_d && !p->pad_h && !p->pad_w;
  }

  INGOT_INLINE void begin(const convolution_params *params, void *const *buffers, const int64_t *symbols, char *scratch) {
    p = params;
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
    layout = convolutionScratch(*p);
    panels = (float *)scratch;
    sums = (float *)(scratch + layout.panels);
    line = (const float **)(scratch + layout.panels + layout.sums);
    zeros = (float *)(scratch + layout.panels + layout.sums + layout.pointers);
    lines = (float *)(scratch + layout.panels + layout.sums + layout.pointers + layout.zeros);
    clearFloats(zeros, layout.zeros / 4);
  }

  // --- Blocks of places.

  Run run[kPlaces];
  Piece piece[kPlaces + kPanels + 1];
  Store store[2 * kPlaces];
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
        piece[pieces++] = {runs, i, (int32_t)((at + i) / 16 * kPanelStride + lane)};
        i += 16 - lane;
      }
      at += r.count;
      ++runs;
    }
    for (int32_t at = 0; at < some;) {
      const int64_t place = from + at, b = place / count, within = place % count;
      const int32_t lane = at % 16;
      const auto part = (int32_t)least(least(count - within, some - at), 16 - lane);
      store[stores++] = {at / 16, lane, part, b * p->outputs * count + within};
      at += part;
    }
  }

  // The lines of channel c of the input that the block reads.
  INGOT_INLINE void readLines(int64_t c) {
    const int64_t over = span();
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
    const int64_t of = taps(), over = span();
    const int32_t heights = p->kernel_d * p->kernel_h;
    // Lanes behind the last place are zeros.
    const Run &last = run[runs - 1];
    const int32_t some = last.from + last.count;
    for (int32_t done = 0; done < length;) {
      const int64_t c = (k + done) / of;
      readLines(g * channels + c);
      const int64_t first = (k + done) % of;
      const auto taken = (int32_t)least(of - first, length - done);
      for (int32_t t = 0; t < taken; ++t) {
        const int64_t tap = first + t, row = tap / p->kernel_w, column = tap % p->kernel_w * p->dilation_w;
        const int64_t phase = column % p->stride_w, shift = column / p->stride_w;
        float *to = panels + (int64_t)(done + t) * 16;
        for (int32_t i = 0; i < pieces; ++i) {
          const Piece &v = piece[i];
          const float *from = line[v.run * heights + row] + phase * (run[v.run].count + over) + shift + v.start;
          store16(to + v.to, load16(from));
        }
        if (some % 16)
          store16(to + some / 16 * kPanelStride + some % 16, splat(0.0f));
      }
      done += taken;
    }
  }

  // Output channels [from, to) of group g over the block.
  INGOT_INLINE void multiply(int64_t g, int64_t from, int64_t to) {
    constexpr int64_t block = kRowBlock / kRows * kRows;
    for (int64_t first = from; first < to; first += layout.rows) {
      const int64_t some = least(layout.rows, to - first);
      for (int32_t i = 0; i < blockPanels; ++i)
        clearFloats(sums + i * layout.rows * 16, some * 16);
      const float *w = weight + (g * rows + first) * depth;
      for (int64_t k = 0; k < depth; k += kChunk) {
        const auto length = (int32_t)least(kChunk, depth - k);
        gather(g, k, length);
        for (int64_t row = 0; row < some; row += block)
          ingot_linear_rows_f32_block(w + row * depth + k, depth, (int32_t)least(block, some - row), panels,
                                      kPanelStride, blockPanels, length, sums + row * 16, layout.rows * 16, panels, 0, 0);
      }
      for (int64_t row = 0; row < some; ++row) {
        const int64_t o = g * rows + first + row;
        for (int32_t i = 0; i < stores; ++i)
          result.finish(load16(sums + (store[i].panel * layout.rows + row) * 16), o, store[i].at + o * count,
                        store[i].lane, store[i].count);
      }
    }
  }

  INGOT_INLINE void byBlocks(uint32_t tile0, uint32_t tile1) {
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

  // --- Channels by themselves. Rows of the output [y0, y1) of one depth share the lines of a band of the input.

  INGOT_INLINE void sumBand(int64_t b, int64_t o, int64_t z, int64_t y0, int64_t y1, int64_t x0, int64_t width) {
    const int64_t over = span(), each = width + over, across = each * p->stride_w;
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
          clearFloats(to, across);
        else
          copyLine(to, each, used, image + (from * size[1] + y) * size[2], size[2], x0 * p->stride_w - p->pad_w,
                   p->stride_w, end);
      }
    }
    const float *w = weight + o * depth;
    for (int64_t y = y0; y < y1; ++y) {
      const int64_t at = ((b * p->outputs + o) * places[0] + z) * places[1] * places[2] + y * places[2] + x0;
      const float *first = lines + (y - y0) * p->stride_h * across;
      int64_t x = 0;
      for (; x + 64 <= width; x += 64)
        sumPlaces<4>(w, first + x, high, across, each, o, at + x, 16);
      for (; x < width; x += 16)
        sumPlaces<1>(w, first + x, high, across, each, o, at + x, (int32_t)least(16, width - x));
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

  INGOT_INLINE void byChannels(uint32_t tile0, uint32_t tile1) {
    const int64_t over = span(), reach = (int64_t)(p->kernel_h - 1) * p->dilation_h + 1;
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

} // namespace
} // namespace ingot::kernels

INGOT_KERNEL(convolution) {
  using namespace ingot::kernels;
  Convolution c;
  c.begin(p, buffers, symbols, (char *)scratch);
  if (c.batch * c.count == 0)
    return 0;
  if (convolutionByChannels(*p))
    c.byChannels(tile0, tile1);
  else
    c.byBlocks(tile0, tile1);
  return 0;
}
