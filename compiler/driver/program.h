// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Between a plan's program and the targets: its kernels as they take them, their images as an engine holds them.
#ifndef INGOT_COMPILER_DRIVER_PROGRAM_H
#define INGOT_COMPILER_DRIVER_PROGRAM_H

#include "compiler/engine/serialize_plan.h"
#include "compiler/target/cpu/target.h"
#include "dialects/plan/PlanDialect.h"

#include <vector>

namespace ingot::driver {

// The kernels of a plan, as the target takes them.
std::vector<target::Kernel> kernelsOf(plan::ProgramOp program);

// The image as a variant of an engine.
engine::VariantCode variantOf(target::cpu::Image &image);

} // namespace ingot::driver

#endif
