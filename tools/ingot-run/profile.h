// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Where the time of a run went, as a table by kernel on standard error.
#ifndef INGOT_TOOLS_INGOT_RUN_PROFILE_H
#define INGOT_TOOLS_INGOT_RUN_PROFILE_H

#include "runtime/serve/executor_runner.h"

namespace ingot::tool {

class Profile {
public:
  // Times the runner's launches from now on when `on`; else this does nothing.
  Profile(serve::ExecutorRunner &runner, bool on) : runner(runner), on(on) { runner.profile(on); }
  ~Profile() { runner.profile(false); }
  Profile(const Profile &) = delete;
  Profile &operator=(const Profile &) = delete;
  void print() const;

private:
  serve::ExecutorRunner &runner;
  bool on;
};

} // namespace ingot::tool

#endif
