// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a person sees while a model is compiled, on stderr: a counted step at a time; on a terminal a bar with an
// estimate of the time left, elsewhere plain lines. Results never go through here.
#ifndef INGOT_COMPILER_DRIVER_PROGRESS_H
#define INGOT_COMPILER_DRIVER_PROGRESS_H

#include <chrono>
#include <cstdint>
#include <string>

namespace ingot::driver {

class Progress {
public:
  // steps: how many calls of `step` will follow. quiet: print nothing.
  Progress(unsigned steps, bool quiet);
  ~Progress();

  void step(const std::string &name);
  // Work done within the current step, in any unit.
  void update(uint64_t done, uint64_t total);
  // Closes the current step with what it made ("12 kernels").
  void note(const std::string &text);
  // Ends a half-drawn line, so that a diagnostic starts on its own.
  void breakLine();

private:
  using Clock = std::chrono::steady_clock;
  void clear();
  unsigned steps, current = 0;
  bool quiet, terminal;
  bool drawn = false;
  std::string name;
  Clock::time_point started, lastDraw;
};

} // namespace ingot::driver

#endif
