// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How many bytes of scratch each template needs per worker, as a function of its parameters, and the block sizes
// behind those numbers. Read by the microkernels (which carve their scratch by it) and by the code generator (which
// states it in the plan). One figure serves every feature set.
#ifndef INGOT_TARGET_CPU_KERNELS_SCRATCH_H
#define INGOT_TARGET_CPU_KERNELS_SCRATCH_H

#include "compiler/target/templates/structs.h"

namespace ingot::kernels {

constexpr int64_t roundUp(int64_t value, int64_t unit) { return (value + unit - 1) / unit * unit; }

// linear: products are summed in chunks of kChunk along K (docs/spec/numerics.md). Up to kFewRows rows stream the
// weights panel by panel; more rows are blocked: rowBlock rows by kPanelBlock panels by one chunk.
constexpr int64_t kChunk = 512;
constexpr int64_t kFewRows = 16;
constexpr int64_t kRowBlock = 256; // at most
constexpr int64_t kPanelBlock = 24;
constexpr int64_t kPanelGroup = 4; // panels in flight at once
constexpr int64_t kWidened = 6;    // at most: panels whose weights are widened at once for many rows
// Sets with tiles (linear_tiles.h): activations of a block in the order of tiles, and vectors of 16 sums.
constexpr int64_t kTileInput = 1 << 20;
constexpr int64_t kTileSpread = 1 << 16; // a piece of 4-bit weights as 8-bit ones
constexpr int64_t kTileVectors = 1 << 14;
constexpr int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }

// Rows of a block, of `most` there is room for: so many that beside panels and sums they stay in the second-level cache.
// Where it is small, a few more are taken at once if they are all.
constexpr int64_t rowBlock(int64_t rows, int64_t most, uint64_t l2Bytes) {
  if (l2Bytes >= uint64_t(1) << 20)
    return most;
  return rows <= 144 ? 144 : 96;
}

// Scratch of `linear`, in this order; every part is a multiple of 64 bytes, as large as the set wants it that needs
// most: what a set does not touch costs it nothing.
struct LinearScratch {
  int64_t input;   // f32: few rows x whole K, or a block of rows x one chunk; or tiles
  int64_t weights; // f32: one chunk of kWidened panels, widened
  int64_t sums;    // f32: [panels][rows][16]
  int64_t total;
};

constexpr LinearScratch linearScratch(const linear_params &p) {
  int64_t few = kFewRows * roundUp(p.k, 32) * 4;
  int64_t block = kRowBlock * kChunk * 4;
  bool tiles = p.in_type == INGOT_BF16 && p.weight_type == INGOT_BF16;
  LinearScratch s{};
  s.input = larger(larger(few, block), tiles ? kTileInput : 0);
  s.weights = kWidened * kChunk * 16 * 4;
  s.sums = larger(kPanelBlock * kRowBlock, tiles ? kTileVectors : 0) * 16 * 4;
  s.total = s.input + s.weights + s.sums;
  return s;
}

// Groups of columns along K that share a scale; the last may be shorter.
constexpr int64_t groupsOf(int64_t k, int64_t group) { return (k + group - 1) / group; }

// Panels over one chunk whose heavy pairs are apart (linear_int_bytes.h): at most so many lines of what is left, and
// bytes.
constexpr int64_t kBytesRest = 32;
constexpr int64_t kBytesPanel = 64 + 32 + kBytesRest * (2 + 64) + kChunk * 16;

// Scratch of `linear_int`, blocked as `linear` is, kIntPanelBlock panels; by bytes kBytesRows rows, for which a panel is
// made ready once, or half as many by twice as many panels, for which rows are cut once.
constexpr int64_t kBytesRows = 224;
// CutRows (linear_int_bytes.h) without the rows: where each row's words begin, in kCutStarts bytes, and at most kCutRests words that
// are left of heavy pairs of such a block over one chunk, a quarter of all, with their places.
constexpr int64_t kCutStarts = roundUp((kBytesRows + 1) * 4, 64);
constexpr int64_t kCutRests = kBytesRows * kChunk / 16;
constexpr int64_t kCutBytes = kCutStarts + kCutRests * (4 + 2);
constexpr int64_t kIntPanelBlock = 16;
struct LinearIntScratch {
  int64_t input; // 16 bits: few rows x whole K, or a block of rows x one chunk; or a piece of weights and tiles
  int64_t bytes; // 8 bits: a block of rows x one chunk, and a sum of each row
  int64_t
      weights;  // 8 bits: one chunk of kPanelGroup panels of 4-bit weights, widened, or of 8-bit weights (BytesPanel), or CutRows
  int64_t sums; // f32 or i32: [panels][rows][16]
  int64_t total;
};

