// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Rows without padding (see PackedRows.h). Indices are sums, which general ops compute:
//
//   counts[b, s]  seen positions of b up to s          starts[b]   sum of counts[k, S-1] for k < b
//   batches[t]    how many k have starts[k+1] <= t     places[t]   how many s have counts[batches[t], s] <= t -
//   starts[batches[t]]
#include "passes/shapes/PackedRows.h"
#include "passes/Compute.h"
#include "passes/Locations.h"
#include "passes/shapes/Dimensions.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;

namespace ingot::passes {

using ir::tensorOf;

static Value element(OpBuilder &b, Value tensor, ValueRange indices) {
  return ir::ElementOp::create(b, tensor.getLoc(), ir::registerType(tensorOf(tensor).getElementType()), tensor,
                               indices);
}

PackedRows::PackedRows(ir::EntryOp entry, const RowSpace &space, Value given, int hidden)
    : entry(entry), space(space), mask(given), hidden(hidden), b(OpBuilder::atBlockBegin(&entry.getBody().front())) {
  ir::Dim product = productOf(entry, {space.batch(), space.rows()});
  auto module = entry->getParentOfType<ModuleOp>();
  std::string name = "tokens";
  for (unsigned i = 2; ir::lookup<ir::SymbolOp>(module, b.getStringAttr(name)); ++i)
    name = "tokens_" + std::to_string(i);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPoint(entry);
    auto symbol = ir::SymbolOp::create(b, entry.getLoc(), name, IntegerAttr());
    symbol.setDataAttr(b.getStringAttr(product.text()));
    tokensDim = ir::Dim(ShapedType::kDynamic, symbol.getSymNameAttr());
  }
  mask = given;
  if (tensorOf(given).getRank() == 1) // lengths: the positions before them are seen
    mask = compute(ir::tensorType({space.batch(), space.rows()}, b.getI1Type()), {given}, std::nullopt,
                   [&](OpBuilder &o, ValueRange in, ValueRange at) -> Value {
                     Value length =
                         arith::IndexCastOp::create(o, entry.getLoc(), o.getIndexType(), element(o, in[0], {at[0]}));
                     return arith::CmpIOp::create(o, entry.getLoc(), arith::CmpIPredicate::slt, at[1], length);
                   });
  mask = reshape(mask, {space.batch(), space.rows()});
  count();
}

Value PackedRows::compute(RankedTensorType type, ArrayRef<Value> inputs, std::optional<ir::Dim> extent,
                          llvm::function_ref<Value(OpBuilder &, ValueRange, ValueRange)> body) {
  return makeCompute(b, entry.getLoc(), type, inputs, extent, body);
}

static Value asIndex(OpBuilder &b, Value integer) {
  return arith::IndexCastOp::create(b, integer.getLoc(), b.getIndexType(), integer);
}

static Value number(OpBuilder &b, Type type, int64_t value) {
  Location loc = b.getUnknownLoc();
  if (type.isIndex())
    return arith::ConstantIndexOp::create(b, loc, value);
  if (isa<FloatType>(type))
    return arith::ConstantOp::create(b, loc, b.getFloatAttr(type, double(value)));
  return arith::ConstantOp::create(b, loc, b.getIntegerAttr(type, value));
}

// The size of a dimension, as an index.
static Value sizeOf(OpBuilder &b, const ir::Dim &dim) {
  return dim.isDynamic() ? Value(ir::SizeOp::create(b, b.getUnknownLoc(), dim.name))
                         : number(b, b.getIndexType(), dim.size);
}

Value PackedRows::isSeen(OpBuilder &b, Value maskArgument, Value batch, Value row) {
  Value m = element(b, maskArgument, {batch, row}), none = number(b, m.getType(), hidden);
  Location loc = m.getLoc();
  if (isa<FloatType>(m.getType()))
    return arith::CmpFOp::create(b, loc, arith::CmpFPredicate::UNE, m, none);
  return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, m, none);
}

