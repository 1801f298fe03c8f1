// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs of a model as a file in the Chrome trace event format, which Perfetto (ui.perfetto.dev) opens: a track per
// worker with its part of each launch and its waits at barriers, and one with the runs of entries as a whole.
// Written as it goes, so that its size is bounded by the disk alone: some 200 bytes a launch and worker.
#ifndef INGOT_TOOLS_INGOT_RUN_TIMELINE_H
#define INGOT_TOOLS_INGOT_RUN_TIMELINE_H

#include "runtime/serve/executor_runner.h"

#include <cstdio>
#include <memory>
#include <string>

namespace ingot::tool {

class Timeline {
public:
  static runtime::Result<std::unique_ptr<Timeline>> create(const std::string &path, const runtime::Executor &executor);
  ~Timeline(); // ends the file, so that what was written opens
  Timeline(const Timeline &) = delete;
  Timeline &operator=(const Timeline &) = delete;

  void add(const serve::RunRecord &run);
  // The end of the file. Io or ResourceExhausted where anything could not be written.
  runtime::Result<void> finish();

private:
  Timeline(std::string path, std::FILE *file, const runtime::Executor &executor);
  void event(int64_t began, int64_t ended, unsigned track, const std::string &rest);

  std::string path;
  std::FILE *file;
  const runtime::Executor &executor;
  std::vector<std::vector<std::string>> launches; // by entry: the fields of a launch's events that stay the same
  int64_t start = 0;                              // of the first run, in nanoseconds; 0: none yet
  uint64_t steps = 0;
};

} // namespace ingot::tool

#endif
