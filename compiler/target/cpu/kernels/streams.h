// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Weights that come from memory and are read once. Panels of a group are read side by side, each as a stream of its own
// from its first k to its last; then the next group's. Lines are asked for early, so that reading never waits.
#ifndef INGOT_TARGET_CPU_KERNELS_STREAMS_H
#define INGOT_TARGET_CPU_KERNELS_STREAMS_H

#include "compiler/target/cpu/kernels/common.h"

namespace ingot::kernels {

constexpr int64_t kStreamAhead = 1536; // bytes

// How far ahead of the loop a panel's lines are asked for. What lies behind a panel's end is another stream of its
// group, read long ago; there the panel that follows the group's is meant.
struct StreamAhead {
  int64_t rest;  // bytes from where offsets count to the panel's end
  int64_t group; // bytes from a panel's end to the beginning of its like in the next group
  INGOT_INLINE int64_t at(int64_t offset) const {
    return offset + kStreamAhead < rest ? kStreamAhead : kStreamAhead + group;
  }
};

} // namespace ingot::kernels

#endif
