// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Biases of attention's scores that depend on the head and on how far a key is before its query: T5's buckets of distances, which end
// somewhere, and ALiBi's slopes. Read from elements, however they are spelt; what masks hide is none of this file's business.
#ifndef INGOT_PASSES_DECODER_DISTANCEBIAS_H
#define INGOT_PASSES_DECODER_DISTANCEBIAS_H

#include "passes/decoder/DecoderGraph.h"

namespace ingot::passes {

// What is added to the score that query s of sequence b's head h gives to key t, after `past` positions. Nothing where that is no number.
using ScoreAdded = std::function<std::optional<double>(Elements &, int64_t b, int64_t h, int64_t s, int64_t t, int64_t past)>;

class DistanceBias {
public:
  explicit operator bool() const { return heads > 0; }
  // Softmax does not change by what all keys of a query have added. Where the graph's biases are a function of the distance but for that
  // (slope * position of the key), they are those less the bias of the query's own position.
  bool relative = false;
  double at(int64_t head, int64_t distance) const;
  // f32 [heads, distances]; the last one holds for all that are farther away, of up to `positions` positions.
  int64_t distances(int64_t positions) const { return slopes.empty() ? columns : positions; }
  std::vector<float> table(int64_t positions) const;

  // Empty, or why the biases are nothing of this kind. No bias is read where keys at all distances have 0. `positions`: how many may be
  // asked about.
  std::string read(DecoderGraph &graph, const ScoreAdded &added, int64_t heads, int64_t positions);

private:
  bool isLinear(Elements &elements, const ScoreAdded &added, int64_t farthest);
  // Of distances that a token at `past` sees.
  std::optional<double> read(Elements &elements, const ScoreAdded &added, int64_t head, int64_t distance, int64_t past) const;

  int64_t heads = 0;
  std::vector<double> slopes; // by head
  std::vector<double> values; // [heads][columns], where there are no slopes
  int64_t columns = 0;
};

} // namespace ingot::passes

#endif
