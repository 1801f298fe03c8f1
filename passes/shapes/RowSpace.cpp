// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which ops work row by row (see RowSpace.h).
#include "passes/shapes/RowSpace.h"
#include "dialects/ingot/SymbolExpr.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace ingot::passes {

using ir::tensorOf;

// Whether the dimension is the product of both.
bool RowSpace::isFlat(const ir::Dim &dim) const {
  if (!b.isDynamic() && !s.isDynamic())
    return dim.size == b.size * s.size;
  if (!dim.isDynamic() || !dim.name)
    return false;
  if (b.size == 1 || s.size == 1)
    return dim == (b.size == 1 ? s : b);
  auto symbol = ir::lookup<ir::SymbolOp>(entry->getParentOp(), dim.name);
  std::string why;
  auto value = symbol && symbol.getValue() ? ir::SymbolExpr::parse(*symbol.getValue(), why) : std::nullopt;
  auto product = value ? value->product() : std::nullopt;
  if (!product)
    return false;
  int64_t factor = 1;
  SmallVector<StringRef> names, found(product->symbols);
  for (const ir::Dim &part : {b, s}) {
    if (part.isDynamic())
      names.push_back(part.name.getValue());
    else
      factor *= part.size;
  }
  llvm::sort(names);
  llvm::sort(found);
  return factor == product->factor && names == found;
}

RowAxes RowSpace::axesOf(Value value) const {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (!type || type.getRank() == 0)
    return {};
  SmallVector<ir::Dim> dims = ir::dimsOf(type);
  if (dims.size() >= 2 && dims[0] == b && dims[1] == s)
    return {0, 1};
  if (isFlat(dims[0]))
    return {0};
  // One place for each, or B in front. What may be read in two ways has no rows.
  auto placeOf = [&](const ir::Dim &wanted, std::optional<unsigned> but) -> std::optional<unsigned> {
    std::optional<unsigned> found;
    for (unsigned i = 0; i < dims.size(); ++i)
      if (i != but && dims[i] == wanted) {
        if (found)
          return std::nullopt;
        found = i;
      }
    return found;
  };
  std::optional<unsigned> batchAxis = dims[0] == b ? std::optional<unsigned>(0) : placeOf(b, std::nullopt);
  std::optional<unsigned> rowAxis = batchAxis ? placeOf(s, batchAxis) : std::nullopt;
  return rowAxis ? RowAxes{*batchAxis, *rowAxis} : RowAxes();
}

int64_t RowSpace::packedAxis(ArrayRef<unsigned> rows, int64_t axis) {
  return 1 + axis - llvm::count_if(rows, [&](unsigned row) { return row < axis; });
}

// Elements of a row whose dimensions are the last ones, where they are static.
static std::optional<int64_t> widthOf(Value value, ArrayRef<unsigned> rows) {
  if (rows != ArrayRef<unsigned>{0} && rows != ArrayRef<unsigned>{0, 1})
    return std::nullopt;
  int64_t width = 1;
  for (int64_t size : tensorOf(value).getShape().drop_front(rows.size())) {
    if (ShapedType::isDynamic(size))
      return std::nullopt;
    width *= size;
  }
  return width;
}

// Whether dimensions up to an axis stay, and static ones behind it become others.
static bool changesBehind(unsigned axis, ir::ReshapeOp op) {
  auto from = tensorOf(op.getInput()), to = tensorOf(op.getResult());
  for (unsigned i = 0; i <= axis; ++i)
    if (!(ir::dimOf(from, i) == ir::dimOf(to, i)))
      return false;
  auto isStatic = [&](RankedTensorType type) { return !llvm::is_contained(type.getShape().drop_front(axis + 1), ShapedType::kDynamic); };
  return isStatic(from) && isStatic(to); // as many elements, then
}

