// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What every target asks of a function over tensors (docs/design/0001-foundation.md, "Functions that go through linalg")
// before it lowers it row by row.
#ifndef INGOT_COMPILER_TARGET_TEMPLATES_FUNCTIONS_H
#define INGOT_COMPILER_TARGET_TEMPLATES_FUNCTIONS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

#include <string>
#include <vector>

namespace mlir {
class PassManager;
} // namespace mlir

namespace ingot::target {

// The names that number symbols[] of kernels: the program's where there is one, else the module's.
std::vector<std::string> symbolsAround(mlir::func::FuncOp body);

// A copy of the function in a module of its own, in which element-wise ops that one other reads are part of that one, so that
// no tensor stands between them. A result that simplifies to an argument, or to another result, copies it. Symbols are those around `body`. Null:
// `error` says why.
mlir::OwningOpRef<mlir::ModuleOp> fusedCopy(mlir::func::FuncOp body, std::string &error);
// Runs passes on the module; on failure the first diagnostic stands in `error`.
bool runPasses(mlir::ModuleOp module, llvm::function_ref<void(mlir::PassManager &)> build, std::string &error);

// The loop dimension that is the first index of an operand; -1 where none is.
int64_t firstIndex(mlir::AffineMap map);
// The loop dimension of an op that walks along dimension 0 of its result; -1 where there is none.
int64_t rowDimOf(mlir::linalg::LinalgOp op);

// The destination of what a value ends up as, written over at most: one of the function's results, whose destinations are its last
// arguments. Null where it is none.
mlir::Value destinationOf(mlir::func::FuncOp function, mlir::Value value);

} // namespace ingot::target

#endif
