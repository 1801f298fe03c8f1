// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A trace of requests: when each came, how long its prompt was and how much was written. A CSV file whose first line
// names its columns, as the Azure traces of language model services do:
//
//   TIMESTAMP,ContextTokens,GeneratedTokens
//   2023-11-16 18:17:03.9799600,4808,10
//
// A time is a date as above or a number of seconds. Lines stand in the order of their times; further columns are
// ignored.
#ifndef INGOT_TOOLS_INGOT_RUN_TRACE_H
#define INGOT_TOOLS_INGOT_RUN_TRACE_H

#include "runtime/core/error.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ingot::tool {

struct TraceRequest {
  double arrival = 0;             // seconds after the first
  int64_t prompt = 0, output = 0; // tokens, 1 or more
};

// The first `limit` requests of a trace (0: all); InvalidArgument with file and line for what is no trace.
runtime::Result<std::vector<TraceRequest>> parseTrace(const std::string &path, std::string_view text, int64_t limit);

} // namespace ingot::tool

#endif