// Whether both have the same dimensions but for ones, and those that stand for rows are the same among them.
static bool onesAside(Value a, ArrayRef<unsigned> rowsOfA, Value b, ArrayRef<unsigned> rowsOfB) {
  auto others = [](Value value, ArrayRef<unsigned> rows, SmallVectorImpl<ir::Dim> &dims,
                   SmallVectorImpl<size_t> &places) {
    places.assign(rows.size(), 0);
    for (auto [axis, dim] : llvm::enumerate(ir::dimsOf(tensorOf(value)))) {
      for (auto [row, place] : llvm::zip(rows, places))
        if (row == axis)
          place = dim.size == 1 ? SIZE_MAX : dims.size();
      if (dim.size != 1)
        dims.push_back(dim);
    }
  };
  SmallVector<ir::Dim> dimsOfA, dimsOfB;
  SmallVector<size_t> placesOfA, placesOfB;
  others(a, rowsOfA, dimsOfA, placesOfA);
  others(b, rowsOfB, dimsOfB, placesOfB);
  return !rowsOfA.empty() && placesOfA == placesOfB && dimsOfA == dimsOfB &&
         llvm::none_of(placesOfA, [](size_t place) { return place == SIZE_MAX; });
}

std::optional<SmallVector<unsigned>> RowSpace::rowOperands(Operation *op) const {
  using Operands = std::optional<SmallVector<unsigned>>;
  if (op->getNumResults() == 0 || op->getNumOperands() == 0)
    return std::nullopt;
  const RowAxes rows = axesOf(op->getResult(0));
  if (rows.empty())
    return std::nullopt;
  auto first = [&]() -> Operands { return axesOf(op->getOperand(0)) == rows ? Operands({0}) : std::nullopt; };
  auto all = [&]() -> Operands {
    SmallVector<unsigned> operands;
    for (OpOperand &operand : op->getOpOperands()) {
      if (axesOf(operand.get()) != rows)
        return std::nullopt;
      operands.push_back(operand.getOperandNumber());
    }
    return operands;
  };
  auto ofRow = [&](int64_t axis) { return !llvm::is_contained(rows, static_cast<unsigned>(axis)); };
  auto last = [](Value value) { return tensorOf(value).getRank() - 1; };
  return llvm::TypeSwitch<Operation *, Operands>(op)
      .Case<ir::ScalarBodyInterface>([&](auto) { return all(); })
      .Case<ir::RmsNormOp, ir::LayerNormOp>(
          [&](auto norm) { return ofRow(last(norm.getInput())) ? first() : std::nullopt; })
      .Case([&](ir::SoftmaxOp softmax) { return ofRow(softmax.getAxis()) ? first() : std::nullopt; })
      .Case([&](ir::ReduceOp reduce) -> Operands {
        // Its axis may leave, and those behind it move up.
        RowAxes from = axesOf(reduce.getInput());
        for (unsigned &axis : from) {
          if (axis == static_cast<uint64_t>(reduce.getAxis()))
            return std::nullopt;
          axis -= !reduce.getKeepAxis() && axis > static_cast<uint64_t>(reduce.getAxis());
        }
        return from == rows ? Operands({0}) : std::nullopt;
      })
      .Case([&](ir::SplitOp split) { return ofRow(split.getAxis()) ? first() : std::nullopt; })
      .Case([&](ir::ConcatOp concat) { return ofRow(concat.getAxis()) ? all() : std::nullopt; })
      .Case([&](ir::TransposeOp transpose) -> Operands {
        RowAxes from;
        for (unsigned axis : rows)
          from.push_back(static_cast<unsigned>(transpose.getPermutation()[axis]));
        return axesOf(transpose.getInput()) == from ? Operands({0}) : std::nullopt;
      })
      .Case([&](ir::ReshapeOp reshape) -> Operands {
        if (onesAside(reshape.getInput(), axesOf(reshape.getInput()), reshape.getResult(), rows) ||
            (axesOf(reshape.getInput()) == rows && changesBehind(*llvm::max_element(rows), reshape)))
          return Operands({0});
        auto width = widthOf(reshape.getResult(), rows);
        return width && widthOf(reshape.getInput(), axesOf(reshape.getInput())) == width ? Operands({0}) : std::nullopt;
      })
      .Case([&](ir::BroadcastOp broadcast) -> Operands {
        auto from = tensorOf(broadcast.getInput()), to = tensorOf(broadcast.getResult());
        if (from.getRank() == to.getRank() && axesOf(broadcast.getInput()) == rows)
          return Operands({0});
        // What all rows share has 1 or nothing where they stand.
        const int64_t absent = to.getRank() - from.getRank();
        for (unsigned axis : rows)
          if (static_cast<int64_t>(axis) >= absent && from.getDimSize(axis - absent) != 1)
            return std::nullopt;
        return SmallVector<unsigned>();
      })
      .Case([&](ir::LinearOp linear) -> Operands {
        SmallVector<unsigned> operands;
        if (!ofRow(last(linear.getInput())))
          return std::nullopt;
        for (OpOperand &operand : op->getOpOperands())
          if (operand.get() == linear.getInput() || operand.get() == linear.getResidual() ||
              operand.get() == linear.getNormStats()) {
            if (axesOf(operand.get()) != rows)
              return std::nullopt;
            operands.push_back(operand.getOperandNumber());
          }
        return operands;
      })
      .Case([&](ir::RopeOp) { return rows.size() == 1 ? all() : std::nullopt; })
      .Case([&](ir::ComputeOp compute) -> Operands {
        SmallVector<unsigned> operands;
        for (unsigned i = 0; i < compute.getInputs().size(); ++i)
          if (readsOwnRow(compute, i))
            operands.push_back(i);
        return operands;
      })
      .Default([](Operation *) -> Operands { return std::nullopt; });
}

