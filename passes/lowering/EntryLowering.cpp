// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// An entry's ops to launches (see EntryLowering.h). Operands of each launch stand in the order that
// compiler/target/templates/params.h states for the template.
//
// A value is a buffer of rows. Rows that only products read may be padded: `stride` elements apart, with zeros behind
// the last column, as their packed weights want them; all others lie side by side.
#include "passes/lowering/EntryLoweringImpl.h"
#include "passes/lowering/FunctionWork.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace ingot::passes {

LogicalResult EntryLowering::run() {
  builder.setInsertionPointToEnd(&program.getBody().front());
  auto plan = plan::EntryOp::create(builder, entry.getLoc(), entry.getSymName(), entry.getFunctionType(),
                                    entry.getArgNames(), entry.getResNames());
  builder.setInsertionPointToEnd(&plan.getBody().front());
  for (auto [index, argument] : llvm::enumerate(entry.getBody().getArguments()))
    buffers[argument] =
        plan::InputOp::create(builder, entry.getLoc(), bufferType(), builder.getStringAttr(entry.getArgName(index)));
  if (failed(nameOutputs()))
    return failure();
  for (Operation &op : entry.getBody().front())
    if (failed(lower(&op)))
      return failure();
  return success();
}

// --- Buffers.

Value EntryLowering::originOf(Value value) {
  while (true) {
    if (auto reshape = value.getDefiningOp<ir::ReshapeOp>())
      value = reshape.getInput();
    else if (auto append = value.getDefiningOp<ir::RopeAppendOp>(); append && value == append.getResult())
      value = append.getQkv();
    else
      return value;
  }
}

LogicalResult EntryLowering::nameOutputs() {
  Operation *terminator = entry.getBody().front().getTerminator();
  for (auto [index, value] : llvm::enumerate(terminator->getOperands())) {
    Value origin = originOf(value);
    if (isa<BlockArgument>(origin) || ir::isRecipe(origin) || buffers.contains(origin))
      return entry.emitOpError() << "result '" << entry.getResName(index)
                                 << "' is an argument, a weight or another result; run ingot-lower-general-ops, "
                                    "which copies it";
    buffers[origin] = plan::OutputOp::create(builder, terminator->getLoc(), bufferType(),
                                             builder.getStringAttr(entry.getResName(index)));
  }
  return success();
}

int64_t EntryLowering::strideOf(Value value) {
  if (tensorOf(value).getRank() == 0)
    return 1;
  int64_t columns = lastDim(value), stride = columns;
  if (tensorOf(value).getRank() != 2 || !isa_and_nonnull<ir::LinearOp, ir::AttentionOp>(value.getDefiningOp()) ||
      value != value.getDefiningOp()->getResult(0))
    return columns;
  for (OpOperand &use : value.getUses()) {
    auto linear = dyn_cast<ir::LinearOp>(use.getOwner());
    if (!linear || use.getOperandNumber() != 0 || linear.getNormStats() || linear.getResidual() == value ||
        wantedForm(linear).element != elementOf(value))
      return columns;
    stride = std::max(stride, wantedForm(linear).stride);
  }
  return stride;
}

FailureOr<Value> EntryLowering::allocate(Operation *op, RankedTensorType type, int64_t stride) {
  int64_t bytes = ir::elementBytes(type.getElementType()), extra = 0;
  StringAttr symbol;
  for (auto [index, dim] : llvm::enumerate(ir::dimsOf(type))) {
    if (!dim.isDynamic()) {
      bytes *= static_cast<int64_t>(index) + 1 == type.getRank() ? stride : dim.size;
      continue;
    }
    auto expr = dim.name ? ir::parseDim(dim.name.getValue()) : std::nullopt;
    if (!expr)
      return op->emitOpError() << "dimension " << index << " of " << type << " has no symbol; run ingot-infer-shapes";
    if (symbol)
      return op->emitOpError() << "result " << type << " has two dynamic dimensions, '" << symbol.getValue()
                               << "' and '" << expr->symbol
                               << "'; expected at most one, because memory is planned per unit of one symbol";
    symbol = builder.getStringAttr(expr->symbol);
    extra = expr->constant;
  }
  // symbol + constant rows fit in (1 + constant) times the symbol's, as every symbol in use is at least 1.
  bytes *= 1 + std::max<int64_t>(extra, 0);
  if (bytes <= 0)
    return op->emitOpError() << "result " << type << " has no elements";
  return plan::AllocOp::create(builder, op->getLoc(), bufferType(), builder.getI64IntegerAttr(bytes),
                               symbol ? FlatSymbolRefAttr::get(symbol) : FlatSymbolRefAttr())
      .getResult();
}

