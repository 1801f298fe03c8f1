// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The entries of a decoder, `step` and `sample`, and `encode` where it attends to an encoder's results, with their arguments in the order that the runtime knows (docs/design/0001). Importers and
// passes that make a decoder say here what it is; what it computes is theirs.
#ifndef INGOT_DIALECTS_INGOT_STEPCONTRACT_H
#define INGOT_DIALECTS_INGOT_STEPCONTRACT_H

#include "dialects/ingot/IngotDialect.h"
#include "mlir/IR/Builders.h"

namespace ingot::ir {

struct DecoderContract {
  llvm::StringRef family; // for people
  int64_t vocabulary = 0;
  int64_t context = 0; // positions the model was made for
  int64_t layers = 0, kvHeads = 0, headDim = 0;
  int64_t sourceLayers = 0, sourceHeads = 0, sourceHeadDim = 0; // that attend to an encoder's results; 0: none
};

// Declares the decoder's symbols, its cache group "kv" and entry `step` at the end of the module, and leaves the builder at the end of the
// entry's body, with `cache` the group's state there.
EntryOp openStep(mlir::OpBuilder &builder, mlir::ModuleOp module, mlir::Location loc, const DecoderContract &contract,
                 mlir::Value &cache);

// Appends keys and values [tokens, kv_heads, head_dim] to a layer, and attends with queries [tokens, heads, head_dim].
struct LayerAttention {
  int64_t layer = 0, heads = 0, kvHeads = 0, headDim = 0;
  double scale = 1;
  int64_t window = 0;
  double softCap = 0;
  mlir::Value distanceBias = {}; // f32 [heads, distances], or none
};
mlir::Value appendAndAttend(mlir::OpBuilder &builder, mlir::Location loc, EntryOp step, mlir::Value &cache, mlir::Value q,
                            mlir::Value k, mlir::Value v, const LayerAttention &layer);

// Attends with queries [tokens, heads, head_dim] to what entry `encode` left of the token's source: all positions of it.
mlir::Value attendToSource(mlir::OpBuilder &builder, mlir::Location loc, EntryOp step, mlir::Value q, const LayerAttention &layer);

// Opens entry `encode` at the end of the module, which takes the source of one sequence, of type `source`, and a slot for each of its
// positions. Leaves the builder at the end of the entry's body.
EntryOp openEncode(mlir::OpBuilder &builder, mlir::ModuleOp module, mlir::Location loc, mlir::RankedTensorType source, Dim positions);
// Closes it with keys and values [batch, positions, heads, head_dim] of each layer.
using SourceLayers = llvm::SmallVector<std::pair<mlir::Value, mlir::Value>>;
void closeEncode(mlir::OpBuilder &builder, mlir::Location loc, EntryOp encode, const SourceLayers &layers);

// Closes `step`, returning logits f32 [logit_rows, vocabulary], and adds entry `sample`.
void closeStep(mlir::OpBuilder &builder, mlir::ModuleOp module, mlir::Location loc, int64_t vocabulary, mlir::Value logits);

} // namespace ingot::ir

#endif
