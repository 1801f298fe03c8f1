// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What an exporter's graph reads from tables by the step's ids or positions: embeddings, learned positions, tables of angles.
#ifndef INGOT_PASSES_DECODER_POSITIONROWS_H
#define INGOT_PASSES_DECODER_POSITIONROWS_H

#include "passes/decoder/DecoderGraph.h"

#include <optional>
#include <string>

namespace ingot::passes {

// For each token, row position + offset of a table.
struct PositionRows {
  mlir::Value table;
  int64_t offset;
};

// What a lookup reads: rows by position, or else the tokens' own; or what stands in the way.
struct LookedUp {
  std::optional<PositionRows> rows;
  std::string problem;
};
LookedUp lookedUp(DecoderGraph &graph, Elements &sample, ir::EmbeddingOp op);

// Rows that are cut from a table at the step's positions: as many as tokens, from a row on that its past tells.
std::optional<PositionRows> cutByPosition(DecoderGraph &graph, ir::ComputeOp op);

} // namespace ingot::passes

#endif
