// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Launches of attention: on tensor cores where the cache has 8 or 16 bits and a tile fits, else in f32 without; and of
// sdpa, in f32.
// attention_merge has nothing left to do on this target: the last block of a split context merges it.
#include "compiler/target/cuda/device/attention_shape.h"
#include "compiler/target/cuda/device/sdpa_shape.h"
#include "compiler/target/cuda/launch.h"

namespace ingot::target::cuda {
namespace {

using namespace ingot::device;

// The least shared memory that a block may have on any architecture (99 KB: compute capability 8.6).
constexpr int64_t kMostShared = 99 * 1024;

Function persistent(const attention_params &p, const char *header, const char *call, int32_t tileRows, int64_t shared) {
  Function f;
  f.header = header;
  f.call = call;
  f.threads = 128;
  f.sharedBytes = static_cast<uint32_t>(shared);
  // As many as are on one at once: registers leave room for two of tiles.
  f.blocksPerMultiprocessor = tileRows == kTileRows || shared > 48 * 1024 ? 2 : 4;
  // Tiles of all tokens' rows, one more for each sequence that is not whole, and the pieces of each sequence's context.
  const AttentionStates states = attentionStates(p, tileRows);
  f.grid[0].constant = 0;
  f.grid[0].terms = {
      {p.tokens_symbol, int64_t(p.kv_heads) * p.q_per_kv},
      {p.sequences_symbol, int64_t(tileRows) * p.kv_heads * (1 + int64_t(states.tiles) * states.splits)}};
  f.grid[0].per = tileRows;
  f.workspace.constant = kCounterBytes;
  f.workspace.terms = {{p.sequences_symbol, states.bytes(p.kv_heads)}};
  return f;
}

} // namespace

Functions functionsOf(const attention_params &p, std::string &error) {
  if (p.cache_type != INGOT_F32) {
    const int64_t shared = attentionTilesShape(p).total;
    if (p.head_dim <= 256 && shared <= kMostShared)
      return {persistent(p, "attention_tiles.h", "attentionTiles<P>(args);", kTileRows, shared)};
  }
  const int64_t shared = int64_t(attentionRowsShape(p).total) * 4;
  if (shared <= kMostShared)
    return {persistent(p, "attention_rows.h", "attentionRows<P>(args);", kSimpleRows, shared)};
  error = "attention with head_dim " + std::to_string(p.head_dim) + " and " + std::to_string(p.q_per_kv) +
          " queries for each of " + std::to_string(p.kv_heads) + " key heads needs " + std::to_string(shared) +
          " bytes of shared memory in a block; expected at most " + std::to_string(kMostShared);
  return {};
}

Functions functionsOf(const attention_merge_params &, std::string &) { return {}; }

Functions functionsOf(const sdpa_params &p, std::string &error) {
  const int64_t shared = int64_t(sdpaShape(p).total) * 4;
  if (shared > kMostShared) {
    error = "sdpa with head_dim " + std::to_string(p.head_dim) + " needs " + std::to_string(shared) +
            " bytes of shared memory in a block; expected at most " + std::to_string(kMostShared);
    return {};
  }
  Function f;
  f.header = "sdpa.h";
  f.call = "scaledDotProduct<P>(args);";
  f.threads = 128;
  f.sharedBytes = static_cast<uint32_t>(shared);
  f.blocksPerMultiprocessor = shared > 24 * 1024 ? 2 : 4;
  f.grid[0] = Extent::of(kTiles, 1, 1, 0); // at least as many as there are units: a tile has a row
  return {f};
}

} // namespace ingot::target::cuda
