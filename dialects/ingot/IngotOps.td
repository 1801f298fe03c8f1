// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// All ops of the `ingot` dialect, one file per family.
#ifndef INGOT_DIALECTS_INGOT_OPS
#define INGOT_DIALECTS_INGOT_OPS

include "dialects/ingot/ModuleOps.td"
include "dialects/ingot/RecipeOps.td"
include "dialects/ingot/ElementwiseOps.td"
include "dialects/ingot/ComputeOps.td"
include "dialects/ingot/ShapeOps.td"
include "dialects/ingot/LinearOps.td"
include "dialects/ingot/NormOps.td"
include "dialects/ingot/AttentionOps.td"
include "dialects/ingot/SampleOps.td"
include "dialects/ingot/CallOps.td"

#endif
