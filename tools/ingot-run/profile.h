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
  // The same of runs that the caller starts itself, and tells with ran().
  static runtime::Result<std::unique_ptr<Profile>> start(runtime::Executor &executor, const RunOptions &run);
  ~Profile();
  Profile(const Profile &) = delete;
  Profile &operator=(const Profile &) = delete;

  // A run of `entry` at these values of the symbols has ended.
  void ran(unsigned entry, std::span<const int64_t> symbols);

  // Ends timing, prints the table and ends the file.
  runtime::Result<void> finish();

private:
  // All launches of one kernel.
  struct Total {
    double nanoseconds = 0, waiting = 0; // mean of the workers; `waiting` is part of it
    uint64_t runs = 0;
    double bytes = 0, operations = 0;
  };
  Profile(runtime::Executor &executor, serve::ExecutorRunner *runner, bool on);
  static runtime::Result<std::unique_ptr<Profile>> start(std::unique_ptr<Profile> profile, const RunOptions &run);
  void add(const serve::RunRecord &run);
  void stop();

  runtime::Executor &executor;
  serve::ExecutorRunner *runner; // that tells the runs; null: the caller does
  bool on;
  std::vector<runtime::StepTime> times; // of the caller's last run
  std::map<std::string, Total> kernels;
  uint64_t runs = 0;
  int64_t first = 0, last = 0; // nanoseconds of the steady clock: of the first run and after the last
  double inside = 0;           // nanoseconds of all runs, first launch to last barrier
  std::unique_ptr<Timeline> timeline;
};

} // namespace ingot::tool

#endif
