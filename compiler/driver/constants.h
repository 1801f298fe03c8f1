// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What follows from weights and constants alone: computed when the model is compiled, and a constant of the engine.
#ifndef INGOT_COMPILER_DRIVER_CONSTANTS_H
#define INGOT_COMPILER_DRIVER_CONSTANTS_H

#include "dialects/plan/PlanDialect.h"

#include "mlir/IR/BuiltinOps.h"

#include <string>

namespace ingot::driver {

// Replaces values of the module's entries that depend on no argument by constants, but for those that packing weights makes, those that only
// repeat or move what is there, and those that would make the engine much larger. They are computed by the kernels themselves, in f32, on this
// machine: the module is one of the stage that canonical form and fusion of attention leave, before precision is chosen. Returns how many there were;
// nothing changes where they cannot be computed, and `why` then says it.
size_t computeConstants(mlir::ModuleOp module, unsigned threads, std::string &why);

} // namespace ingot::driver

#endif
