// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From a function over tensors (docs/design/0001-foundation.md, "Functions that go through linalg") to a function of
// the kernel ABI. Private to codegen/.
#ifndef INGOT_COMPILER_TARGET_CPU_CODEGEN_ROWS_H
#define INGOT_COMPILER_TARGET_CPU_CODEGEN_ROWS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include <string>

namespace ingot::target::cpu {

// `symbols` names symbols[] of the kernel ABI. Adds to `module` a func.func `symbol` of the kernel ABI that computes
// rows [tile0, tile1) of what `source` states, in scf, vector, arith, math and llvm ops. `scratchBytes` is what its
// temporaries need. False: `error` says why not.
bool lowerToRows(mlir::func::FuncOp source, llvm::ArrayRef<std::string> symbols, mlir::ModuleOp module,
                 llvm::StringRef symbol, uint64_t &scratchBytes, std::string &error);

} // namespace ingot::target::cpu

#endif