constexpr LinearIntScratch linearIntScratch(const linear_int_params &p) {
  int64_t few = kFewRows * p.k_padded * 2;
  int64_t block = kBytesRows * kChunk * 2;
  LinearIntScratch s{};
  s.input = larger(larger(few, block), kTileSpread + kTileInput);
  s.bytes = kBytesRows * kChunk + roundUp(kBytesRows * 4, 64);
  s.weights = larger(kPanelGroup * roundUp(kBytesPanel, 64), kCutBytes);
  s.sums = larger(kIntPanelBlock * kBytesRows, kTileVectors) * 16 * 4;
  s.total = s.input + s.bytes + s.weights + s.sums;
  return s;
}

// attention: kAttentionRows rows (query heads of neighbouring tokens of one sequence) share each block of keys; on tiles,
// where laying a block out for them is a fifth of the work of so few, and where workers have enough to do, more.
constexpr int64_t kBlock = 64;     // positions of one step of the online softmax
constexpr int64_t kSegment = 1024; // positions whose blocks are merged before segments are
constexpr int64_t kAttentionRows = 48;
constexpr int64_t kAttentionTileRows = 144;
constexpr int64_t kAttentionUnits = 8; // at least, for each worker
constexpr int64_t kAttentionTogether = 32; // rows of tiles that become weights at once
// A tile is an equal share of what the step's attention costs, whatever its shape.
constexpr int64_t kAttentionTiles = 960;
// Segments are left apart for attention_merge where a step has at most so many (token, kv head) units, and contexts may
// be longer than so many segments. For every block of cache beyond those there are kMergeTiles tiles of merging.
constexpr int64_t kSplitUnits = 128;
constexpr int64_t kSplitSegments = 2;
constexpr int64_t kMergeTiles = 96;

// Tokens whose query heads are at most `rows`, but one at least.
constexpr int64_t attentionTokens(int64_t queriesPerKeyHead, int64_t rows) {
  int64_t tokens = rows / queriesPerKeyHead;
  return tokens < 1 ? 1 : tokens;
}

// Tiles of attention_merge: kMergeTiles * blocks less a constant; none where that is negative.
constexpr int64_t mergeTiles(int64_t pageTokens, int64_t blocks) {
  return kMergeTiles * (blocks - kSplitSegments * kSegment / pageTokens);
}

// Where attention leaves a segment's state, in floats.
struct PartialLayout {
  int64_t width; // head_dim rounded up to 16
  int64_t queries;
  constexpr int64_t row() const { return width + 16; }
  constexpr int64_t at(int64_t segment, int64_t unit, int64_t query) const {
    return ((segment * kSplitUnits + unit) * queries + query) * row();
  }
};
template <class Params> constexpr PartialLayout partialLayout(const Params &p) {
  return {roundUp(p.head_dim, 16), p.q_per_kv};
}
// Bytes of partials for one block of cache. n > kSplitSegments segments begin in more than n - 1 whole ones, so that
// 1.5 segments for each 1,024 positions hold them.
constexpr int64_t partialBytes(PartialLayout layout, int64_t pageTokens) {
  static_assert(kSplitSegments == 2);
  return roundUp((layout.at(1, 0, 0) * 4 * pageTokens * 3 + 2 * kSegment - 1) / (2 * kSegment), 64);
}

// attention_tiles.h: queries, weights, scores, accumulators of `rows` rows, and a block's keys and values as panels.
constexpr int64_t tileRowsScratch(int64_t rows, int64_t headDim, int64_t valueDim) {
  const int64_t depth = roundUp(headDim, 32), width = roundUp(valueDim, 16);
  return rows * (depth * 2 + width * 4) + kAttentionTogether * kBlock * (2 + 4) + kBlock * (depth + width) * 2;
}

