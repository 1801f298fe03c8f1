// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Launches of the templates over rows: embedding, rope_angles, pack_rows, quantize_rows, and of rope_append.
#include "compiler/target/cuda/launch.h"

namespace ingot::target::cuda {
namespace {

// Threads of a block that works on one row of `elements`: about four each, at most 512.
uint32_t threadsFor(int64_t elements) {
  int64_t threads = (elements + 3) / 4;
  threads = (threads + 31) / 32 * 32;
  return static_cast<uint32_t>(threads < 32 ? 32 : threads > 512 ? 512 : threads);
}

constexpr uint32_t kSums = 128; // shared bytes for a word of each warp

// One block for each tile of the launch.
Function overRows(const char *header, const char *call, int64_t elements, uint32_t shared) {
  Function f;
  f.header = header;
  f.call = call;
  f.threads = threadsFor(elements);
  f.sharedBytes = shared;
  f.grid[0] = Extent::of(kTiles, 1, 1, 0);
  return f;
}

} // namespace

Functions functionsOf(const embedding_params &p, std::string &) {
  return {overRows("embedding.h", "embeddingRows<P>(args);", p.k, p.stats ? kSums : 0)};
}

Functions functionsOf(const rope_angles_params &p, std::string &) {
  return {overRows("rope_angles.h", "ropeAngles<P>(args);", 4 * int64_t(p.half), 0)};
}

Functions functionsOf(const pack_rows_params &p, std::string &) {
  return {overRows("rows.h", "packRows<P>(args);", p.k_padded, p.partials ? kSums : 0)};
}

Functions functionsOf(const quantize_rows_params &p, std::string &error) {
  if (p.codes)
    return {overRows("rows.h", "quantizeRows<P>(args);", p.k_padded, kSums)};
  constexpr int32_t kMost = 96 * 1024;
  if (p.k_padded > kMost) {
    error = "quantize_rows keeps a row of k = " + std::to_string(p.k) + " in shared memory; expected at most " +
            std::to_string(kMost) + " columns";
    return {};
  }
  return {overRows("rows.h", "quantizeRows<P>(args);", p.k_padded, kSums + static_cast<uint32_t>(p.k_padded))};
}

Functions functionsOf(const rope_append_params &p, std::string &) {
  Function f;
  f.header = "rope_append.h";
  f.call = "ropeAppend<P>(args);";
  f.threads = 128;
  f.blocksPerMultiprocessor = 8;
  f.grid[0] = Extent::of(p.tokens_symbol, p.kv_heads, 4,
                         0); // a warp for each pair, of all tokens: T - R may be largest where T is not
  return {f};
}

} // namespace ingot::target::cuda
