// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Stored weights of a plan (see Weights.h). Recipes are numbered by structure, so that equal ones are stored once
// wherever they stand.
#include "passes/lowering/Weights.h"

#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;

namespace ingot::passes {

unsigned WeightTable::describe(Value value) {
  auto known = numberOf.find(value);
  if (known != numberOf.end())
    return known->second;
  Operation *op = value.getDefiningOp();
  std::string text;
  llvm::raw_string_ostream stream(text);
  stream << op->getName() << "#" << cast<OpResult>(value).getResultNumber() << " " << op->getAttrDictionary() << " "
         << value.getType();
  for (Value operand : op->getOperands())
    stream << " " << describe(operand);
  unsigned number = numbers.try_emplace(text, numbers.size()).first->second;
  numberOf[value] = number;
  return number;
}

static void collectTensors(Value value, llvm::SetVector<StringRef> &tensors) {
  if (auto weight = value.getDefiningOp<ir::WeightOp>())
    tensors.insert(weight.getTensor());
  for (Value operand : value.getDefiningOp()->getOperands())
    collectTensors(operand, tensors);
}

std::string WeightTable::nameOf(Value recipe, StringRef hint) {
  llvm::SetVector<StringRef> tensors;
  collectTensors(recipe, tensors);
  std::string name = tensors.empty() ? hint.str() : llvm::join(tensors, "+");
  // The same tensors stored in another way.
  unsigned &count = taken[name];
  if (++count > 1)
    name += "#" + std::to_string(count);
  return name;
}

// Copies the recipe beneath `value` to the builder's place.
static Value cloneRecipe(Value value, IRMapping &mapping, OpBuilder &builder) {
  if (Value known = mapping.lookupOrNull(value))
    return known;
  Operation *op = value.getDefiningOp();
  for (Value operand : op->getOperands())
    cloneRecipe(operand, mapping, builder);
  builder.clone(*op, mapping);
  return mapping.lookup(value);
}

StringAttr WeightTable::add(Value recipe, StringRef hint) {
  StringAttr &name = names[describe(recipe)];
  if (name)
    return name;
  OpBuilder builder(program.getContext());
  builder.setInsertionPointToEnd(&program.getBody().front());
  auto weight = plan::WeightOp::create(builder, recipe.getLoc(), nameOf(recipe, hint),
                                       cast<RankedTensorType>(recipe.getType()), plan::layoutOf(recipe));
  builder.createBlock(&weight.getRecipe());
  IRMapping mapping;
  Value stored = cloneRecipe(recipe, mapping, builder);
  plan::YieldOp::create(builder, recipe.getLoc(), stored);
  name = weight.getSymNameAttr();
  return name;
}

StringAttr WeightTable::addConstant(DenseElementsAttr elements, StringRef hint, Location loc) {
  OpBuilder builder(program.getContext());
  builder.setInsertionPointToEnd(&program.getBody().front());
  auto constant = ir::ConstantOp::create(builder, loc, elements.getType(), elements);
  StringAttr name = add(constant.getResult(), hint);
  numberOf.erase(constant.getResult());
  constant.erase();
  return name;
}

} // namespace ingot::passes