static SmallVector<ir::ElementOp> readsOf(ir::ComputeOp op, unsigned input) {
  SmallVector<ir::ElementOp> reads;
  for (Operation *user : op.getBody().front().getArgument(input).getUsers())
    if (auto read = dyn_cast<ir::ElementOp>(user))
      reads.push_back(read);
  return reads;
}

bool RowSpace::readsOwnRow(ir::ComputeOp op, unsigned input) const {
  const RowAxes to = axesOf(op.getResult()), from = axesOf(op.getInputs()[input]);
  if (to.empty() || from.size() != to.size())
    return false;
  Block &body = op.getBody().front();
  for (ir::ElementOp read : readsOf(op, input))
    for (auto [source, result] : llvm::zip(from, to))
      if (read.getIndices()[source] != body.getArgument(op.getInputs().size() + result))
        return false;
  return true;
}

bool RowSpace::picksPosition(ir::ComputeOp op, unsigned input) const {
  SmallVector<ir::ElementOp> reads = readsOf(op, input);
  const RowAxes rows = axesOf(op.getInputs()[input]);
  if (op.getReduce() || reads.size() != 1 || rows.size() != 2)
    return false;
  // Both indices follow from constants, other tensors and dimensions of the result that are 1 or number the batch.
  RankedTensorType result = tensorOf(op.getResult());
  const unsigned first = static_cast<unsigned>(op.getInputs().size());
  SmallVector<Value> work{reads.front().getIndices()[rows[0]], reads.front().getIndices()[rows[1]]};
  while (!work.empty()) {
    Value value = work.pop_back_val();
    if (auto argument = dyn_cast<BlockArgument>(value)) {
      if (argument.getArgNumber() < first)
        continue; // a tensor
      const ir::Dim dim = ir::dimOf(result, argument.getArgNumber() - first);
      if (dim.size != 1 && (!(dim == b) || b == s))
        return false;
      continue;
    }
    llvm::append_range(work, value.getDefiningOp()->getOperands());
  }
  return true;
}

} // namespace ingot::passes
