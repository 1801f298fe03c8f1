// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The part of ingot-run bench that runs an entry on tensors: time of a run, its median and its spread.
#ifndef INGOT_TOOLS_INGOT_RUN_BENCH_GRAPH_H
#define INGOT_TOOLS_INGOT_RUN_BENCH_GRAPH_H

#include "runtime/core/error.h"
#include "tools/ingot-run/options.h"

namespace ingot::tool {

// The exit status. options.shapes, inputs and entry say what runs.
runtime::Result<int> benchGraph(const BenchOptions &options);

} // namespace ingot::tool

#endif
