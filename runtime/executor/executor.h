// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs the entries of an engine on a device, the CPU or a GPU. Everything is allocated when the executor is made, at
// the bounds of the symbols; a run only patches the pointers of its arguments and walks the launches. It knows tensors
// and symbols, nothing of tokens, sequences or sampling: that is runtime/serve.
#ifndef INGOT_RUNTIME_EXECUTOR_EXECUTOR_H
#define INGOT_RUNTIME_EXECUTOR_EXECUTOR_H

#include "runtime/core/error.h"
#include "runtime/core/memory.h"
#include "runtime/device/cpu/step_time.h"
#include "runtime/executor/cache_pool.h"
#include "runtime/executor/engine_file.h"
#include "runtime/executor/sizes.h"
#include "runtime/executor/symbols.h"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ingot::runtime::cuda {
class Device;
}

namespace ingot::runtime {

// Where an engine runs. Nothing falls back to another device.
struct DeviceName {
  bool cuda = false;
  unsigned index = 0; // of GPUs, as the driver numbers them
};
// "cpu", "cuda", "cuda:1"; InvalidArgument otherwise.
Result<DeviceName> parseDevice(std::string_view text);

// An output of one entry that stays where it is as an input of another: both may then be given as null. Of arguments of
// one type and shape, at the bounds.
struct EntryLink {
  std::string from, output, to, input;
  bool told = false; // callers want the output as well
};

// A set of symbols' values that runs often: a GPU's launches for it are recorded once, at load, and serve every run
// whose values are no larger.
struct PreparedRun {
  std::string entry;
  std::vector<std::pair<std::string, int64_t>> values; // of symbols by name; the others stand at their bounds
};

struct ExecutorOptions {
  unsigned threads = 0; // of a CPU; 0: defaultThreads()
  // The largest value of every symbol of the plan that is not derived, by name, each once: {"tokens", 512}, ... 0 is
  // allowed.
  std::vector<std::pair<std::string, int64_t>> bounds;
  // Pages of every cache group, in the plan's order.
  std::vector<uint64_t> cachePages;
  DeviceName device = {};
  std::shared_ptr<cuda::Device> gpu = {}; // of `device`, where the caller has opened it already
  std::vector<EntryLink> links = {};      // GPUs only
  std::vector<PreparedRun> prepared = {}; // in ascending order; GPUs only
  // On GPUs the results of a row then do not depend on what other sequences a step has (on a CPU they never do):
  // kernels for few rows, which sum in another order, are not used.
  bool deterministic = false;
  // In place of `bounds`: those of all symbols in the plan's order, derived ones too, where runs are known for which less
  // than the largest value of these will do.
  std::vector<int64_t> allBounds = {};
};

struct MemoryUse {
  uint64_t arenas = 0;  // bytes at the bounds
  uint64_t scratch = 0; // of all workers; workspaces of a GPU's kernels
  uint64_t cache = 0;   // of all pages; untouched ones cost nothing
  uint64_t weights = 0; // mapped from the file, or copied to the GPU
};

// What an executor with these options would reserve on its device; the same checks of the options, nothing allocated.
Result<MemoryUse> memoryUse(const EngineFile &engine, const ExecutorOptions &options);

// One launch of an entry as a person would want it told.
struct LaunchInfo {
  std::string_view node; // the model's own name; may be empty
  std::string_view kernel;
  std::string_view variant; // "avx2", "sm_90", ...
  const format::Size *bytesRead;
  const format::Size *operations;
};

class Executor {
public:
  static Result<std::unique_ptr<Executor>> create(std::shared_ptr<const EngineFile> engine,
                                                  const ExecutorOptions &options);
  ~Executor();
  Executor(const Executor &) = delete;
  Executor &operator=(const Executor &) = delete;

  const EngineFile &engine() const;
  const format::Plan &plan() const { return engine().plan(); }
  unsigned threads() const;
  const MemoryUse &memory() const;
  std::string device() const;          // for people: "AMD EPYC, 2 threads"
  const CachePool *hostCache() const;  // the pool where the CPU runs; null where a GPU does
  const VariantChoice &choice() const; // which variant, and why

  // Index of an entry, symbol, input or output of this name; NotFound lists what there is.
  Result<unsigned> entryIndex(std::string_view name) const;
  Result<unsigned> symbolIndex(std::string_view name) const;
  Result<unsigned> inputIndex(unsigned entry, std::string_view name) const;
  Result<unsigned> outputIndex(unsigned entry, std::string_view name) const;

  // The plan's symbols.
  const SymbolTable &symbols() const;
  // Sets the values of derived symbols, see SymbolTable::complete. The entry must exist.
  Result<void> complete(unsigned entry, std::span<int64_t> values) const {
    return symbols().complete(*plan().entries()->Get(entry), values);
  }

  // Runs an entry to its end.
  //   symbols: a value for each of the plan's symbols, in its order, 0 <= value <= bound. Those of derived symbols must
  //     be what complete() makes of the others.
  //   inputs, outputs: one pointer per argument, in the entry's order, to bytesOf(argument, symbols) bytes, aligned to
  //     the element; null only where that is 0. They stay the caller's. An output may not overlap an input or another
  //     output.
  // InvalidArgument: wrong counts, values or pointers, or values in the inputs that a kernel refuses (an id out of
  // range). After an error the outputs and the cache slots that this run wrote are unspecified; the executor stays
  // usable. Not thread-safe: one run at a time.
  Result<void> run(unsigned entry, std::span<const int64_t> symbols, std::span<const void *const> inputs,
                   std::span<void *const> outputs);
  Result<void> run(std::string_view entry, std::span<const int64_t> symbols, std::span<const void *const> inputs,
                   std::span<void *const> outputs);

  // The values of all symbols at the end of the last run: those that depend on data are known then, and outputs have
  // the shapes that follow, packed at the front of their memory.
  std::span<const int64_t> settled() const;

  // A run in two halves, on GPUs only: a device works through what it is given in order. `start` returns when the run
  // is given; the inputs are the caller's again then. `finish` waits for the last run of this entry that was started,
  // not for what was started after it, and copies the outputs that are not null; `outputs` and `symbols` as in run. An
  // error of any run that came before is told by the next `finish` or `run`.
  Result<void> start(unsigned entry, std::span<const int64_t> symbols, std::span<const void *const> inputs);
  Result<void> finish(unsigned entry, std::span<const int64_t> symbols, std::span<void *const> outputs);

  // From the next run on, the times of each worker in each launch are left in `into`, [threads][launches of the entry];
  // null switches it off, and then it costs nothing.
  void profile(std::vector<StepTime> *into);
  LaunchInfo launch(unsigned entry, unsigned index) const;
  // Barriers that all runs so far had.
  uint64_t barriers() const;

private:
  struct Impl;
  explicit Executor(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl;
};

} // namespace ingot::runtime

#endif
