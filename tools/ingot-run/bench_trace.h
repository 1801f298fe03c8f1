// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The part of ingot-run bench that serves a trace of requests.
#ifndef INGOT_TOOLS_INGOT_RUN_BENCH_TRACE_H
#define INGOT_TOOLS_INGOT_RUN_BENCH_TRACE_H

#include "runtime/core/error.h"
#include "tools/ingot-run/options.h"

namespace ingot::tool {

// Serves the requests of options.trace and tells throughput and latencies; the exit status. Ctrl-C ends it early, and
// what was measured until then is told.
runtime::Result<int> benchTrace(const BenchOptions &options);

} // namespace ingot::tool

#endif
