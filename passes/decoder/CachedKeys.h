// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Where the keys or values of one attention lie between steps of an exporter's graph: in an input that holds those of
// earlier positions, and in a result that gives what that input is next. Read from elements, so that any layout and any
// way of writing is seen alike.
#ifndef INGOT_PASSES_DECODER_CACHEDKEYS_H
#define INGOT_PASSES_DECODER_CACHEDKEYS_H

#include "passes/decoder/DecoderGraph.h"

namespace ingot::passes {

// How a result follows from its input.
enum class CacheGrowth {
  Longer,  // by the rows of the step's tokens: [.., P, ..] becomes [.., P + S, ..]
  Written, // the step's rows are written at their positions, in room for more
  New,     // it is the step's rows alone, and the caller puts them behind the others
};

struct CachedKeys {
  mlir::BlockArgument past;
  unsigned result = 0;
  CacheGrowth growth = CacheGrowth::Longer;
  int64_t room = 0; // positions that Written has, where the graph says how many
  // Where the elements of position t, kv head g and element i lie.
  llvm::SmallVector<int64_t> first;      // of t = g = i = 0
  int64_t positionDim = 0, headDim = -1; // headDim -1: there is one head
  int64_t elementDim = 0;
  int64_t headStep = 1;
  int64_t batchDim = -1;
  double factor = 1; // by which attention multiplies what the cache holds

  llvm::SmallVector<int64_t> at(int64_t batch, int64_t position, int64_t head, int64_t i) const;
  // The same of the result of a step after `past` positions.
  llvm::SmallVector<int64_t> inResult(int64_t batch, int64_t position, int64_t head, int64_t i, int64_t past) const;
};

// Of attention's keys or values [B, T, heads, size]. Empty, or why they lie nowhere of this kind. `kvHeads`: how many
// heads of them differ.
std::string readCachedKeys(DecoderGraph &graph, mlir::Value operand, CachedKeys &cached, int64_t &kvHeads);

} // namespace ingot::passes

#endif