struct AttentionScratch {
  int64_t rows;     // at most
  int64_t width;    // head_dim rounded up to 16
  int64_t state;    // bytes of one accumulator plane [rows][width] f32
  int64_t tileRows; // rows rounded up to a tile: bf16 caches alone, for sets with tiles (attention_tiles.h)
  int64_t total;
};

constexpr AttentionScratch attentionScratch(const attention_params &p) {
  AttentionScratch s{};
  s.rows = attentionTokens(p.q_per_kv, p.cache_type == INGOT_BF16 ? kAttentionTileRows : kAttentionRows) * p.q_per_kv;
  s.width = roundUp(p.head_dim, 16);
  s.state = s.rows * s.width * 4;
  int64_t scalars = roundUp(s.rows * 4, 64);
  s.tileRows = p.cache_type == INGOT_BF16 ? roundUp(s.rows, 16) : 0;
  const int64_t tiles = s.tileRows ? tileRowsScratch(s.tileRows, p.head_dim, p.head_dim) : 0;
  // queries, segment and total accumulators; scores [rows][64]; maxima and sums of both; ranges; a block of keys and of
  // values in f32, and their scales
  s.total =
      tiles + 3 * s.state + s.rows * kBlock * 4 + 4 * scalars + 2 * scalars + 2 * kBlock * s.width * 4 + 2 * kBlock * 4;
  return s;
}

// sdpa: kSdpaRows rows (query heads of neighbouring queries that read one kv head) share each block of keys, which takes a
// sixth of the time to lay out for 96.
constexpr int64_t kSdpaRows = 256;

struct SdpaScratch {
  int64_t depth, width; // head_dim and value_dim rounded up to 16
  int64_t query, acc;   // f32 [rows][depth] and [rows][width]
  int64_t scores;       // f32 [rows][64]
  int64_t scalars;      // 4 bytes for each row: maxima, sums, first and last keys
  int64_t biases;       // 8 bytes for each row
  int64_t key, value;   // a block: f32 [4][head_dim][16] and [64][width]
  int64_t tiles;        // where products are of bf16: what attention_tiles.h takes, and 16 keys as bf16
  int64_t total;
};

constexpr SdpaScratch sdpaScratch(const sdpa_params &p) {
  SdpaScratch s{};
  s.depth = roundUp(p.head_dim, 16);
  s.width = roundUp(p.value_dim, 16);
  s.query = kSdpaRows * s.depth * 4;
  s.acc = kSdpaRows * s.width * 4;
  s.scores = kSdpaRows * kBlock * 4;
  s.scalars = roundUp(kSdpaRows * 4, 64);
  s.biases = roundUp(kSdpaRows * 8, 64);
  s.key = kBlock * p.head_dim * 4;
  s.value = kBlock * s.width * 4;
  if (p.product_type == INGOT_BF16)
    s.tiles = tileRowsScratch(kSdpaRows, p.head_dim, p.value_dim) + 16 * roundUp(p.head_dim, 32) * 2;
  s.total = s.query + s.acc + s.scores + 4 * s.scalars + s.biases + s.key + s.value + s.tiles;
  return s;
}

// convolution: kPlaces places of the output share each chunk of k, kUnit output channels are a unit of work, and up to
// kConvolutionRows of them a block of sums. Channels by themselves: kBand floats of lines.
constexpr int64_t kConvolutionTiles = 960;
constexpr int64_t kPlaces = 64;
constexpr int64_t kUnit = 16;
constexpr int64_t kConvolutionRows = 448;
constexpr int64_t kBand = 1 << 15;

// Elements that a phase of a line has beyond those of its places.
constexpr int64_t convolutionSpan(const convolution_params &p) {
  return int64_t(p.kernel_w - 1) * p.dilation_w / p.stride_w;
}
// Whether each channel is a group, and the lines of one row of 64 places fit a band.
constexpr bool convolutionByChannels(const convolution_params &p) {
  const int64_t taps = int64_t(p.kernel_d) * p.kernel_h * p.kernel_w;
  const int64_t reach = int64_t(p.kernel_h - 1) * p.dilation_h + 1;
  return p.channels == p.groups && p.outputs < 4 * p.groups && taps <= kChunk &&
         p.kernel_d * reach * p.stride_w * (64 + convolutionSpan(p)) <= kBand;
}

