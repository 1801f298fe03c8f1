// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which ops work row by row (see RowSpace.h).
#include "passes/shapes/RowSpace.h"
#include "dialects/ingot/SymbolExpr.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace ingot::passes {

static RankedTensorType tensorOf(Value value) { return cast<RankedTensorType>(value.getType()); }

static bool same(const ir::Dim &x, const ir::Dim &y) { return x.size == y.size && x.name == y.name; }

// Whether the dimension is the product of both.
bool RowSpace::isFlat(const ir::Dim &dim) const {
  if (!b.isDynamic() && !s.isDynamic())
    return dim.size == b.size * s.size;
  if (!dim.isDynamic() || !dim.name)
    return false;
  if (b.size == 1 || s.size == 1)
    return same(dim, b.size == 1 ? s : b);
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

unsigned RowSpace::leadOf(Value value) const {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (!type || type.getRank() == 0)
    return 0;
  SmallVector<ir::Dim> dims = ir::dimsOf(type);
  if (dims.size() >= 2 && same(dims[0], b) && same(dims[1], s))
    return 2;
  return isFlat(dims[0]) ? 1 : 0;
}

// Elements of a row: its dimensions behind the first `lead`, where they are static.
static std::optional<int64_t> widthOf(Value value, unsigned lead) {
  int64_t width = 1;
  for (int64_t size : tensorOf(value).getShape().drop_front(lead)) {
    if (ShapedType::isDynamic(size))
      return std::nullopt;
    width *= size;
  }
  return width;
}

std::optional<SmallVector<unsigned>> RowSpace::rowOperands(Operation *op) const {
  using Operands = std::optional<SmallVector<unsigned>>;
  if (op->getNumResults() == 0 || op->getNumOperands() == 0)
    return std::nullopt;
  const unsigned lead = leadOf(op->getResult(0));
  if (lead == 0)
    return std::nullopt;
  auto first = [&]() -> Operands { return leadOf(op->getOperand(0)) == lead ? Operands({0}) : std::nullopt; };
  auto all = [&]() -> Operands {
    SmallVector<unsigned> operands;
    for (OpOperand &operand : op->getOpOperands()) {
      if (leadOf(operand.get()) != lead)
        return std::nullopt;
      operands.push_back(operand.getOperandNumber());
    }
    return operands;
  };
  auto behindRows = [&](int64_t axis) { return axis >= static_cast<int64_t>(lead); };
  return llvm::TypeSwitch<Operation *, Operands>(op)
      .Case<ir::ScalarBodyInterface>([&](auto) { return all(); })
      .Case<ir::RmsNormOp, ir::LayerNormOp>(
          [&](auto norm) { return behindRows(tensorOf(norm.getInput()).getRank() - 1) ? first() : std::nullopt; })
      .Case<ir::SoftmaxOp, ir::ReduceOp>([&](auto along) { return behindRows(along.getAxis()) ? first() : std::nullopt; })
      .Case([&](ir::SplitOp split) { return behindRows(split.getAxis()) ? first() : std::nullopt; })
      .Case([&](ir::ConcatOp concat) { return behindRows(concat.getAxis()) ? all() : std::nullopt; })
      .Case([&](ir::TransposeOp transpose) -> Operands {
        for (unsigned i = 0; i < lead; ++i)
          if (transpose.getPermutation()[i] != i)
            return std::nullopt;
        return first();
      })
      .Case([&](ir::ReshapeOp reshape) -> Operands {
        const unsigned before = leadOf(reshape.getInput());
        auto width = widthOf(reshape.getResult(), lead);
        return before != 0 && width && widthOf(reshape.getInput(), before) == width ? Operands({0}) : std::nullopt;
      })
      .Case([&](ir::BroadcastOp broadcast) -> Operands {
        auto from = tensorOf(broadcast.getInput()), to = tensorOf(broadcast.getResult());
        if (from.getRank() == to.getRank() && leadOf(broadcast.getInput()) == lead)
          return Operands({0});
        // What all rows share has 1 or nothing where they stand.
        const int64_t absent = to.getRank() - from.getRank();
        for (int64_t i = absent; i < static_cast<int64_t>(lead); ++i)
          if (from.getDimSize(i - absent) != 1)
            return std::nullopt;
        return SmallVector<unsigned>();
      })
      .Case([&](ir::LinearOp linear) -> Operands {
        SmallVector<unsigned> operands;
        if (!behindRows(tensorOf(linear.getInput()).getRank() - 1))
          return std::nullopt;
        for (OpOperand &operand : op->getOpOperands())
          if (operand.get() == linear.getInput() || operand.get() == linear.getResidual() ||
              operand.get() == linear.getNormStats()) {
            if (leadOf(operand.get()) != lead)
              return std::nullopt;
            operands.push_back(operand.getOperandNumber());
          }
        return operands;
      })
      .Case([&](ir::RopeOp) { return lead == 1 ? all() : std::nullopt; })
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
  const unsigned lead = leadOf(op.getResult());
  if (lead == 0 || leadOf(op.getInputs()[input]) != lead)
    return false;
  Block &body = op.getBody().front();
  for (ir::ElementOp read : readsOf(op, input))
    for (unsigned i = 0; i < lead; ++i)
      if (read.getIndices()[i] != body.getArgument(op.getInputs().size() + i))
        return false;
  return true;
}

bool RowSpace::picksPosition(ir::ComputeOp op, unsigned input) {
  SmallVector<ir::ElementOp> reads = readsOf(op, input);
  if (op.getReduce() || reads.size() != 1 || tensorOf(op.getInputs()[input]).getRank() < 2)
    return false;
  // The position may follow from constants, other tensors and the index of the batch.
  Value batch = reads.front().getIndices()[0];
  if (!isa<BlockArgument>(batch) && !batch.getDefiningOp<arith::ConstantOp>())
    return false;
  RankedTensorType result = tensorOf(op.getResult());
  SmallVector<Value> work{reads.front().getIndices()[1]};
  while (!work.empty()) {
    Value value = work.pop_back_val();
    if (value == batch)
      continue;
    if (auto argument = dyn_cast<BlockArgument>(value)) {
      const unsigned first = static_cast<unsigned>(op.getInputs().size());
      if (argument.getArgNumber() < first || result.getDimSize(argument.getArgNumber() - first) == 1)
        continue; // a tensor, or always 0
      return false;
    }
    llvm::append_range(work, value.getDefiningOp()->getOperands());
  }
  return true;
}

} // namespace ingot::passes