FailureOr<Value> EntryLowering::bufferOf(Operation *op, Value value) {
  Value origin = originOf(value);
  if (Value known = buffers.lookup(origin))
    return known;
  Value buffer;
  if (ir::isRecipe(origin)) {
    buffer = weight(tables.weights.add(origin, nodeName(op->getLoc()) + ".constant"), op);
  } else {
    auto temporary = allocate(op, tensorOf(origin), strideOf(origin));
    if (failed(temporary))
      return failure();
    buffer = *temporary;
  }
  buffers[origin] = buffer;
  return buffer;
}

Value EntryLowering::weight(StringAttr name, Operation *op) {
  Value &reference = weightBuffers[name];
  if (!reference)
    reference = plan::WeightRefOp::create(builder, op->getLoc(), bufferType(), FlatSymbolRefAttr::get(name));
  return reference;
}

// --- Symbols and sizes.

FailureOr<int64_t> EntryLowering::symbolOf(Operation *op, Value value, unsigned index) {
  ir::Dim dim = ir::dimOf(tensorOf(value), index);
  auto expr = dim.name ? ir::parseDim(dim.name.getValue()) : std::nullopt;
  if (!dim.isDynamic() || !expr || expr->constant != 0)
    return op->emitOpError() << "dimension " << index << " of " << value.getType() << " is " << dim.text()
                             << "; expected a symbol, from which its kernel takes the number of rows";
  return tables.symbolIndex(expr->symbol);
}

plan::SizeAttr EntryLowering::bytesOf(Value value) {
  auto type = tensorOf(value);
  if (!type)
    return constant(0);
  plan::SizeAttr size = constant(ir::elementBytes(type.getElementType()));
  for (const ir::Dim &dim : ir::dimsOf(type)) {
    plan::SizeAttr extent = sizeOf(dim);
    if (extent.isConstant())
      size = size.times(extent.getConstant());
    else if (size.isConstant())
      size = extent.times(size.getConstant());
    else
      return constant(0);
  }
  return size;
}

// --- Launches.

LogicalResult EntryLowering::requireF32(Operation *op, Value value, StringRef name) {
  if (!value || elementOf(value).isF32())
    return success();
  return op->emitOpError() << name << " is " << value.getType() << "; its kernel reads f32";
}

void EntryLowering::launch(Operation *op, StringAttr kernel, ArrayRef<Value> operands, plan::SizeAttr tiles,
                           plan::SizeAttr bytesRead, plan::SizeAttr operations, Location loc, plan::SizeAttr rows) {
  std::string node = nodeName(loc);
  plan::LaunchOp::create(builder, loc, FlatSymbolRefAttr::get(kernel), operands, tiles,
                         node.empty() ? StringAttr() : builder.getStringAttr(node), bytesRead, operations, UnitAttr(),
                         IntegerAttr(), rows);
}

