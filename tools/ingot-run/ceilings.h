// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What this machine can do at most, measured there and then: the lines that every speed is told beside. Products are
// measured as the fastest instruction that the CPU has for their operands, on registers alone.
#ifndef INGOT_TOOLS_INGOT_RUN_CEILINGS_H
#define INGOT_TOOLS_INGOT_RUN_CEILINGS_H

namespace ingot::tool {

struct Rate {
  double opsPerSecond = 0; // a multiplication and an addition are two operations
  const char *with = "";   // the instruction: "vfmadd231ps, 256 bits", "tdpbf16ps", ...
};

struct Ceilings {
  double readBytesPerSecond = 0; // streaming reads of memory, far larger than the caches
  Rate f32, bf16, int8;          // by the operands' type; bf16 is at least f32, to which it may be widened
};

// Takes about a second. Under INGOT_ISA, what that variant's kernels may use. Zeros where the CPU has no vectors that we know to measure with.
Ceilings measureCeilings(unsigned threads);

} // namespace ingot::tool

#endif
