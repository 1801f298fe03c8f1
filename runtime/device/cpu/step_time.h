// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// When one worker was where in one step of a walk, for the profile.
#ifndef INGOT_RUNTIME_DEVICE_CPU_STEP_TIME_H
#define INGOT_RUNTIME_DEVICE_CPU_STEP_TIME_H

#include <cstdint>

namespace ingot::runtime {

// Nanoseconds of the steady clock, in ascending order; all 0 where the step had no tiles.
struct StepTime {
  int64_t began = 0;  // its tiles
  int64_t worked = 0; // its tiles to their end; from here on it waits
  int64_t passed = 0; // the barrier
};

} // namespace ingot::runtime

#endif
