// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What queries, keys and values of one attention are of: columns of a value with a row for each token, perhaps rotated by the token's
// position. Read from elements, so that packings, transposes, repeats and spellings of rotary embeddings are all seen alike.
#ifndef INGOT_PASSES_DECODER_HEADS_H
#define INGOT_PASSES_DECODER_HEADS_H

#include "passes/decoder/DecoderGraph.h"

namespace ingot::passes {

// A rotation of pairs of a head's first `width` elements: (a, b) at position p becomes factor * (a cos - b sin, b cos + a sin) of the
// angle p * inverse[i]. Pairs are elements i and i + width / 2, or, interleaved, 2 i and 2 i + 1.
struct Rotary {
  int64_t width = 0; // 0: none
  bool interleaved = false;
  llvm::SmallVector<float> inverse;
  double factor = 1;
  // Where a sequence is longer than this, all tokens of a step are turned by other angles (longrope); 0: never.
  int64_t original = 0;
  llvm::SmallVector<float> longInverse;
  double longFactor = 1;
  int64_t positions = 0; // for which it was seen to hold; 0: all that were asked about
};

struct Heads {
  mlir::Value source;
  llvm::SmallVector<int64_t> columns; // of source, by head and element
  double factor = 1;                  // multiplies all
  Rotary rotary;
};

// Element i of head h of the token at a position, in a step after `past` positions.
using HeadElement = std::function<Form(Elements &, int64_t past, int64_t position, int64_t head, int64_t i)>;

// Empty, or why they are nothing of this kind. `limit` is the largest number of positions that is asked about.
std::string readHeads(DecoderGraph &graph, const HeadElement &element, int64_t heads, int64_t size, int64_t limit, Heads &result);

} // namespace ingot::passes

#endif
