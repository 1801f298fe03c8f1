// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// All ops of the `plan` dialect.
#ifndef INGOT_DIALECTS_PLAN_OPS
#define INGOT_DIALECTS_PLAN_OPS

include "dialects/plan/ProgramOps.td"
include "dialects/plan/EntryOps.td"

#endif
