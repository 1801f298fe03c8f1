// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See cuda_graphs.h.
#include "runtime/executor/cuda_graphs.h"

#include "runtime/executor/named.h"

namespace ingot::runtime {

namespace {
constexpr int kThreadLocalCapture = 1; // CU_STREAM_CAPTURE_MODE_THREAD_LOCAL
} // namespace

CudaGraphs::~CudaGraphs() {
  for (const CudaGraph &graph : graphs)
    driver->GraphExecDestroy(graph.executable);
}

Result<void> CudaGraphs::prepare(cuda::Device &device, const format::Plan &plan, CudaProgram &program,
                                 const std::vector<int64_t> &bounds, const std::vector<PreparedRun> &runs) {
  driver = &device.driver();
  for (const PreparedRun &run : runs) {
    CudaGraph graph{0, bounds, nullptr};
    INGOT_ASSIGN_OR_RETURN(graph.entry, findNamed(*plan.entries(), run.entry, "entry"));
    for (const auto &[name, value] : run.values) {
      INGOT_ASSIGN_OR_RETURN(unsigned symbol, findNamed(*plan.symbols(), name, "symbol"));
      graph.most[symbol] = std::min(value, bounds[symbol]);
    }
    cuda::Status status = driver->StreamBeginCapture(device.stream(), kThreadLocalCapture);
    if (status == 0) {
      Result<void> launched = program.launch(graph.entry, program.whole(graph.entry), graph.most);
      cuda::Handle recorded = nullptr;
      status = driver->StreamEndCapture(device.stream(), &recorded);
      // A launch that cannot be at all fails again when it is run.
      if (status == 0 && !launched.ok())
        reason = launched.error().message();
      else if (status == 0)
        status = driver->GraphInstantiateWithFlags(&graph.executable, recorded, 0);
      if (recorded)
        driver->GraphDestroy(recorded);
    }
    if (status)
      reason = "entry '" + run.entry + "': " + driver->reason(status);
    if (!reason.empty())
      return {};
    graphs.push_back(std::move(graph));
  }
  return {};
}

const CudaGraph *CudaGraphs::find(unsigned entry, std::span<const int64_t> symbols) const {
  for (const CudaGraph &graph : graphs) {
    bool serves = graph.entry == entry;
    for (size_t i = 0; serves && i < symbols.size(); ++i)
      serves = symbols[i] <= graph.most[i];
    if (serves)
      return &graph;
  }
  return nullptr;
}

Result<void> CudaGraphs::launch(const cuda::Device &device, const CudaGraph &graph) const {
  if (cuda::Status status = driver->GraphLaunch(graph.executable, device.stream()))
    return driver->failed(status, "a recorded step could not be launched");
  return {};
}

} // namespace ingot::runtime
