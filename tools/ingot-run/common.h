// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What all verbs share: reporting an error, writing results to standard output, and stopping on Ctrl-C.
#ifndef INGOT_TOOLS_INGOT_RUN_COMMON_H
#define INGOT_TOOLS_INGOT_RUN_COMMON_H

#include "runtime/core/error.h"
#include "runtime/serve/model.h"
#include "tools/ingot-run/options.h"

#include <chrono>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ingot::tool {

using runtime::Error;
using runtime::ErrorCode;
using runtime::makeError;
using runtime::Result;

inline constexpr int kInterrupted = 130; // as shells know it: 128 + SIGINT

// Tells the error on standard error; the exit status for it.
int report(const Error &error);
// A hint or a fact on standard error.
[[gnu::format(printf, 1, 2)]] void note(const char *format, ...);

// Standard output. A reader that went away is an error that report() passes over in silence.
Result<void> print(std::string_view text);
Result<void> flush();

// The first Ctrl-C asks to stop between two steps, the second kills.
void catchInterrupt();
bool interrupted();

// A progress line on standard error: redrawn in place on a terminal; elsewhere a plain line every ten seconds.
class Progress {
public:
  Progress(std::string what, int64_t total);
  ~Progress();
  void update(int64_t done);

private:
  using Clock = std::chrono::steady_clock;
  std::string what;
  int64_t total;
  bool terminal, drawn = false;
  Clock::time_point start, last;
};

// The model of these options; says what was planned when they are verbose.
Result<std::unique_ptr<serve::Model>> loadModel(const RunOptions &run, serve::LoadOptions load);

// Token ids of a file: [T] or [1, T].
Result<std::vector<int32_t>> readIds(const std::string &path);

// The value below which `percent` of the values lie, between two of them by linear interpolation (as numpy's default).
// 0 of no values.
double percentile(std::vector<double> values, double percent);

inline double secondsSince(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

} // namespace ingot::tool

#endif
