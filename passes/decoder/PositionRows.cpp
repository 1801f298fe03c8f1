// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See PositionRows.h: both are found by what sample steps read, never by how it is written.
#include "passes/decoder/PositionRows.h"

#include "llvm/ADT/STLExtras.h"

using namespace mlir;

namespace ingot::passes {

using ir::tensorOf;

// Ids are the step's tokens; a lookup by positions, or positions and a number, is one of these.
LookedUp lookedUp(DecoderGraph &graph, Elements &sample, ir::EmbeddingOp op) {
  auto last = [&](Elements &elements) { return elements.at(op.getTokens(), {elements.shapeOf(op.getTokens())[0] - 1}); };
  Form form = last(sample);
  if (!form.isNumber())
    return {{}, " looks up what is neither a token id nor a position"};
  // The last token of the last sequence, and of another step.
  const int64_t batch = graph.fixedBatch.value_or(2), steps = graph.fixedSteps.value_or(3);
  const int64_t past = graph.samplePast(), more = 20;
  auto isId = [&](const Form &one, int64_t before) {
    return one.isNumber() && one.constant == double(DecoderGraph::idAt(batch - 1, graph.firstToken(before) + steps - 1));
  };
  auto other = graph.step(2, 3, more);
  Form later = last(*other);
  if (isId(form, past) && isId(later, more))
    return {};
  if (!later.isNumber() || later.constant - form.constant != double(more - past))
    return {{}, " looks up what is neither a token id nor a position"};
  const int64_t offset = int64_t(form.constant) - (past + steps - 1), known = op.tableRows() - offset;
  if (offset < 0 || known < 1)
    return {{}, " looks up rows from position " + std::to_string(offset) + " on"};
  return {PositionRows{op.getTable(), offset}, ""};
}

// Rows that are cut from a table at the step's positions: as many as tokens, from a row on that its past tells.
std::optional<PositionRows> cutByPosition(DecoderGraph &graph, ir::ComputeOp op) {
  auto rest = graph.restOf(op.getResult());
  DecoderGraph::Tokens tokens = graph.tokensOf(op.getResult());
  if (op.getReduce() || !rest || tokens.steps < 0 || tokens.heads > 1)
    return {};
  // The one table that it is computed from, by ops that move elements about.
  Value table;
  SmallVector<Value> open(op.getInputs());
  for (size_t i = 0; i < open.size() && i < 8; ++i) {
    auto type = tensorOf(open[i]);
    if (ir::isRecipe(open[i])) {
      if (type.getRank() == 2 && isa<FloatType>(type.getElementType()) && llvm::product_of(*rest) == type.getDimSize(1))
        table = open[i];
    } else if (Operation *maker = open[i].getDefiningOp(); isa_and_nonnull<ir::ComputeOp, ir::ReshapeOp, ir::BroadcastOp>(maker)) {
      llvm::append_range(open, maker->getOperands());
    }
  }
  if (!table)
    return {};
  const int64_t rows = tensorOf(table).getDimSize(0), width = tensorOf(table).getDimSize(1);
  std::optional<int64_t> offset;
  for (int64_t past : {int64_t(0), int64_t(3), graph.samplePast()}) {
    auto elements = graph.step(2, 3, past);
    const SmallVector<int64_t> shape = elements->shapeOf(op.getResult());
    const int64_t first = graph.firstToken(past), steps = shape[size_t(tokens.steps)];
    auto isRow = [&](int64_t token, int64_t row) {
      for (int64_t column : {int64_t(0), width / 3, width / 2, width - 1}) {
        SmallVector<int64_t> at(shape.size(), 0);
        for (int64_t left = column, i = int64_t(shape.size()); i-- > 0;) {
          if (tokens.has(i))
            continue;
          at[size_t(i)] = left % shape[size_t(i)];
          left /= shape[size_t(i)];
        }
        at[size_t(tokens.steps)] = token;
        Form one = elements->at(op.getResult(), at), other = elements->at(table, {row, column});
        if (!one.isNumber() || !other.isNumber() || one.constant != other.constant)
          return false;
      }
      return true;
    };
    // Learned positions of some models begin at row 2.
    for (int64_t row = past; !offset && row < std::min<int64_t>(rows, past + 8); ++row)
      if (isRow(first, row))
        offset = row - past;
    if (!offset || past + steps - first + *offset > rows)
      return {};
    for (int64_t token = first; token < steps; ++token)
      if (!isRow(token, past + token - first + *offset))
        return {};
  }
  return PositionRows{table, *offset};
}

} // namespace ingot::passes
