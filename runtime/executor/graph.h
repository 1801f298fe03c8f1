// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs entries as functions of named tensors. Memory is placed for the largest shapes seen so far: where a run has
// larger ones, the executor under it is made anew. Entries of decoders, which need a KV cache, are for runtime/serve.
#ifndef INGOT_RUNTIME_EXECUTOR_GRAPH_H
#define INGOT_RUNTIME_EXECUTOR_GRAPH_H

#include "runtime/executor/executor.h"
#include "runtime/executor/tensors.h"

#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace ingot::runtime {

struct GraphOptions {
  unsigned threads = 0; // of a CPU; 0: defaultThreads()
  DeviceName device = {};
  // Of symbols by name: the largest values to expect, so that memory is placed for them at once. Others may be larger
  // later.
  std::vector<std::pair<std::string, int64_t>> expected = {};
};

class GraphRunner {
public:
  // Errors: those of Executor::create, once something runs; NotFound for an expected symbol that is none,
  // InvalidArgument for one that is derived or out of range.
  static Result<std::unique_ptr<GraphRunner>> create(std::shared_ptr<const EngineFile> engine, GraphOptions options);

  const EngineFile &engine() const { return *file; }
  const format::Plan &plan() const { return file->plan(); }

  // Places memory such that entries run at these values of all symbols. Keeps what is there where it suffices.
  Result<void> reserve(std::span<const int64_t> symbols);
  // Runs an entry; symbols and inputs as bindInputs gives them. outputs: a pointer to bytesOf(output, symbols) bytes
  // for each output in the entry's order; null where it is not wanted. One run at a time. Where dimensions depend
  // on data, executor()->settled() tells the values that they came out with: an output then has fewer elements than its
  // memory.
  Result<void> run(unsigned entry, std::span<const int64_t> symbols, std::span<const void *const> inputs,
                   std::span<void *const> outputs);

  // Where the last run was; null before the first.
  Executor *executor() { return made.get(); }

private:
  GraphRunner(std::shared_ptr<const EngineFile> engine, GraphOptions options)
      : file(std::move(engine)), options(std::move(options)), symbols(file->plan()), bounds(symbols.size(), 0) {}

  std::shared_ptr<const EngineFile> file;
  GraphOptions options;
  SymbolTable symbols;
  std::vector<int64_t> bounds; // of all symbols: the largest values that ran or are expected
  std::unique_ptr<Executor> made;
};

} // namespace ingot::runtime

#endif
