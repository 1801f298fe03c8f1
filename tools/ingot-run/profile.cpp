// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See profile.h. Bytes and operations are those that the plan states for each launch.
#include "tools/ingot-run/profile.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

namespace ingot::tool {

void Profile::print() const {
  if (!on)
    return;
  std::map<std::string, serve::LaunchTime> byKernel;
  uint64_t total = 0;
  for (unsigned entry : {runner.stepEntry(), runner.sampleEntry()}) {
    const std::vector<serve::LaunchTime> &times = runner.times(entry);
    for (size_t i = 0; i < times.size(); ++i) {
      serve::LaunchTime &sum = byKernel[std::string(runner.executor().launch(entry, unsigned(i)).kernel)];
      sum.nanoseconds += times[i].nanoseconds;
      sum.runs += times[i].runs;
      sum.bytes += times[i].bytes;
      sum.operations += times[i].operations;
      total += times[i].nanoseconds;
    }
  }
  std::vector<std::pair<std::string, serve::LaunchTime>> order(byKernel.begin(), byKernel.end());
  std::sort(order.begin(), order.end(),
            [](const auto &a, const auto &b) { return a.second.nanoseconds > b.second.nanoseconds; });
  std::fprintf(stderr, "%10s %6s %8s %8s %9s  kernel\n", "ms", "share", "runs", "GB/s", "GFLOP/s");
  for (const auto &[name, time] : order) {
    double seconds = double(std::max<uint64_t>(time.nanoseconds, 1)) * 1e-9;
    std::fprintf(stderr, "%10.3f %5.1f%% %8llu %8.2f %9.2f  %s\n", seconds * 1e3,
                 100.0 * double(time.nanoseconds) / double(std::max<uint64_t>(total, 1)), (unsigned long long)time.runs,
                 time.bytes / seconds * 1e-9, time.operations / seconds * 1e-9, name.c_str());
  }
}

} // namespace ingot::tool
