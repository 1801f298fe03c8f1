// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Writes the engine file (runtime/format/engine.h): sections in order, weights streamed through their recipes by
// several threads, checksums on the way. The file appears under its final name only when it is whole: it is written
// without a name (or under a temporary one where the file system cannot) and renamed. One input gives one file, byte
// for byte, for any number of threads.
#ifndef INGOT_COMPILER_ENGINE_ENGINE_WRITER_H
#define INGOT_COMPILER_ENGINE_ENGINE_WRITER_H

#include "compiler/engine/recipe.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace ingot::engine {

struct StoredWeight {
  std::string name;
  std::shared_ptr<const Recipe> recipe;
  uint64_t offset = 0; // within WEIGHTS, a multiple of 64
};

// Gives every weight its offset, in order, and returns the size of the section.
uint64_t placeWeights(std::vector<StoredWeight> &weights);

struct EngineContents {
  std::vector<uint8_t> head, plan, code, tokenizer;
  std::string chat; // runtime/chat/section.h
  std::string report;                // as long as it may become, where finishReport is given
  std::vector<StoredWeight> weights; // placed
  uint64_t weightBytes = 0;
  // Gives the report when all weights are written, with what quantizing each of them cost. Spaces fill what it leaves
  // of the room that `report` has taken.
  std::function<std::string(const std::vector<QuantizationError> &)> finishReport;
};

struct WriteOptions {
  unsigned threads = 1;
  uint64_t dummySeed = 0;
  std::function<void(uint64_t done, uint64_t total)> progress; // bytes of weights; called from one thread
};

// Writes `path`. Returns "" or an error sentence; on an error nothing is left under `path` that was not there before.
std::string writeEngine(const std::string &path, const EngineContents &contents, const WriteOptions &options);

} // namespace ingot::engine

#endif