// Channels last: kLastPlaces places share each chunk of k of a copy of their windows, kLastUnit panels of 16 output
// channels are a unit of work, and up to kLastSums of them a block of sums. Channels by themselves: bands of kLastBand.
constexpr int64_t kLastPlaces = 96;
constexpr int64_t kLastUnit = 2;
constexpr int64_t kLastSums = 16;
constexpr int64_t kLastBand = 256;
constexpr bool convolutionLastByChannels(const convolution_params &p) {
  return p.channels == p.groups && p.outputs == p.groups;
}

// Windows of one chunk: bands of up to kLastBandPlaces places, a row of the output of which is up to kLastPlaces, and
// kLastBandFloats floats, of which one row is not more.
constexpr int64_t kLastBandPlaces = 384;
constexpr int64_t kLastBandFloats = 1 << 16;
constexpr bool convolutionLastByBands(const convolution_params &p) {
  const int64_t channels = p.channels / p.groups, taps = int64_t(p.kernel_d) * p.kernel_h * p.kernel_w;
  const int64_t reach = int64_t(p.kernel_h - 1) * p.dilation_h + 1;
  const int64_t columns = (kLastPlaces - 1) * p.stride_w + int64_t(p.kernel_w - 1) * p.dilation_w + 1;
  return p.channels_last && taps > 1 && taps * channels <= kChunk && p.kernel_d * reach * columns * channels <= kLastBandFloats;
}

struct LastScratch {
  int64_t panels;  // of a block of sums
  int64_t windows; // f32 [kLastPlaces][kChunk + 16]
  int64_t sums;    // f32 [panels][kLastPlaces][16]
  int64_t total;
};

// Windows of 3 x 3 by Winograd's F(2 x 2, 3 x 3), where 16 products stand for a patch of 2 x 2 places: a block is up to
// kPatches patches and kPatchChunk channels beside up to kPatchPanels panels of weights, which are up to kPatchWeights
// bytes, and up to kPatchSums patches by panels. Where channels are several chunks, kPatchBlocks blocks share each.
constexpr int64_t kPatchProducts = 16;
constexpr int64_t kPatches = 64;
constexpr int64_t kPatchChunk = 256;
constexpr int64_t kPatchPanels = 16;
constexpr int64_t kPatchWeights = 1 << 20;
constexpr int64_t kPatchSums = 256;
constexpr int64_t kPatchBlocks = 4;
constexpr bool convolutionByPatches(const convolution_params &p) {
  return p.channels_last && p.groups == 1 && p.channels >= 16 && p.outputs >= 16 && p.kernel_d == 1 && p.kernel_h == 3 &&
         p.kernel_w == 3 && p.stride_d == 1 && p.stride_h == 1 && p.stride_w == 1 && p.dilation_h == 1 &&
         p.dilation_w == 1 && p.pad_d == 0;
}

struct PatchScratch {
  int64_t chunk;  // channels
  int64_t stride; // floats from patch to patch
  int64_t panels; // at most, of weights
  // f32, and a line beside each product's, so that the lines of all products do not fall into one set of the caches:
  int64_t patches; // [kPatchProducts][kPatches][stride]
  int64_t weights; // [kPatchProducts][panels][chunk][16]
  int64_t sums;    // of each block [kPatchProducts][panel][patch][16]
  int64_t total;
};

constexpr PatchScratch patchScratch(const convolution_params &p) {
  PatchScratch s{};
  s.chunk = p.channels < kPatchChunk ? p.channels : kPatchChunk;
  s.stride = roundUp(s.chunk, 16) + 16;
  const int64_t panels = (p.outputs + 15) / 16, most = kPatchWeights / (kPatchProducts * s.chunk * 64);
  s.panels = panels < most ? panels : most < kPatchPanels ? most : kPatchPanels;
  s.patches = kPatchProducts * (kPatches * s.stride * 4 + 64);
  s.weights = kPatchProducts * (s.panels * s.chunk + 1) * 64;
  s.sums = (p.channels > kPatchChunk ? kPatchBlocks : 1) * kPatchProducts * (kPatchSums + 1) * 64;
  s.total = s.patches + s.weights + s.sums;
  return s;
}

