// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Verifier of ingot.call.
#include "dialects/ingot/IngotDialect.h"

#include "mlir/Interfaces/FunctionInterfaces.h"

using namespace mlir;

namespace ingot::ir {

static bool agree(Type tensor, Type bare) {
  auto type = dyn_cast<RankedTensorType>(tensor);
  return type && storedTensor(type) == bare;
}

LogicalResult CallOp::verifySymbolUses(SymbolTableCollection &symbols) {
  auto function = symbols.lookupNearestSymbolFrom<FunctionOpInterface>(*this, getCalleeAttr());
  if (!function) // call-c1
    return emitOpError() << "callee @" << getCallee() << " is not a function (call-c1)";
  ArrayRef<Type> arguments = function.getArgumentTypes(), results = function.getResultTypes();
  if (arguments.size() != getInputs().size() + getNumResults() || results.size() != getNumResults()) // call-c2
    return emitOpError() << "has " << getInputs().size() << " inputs and " << getNumResults() << " results, but @"
                         << getCallee() << " takes " << arguments.size() << " arguments and gives " << results.size()
                         << " results; expected an argument per input and per result (call-c2)";
  for (auto [index, value] : llvm::enumerate(getInputs())) // call-c3
    if (!agree(value.getType(), arguments[index]))
      return emitOpError() << "input " << index << " is " << value.getType() << ", but @" << getCallee() << " takes "
                           << arguments[index] << " (call-c3)";
  for (auto [index, value] : llvm::enumerate(getResults()))
    if (!agree(value.getType(), results[index]) || arguments[getInputs().size() + index] != results[index])
      return emitOpError() << "result " << index << " is " << value.getType() << ", but @" << getCallee() << " gives "
                           << results[index] << " into " << arguments[getInputs().size() + index] << " (call-c3)";
  return success();
}

} // namespace ingot::ir
