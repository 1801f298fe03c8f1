// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// All ops of the `ingot` dialect, one file per family.
#ifndef INGOT_DIALECTS_INGOT_OPS
#define INGOT_DIALECTS_INGOT_OPS

include "ingot/ModuleOps.td"
include "ingot/RecipeOps.td"
include "ingot/ElementwiseOps.td"
include "ingot/ShapeOps.td"
include "ingot/LinearOps.td"
include "ingot/NormOps.td"
include "ingot/AttentionOps.td"
include "ingot/SampleOps.td"
include "ingot/CallOps.td"

#endif