LogicalResult EntryLowering::lower(Operation *op) {
  return llvm::TypeSwitch<Operation *, LogicalResult>(op)
      .Case<ir::EmbeddingOp, ir::LinearOp, ir::RopeAnglesOp, ir::RopeAppendOp, ir::AttentionOp, ir::SampleOp,
            ir::CallOp>([&](auto kind) { return lowerOp(kind); })
      .Case<ir::ReshapeOp, ir::CacheOp, ir::ReturnOp>([](auto) { return success(); })
      .Case<ir::CacheAppendOp>([](ir::CacheAppendOp append) {
        return append.emitOpError() << "was not fused with the attention of its layer: no kernel appends alone; "
                                       "expected one attention that reads layer "
                                    << append.getLayer() << " just after it is appended";
      })
      .Default([](Operation *op) -> LogicalResult {
        if (llvm::all_of(op->getResults(), [](Value value) { return ir::isRecipe(value); }))
          return success(); // stored where a launch reads it
        return op->emitOpError() << "has no kernel on the cpu target";
      });
}

LogicalResult EntryLowering::lowerOp(ir::SampleOp op) {
  KernelParams params(builder, "sample");
  params.set("vocabulary", lastDim(op.getLogits()));
  Operands operands;
  for (Value operand : op->getOperands())
    operands.add(bufferOf(op, operand));
  operands.add(bufferOf(op, op.getIds()));
  operands.add(bufferOf(op, op.getLogProbabilities()));
  if (operands.failed)
    return failure();
  // Of each logit: whether it is the largest, its distance from that, its exponential, the sum.
  plan::SizeAttr rows = rowsOf(op.getLogits());
  launch(op, tables.kernel(params, op.getLoc()), operands.values, rows, bytesOf(op.getLogits()),
         rows.times(4 * lastDim(op.getLogits())), op.getLoc());
  return success();
}

LogicalResult EntryLowering::lowerOp(ir::CallOp op) {
  Operands operands;
  for (Value input : op.getInputs())
    operands.add(bufferOf(op, input));
  for (Value result : op.getResults())
    operands.add(bufferOf(op, result));
  if (operands.failed)
    return failure();
  Value result = op.getResult(0);
  plan::SizeAttr tiles = tensorOf(result).getRank() == 0 ? constant(1) : rowsOf(result);
  FunctionWork work{constant(0), constant(0)};
  if (auto callee = SymbolTable::lookupNearestSymbolFrom<func::FuncOp>(entry, op.getCalleeAttr()))
    work = workOf(callee);
  launch(op, tables.kernel(op.getCalleeAttr(), op.getLoc()), operands.values, tiles, work.bytesRead, work.operations,
         op.getLoc());
  return success();
}

ProgramTables::ProgramTables(plan::ProgramOp program) : weights(program), program(program) {
  for (auto symbol : program.getOps<plan::SymbolOp>())
    symbols.push_back(symbol.getSymName());
}

int64_t ProgramTables::symbolIndex(StringRef symbol) const {
  auto found = llvm::find(symbols, symbol);
  return found == symbols.end() ? -1 : found - symbols.begin();
}

StringAttr ProgramTables::kernel(const KernelParams &params, Location loc) {
  OpBuilder builder = OpBuilder::atBlockEnd(&program.getBody().front());
  auto name = builder.getStringAttr(params.templateName());
  DictionaryAttr values = params.attribute();
  StringAttr &key = kernels[{name, values}];
  if (key)
    return key;
  std::string text = params.key(symbols);
  if (unsigned &count = taken[text]; ++count > 1)
    text += "#" + std::to_string(count);
  key = builder.getStringAttr(text);
  plan::KernelOp::create(builder, loc, key, name, values, FlatSymbolRefAttr(), builder.getI64IntegerAttr(0));
  return key;
}

StringAttr ProgramTables::kernel(FlatSymbolRefAttr body, Location loc) {
  StringAttr &key = kernels[{body, Attribute()}];
  if (key)
    return key;
  OpBuilder builder = OpBuilder::atBlockEnd(&program.getBody().front());
  key = builder.getStringAttr("linalg-" + body.getValue());
  plan::KernelOp::create(builder, loc, key, StringAttr(), DictionaryAttr(), body, builder.getI64IntegerAttr(0));
  return key;
}

LogicalResult lowerEntry(ir::EntryOp entry, plan::ProgramOp program, ProgramTables &tables) {
  return EntryLowering(entry, program, tables).run();
}

} // namespace ingot::passes
