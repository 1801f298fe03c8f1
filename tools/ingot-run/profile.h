// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Where the time of a run went: a table by kernel on standard error, beside what the machine can do at most, and where
// asked for a timeline in a file (timeline.h). Nothing is timed unless the command line asks.
#ifndef INGOT_TOOLS_INGOT_RUN_PROFILE_H
#define INGOT_TOOLS_INGOT_RUN_PROFILE_H

#include "runtime/serve/executor_runner.h"
#include "tools/ingot-run/options.h"
#include "tools/ingot-run/timeline.h"

#include <map>

namespace ingot::tool {

class Profile {
public:
  // Times the runner's launches from now on where `run` asks for a profile. Io where its file cannot be written.
  static runtime::Result<std::unique_ptr<Profile>> start(serve::ExecutorRunner &runner, const RunOptions &run);
  ~Profile();
  Profile(const Profile &) = delete;
  Profile &operator=(const Profile &) = delete;

  // Ends timing, prints the table and ends the file.
  runtime::Result<void> finish();

private:
  // All launches of one kernel.
  struct Total {
    double nanoseconds = 0, waiting = 0; // mean of the workers; `waiting` is part of it
    uint64_t runs = 0;
    double bytes = 0, operations = 0;
  };
  Profile(serve::ExecutorRunner &runner, bool on);
  void add(const serve::RunRecord &run);

  serve::ExecutorRunner &runner;
  bool on;
  std::map<std::string, Total> kernels;
  uint64_t runs = 0;
  int64_t first = 0, last = 0; // nanoseconds of the steady clock: of the first run and after the last
  double inside = 0;           // nanoseconds of all runs, first launch to last barrier
  std::unique_ptr<Timeline> timeline;
};

} // namespace ingot::tool

#endif
