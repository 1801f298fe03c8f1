// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// An entry's ops to launches (see EntryLowering.h). Operands of each launch stand in the order that
// compiler/target/templates/params.h states for the template.
//
// A value is a buffer of rows. Rows that only products read may be padded: `stride` elements apart, with zeros behind
// the last column, as their packed weights want them; all others lie side by side.
#include "passes/lowering/EntryLoweringImpl.h"
#include "passes/lowering/FunctionWork.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace ingot::passes {

LogicalResult EntryLowering::run() {
  builder.setInsertionPointToEnd(&program.getBody().front());
  auto plan = plan::EntryOp::create(builder, entry.getLoc(), entry.getSymName(), signature(), entry.getArgNames(),
                                    entry.getResNames());
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

// The file has no sizes with negative parts, so symbol - constant is a symbol of its own there.
FunctionType EntryLowering::signature() {
  auto grown = [&](Type type) -> Type {
    auto tensor = cast<RankedTensorType>(type);
    SmallVector<ir::Dim> dims = ir::dimsOf(tensor);
    for (ir::Dim &dim : dims)
      if (auto expr = dim.isDynamic() ? ir::parseDim(dim.name.getValue()) : std::nullopt; expr && expr->constant < 0)
        dim.name = tables.sum(*expr);
    return ir::tensorType(dims, tensor.getElementType());
  };
  FunctionType type = entry.getFunctionType();
  return FunctionType::get(builder.getContext(), llvm::map_to_vector(type.getInputs(), grown),
                           llvm::map_to_vector(type.getResults(), grown));
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
  SmallVector<ir::Dim> dims = ir::dimsOf(type);
  for (auto [index, dim] : llvm::enumerate(dims))
    if (dim.isDynamic() && (!dim.name || !ir::parseDim(dim.name.getValue())))
      return op->emitOpError() << "dimension " << index << " of " << type << " has no symbol; run ingot-infer-shapes";
  if (!dims.empty() && !dims.back().isDynamic())
    dims.back() = stride;
  dims.push_back(ir::elementBytes(type.getElementType()));
  std::optional<ProgramTables::Extent> bytes = tables.product(dims);
  if (!bytes)
    return op->emitOpError() << "result " << type << " has more than 2^63 bytes";
  if (bytes->factor == 0)
    return op->emitOpError() << "result " << type << " has no elements";
  return plan::AllocOp::create(builder, op->getLoc(), bufferType(), builder.getI64IntegerAttr(bytes->factor),
                               bytes->symbol ? FlatSymbolRefAttr::get(bytes->symbol) : FlatSymbolRefAttr())
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
  if (dim.isDynamic() && !expr)
    return op->emitOpError() << "dimension " << index << " of " << value.getType() << " is " << dim.text()
                             << "; expected a symbol, from which its kernel takes the number of rows";
  if (!dim.isDynamic()) // a symbol that always has this value
    return tables.symbolIndex(tables.number(dim.size));
  return tables.symbolIndex(expr->constant == 0 ? expr->symbol : tables.sum(*expr).getValue());
}

std::optional<plan::SizeAttr> EntryLowering::countOf(ArrayRef<ir::Dim> dims) {
  std::optional<ProgramTables::Extent> count = tables.product(dims);
  if (!count)
    return std::nullopt;
  return count->symbol ? plan::SizeAttr::get(builder.getContext(), count->symbol.getValue(), count->factor)
                       : constant(count->factor);
}

plan::SizeAttr EntryLowering::bytesOf(Value value) {
  auto type = tensorOf(value);
  if (!type)
    return constant(0);
  SmallVector<ir::Dim> dims = ir::dimsOf(type);
  plan::SizeAttr size = constant(ir::elementBytes(type.getElementType()));
  if (llvm::count_if(dims, [](const ir::Dim &dim) { return dim.isDynamic(); }) > 1) {
    dims.push_back(ir::elementBytes(type.getElementType()));
    return countOf(dims).value_or(constant(0));
  }
  for (const ir::Dim &dim : dims) {
    plan::SizeAttr extent = sizeOf(dim);
    size = extent.isConstant() ? size.times(extent.getConstant()) : extent.times(size.getConstant());
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
  if (tiles.isConstant() && tiles.getConstant() == 0) // a result without elements
    return;
  std::string node = nodeName(loc);
  plan::LaunchOp::create(builder, loc, FlatSymbolRefAttr::get(kernel), operands, tiles,
                         node.empty() ? StringAttr() : builder.getStringAttr(node), bytesRead, operations, UnitAttr(),
                         IntegerAttr(), rows);
}

LogicalResult EntryLowering::lower(Operation *op) {
  return llvm::TypeSwitch<Operation *, LogicalResult>(op)
      .Case<ir::EmbeddingOp, ir::LinearOp, ir::RopeAnglesOp, ir::RopeAppendOp, ir::AttentionOp, ir::SampleOp,
            ir::ScaledDotProductAttentionOp, ir::ConvolutionOp, ir::CallOp>([&](auto kind) { return lowerOp(kind); })
      .Case([&](ir::SetSymbolOp set) -> LogicalResult {
        FailureOr<Value> value = bufferOf(set, set.getValue());
        if (failed(value))
          return failure();
        plan::SetSymbolOp::create(builder, set.getLoc(), set.getSymbolAttr(), *value);
        return success();
      })
      .Case<ir::ReshapeOp, ir::CacheOp, ir::KeepOp, ir::ReturnOp>([](auto) { return success(); })
      .Case<ir::CacheAppendOp>([](ir::CacheAppendOp append) {
        return append.emitOpError() << "was not fused with the attention of its layer; expected one attention that reads layer "
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
  Operands operands = operandsOf(op);
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
    know(symbol);
}

// --- Derived symbols.

static ir::SymbolExpr::Product sorted(ir::SymbolExpr::Product product) {
  llvm::sort(product.symbols);
  return product;
}

ir::SymbolExpr::Product ProgramTables::factorsOf(StringRef symbol) const {
  ir::SymbolExpr::Product whole;
  auto found = values.find(symbol);
  std::optional<ir::SymbolExpr::Product> product = found == values.end() ? std::nullopt : found->second.product();
  if (!product)
    return {1, {symbol}};
  whole.factor = product->factor;
  for (StringRef inner : product->symbols) {
    ir::SymbolExpr::Product factors = factorsOf(inner);
    if (__builtin_mul_overflow(whole.factor, factors.factor, &whole.factor))
      return {1, {symbol}};
    llvm::append_range(whole.symbols, factors.symbols);
  }
  return whole;
}

void ProgramTables::know(plan::SymbolOp symbol) {
  StringAttr name = symbol.getSymNameAttr();
  symbols.push_back(name.getValue());
  std::string why;
  if (symbol.getValue() && !symbol.getRequirement())
    if (std::optional<ir::SymbolExpr> value = ir::SymbolExpr::parse(*symbol.getValue(), why)) {
      values[name.getValue()] = *value;
      sums.try_emplace(value->text(), name);
      if (ir::SymbolExpr::Product product = sorted(factorsOf(name.getValue())); product.factor == 1)
        products.try_emplace(llvm::join(product.symbols, "*"), name);
    }
}

StringAttr ProgramTables::declare(StringRef name, const ir::SymbolExpr &value) {
  std::string free = name.str();
  for (unsigned i = 2; symbolIndex(free) >= 0; ++i)
    free = name.str() + "_" + std::to_string(i);
  // After the last symbol, so that those before keep their numbers.
  OpBuilder builder = OpBuilder::atBlockBegin(&program.getBody().front());
  for (auto symbol : program.getOps<plan::SymbolOp>())
    builder.setInsertionPointAfter(symbol);
  know(plan::SymbolOp::create(builder, program.getLoc(), builder.getStringAttr(free), IntegerAttr(),
                              builder.getStringAttr(value.text()), StringAttr(), StringAttr()));
  return builder.getStringAttr(free);
}

StringAttr ProgramTables::number(int64_t value) {
  ir::SymbolExpr expr = ir::SymbolExpr::constant(value);
  if (StringAttr known = sums.lookup(expr.text()))
    return known;
  return declare("rows_" + std::to_string(value), expr);
}

StringAttr ProgramTables::sum(const ir::DimExpr &expr) {
  const bool less = expr.constant < 0;
  const int64_t magnitude = less ? -expr.constant : expr.constant;
  ir::SymbolExpr value =
      ir::SymbolExpr::symbol(expr.symbol)
          .combine(less ? ingot::symbols::Op::subtract : ingot::symbols::Op::add, ir::SymbolExpr::constant(magnitude));
  if (StringAttr known = sums.lookup(value.text()))
    return known;
  return declare((expr.symbol + (less ? "_minus_" : "_plus_") + Twine(magnitude)).str(), value);
}

std::optional<ProgramTables::Extent> ProgramTables::product(ArrayRef<ir::Dim> dims) {
  Extent extent{1, StringAttr()};
  auto multiply = [&](int64_t factor) { return !__builtin_mul_overflow(extent.factor, factor, &extent.factor); };
  SmallVector<StringRef> named, factors;
  for (const ir::Dim &dim : dims) {
    if (!dim.isDynamic()) {
      if (!multiply(dim.size))
        return std::nullopt;
      continue;
    }
    ir::DimExpr expr = *ir::parseDim(dim.name.getValue());
    named.push_back(expr.constant == 0 ? expr.symbol : sum(expr).getValue());
  }
  MLIRContext *context = program.getContext();
  if (named.size() == 1) { // also where it is a product itself: its rows are counted by it
    extent.symbol = StringAttr::get(context, named.front());
    return extent;
  }
  for (StringRef name : named) {
    ir::SymbolExpr::Product inner = factorsOf(name);
    if (!multiply(inner.factor))
      return std::nullopt;
    llvm::append_range(factors, inner.symbols);
  }
  if (factors.empty())
    return extent;
  llvm::sort(factors);
  if (factors.size() == 1) {
    extent.symbol = StringAttr::get(context, factors.front());
    return extent;
  }
  if (StringAttr known = products.lookup(llvm::join(factors, "*"))) {
    extent.symbol = known;
    return extent;
  }
  ir::SymbolExpr value = ir::SymbolExpr::symbol(factors.front());
  for (StringRef factor : ArrayRef(factors).drop_front())
    value = value.combine(ingot::symbols::Op::multiply, ir::SymbolExpr::symbol(factor));
  extent.symbol = declare(llvm::join(factors, "_x_"), value);
  return extent;
}

// --- Kernels.

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
