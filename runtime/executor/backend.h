// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A device as the executor sees it: it holds the plan's memory and runs its entries. The executor has checked every
// argument before. One file per device: cpu_backend.cpp, cuda_backend.cpp.
#ifndef INGOT_RUNTIME_EXECUTOR_BACKEND_H
#define INGOT_RUNTIME_EXECUTOR_BACKEND_H

#include "runtime/executor/executor.h"

namespace ingot::runtime {

class Backend {
public:
  virtual ~Backend() = default;

  // Symbols that depend on data, and what is derived from them, are bounds before the run and values after it.
  virtual Result<void> run(unsigned entry, std::span<int64_t> symbols, std::span<const void *const> inputs,
                           std::span<void *const> outputs) = 0;

  virtual Result<void> start(unsigned, std::span<const int64_t>, std::span<const void *const>) {
    return makeError(ErrorCode::Unsupported, "a CPU runs entries to their end; only GPUs start them");
  }
  virtual Result<void> finish(unsigned, std::span<const int64_t>, std::span<void *const>) {
    return makeError(ErrorCode::Unsupported, "a CPU runs entries to their end; only GPUs start them");
  }

  virtual unsigned threads() const = 0; // workers of a CPU; 1 for a GPU, whose launches follow one another
  virtual const MemoryUse &memory() const = 0;
  virtual const VariantChoice &choice() const = 0;
  virtual std::string describe() const = 0; // the device, one line
  // The name of the variant that a launch's kernel comes from.
  virtual std::string_view variantOf(unsigned entry, unsigned launch) const = 0;
  // Times of every launch of a run, [threads()][launches]; null: none.
  virtual void profile(std::vector<StepTime> *into) = 0;
  virtual uint64_t barriers() const { return 0; }
  virtual const CachePool *hostCache() const { return nullptr; } // where the device's memory is the host's
};

// See memoryUse.
Result<MemoryUse> cpuMemoryUse(const EngineFile &engine, const ExecutorOptions &options);
Result<MemoryUse> cudaMemoryUse(const EngineFile &engine, const ExecutorOptions &options);

Result<std::unique_ptr<Backend>> makeCpuBackend(std::shared_ptr<const EngineFile> engine,
                                                const ExecutorOptions &options);
Result<std::unique_ptr<Backend>> makeCudaBackend(std::shared_ptr<const EngineFile> engine,
                                                 const ExecutorOptions &options);

} // namespace ingot::runtime

#endif