constexpr LastScratch lastScratch(const convolution_params &p) {
  LastScratch s{};
  if (convolutionLastByChannels(p))
    return s;
  const int64_t panels = (p.outputs / p.groups + 15) / 16;
  s.panels = panels < kLastSums ? panels : kLastSums;
  s.windows = kLastPlaces * (kChunk + 16) * 4;
  s.sums = s.panels * kLastPlaces * 16 * 4;
  s.total = s.windows + s.sums;
  if (convolutionLastByBands(p))
    s.total = larger(s.total, (kLastBandFloats + 16) * 4);
  if (convolutionByPatches(p))
    s.total = larger(s.total, patchScratch(p).total);
  return s;
}

struct ConvolutionScratch {
  int64_t rows;     // output channels of a block of sums
  int64_t panels;   // f32: one chunk of kPlaces places
  int64_t sums;     // f32 [panels][rows][16]
  int64_t pointers; // to lines
  int64_t zeros;    // a line outside the image
  int64_t lines;
  int64_t columns; // two numbers for each column of the window
  int64_t total;
};

constexpr ConvolutionScratch convolutionScratch(const convolution_params &p) {
  ConvolutionScratch s{};
  const int64_t heights = int64_t(p.kernel_d) * p.kernel_h, span = convolutionSpan(p);
  if (convolutionByChannels(p)) {
    s.lines = kBand * 4 + 4 * 128;
    s.total = s.lines;
    return s;
  }
  const int64_t rows = roundUp(p.outputs / p.groups, kUnit);
  s.rows = rows < kConvolutionRows ? rows : kConvolutionRows;
  s.panels = roundUp(kPlaces / 16 * (kChunk * 16 + 16) * 4, 64);
  s.sums = kPlaces / 16 * s.rows * 16 * 4;
  s.pointers = roundUp(kPlaces * heights * 8, 64);
  s.zeros = roundUp((p.stride_w * (kPlaces + span) + 32) * 4, 64);
  s.lines = roundUp((kPlaces * heights * p.stride_w * (1 + span) + 32) * 4, 64);
  s.columns = roundUp(int64_t(p.kernel_w) * 8, 64);
  s.total = s.panels + s.sums + s.pointers + s.zeros + s.lines + s.columns;
  return s;
}

// sample: a row of penalized logits; for each block of 64 ids the largest, then the sum of weights; three arrays of the
// list, which may hold the whole vocabulary (but is short, so that most of them is never touched).
struct SampleScratch {
  int64_t row, blocks; // bytes of an array
  int64_t total;
};

constexpr SampleScratch sampleScratch(const sample_params &p) {
  SampleScratch s{};
  s.row = roundUp(int64_t(p.vocabulary) * 4, 64);
  s.blocks = roundUp((int64_t(p.vocabulary) + 63) / 64 * 4, 64);
  s.total = 4 * s.row + 2 * s.blocks;
  return s;
}

constexpr int64_t scratchBytes(const linear_params &p) { return linearScratch(p).total; }
constexpr int64_t scratchBytes(const linear_int_params &p) { return linearIntScratch(p).total; }
constexpr int64_t scratchBytes(const quantize_rows_params &) { return 0; }
constexpr int64_t scratchBytes(const attention_params &p) { return attentionScratch(p).total; }
constexpr int64_t scratchBytes(const attention_merge_params &p) { return roundUp(p.head_dim, 16) * 4; }
constexpr int64_t scratchBytes(const embedding_params &) { return 0; }
constexpr int64_t scratchBytes(const rope_angles_params &p) { return roundUp(int64_t(p.half) * 4, 64); }
constexpr int64_t scratchBytes(const pack_rows_params &) { return 0; }
constexpr int64_t scratchBytes(const rope_append_params &p) { return roundUp(int64_t(p.head_dim) * 4, 64); }
constexpr int64_t scratchBytes(const sdpa_params &p) { return sdpaScratch(p).total; }
constexpr int64_t scratchBytes(const convolution_params &p) {
  return p.channels_last ? lastScratch(p).total : convolutionScratch(p).total;
}
constexpr int64_t scratchBytes(const sample_params &p) { return sampleScratch(p).total; }

} // namespace ingot::kernels

#endif
