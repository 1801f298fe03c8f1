// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The passes of Ingot's pipeline, from what an importer wrote to a planned step. Declared from Passes.td; the order in
// which they run is said once, in compiler/pipelines. No pass here knows a model family or a target's code.
#ifndef INGOT_PASSES_PASSES_H
#define INGOT_PASSES_PASSES_H

#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassRegistry.h"

#include <memory>
#include <string>

namespace ingot::passes {

#define GEN_PASS_DECL
#include "passes/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "passes/Passes.h.inc"

} // namespace ingot::passes

#endif
