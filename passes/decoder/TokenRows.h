// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Writes values of an exporter's graph, which have dimensions of batch and step, as values of entry `step`, which have a row for each
// token: [B, S, ...], [B, H, S, D] or [B * S, ...] become [tokens, ...]. Attention and the lookup of ids are given by the caller.
#ifndef INGOT_PASSES_DECODER_TOKENROWS_H
#define INGOT_PASSES_DECODER_TOKENROWS_H

#include "passes/decoder/DecoderGraph.h"
#include "passes/decoder/Heads.h"
#include "passes/decoder/PositionRows.h"

#include "mlir/IR/Builders.h"

namespace ingot::passes {

class TokenRows {
public:
  TokenRows(DecoderGraph &graph, mlir::OpBuilder &b, ir::EntryOp step) : graph(graph), b(b), step(step), sample(graph.sampleStep()) {}
  virtual ~TokenRows() = default;

  // [tokens, rest...], f32. Null where the value is not computed row by row; why() then says what stands in the way.
  mlir::Value rowsOf(mlir::Value value);
  const std::string &why() const { return reason; }
  // Positions for which tables have rows; 0: no table was read by position.
  int64_t positions() const { return most; }

  // Columns of the rows of a value, as [tokens, shape...].
  mlir::Value columnsOf(mlir::Value source, llvm::ArrayRef<int64_t> columns, llvm::ArrayRef<int64_t> shape, mlir::Location loc);
  // The same of the heads of one attention: rotated pairs become halves. Where all are of one product, its weight's rows are
  // reordered instead, so that each kv head's queries, key and value stand together.
  llvm::SmallVector<mlir::Value> headsOf(llvm::ArrayRef<const Heads *> of, llvm::ArrayRef<int64_t> counts, int64_t size, mlir::Location loc);

protected:
  // Of one attention's result [tokens, heads, size].
  virtual mlir::Value attend(ir::ScaledDotProductAttentionOp op) = 0;
  // Heads [tokens, heads, size] whose pairs are halves, turned by the tokens' positions.
  virtual mlir::Value rotate(mlir::Value heads, const Rotary &rotary, mlir::Location loc) = 0;
  // Positions that are asked about at most.
  virtual int64_t limit() const = 0;

  mlir::Value fail(const std::string &what) {
    if (reason.empty())
      reason = what;
    return {};
  }

private:
  mlir::Value write(mlir::Value value);
  mlir::Value lookUp(ir::EmbeddingOp op);
  mlir::Value rowsByPosition(const PositionRows &rows, double scale, mlir::Location loc);
  mlir::Value elementwise(mlir::Operation *op);
  // Truth values of rows, as comparisons of floats and what is made of these. Null where they are of something else.
  mlir::Value condition(mlir::Value value);
  mlir::Value broadcast(mlir::Value value, mlir::Value input);
  mlir::Value repeated(mlir::Value value, llvm::ArrayRef<int64_t> rest);
  // A weight, a constant or what is made of them, in entry step.
  mlir::Value parameter(mlir::Value value);
  mlir::Value compute(ir::ComputeOp op);
  mlir::Value moved(mlir::Value value);
  // Heads that are turned by their position before something else than attention reads them, such as a norm; null where a value is none.
  mlir::Value turned(mlir::Value value);
  // Where an axis of a value stands in its rows; nothing for one of tokens.
  std::optional<int64_t> axisOf(mlir::Value value, int64_t axis);
  mlir::RankedTensorType rowsType(llvm::ArrayRef<int64_t> rest);
  mlir::Value reshaped(mlir::Value rows, llvm::ArrayRef<int64_t> rest);
  static llvm::SmallVector<int64_t> restOf(mlir::Value rows);
  // A product of the same precision as another.
  mlir::Value product(ir::LinearOp like, mlir::Value input, mlir::Value weight, mlir::Value bias);
  // A product whose weight has these rows of another's, each once.
  mlir::Value reordered(ir::LinearOp product, llvm::ArrayRef<int64_t> order);

  DecoderGraph &graph;
  mlir::OpBuilder &b;
  ir::EntryOp step;
  std::unique_ptr<Elements> sample;
  llvm::DenseMap<mlir::Value, mlir::Value> written;
  std::string reason;
  int64_t most = 0;
};

} // namespace ingot::passes

#endif
