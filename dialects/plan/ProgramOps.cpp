// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Verifiers of what a program declares: symbols, cache groups, weights with recipes, kernels, entries.
#include "dialects/plan/PlanDialect.h"
#include "dialects/plan/Templates.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;

namespace ingot::plan {

// --- program.

void ProgramOp::build(OpBuilder &builder, OperationState &state, StringRef name, int64_t vocabulary,
                      int64_t contextLength) {
  state.addAttribute(getSymNameAttrName(state.name), builder.getStringAttr(name));
  state.addAttribute(getVocabularyAttrName(state.name), builder.getI64IntegerAttr(vocabulary));
  state.addAttribute(getContextLengthAttrName(state.name), builder.getI64IntegerAttr(contextLength));
  state.addRegion()->emplaceBlock();
}

int64_t ProgramOp::symbolIndex(StringRef symbol) {
  int64_t index = 0;
  for (auto op : getBody().getOps<SymbolOp>()) {
    if (op.getSymName() == symbol)
      return index;
    ++index;
  }
  return -1;
}

LogicalResult ProgramOp::verify() {
  if (getArenaBytes().has_value() != getArenaBytesConstant().has_value()) // program-c1
    return emitOpError("arena_bytes and arena_bytes_constant are given together or not at all");
  if (getArenaBytes()) {
    size_t symbols = llvm::range_size(getBody().getOps<SymbolOp>());
    if (getArenaBytes()->size() != symbols)
      return emitOpError() << "arena_bytes has " << getArenaBytes()->size() << " entries for " << symbols << " symbols";
    ArrayRef<int64_t> arenas = *getArenaBytes();
    for (int64_t bytes : arenas)
      if (bytes < 0)
        return emitOpError() << "arena_bytes must not be negative, found " << bytes;
    if (static_cast<int64_t>(*getArenaBytesConstant()) < 0)
      return emitOpError() << "arena_bytes_constant must not be negative, found "
                           << static_cast<int64_t>(*getArenaBytesConstant());
  }
  for (auto [name, value] :
       {std::pair<StringRef, int64_t>("vocabulary", getVocabulary()), {"context_length", getContextLength()}})
    if (value < 0) // program-c2
      return emitOpError() << name << " must not be negative, found " << value;
  return success();
}

LogicalResult SymbolOp::verify() {
  if (getMax() && static_cast<int64_t>(*getMax()) <= 0) // symbol-c1
    return emitOpError() << "max must be positive, found " << static_cast<int64_t>(*getMax());
  return ir::checkDerived(*this, getMaxAttr(), getValueAttr(), getDataAttr(), getRequirementAttr()); // symbol-c1, symbol-c2, symbol-c3
}

// --- cache_group.

int64_t CacheGroupOp::planeIndex(StringRef name) {
  for (auto [index, plane] : llvm::enumerate(getPlanes().getAsRange<PlaneAttr>()))
    if (plane.getName() == name)
      return index;
  return -1;
}

LogicalResult CacheGroupOp::verify() {
  int64_t layers = getLayers(), pageTokens = getPageTokens();
  if (layers <= 0) // cache-group-c1
    return emitOpError() << "layers must be positive, found " << layers;
  if (pageTokens <= 0 || pageTokens % 16)
    return emitOpError() << "page_tokens must be a positive multiple of 16, found " << pageTokens;
  if (!llvm::is_contained({"full", "window", "source"}, getRetention())) // cache-group-c2
    return emitOpError() << "retention must be \"full\", \"window\" or \"source\", found " << getRetentionAttr();
  bool window = getRetention() == "window";
  if (window != getWindow().has_value() || (window && static_cast<int64_t>(*getWindow()) <= 0))
    return emitOpError() << (window ? "retention \"window\" needs a positive window"
                                    : "window needs retention \"window\"");
  llvm::StringSet<> names;
  for (auto plane : getPlanes().getAsRange<PlaneAttr>())
    if (!names.insert(plane.getName()).second) // cache-group-c3
      return emitOpError() << "has the plane \"" << plane.getName() << "\" twice";
  if (names.empty())
    return emitOpError("needs at least one plane");
  return success();
}

// --- weight.

StringRef layoutOf(Value recipe) {
  if (auto pack = recipe.getDefiningOp<ir::PackOp>())
    return pack.getLayout();
  return recipe.getDefiningOp<ir::PackGroupsOp>() ? "n16g" : "row_major";
}

Value WeightOp::getYielded() {
  if (getRecipe().empty() || getRecipe().front().empty())
    return {};
  auto yield = dyn_cast<YieldOp>(getRecipe().front().back());
  return yield ? yield.getValue() : Value();
}

int64_t WeightOp::getBytes() {
  return getTensorType().getNumElements() * ir::elementBytes(getTensorType().getElementType());
}

LogicalResult WeightOp::verifyRegions() {
  Value yielded = getYielded();
  if (!getTensorType().hasStaticShape()) // weight-c1
    return emitOpError() << "type must be static, found " << getType();
  if (!yielded || yielded.getType() != getType())
    return emitOpError() << "recipe gives " << (yielded ? yielded.getType() : Type()) << "; the weight is "
                         << getType();
  for (Operation &op : getRecipe().front().without_terminator())
    if (op.getNumResults() == 0 || !ir::isRecipe(op.getResult(0))) // weight-c2
      return op.emitOpError("does not depend on weights alone, in a recipe");
  StringRef layout = layoutOf(yielded);
  if (getLayout() != layout) // weight-c3
    return emitOpError() << "layout is " << getLayoutAttr() << "; the recipe gives \"" << layout << "\"";
  return success();
}

// --- kernel.

LogicalResult KernelOp::verify() {
  bool isTemplate = getTemplateName().has_value();
  if (isTemplate == getBody().has_value() || isTemplate != getParams().has_value()) // kernel-c1
    return emitOpError("needs a template with params, or a body without");
  if (static_cast<int64_t>(getScratch()) < 0) // kernel-c5
    return emitOpError() << "scratch must not be negative, found " << static_cast<int64_t>(getScratch());
  if (!isTemplate)
    return success();
  ArrayRef<TemplateParam> params = templateParams(*getTemplateName());
  if (params.empty()) // kernel-c2
    return emitOpError() << "template " << getTemplateNameAttr() << " is not known";
  for (TemplateParam param : params) { // kernel-c3
    Attribute value = getParams()->get(param.name);
    if (!value && param.isOptional)
      continue;
    if (!value)
      return emitOpError() << "has no param \"" << param.name << "\" of template " << getTemplateNameAttr();
    auto integer = dyn_cast<IntegerAttr>(value);
    auto real = dyn_cast<FloatAttr>(value);
    if (param.isFloat ? !real || !real.getType().isF32() : !integer || !integer.getType().isSignlessInteger(32))
      return emitOpError() << "param \"" << param.name << "\" must be of " << (param.isFloat ? "f32" : "i32")
                           << ", found " << value;
  }
  for (NamedAttribute given : getParamsAttr())
    if (llvm::none_of(params, [&](TemplateParam param) { return param.name == given.getName(); }))
      return emitOpError() << "param " << given.getName() << " is not one of template " << getTemplateNameAttr();
  return success();
}

LogicalResult KernelOp::verifySymbolUses(SymbolTableCollection &tables) {
  if (getBody() &&
      !ir::lookup<func::FuncOp>(*this, getBodyAttr().getAttr(), tables)) // kernel-c4
    return emitOpError() << "body " << getBodyAttr() << " is not a function of the program or its module";
  return success();
}

// --- entry.

void EntryOp::build(OpBuilder &builder, OperationState &state, StringRef name, FunctionType type, ArrayAttr argNames,
                    ArrayAttr resNames) {
  state.addAttribute(getSymNameAttrName(state.name), builder.getStringAttr(name));
  state.addAttribute(getFunctionTypeAttrName(state.name), TypeAttr::get(type));
  state.addAttribute(getArgNamesAttrName(state.name), argNames);
  state.addAttribute(getResNamesAttrName(state.name), resNames);
  state.addRegion()->emplaceBlock();
}

static int64_t indexOf(ArrayAttr names, StringRef name) {
  for (auto [index, attr] : llvm::enumerate(names.getAsRange<StringAttr>()))
    if (attr.getValue() == name)
      return index;
  return -1;
}

int64_t EntryOp::inputIndex(StringRef name) { return indexOf(getArgNames(), name); }
int64_t EntryOp::outputIndex(StringRef name) { return indexOf(getResNames(), name); }

LogicalResult EntryOp::verify() {
  FunctionType type = getFunctionType();
  if (getArgNames().size() != type.getNumInputs()) // entry-c1
    return emitOpError() << "arg_names has " << getArgNames().size() << " names for " << type.getNumInputs()
                         << " inputs";
  if (getResNames().size() != type.getNumResults())
    return emitOpError() << "res_names has " << getResNames().size() << " names for " << type.getNumResults()
                         << " outputs";
  for (ArrayAttr names : {getArgNames(), getResNames()})
    for (auto [index, name] : llvm::enumerate(names.getAsRange<StringAttr>()))
      if (indexOf(names, name.getValue()) != static_cast<int64_t>(index))
        return emitOpError() << "has the name " << name << " twice";
  return success();
}

LogicalResult EntryOp::verifySymbolUses(SymbolTableCollection &) {
  auto program = cast<ProgramOp>((*this)->getParentOp());
  auto check = [&](StringRef what, Attribute name, Type type) -> LogicalResult { // entry-c2
    auto tensor = dyn_cast<RankedTensorType>(type);
    if (!tensor)
      return emitOpError() << what << " " << name << " must be a tensor, found " << type;
    for (auto [index, dim] : llvm::enumerate(ir::dimsOf(tensor))) {
      if (!dim.isDynamic())
        continue;
      std::optional<ir::DimExpr> expr = dim.name ? ir::parseDim(dim.name.getValue()) : std::nullopt;
      if (!expr || program.symbolIndex(expr->symbol) < 0)
        return emitOpError() << what << " " << name << ": dimension " << index << " is " << dim.text()
                             << ", which no plan.symbol declares";
    }
    return success();
  };
  for (auto [name, type] : llvm::zip(getArgNames(), getFunctionType().getInputs()))
    if (failed(check("input", name, type)))
      return failure();
  for (auto [name, type] : llvm::zip(getResNames(), getFunctionType().getResults()))
    if (failed(check("output", name, type)))
      return failure();
  return success();
}

LogicalResult EntryOp::verifyRegions() {
  for (Operation &op : getBody().front())
    if (!isa<InputOp, OutputOp, WeightRefOp, CachePlaneOp, AllocOp, ViewOp, LaunchOp, SetSymbolOp>(op)) // entry-c3
      return op.emitOpError("does not belong in a plan.entry, which holds buffers, launches and settings of symbols");
  return success();
}

} // namespace ingot::plan
