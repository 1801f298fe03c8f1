// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The engine's entry that reads the sources of an encoder-decoder: `encode`, which takes the source of one sequence and a slot for each
// position that it gives, and leaves keys and values there (docs/spec/engine.md). Runs nothing.
#ifndef INGOT_SERVE_SOURCE_H
#define INGOT_SERVE_SOURCE_H

#include "runtime/core/error.h"
#include "runtime/executor/engine_file.h"
#include "runtime/executor/tensors.h"
#include "runtime/serve/runner.h"

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace ingot::serve {

class SourceEntry {
public:
  // Of an engine, which must outlive it; nothing where the engine has no such entry. Unsupported for one that this runtime does not know.
  static runtime::Result<std::optional<SourceEntry>> find(const runtime::EngineFile &engine);

  bool takesIds() const; // token ids; otherwise features, floats
  // "i64 [1, sequence]": what a source is.
  std::string text() const;

  runtime::Result<Source> ofIds(std::span<const int32_t> ids) const;
  // With or without a batch of 1. InvalidArgument names what does not fit.
  runtime::Result<Source> ofTensor(format::ElementType type, std::span<const int64_t> shape, const void *data) const;

  // Positions that a source of this shape has.
  runtime::Result<int64_t> positions(std::span<const int64_t> shape) const;
  // Positions at most, and the largest values of the entry's symbols, where dimensions other than the batch are up to `bound`.
  int64_t mostPositions(int64_t bound) const;
  std::vector<std::pair<std::string, int64_t>> bounds(int64_t bound) const;

  // The entry's inputs. slots: one for each position, for all cache groups, [G, positions].
  runtime::Result<runtime::BoundInputs> bind(const Source &source, std::span<const int32_t> slots) const;
  unsigned index() const { return number; }

private:
  SourceEntry(const runtime::EngineFile &engine, unsigned number);
  std::vector<int64_t> symbolsOf(std::span<const int64_t> shape) const;

  const runtime::EngineFile *engine;
  unsigned number;
  const format::Entry *entry;
  const format::Argument *source, *slots;
};

} // namespace ingot::serve

#endif
