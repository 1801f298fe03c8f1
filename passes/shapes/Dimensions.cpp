// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Checks that dynamic dimensions are named (see Dimensions.h).
#include "passes/shapes/Dimensions.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;

namespace ingot::passes {

SmallVector<ir::Dim> withoutOnes(ArrayRef<ir::Dim> dims) {
  return llvm::to_vector(llvm::make_filter_range(dims, [](const ir::Dim &dim) { return dim.size != 1; }));
}

bool isLastIndex(ir::SizeOp size, const ir::Dim &dim) {
  if (!dim.name)
    return false;
  const std::string last = (dim.name.getValue() + "-1").str();
  auto symbol = ir::lookup<ir::SymbolOp>(size, StringAttr::get(size.getContext(), size.getExpr()));
  return size.getExpr() == last || (symbol && symbol.getValue() == StringRef(last));
}

// The dynamic dimension of `type` that no symbol names, or -1.
static int64_t unnamedDimension(Type type) {
  if (auto tensor = dyn_cast<RankedTensorType>(type))
    for (auto [index, dim] : llvm::enumerate(ir::dimsOf(tensor)))
      if (dim.isDynamic() && !dim.name)
        return index;
  return -1;
}

LogicalResult checkArgumentsNamed(ir::EntryOp entry) {
  for (auto [index, type] : llvm::enumerate(entry.getArgumentTypes()))
    if (int64_t dim = unnamedDimension(type); dim >= 0)
      return entry.emitError() << "dimension " << dim << " of argument '" << entry.getArgName(index) << "' (" << type
                               << ") is dynamic and has no symbol; name it with #ingot.dims";
  return success();
}

LogicalResult checkResultsNamed(Operation *op) {
  for (auto [index, type] : llvm::enumerate(op->getResultTypes()))
    if (int64_t dim = unnamedDimension(type); dim >= 0)
      return op->emitOpError() << "dimension " << dim << " of result " << index << " (" << type
                               << ") is dynamic, and no symbol names it: memory cannot be planned for it";
  return success();
}

LogicalResult checkNamed(ir::EntryOp entry) {
  if (failed(checkArgumentsNamed(entry)))
    return failure();
  for (Operation &op : entry.getBody().front())
    if (failed(checkResultsNamed(&op)))
      return failure();
  return success();
}

ir::Dim productOf(ir::EntryOp entry, ArrayRef<ir::Dim> dims) {
  int64_t factor = 1;
  SmallVector<std::string> names;
  StringAttr only;
  for (const ir::Dim &dim : dims) {
    if (!dim.isDynamic()) {
      factor *= dim.size;
      continue;
    }
    StringRef name = dim.name.getValue();
    names.push_back(name.find_first_of("+-") == StringRef::npos ? name.str() : "(" + name.str() + ")");
    only = dim.name;
  }
  if (names.empty() || factor == 0)
    return ir::Dim(factor);
  if (names.size() == 1 && factor == 1)
    return ir::Dim(ShapedType::kDynamic, only);
  llvm::sort(names);
  std::string text = (factor == 1 ? "" : std::to_string(factor) + "*") + llvm::join(names, "*");
  auto module = entry->getParentOfType<ModuleOp>();
  llvm::StringSet<> taken;
  for (auto symbol : module.getOps<ir::SymbolOp>()) {
    taken.insert(symbol.getSymName());
    if (auto value = symbol->getAttrOfType<StringAttr>("value");
        value && value.getValue() == text && !symbol.getRequirement())
      return ir::Dim(ShapedType::kDynamic, symbol.getSymNameAttr());
  }
  std::string name;
  for (unsigned number = 0; name.empty() || taken.contains(name); ++number)
    name = "d" + std::to_string(number);
  OpBuilder builder(entry);
  auto symbol = ir::SymbolOp::create(builder, entry.getLoc(), name, IntegerAttr());
  symbol->setAttr("value", builder.getStringAttr(text));
  return ir::Dim(ShapedType::kDynamic, symbol.getSymNameAttr());
}

} // namespace ingot::passes
