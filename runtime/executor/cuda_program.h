// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The launches of a plan's entries on a GPU: functions found, arguments fixed, workspaces allocated. What is left for a run is
// to choose, launch by launch, the function that serves the rows, and its grid.
#ifndef INGOT_RUNTIME_EXECUTOR_CUDA_PROGRAM_H
#define INGOT_RUNTIME_EXECUTOR_CUDA_PROGRAM_H

#include "runtime/device/cpu/step_time.h"
#include "runtime/device/cuda/device.h"
#include "runtime/format/cuda_abi.h"
#include "runtime/format/plan_generated.h"

#include <span>
#include <vector>

namespace ingot::runtime {

// ceil((size + tiles * launch's tiles) / per), 0 where that is negative; saturates.
int64_t gridExtent(const format::GridSize &extent, int64_t tiles, std::span<const int64_t> symbols);

// Bytes of each kernel's workspace at these bounds: it serves all its functions and launches, which follow one another.
std::vector<uint64_t> workspacesAt(const format::Plan &plan, std::span<const int64_t> bounds);

// Where an entry's memory lies on the device.
struct CudaEntryMemory {
  std::vector<cuda::Address> buffers;
  cuda::Address symbols = 0; // their values
  std::span<const int32_t> tiles; // of each launch: where among the symbols the number of its tiles stands
  cuda::Address errors = 0;  // an int32 for each launch
};

class CudaProgram {
public:
  // memory: of each entry. Workspaces are made for the bounds. deterministic: functions that serve some numbers of rows alone
  // are left out. early: the image's kernels wait for the launch before them on their own, so that they may begin while that
  // one ends (programmatic dependent launch).
  static Result<CudaProgram> create(cuda::Device &device, const format::Plan &plan,
                                    const std::vector<CudaEntryMemory> &memory, std::span<const int64_t> bounds,
                                    bool deterministic, bool early);

  // Launches `first` to `end` - 1 of an entry.
  struct Piece {
    unsigned first, end;
  };
  Piece whole(unsigned entry) const { return {0, unsigned(entries[entry].size())}; }
  // Puts launches of an entry on the device's stream, with grids for these values of the symbols.
  Result<void> launch(unsigned entry, Piece piece, std::span<const int64_t> symbols);
  // The same, timed one by one; returns when all have ended. times: of all launches of the entry.
  Result<void> launchTimed(unsigned entry, Piece piece, std::span<const int64_t> symbols, std::span<StepTime> times);

  uint64_t workspaceBytes() const { return workspaceTotal; }

private:
  struct Choice { // a function that may run
    const format::CudaFunction *table;
    cuda::Handle function;
    ingot_cuda_args args;
  };
  struct Launch {
    const format::Launch *table;
    std::vector<Choice> choices; // in the order of their stages
  };
  Result<void> launchOne(const Launch &launch, std::span<const int64_t> symbols);

  cuda::Device *device = nullptr;
  bool early = false;
  std::vector<std::vector<Launch>> entries;
  std::vector<cuda::Memory> workspaces; // per kernel
  uint64_t workspaceTotal = 0;
};

} // namespace ingot::runtime

#endif