void PackedRows::count() {
  const ir::Dim batch = space.batch(), rows = space.rows();
  Type i32 = b.getI32Type();
  Location loc = entry.getLoc();
  auto less = [&](OpBuilder &o, arith::CmpIPredicate order, Value x, Value y, Value then) -> Value {
    Value condition = arith::CmpIOp::create(o, loc, order, x, y);
    return arith::SelectOp::create(o, loc, condition, then, number(o, then.getType(), 0));
  };
  countsValue =
      compute(ir::tensorType({batch, rows}, i32), {mask}, rows, [&](OpBuilder &o, ValueRange in, ValueRange at) {
        Value seen = arith::ExtUIOp::create(o, loc, i32, isSeen(o, in[0], at[0], at[2]));
        return less(o, arith::CmpIPredicate::sle, at[2], at[1], seen);
      });
  ir::Dim ends = batch.isDynamic() ? ir::Dim(ShapedType::kDynamic, b.getStringAttr(batch.name.getValue() + "+1"))
                                   : ir::Dim(batch.size + 1);
  // The symbol + constant of a dimension may have a constant already.
  if (batch.isDynamic() && !ir::parseDim(ends.name.getValue())) {
    ir::DimExpr expr = *ir::parseDim(batch.name.getValue());
    const int64_t constant = expr.constant + 1;
    std::string text = expr.symbol.str();
    if (constant != 0)
      text += (constant > 0 ? "+" : "") + std::to_string(constant);
    ends.name = b.getStringAttr(text);
  }
  startsValue =
      compute(ir::tensorType({ends}, i32), {countsValue}, batch, [&](OpBuilder &o, ValueRange in, ValueRange at) {
        // Without positions there is no last one: nothing is added then, whatever is read.
        Value zero = number(o, o.getIndexType(), 0), size = sizeOf(o, rows);
        Value last =
            arith::MaxSIOp::create(o, loc, arith::SubIOp::create(o, loc, size, number(o, o.getIndexType(), 1)), zero);
        Value any = arith::CmpIOp::create(o, loc, arith::CmpIPredicate::sgt, size, zero);
        Value before = arith::SelectOp::create(o, loc, any, at[0], zero);
        return less(o, arith::CmpIPredicate::slt, at[1], before, element(o, in[0], {at[1], last}));
      });
  Value total = compute(RankedTensorType::get({1}, b.getI64Type()), {startsValue}, std::nullopt,
                        [&](OpBuilder &o, ValueRange in, ValueRange) -> Value {
                          return arith::ExtSIOp::create(o, loc, o.getI64Type(), element(o, in[0], {sizeOf(o, batch)}));
                        });
  ir::SetSymbolOp::create(b, loc, FlatSymbolRefAttr::get(tokensDim.name), total);
  auto perToken = ir::tensorType({tokensDim}, i32);
  auto token = [&](OpBuilder &o, Value at) -> Value { return arith::IndexCastOp::create(o, loc, i32, at); };
  batchesValue = compute(perToken, {startsValue}, batch, [&](OpBuilder &o, ValueRange in, ValueRange at) {
    Value next = arith::AddIOp::create(o, loc, at[1], number(o, o.getIndexType(), 1));
    return less(o, arith::CmpIPredicate::sle, element(o, in[0], {next}), token(o, at[0]), number(o, i32, 1));
  });
  placesValue = compute(
      perToken, {countsValue, startsValue, batchesValue}, rows, [&](OpBuilder &o, ValueRange in, ValueRange at) {
        Value own = asIndex(o, element(o, in[2], {at[0]}));
        Value within = arith::SubIOp::create(o, loc, token(o, at[0]), element(o, in[1], {own}));
        return less(o, arith::CmpIPredicate::sle, element(o, in[0], {own, at[1]}), within, number(o, i32, 1));
      });
  rowsValue = compute(perToken, {batchesValue, placesValue}, std::nullopt,
                      [&](OpBuilder &o, ValueRange in, ValueRange at) -> Value {
                        Value size = arith::IndexCastOp::create(o, loc, i32, sizeOf(o, rows));
                        Value first = arith::MulIOp::create(o, loc, element(o, in[0], {at[0]}), size);
                        return arith::AddIOp::create(o, loc, first, element(o, in[1], {at[0]}));
                      });
}

RankedTensorType PackedRows::packedType(Value value) {
  const RowAxes rows = space.axesOf(value);
  SmallVector<ir::Dim> dims{tokensDim};
  for (auto [axis, dim] : llvm::enumerate(ir::dimsOf(tensorOf(value))))
    if (!llvm::is_contained(rows, axis))
      dims.push_back(dim);
  return ir::tensorType(dims, tensorOf(value).getElementType());
}

Value PackedRows::reshape(Value value, ArrayRef<ir::Dim> dims) {
  auto type = ir::tensorType(dims, tensorOf(value).getElementType());
  return type == value.getType() ? value : Value(ir::ReshapeOp::create(b, value.getLoc(), type, value));
}

Value PackedRows::pack(Value value) {
  if (Value packed = known.lookup(value))
    return packed;
  Operation *op = value.getDefiningOp();
  Value packed;
  if (op && !ir::isRecipe(value)) {
    if (auto compute = dyn_cast<ir::ComputeOp>(op))
      packed = computed(compute);
    else if (auto operands = space.rowOperands(op))
      packed = cloned(op, value, *operands);
  }
  if (!packed)
    packed = picked(value);
  return known[value] = packed;
}

