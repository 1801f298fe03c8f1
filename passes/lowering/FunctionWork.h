// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a function over linalg on tensors does, for the profile: bytes that it reads of its inputs, and floating-point
// operations, as sizes in the symbols that its arguments name. Knows nothing of how the target will compile it.
#ifndef INGOT_PASSES_LOWERING_FUNCTIONWORK_H
#define INGOT_PASSES_LOWERING_FUNCTIONWORK_H

#include "dialects/plan/PlanDialect.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace ingot::passes {

struct FunctionWork {
  plan::SizeAttr bytesRead, operations;
};

// Every argument but the last, the destination, is an input: it is read once, and where elements are picked from it, no
// more of it than are picked. Operations are the arithmetic of the scalar bodies times their iteration spaces: one for
// an addition, a product, a quotient, a larger or smaller of two, an elementary function; two for fma. What is no affine
// size in the symbols counts nothing.
FunctionWork workOf(mlir::func::FuncOp function);

} // namespace ingot::passes

#endif
