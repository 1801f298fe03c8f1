// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs of entries recorded as CUDA graphs at load, so that a step costs one call of the driver instead of one for each launch.
#ifndef INGOT_RUNTIME_EXECUTOR_CUDA_GRAPHS_H
#define INGOT_RUNTIME_EXECUTOR_CUDA_GRAPHS_H

#include "runtime/executor/cuda_program.h"
#include "runtime/executor/executor.h"

#include <span>
#include <string>
#include <vector>

namespace ingot::runtime {

struct CudaGraph {
  unsigned entry;
  std::vector<int64_t> most; // serves symbols up to these values
  cuda::Handle executable;
};

class CudaGraphs {
public:
  CudaGraphs() = default;
  CudaGraphs(const CudaGraphs &) = delete;
  CudaGraphs &operator=(const CudaGraphs &) = delete;
  ~CudaGraphs();

  // A driver that cannot record them is no error: launches are then given one by one.
  Result<void> prepare(cuda::Device &device, const format::Plan &plan, CudaProgram &program,
                       const std::vector<int64_t> &bounds, const std::vector<PreparedRun> &runs);
  // Why the driver could not record a run; empty where it could.
  const std::string &unavailable() const { return reason; }
  // The first graph that serves these values; null: none.
  const CudaGraph *find(unsigned entry, std::span<const int64_t> symbols) const;
  Result<void> launch(const cuda::Device &device, const CudaGraph &graph) const;

private:
  const cuda::Driver *driver = nullptr;
  std::vector<CudaGraph> graphs;
  std::string reason;
};

} // namespace ingot::runtime

#endif