// Where the op stands, or behind the last of what its packed form reads, where that is later.
void PackedRows::standBehind(Operation *op, ValueRange operands) {
  Operation *last = op;
  for (Value operand : operands)
    if (Operation *maker = operand.getDefiningOp(); maker && last->isBeforeInBlock(maker))
      last = maker;
  b.setInsertionPointAfter(last);
}

void PackedRows::narrow(ir::ReduceOp op) {
  OpBuilder::InsertionGuard guard(b);
  Value packed = pack(op.getInput());
  standBehind(op, packed);
  auto made = cast<ir::ReduceOp>(b.clone(*op));
  made.getInputMutable().set(packed);
  op.getResult().replaceAllUsesWith(made.getResult());
}

// The order of a value's dimensions in which those of rows come first.
SmallVector<int64_t> PackedRows::rowsFirst(Value value) {
  const RowAxes rows = space.axesOf(value);
  SmallVector<int64_t> order(rows.begin(), rows.end());
  for (int64_t axis = 0; axis < tensorOf(value).getRank(); ++axis)
    if (!llvm::is_contained(rows, static_cast<unsigned>(axis)))
      order.push_back(axis);
  return order;
}

Value PackedRows::picked(Value value) {
  OpBuilder::InsertionGuard guard(b);
  if (Operation *op = value.getDefiningOp(); op && rowsValue.getDefiningOp()->isBeforeInBlock(op))
    b.setInsertionPointAfter(op);
  else
    b.setInsertionPointAfterValue(rowsValue);
  const RowAxes rows = space.axesOf(value);
  if (rows.size() == 2 && rows != RowAxes{0, 1}) // batch and positions first
    value = ir::TransposeOp::create(b, value.getLoc(), value, b.getDenseI64ArrayAttr(rowsFirst(value))).getResult();
  SmallVector<ir::Dim> dims = ir::dimsOf(tensorOf(value));
  if (rows.size() == 2) {
    dims.erase(dims.begin());
    dims[0] = productOf(entry, {space.batch(), space.rows()});
  }
  SmallVector<ir::Dim> packed(dims);
  packed[0] = tokensDim;
  auto type = ir::tensorType(packed, tensorOf(value).getElementType());
  return ir::GatherRowsOp::create(b, value.getLoc(), type, reshape(value, dims), rowsValue);
}

// The op for the rows that are there. It stands where it stood, so that all that it reads is there.
Value PackedRows::cloned(Operation *op, Value value, ArrayRef<unsigned> operands) {
  const RowAxes rows = space.axesOf(value);
  IRMapping mapping;
  for (unsigned operand : operands)
    mapping.map(op->getOperand(operand), pack(op->getOperand(operand)));
  OpBuilder::InsertionGuard guard(b);
  SmallVector<Value> read;
  for (Value operand : op->getOperands())
    read.push_back(mapping.lookupOrDefault(operand));
  standBehind(op, read);
  if (auto reshaped = dyn_cast<ir::ReshapeOp>(op))
    return reshape(mapping.lookup(reshaped.getInput()), ir::dimsOf(packedType(value)));
  if (auto broadcast = dyn_cast<ir::BroadcastOp>(op); broadcast && operands.empty()) {
    // What all rows share: without the dimensions that stand for them.
    SmallVector<ir::Dim> from = ir::dimsOf(tensorOf(broadcast.getInput())), dims;
    const size_t absent = tensorOf(value).getRank() - from.size();
    for (auto [i, dim] : llvm::enumerate(from))
      if (!llvm::is_contained(rows, i + absent))
        dims.push_back(dim);
    return ir::BroadcastOp::create(b, op->getLoc(), packedType(value), reshape(broadcast.getInput(), dims));
  }
  Operation *made = b.clone(*op, mapping);
  for (auto [before, after] : llvm::zip(op->getResults(), made->getResults())) {
    after.setType(packedType(before));
    known[before] = after;
  }
  Builder attributes(b.getContext());
  if (auto transpose = dyn_cast<ir::TransposeOp>(made)) {
    const RowAxes from = space.axesOf(cast<ir::TransposeOp>(op).getInput());
    SmallVector<int64_t> permutation{0};
    for (auto [to, index] : llvm::enumerate(transpose.getPermutation()))
      if (!llvm::is_contained(rows, to))
        permutation.push_back(RowSpace::packedAxis(from, index));
    transpose.setPermutation(permutation);
  } else if (auto axis = made->getAttrOfType<IntegerAttr>("axis")) {
    made->setAttr("axis",
                  attributes.getI64IntegerAttr(RowSpace::packedAxis(space.axesOf(op->getOperand(0)), axis.getInt())));
  }
  return known.lookup(value);
}

