// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Entry `encode` of an encoder-decoder: what of the exporter's graph computes the keys and values that the decoder keeps of the encoder's
// results, for one sequence at a time and without padding. Knows nothing of steps.
#ifndef INGOT_PASSES_DECODER_ENCODEENTRY_H
#define INGOT_PASSES_DECODER_ENCODEENTRY_H

#include "passes/decoder/DecoderGraph.h"

#include "mlir/IR/Builders.h"

namespace ingot::passes {

// Adds the entry at the end of the module. Layers are numbered as the graph's attentions to the source stand.
void makeEncode(DecoderGraph &graph, mlir::OpBuilder &b, mlir::Location loc);

// Whether a dimension of the exporter's graph is one of the entry's, or of symbols that are.
bool encodeNeeds(mlir::ModuleOp module, ir::SymbolOp symbol);

} // namespace ingot::passes

#endif
