// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Verifiers and syntax of what stands at the top of a module: symbols, cache groups, tensors, entries. Also the checks
// that several op families share (Verify.h).
#include "dialects/ingot/SymbolExpr.h"
#include "dialects/ingot/Verify.h"
#include "mlir/IR/Builders.h"
#include "mlir/Interfaces/FunctionImplementation.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;

namespace ingot::ir {

LogicalResult checkDim(Operation *op, StringRef operand, Value value, unsigned index, const Dim &expected,
                       StringRef of) {
  Dim found = dimOf(tensorOf(value), index);
  if (found.agrees(expected))
    return success();
  return op->emitOpError() << operand << " has " << found.text() << " in dimension " << index << "; expected "
                           << expected.text() << ", " << of;
}

LogicalResult checkCacheUse(Operation *op, CacheType cache, std::optional<int64_t> layer,
                            std::optional<int64_t> kvHeads, std::optional<int64_t> headDim) {
  CacheGroupOp group = cacheGroupOf(op, cache);
  if (!group)
    return op->emitOpError() << "cache group " << cache.getGroup() << " is not declared by an ingot.cache_group";
  if (kvHeads && *kvHeads != static_cast<int64_t>(group.getKvHeads()))
    return op->emitOpError() << "has " << *kvHeads << " kv heads; cache group " << cache.getGroup() << " has "
                             << group.getKvHeads();
  if (headDim && *headDim != static_cast<int64_t>(group.getHeadDim()))
    return op->emitOpError() << "has heads of " << *headDim << " elements; those of cache group " << cache.getGroup()
                             << " have " << group.getHeadDim();
  if (layer && (*layer < 0 || *layer >= static_cast<int64_t>(group.getLayers())))
    return op->emitOpError() << "layer " << *layer << " is not one of the " << group.getLayers()
                             << " layers of cache group " << cache.getGroup();
  return success();
}

EntryOp openEntry(OpBuilder &builder, ModuleOp module, Location loc, StringRef name, ArrayRef<EntryParameter> arguments,
                  ArrayRef<EntryParameter> results) {
  SmallVector<Type> argTypes, resTypes;
  SmallVector<StringRef> argNames, resNames;
  for (const EntryParameter &argument : arguments) {
    argTypes.push_back(argument.type);
    argNames.push_back(argument.name);
  }
  for (const EntryParameter &result : results) {
    resTypes.push_back(result.type);
    resNames.push_back(result.name);
  }
  builder.setInsertionPointToEnd(module.getBody());
  auto entry = EntryOp::create(builder, loc, name, builder.getFunctionType(argTypes, resTypes), argNames, resNames);
  builder.setInsertionPointToEnd(&entry.getBody().front());
  return entry;
}

LogicalResult checkDerived(Operation *symbol, IntegerAttr max, StringAttr value, StringAttr data, StringAttr requirement) {
  if (requirement && (!value || requirement.empty()))
    return symbol->emitOpError("has a requirement, which is said in words of a symbol that is derived");
  if (value && data)
    return symbol->emitOpError("has a value, which it always has, and data, its largest value; give one of them");
  const StringRef what = data ? "data" : "value";
  if (data)
    value = data;
  if (!value)
    return success();
  if (max)
    return symbol->emitOpError() << "has a " << what << ", from which its bound follows, and a max; give one of them";
  std::string why;
  std::optional<SymbolExpr> expr = SymbolExpr::parse(value.getValue(), why);
  if (!expr)
    return symbol->emitOpError() << what << ": " << why;
  llvm::StringSet<> before;
  for (Operation &op : *symbol->getBlock()) {
    if (&op == symbol)
      break;
    if (op.getName() == symbol->getName())
      before.insert(SymbolTable::getSymbolName(&op).getValue());
  }
  for (StringRef name : expr->names())
    if (!before.contains(name))
      return symbol->emitOpError() << what << " \"" << value.getValue() << "\" names @" << name
                                   << ", which is not declared before it";
  return success();
}

LogicalResult SymbolOp::verify() {
  if (!isSymbolName(getSymName())) // symbol-c1
    return emitOpError() << "name \"" << getSymName()
                         << "\" is not a letter followed by letters, digits and underscores";
  if (getMax() && static_cast<int64_t>(*getMax()) <= 0) // symbol-c2
    return emitOpError() << "max must be positive, found " << static_cast<int64_t>(*getMax());
  return checkDerived(*this, getMaxAttr(), getValueAttr(), getDataAttr(), getRequirementAttr()); // symbol-c2 to symbol-c4
}

LogicalResult SetSymbolOp::verifySymbolUses(SymbolTableCollection &tables) {
  auto symbol = lookup<SymbolOp>(*this, getSymbolAttr().getAttr(), tables);
  if (!symbol || !symbol.getData()) // set-symbol-c1
    return emitOpError() << "symbol " << getSymbolAttr() << " is not declared by an ingot.symbol with data";
  return success();
}

LogicalResult SetSymbolOp::verify() {
  auto type = cast<RankedTensorType>(getValue().getType()); // set-symbol-c2
  if (!type.getElementType().isSignlessInteger(64) || type.getRank() > 1 || !type.hasStaticShape() ||
      type.getNumElements() != 1)
    return emitOpError() << "value must be one i64, found " << type;
  return success();
}

LogicalResult CacheGroupOp::verify() {
  for (auto [name, value] :
       {std::pair<StringRef, int64_t>("layers", getLayers()), {"kv_heads", getKvHeads()}, {"head_dim", getHeadDim()}})
    if (value <= 0) // cache-group-c1
      return emitOpError() << name << " must be positive, found " << value;
  bool window = getRetention() == "window";
  if (window != getWindow().has_value()) // cache-group-c2
    return emitOpError() << (window ? "retention \"window\" needs a window" : "window needs retention \"window\"");
  if (window && static_cast<int64_t>(*getWindow()) <= 0)
    return emitOpError() << "window must be positive, found " << static_cast<int64_t>(*getWindow());
  unsigned given = getPageTokens().has_value() + getElementType().has_value() + getKeyLayout().has_value() +
                   getValueLayout().has_value();
  if (given != 0 && given != 4) // cache-group-c3
    return emitOpError("page_tokens, element_type, key_layout and value_layout are given together or not at all");
  if (given == 0)
    return success();
  int64_t pageTokens = *getPageTokens();
  if (pageTokens <= 0 || pageTokens % 16) // cache-group-c4
    return emitOpError() << "page_tokens must be a positive multiple of 16, found " << pageTokens;
  Type element = *getElementType();
  if (!element.isF32() && !element.isF16() && !element.isBF16() && !element.isSignlessInteger(8)) // cache-group-c5
    return emitOpError() << "element_type must be f32, f16, bf16 or i8, found " << element;
  return success();
}

LogicalResult TensorOp::verify() {
  unsigned given = getFile().has_value() + getOffset().has_value() + getBytes().has_value();
  if (getDummy() ? given != 0 : given != 3) // tensor-c1
    return emitOpError("needs file, offset and bytes, or dummy and none of them");
  RankedTensorType type = getTensorType();
  if (!type.hasStaticShape()) // tensor-c2
    return emitOpError() << "shape must be static, found " << type;
  if (getDummy())
    return success();
  int64_t bytes = type.getNumElements() * elementBytes(type.getElementType());
  if (static_cast<int64_t>(*getBytes()) != bytes) // tensor-c3
    return emitOpError() << "has " << static_cast<int64_t>(*getBytes()) << " bytes; " << type << " takes " << bytes;
  if (static_cast<int64_t>(*getOffset()) < 0) // tensor-c4
    return emitOpError() << "offset must not be negative, found " << static_cast<int64_t>(*getOffset());
  return success();
}

// --- entry.

void EntryOp::build(OpBuilder &builder, OperationState &state, StringRef name, FunctionType type,
                    ArrayRef<StringRef> argNames, ArrayRef<StringRef> resNames) {
  state.addAttribute(getSymNameAttrName(state.name), builder.getStringAttr(name));
  state.addAttribute(getFunctionTypeAttrName(state.name), TypeAttr::get(type));
  state.addAttribute(getArgNamesAttrName(state.name), builder.getStrArrayAttr(argNames));
  state.addAttribute(getResNamesAttrName(state.name), builder.getStrArrayAttr(resNames));
  Block &block = state.addRegion()->emplaceBlock();
  for (Type input : type.getInputs())
    block.addArgument(input, state.location);
}

ParseResult EntryOp::parse(OpAsmParser &parser, OperationState &result) {
  auto functionType = [](Builder &builder, ArrayRef<Type> arguments, ArrayRef<Type> results,
                         function_interface_impl::VariadicFlag,
                         std::string &) { return builder.getFunctionType(arguments, results); };
  return function_interface_impl::parseFunctionOp(parser, result, /*allowVariadic=*/false,
                                                  getFunctionTypeAttrName(result.name), functionType,
                                                  getArgAttrsAttrName(result.name), getResAttrsAttrName(result.name));
}

void EntryOp::print(OpAsmPrinter &printer) {
  function_interface_impl::printFunctionOp(printer, *this, /*isVariadic=*/false, getFunctionTypeAttrName(),
                                           getArgAttrsAttrName(), getResAttrsAttrName());
}

BlockArgument EntryOp::argumentNamed(StringRef name) {
  for (auto [index, attr] : llvm::enumerate(getArgNames()))
    if (cast<StringAttr>(attr).getValue() == name)
      return getBody().getArgument(index);
  return nullptr;
}

// The first name that occurs twice, or null.
static StringAttr duplicate(ArrayAttr names) {
  llvm::StringSet<> seen;
  for (auto name : names.getAsRange<StringAttr>())
    if (!seen.insert(name.getValue()).second)
      return name;
  return nullptr;
}

LogicalResult EntryOp::verify() {
  FunctionType type = getFunctionType();
  if (getArgNames().size() != type.getNumInputs()) // entry-c1
    return emitOpError() << "arg_names has " << getArgNames().size() << " names for " << type.getNumInputs()
                         << " arguments";
  if (getResNames().size() != type.getNumResults())
    return emitOpError() << "res_names has " << getResNames().size() << " names for " << type.getNumResults()
                         << " results";
  for (ArrayAttr names : {getArgNames(), getResNames()})
    if (StringAttr name = duplicate(names)) // entry-c2
      return emitOpError() << "has the name " << name << " twice";
  return success();
}

LogicalResult EntryOp::verifySymbolUses(SymbolTableCollection &tables) {
  llvm::SmallDenseSet<Attribute> checked; // encodings
  llvm::StringSet<> declared;
  auto check = [&](Operation *op, Type type) -> LogicalResult {
    auto tensor = dyn_cast<RankedTensorType>(type);
    auto dims = tensor ? dyn_cast_or_null<DimsAttr>(tensor.getEncoding()) : DimsAttr();
    if (!dims || !checked.insert(dims).second)
      return success();
    for (StringAttr expr : dims.getExprs()) {
      std::optional<DimExpr> dim = expr.empty() ? std::nullopt : parseDim(expr.getValue());
      if (!dim || !declared.insert(dim->symbol).second)
        continue;
      auto name = StringAttr::get(getContext(), dim->symbol);
      if (!lookup<SymbolOp>(*this, name, tables)) // entry-c3
        return op->emitOpError() << "has a dimension named by @" << dim->symbol << ", which no ingot.symbol declares";
    }
    return success();
  };
  for (Type type : getFunctionType().getInputs())
    if (failed(check(*this, type)))
      return failure();
  WalkResult walk = getBody().walk([&](Operation *op) {
    for (Type type : op->getResultTypes())
      if (failed(check(op, type)))
        return WalkResult::interrupt();
    return WalkResult::advance();
  });
  return failure(walk.wasInterrupted());
}

LogicalResult ReturnOp::verify() {
  auto entry = cast<EntryOp>((*this)->getParentOp());
  ArrayRef<Type> expected = entry.getFunctionType().getResults();
  if (expected.size() != getNumOperands()) // return-c1
    return emitOpError() << "gives " << getNumOperands() << " values; entry @" << entry.getSymName() << " has "
                         << expected.size() << " results";
  for (auto [index, type] : llvm::enumerate(expected))
    if (getOperand(index).getType() != type)
      return emitOpError() << "operand " << index << " is " << getOperand(index).getType() << "; result \""
                           << entry.getResName(index) << "\" of entry @" << entry.getSymName() << " is " << type;
  return success();
}

} // namespace ingot::ir