// A region for the rows that are there: their position of the batch is read where it was a loop's index.
Value PackedRows::computed(ir::ComputeOp op) {
  const RowAxes rows = space.axesOf(op.getResult());
  SmallVector<Value> inputs(op.getInputs());
  SmallVector<bool> packed;
  for (unsigned i = 0; i < inputs.size(); ++i) {
    // What is there already is read as it is; so is what is computed row by row, which then need not be computed for
    // other rows.
    Operation *maker = inputs[i].getDefiningOp();
    packed.push_back(space.readsOwnRow(op, i) &&
                     (known.contains(inputs[i]) || (maker && !ir::isRecipe(inputs[i]) && space.rowOperands(maker))));
    if (packed.back())
      inputs[i] = pack(inputs[i]);
  }
  const unsigned given = static_cast<unsigned>(inputs.size());
  if (rows.size() == 2)
    llvm::append_values(inputs, batchesValue, placesValue);
  else
    inputs.push_back(rowsValue);
  OpBuilder::InsertionGuard guard(b);
  standBehind(op, inputs);
  auto made = ir::ComputeOp::create(b, op.getLoc(), packedType(op.getResult()), inputs, op.getReduceAttr(),
                                    op.getExtentsAttr());
  Block &from = op.getBody().front(), &to = made.getBody().emplaceBlock();
  IRMapping mapping;
  for (auto [i, input] : llvm::enumerate(inputs)) {
    Value argument = to.addArgument(input.getType(), op.getLoc());
    if (i < given)
      mapping.map(from.getArgument(i), argument);
  }
  OpBuilder inner = OpBuilder::atBlockBegin(&to);
  Value token = to.addArgument(b.getIndexType(), op.getLoc());
  for (auto [i, axis] : llvm::enumerate(rows))
    mapping.map(from.getArgument(given + axis), asIndex(inner, element(inner, to.getArgument(given + i), {token})));
  for (unsigned i = given; i < from.getNumArguments(); ++i)
    if (!llvm::is_contained(rows, i - given))
      mapping.map(from.getArgument(i), to.addArgument(b.getIndexType(), op.getLoc()));
  for (Operation &each : from) {
    auto read = dyn_cast<ir::ElementOp>(each);
    auto argument = read ? dyn_cast<BlockArgument>(read.getTensor()) : BlockArgument();
    if (!argument || !packed[argument.getArgNumber()]) {
      inner.clone(each, mapping);
      continue;
    }
    const RowAxes own = space.axesOf(op.getInputs()[argument.getArgNumber()]);
    SmallVector<Value> indices{token};
    for (auto [axis, index] : llvm::enumerate(read.getIndices()))
      if (!llvm::is_contained(own, axis))
        indices.push_back(mapping.lookup(index));
    mapping.map(read.getResult(), element(inner, mapping.lookup(argument), indices));
  }
  return made.getResult();
}

Value PackedRows::restore(Value value, double fill) {
  OpBuilder::InsertionGuard guard(b);
  Value packed = pack(value);
  b.setInsertionPointAfterValue(packed);
  SmallVector<ir::Dim> dims{space.batch(), space.rows()};
  llvm::append_range(dims, ArrayRef(ir::dimsOf(packedType(value))).drop_front());
  auto type = ir::tensorType(dims, tensorOf(value).getElementType());
  Location loc = value.getLoc();
  Value whole =
      compute(type, {packed, countsValue, startsValue, mask}, std::nullopt,
              [&](OpBuilder &o, ValueRange in, ValueRange loops) -> Value {
                Value seen = isSeen(o, in[3], loops[0], loops[1]);
                Value end = arith::AddIOp::create(o, loc, element(o, in[2], {loops[0]}),
                                                  element(o, in[1], {loops[0], loops[1]}));
                Value row = asIndex(o, arith::SubIOp::create(o, loc, end, number(o, o.getI32Type(), 1)));
                SmallVector<Value> indices{Value(arith::MaxSIOp::create(o, loc, row, number(o, o.getIndexType(), 0)))};
                llvm::append_range(indices, loops.drop_front(2));
                Value there = element(o, in[0], indices);
                Value none = isa<FloatType>(there.getType())
                                 ? Value(arith::ConstantOp::create(o, loc, o.getFloatAttr(there.getType(), fill)))
                                 : number(o, there.getType(), static_cast<int64_t>(fill));
                return arith::SelectOp::create(o, loc, seen, there, none);
              });
  if (const RowAxes rows = space.axesOf(value); rows.size() == 2 && rows != RowAxes{0, 1}) {
    SmallVector<int64_t> order = rowsFirst(value), back(order.size());
    for (auto [to, from] : llvm::enumerate(order))
      back[from] = static_cast<int64_t>(to);
    whole = ir::TransposeOp::create(b, loc, whole, b.getDenseI64ArrayAttr(back)).getResult();
  }
  return reshape(whole, ir::dimsOf(tensorOf(value)));
}

} // namespace ingot::passes
