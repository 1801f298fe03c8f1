// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What this machine can do at most, measured there and then: the two lines that every speed is told beside.
#ifndef INGOT_TOOLS_INGOT_RUN_CEILINGS_H
#define INGOT_TOOLS_INGOT_RUN_CEILINGS_H

namespace ingot::tool {

struct Ceilings {
  double readBytesPerSecond = 0; // streaming reads of memory, far larger than the caches
  double f32OpsPerSecond = 0;    // fused multiply-adds in registers, two operations each
  const char *width = "";        // of the vectors that reached it: "AVX-512", "AVX2"
};

// Takes about half a second. Zeros where the CPU has no vectors that we know to measure with.
Ceilings measureCeilings(unsigned threads);

} // namespace ingot::tool

#endif
