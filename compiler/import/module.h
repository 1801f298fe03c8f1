// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The MLIR side of the builder: hands the module that an importer built to the pipelines.
#ifndef INGOT_COMPILER_IMPORT_MODULE_H
#define INGOT_COMPILER_IMPORT_MODULE_H

#include "compiler/import/builder.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"

namespace ingot {

// The context in which the builder's module lives; the builder owns it, so the module must not outlive the builder.
mlir::MLIRContext &contextOf(GraphBuilder &builder);

// The finished module, verified. Null, after diagnostics, where the importer wrote something wrong or took it before.
mlir::OwningOpRef<mlir::ModuleOp> takeModule(GraphBuilder &builder);

} // namespace ingot

#endif
