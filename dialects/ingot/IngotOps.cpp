// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The generated definitions of the dialect's ops; what they leave to C++ stands in a file per family.
#include "dialects/ingot/IngotDialect.h"
#include "mlir/IR/Builders.h"

#define GET_OP_CLASSES
#include "dialects/ingot/IngotOps.cpp.inc"
