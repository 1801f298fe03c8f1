// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The simulated CUDA device: runs kernels that were compiled for the host against primitives_host.h, block by block,
// the threads of a block as fibers. Kernels are compiled with -fsanitize=thread, whose callbacks are the simulator's
// own, so that every load and store is seen. It finds what hardware hides:
//
//   access outside of allocations, of the block's shared memory, or not aligned to its size
//   two threads at one byte of shared memory, one of them writing, with no barrier between them
//   shared memory that is read before anything is written to it, or before an asynchronous copy to it has been waited
//   for threads of a block at different barriers, or at an end while others wait; lanes of a warp at different
//   instructions registers of mma that nothing was put into
//
// Threads run in an order that a seed chooses; asynchronous copies land as late as the PTX manual allows, in any order
// within a group. One launch at a time, on the calling thread.
#ifndef INGOT_TEST_SIMULATOR_SIMULATOR_H
#define INGOT_TEST_SIMULATOR_SIMULATOR_H

#include "runtime/format/cuda_abi.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace ingot::simulator {

// Global memory, 256-byte aligned, with gaps that nobody may touch. Its bytes are 0xcb at first. Null: there is no
// more.
void *allocate(size_t bytes, const std::string &name);
void release(void *memory);

struct Launch {
  std::string name;
  uint32_t grid[3] = {1, 1, 1};
  uint32_t threads = 32; // a multiple of 32
  uint32_t sharedBytes = 0;
};

using Kernel = void (*)(ingot_cuda_args);

// Runs all blocks and gives what was found, each a sentence that names kernel, block and thread; empty: nothing. A
// block with a finding is left where it stands, and the launch ends.
std::vector<std::string> launch(Kernel kernel, const Launch &launch, const ingot_cuda_args &args, uint64_t seed = 0);

} // namespace ingot::simulator

#endif
