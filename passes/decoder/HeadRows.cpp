// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See TokenRows.h: rows of heads, which are columns of other rows, perhaps turned, and the products whose rows of weights are put in their
// order instead.
#include "passes/decoder/TokenRows.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/ADT/BitVector.h"

#include <cmath>

using namespace mlir;

namespace ingot::passes {

using ir::tensorOf;

Value TokenRows::turned(Value value) {
  const DecoderGraph::Tokens tokens = graph.tokensOf(value);
  SmallVector<int64_t> rest = *graph.restOf(value);
  if (rest.size() < 2 || tokens.heads > 1 || tokens.rows >= 0 || !isa<ir::AddOp, ir::SubOp, ir::ConcatOp, ir::ComputeOp, ir::ReshapeOp, ir::TransposeOp>(value.getDefiningOp()))
    return {};
  const int64_t size = rest.back(), heads = llvm::product_of(rest) / std::max<int64_t>(size, 1), all = tensorOf(value).getRank();
  auto at = [&, value](Elements &elements, int64_t step, int64_t column) {
    SmallVector<int64_t> indices(size_t(all), 0);
    for (int64_t i = all; i-- > 0;) {
      if (i == tokens.batch || tensorOf(value).getDimSize(unsigned(i)) == 1)
        continue;
      if (i == tokens.steps) {
        indices[size_t(i)] = step;
        continue;
      }
      indices[size_t(i)] = column % tensorOf(value).getDimSize(unsigned(i));
      column /= tensorOf(value).getDimSize(unsigned(i));
    }
    return elements.at(value, indices);
  };
  // A turned element is a sum of two of one product, by factors that are no ones.
  const int64_t past = graph.samplePast(), last = graph.firstToken(past) + graph.fixedSteps.value_or(3) - 1;
  Form first = at(*sample, last, 0);
  if (first.constant != 0 || first.terms.size() != 2 || first.terms[0].tensor != first.terms[1].tensor || std::abs(first.terms[0].factor) == 1 ||
      std::abs(first.terms[1].factor) == 1)
    return {};
  Heads read;
  auto element = [&](Elements &elements, int64_t before, int64_t position, int64_t h, int64_t i) {
    return at(elements, graph.firstToken(before) + position - before, h * size + i);
  };
  if (!readHeads(graph, element, heads, size, limit(), read).empty() || read.rotary.width == 0)
    return {};
  if (read.rotary.positions)
    most = most ? std::min(most, read.rotary.positions) : read.rotary.positions;
  SmallVector<Value> halves = headsOf({&read}, {heads}, size, value.getLoc());
  if (halves.empty())
    return {};
  Value rows = rotate(halves[0], read.rotary, value.getLoc());
  if (read.rotary.interleaved) {
    // Pairs were made halves for this, and are neighbours to what follows.
    SmallVector<int64_t> columns;
    const int64_t width = read.rotary.width;
    for (int64_t n = 0; n < heads * size; ++n)
      columns.push_back(n % size < width ? n / size * size + n % size / 2 + n % size % 2 * (width / 2) : n);
    rows = columnsOf(rows, columns, {heads, size}, value.getLoc());
  }
  if (read.factor != 1)
    rows = ir::ScaleOp::create(b, value.getLoc(), rows, b.getF64FloatAttr(read.factor));
  return reshaped(rows, rest);
}

Value TokenRows::columnsOf(Value rows, ArrayRef<int64_t> columns, ArrayRef<int64_t> shape, Location loc) {
  const int64_t width = llvm::product_of(restOf(rows));
  bool inOrder = true;
  for (auto [i, column] : llvm::enumerate(columns))
    inOrder &= column == columns[0] + int64_t(i);
  if (inOrder && int64_t(columns.size()) == width)
    return reshaped(rows, shape);
  Value flat = reshaped(rows, {width});
  if (inOrder) {
    SmallVector<int64_t> sizes;
    SmallVector<Type> types;
    for (int64_t size : {columns[0], int64_t(columns.size()), width - columns[0] - int64_t(columns.size())})
      if (size > 0) {
        sizes.push_back(size);
        types.push_back(rowsType({size}));
      }
    auto split = ir::SplitOp::create(b, loc, types, flat, b.getI64IntegerAttr(1), b.getDenseI64ArrayAttr(sizes));
    return reshaped(split.getResult(columns[0] > 0 ? 1 : 0), shape);
  }
  // By a table of columns.
  SmallVector<int32_t> table(columns.begin(), columns.end());
  auto tableType = RankedTensorType::get({int64_t(table.size())}, b.getI32Type());
  Value constant = ir::ConstantOp::create(b, loc, tableType, DenseElementsAttr::get(tableType, ArrayRef<int32_t>(table)));
  auto made = ir::ComputeOp::create(b, loc, rowsType({int64_t(columns.size())}), ValueRange{flat, constant}, ir::ReduceKindAttr(),
                                    b.getStrArrayAttr({}));
  {
    OpBuilder::InsertionGuard guard(b);
    Block *body = b.createBlock(&made.getBody(), {}, {flat.getType(), tableType, b.getIndexType(), b.getIndexType()}, {loc, loc, loc, loc});
    Value column = ir::ElementOp::create(b, loc, b.getI32Type(), body->getArgument(1), ValueRange{body->getArgument(3)});
    Value index = arith::IndexCastOp::create(b, loc, b.getIndexType(), column);
    ir::YieldOp::create(b, loc, ir::ElementOp::create(b, loc, b.getF32Type(), body->getArgument(0), ValueRange{body->getArgument(2), index}));
  }
  return reshaped(made.getResult(), shape);
}

Value TokenRows::product(ir::LinearOp like, Value input, Value weight, Value bias) {
  auto made = ir::LinearOp::create(b, like.getLoc(), input, weight, bias);
  made.setComputeAttr(like.getComputeAttr());
  made.setWeightElementAttr(like.getWeightElementAttr());
  return made.getResult();
}

Value TokenRows::reordered(ir::LinearOp product, ArrayRef<int64_t> order) {
  if (llvm::is_sorted(order))
    return product.getResult();
  SmallVector<int64_t> segments;
  for (size_t i = 0; i < order.size();) {
    size_t end = i + 1;
    while (end < order.size() && order[end] == order[end - 1] + 1)
      ++end;
    llvm::append_values(segments, int64_t(0), order[i], int64_t(end - i));
    i = end;
  }
  auto ordered = [&](Value of) -> Value {
    if (!of)
      return of;
    return ir::ConcatOp::create(b, product.getLoc(), of.getType(), ValueRange{of}, b.getI64IntegerAttr(0), b.getDenseI64ArrayAttr(segments));
  };
  return this->product(product, product.getInput(), ordered(product.getWeight()), ordered(product.getBias()));
}

SmallVector<Value> TokenRows::headsOf(ArrayRef<const Heads *> of, ArrayRef<int64_t> counts, int64_t size, Location loc) {
  SmallVector<SmallVector<int64_t>> columns;
  SmallVector<Value> sources;
  for (const Heads *heads : of) {
    Value rows = rowsOf(heads->source);
    if (!rows)
      return {};
    sources.push_back(rows);
    SmallVector<int64_t> own = heads->columns;
    const int64_t width = heads->rotary.width;
    if (heads->rotary.interleaved)
      for (size_t head = 0; head < own.size(); head += size_t(size))
        for (int64_t i = 0; i < width; ++i)
          own[head + size_t(i)] = heads->columns[head + size_t(i < width / 2 ? 2 * i : 2 * (i - width / 2) + 1)];
    columns.push_back(own);
  }
  // The product that a source is, under whatever shape, and where all of its columns are taken once.
  auto productBehind = [](Value rows) {
    if (auto reshape = rows.getDefiningOp<ir::ReshapeOp>())
      rows = reshape.getInput();
    return rows.getDefiningOp<ir::LinearOp>();
  };
  auto isPermutation = [](ArrayRef<int64_t> order, int64_t width) {
    if (int64_t(order.size()) != width)
      return false;
    llvm::BitVector taken{unsigned(width)};
    for (int64_t column : order) {
      if (column < 0 || column >= width || taken.test(unsigned(column)))
        return false;
      taken.set(unsigned(column));
    }
    return true;
  };
  ir::LinearOp product = productBehind(sources[0]);
  if (product && of.size() == 3 && llvm::all_equal(sources)) {
    // Queries of a kv head, its key, its value, the next kv head's.
    const int64_t kvHeads = counts[1], group = counts[0] / kvHeads;
    SmallVector<int64_t> order;
    for (int64_t head = 0; head < kvHeads; ++head) {
      llvm::append_range(order, ArrayRef<int64_t>(columns[0]).slice(size_t(head * group * size), size_t(group * size)));
      for (size_t part : {1, 2})
        llvm::append_range(order, ArrayRef<int64_t>(columns[part]).slice(size_t(head * size), size_t(size)));
    }
    if (isPermutation(order, product.columns())) {
      Value rows = reshaped(reordered(product, order), {kvHeads, group + 2, size});
      auto split = ir::SplitOp::create(b, loc, TypeRange{rowsType({kvHeads, group, size}), rowsType({kvHeads, 1, size}), rowsType({kvHeads, 1, size})},
                                       rows, b.getI64IntegerAttr(2), b.getDenseI64ArrayAttr({group, 1, 1}));
      return {reshaped(split.getResult(0), {counts[0], size}), reshaped(split.getResult(1), {kvHeads, size}),
              reshaped(split.getResult(2), {kvHeads, size})};
    }
  }
  SmallVector<Value> values;
  for (auto [i, rows] : llvm::enumerate(sources)) {
    bool inOrder = true;
    for (auto [n, column] : llvm::enumerate(columns[i]))
      inOrder &= column == columns[i][0] + int64_t(n);
    ir::LinearOp own = productBehind(rows);
    if (own && !inOrder && isPermutation(columns[i], own.columns()))
      values.push_back(reshaped(reordered(own, columns[i]), {counts[i], size}));
    else
      values.push_back(columnsOf(rows, columns[i], {counts[i], size}, loc));
  }
  return values;
}

} // namespace ingot::passes
