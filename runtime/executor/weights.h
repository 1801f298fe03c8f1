// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The bytes of an engine's weights: from the file, or drawn at load where the file leaves them out (a model without weights,
// compiled with --dummy-weights=SEED,at-load, so that an engine of any size is small).
//
// What is drawn follows from the seed and the byte's place alone. By a weight's layout and type: packed floats are uniform in
// +-0.04, vectors 1 +- 0.1, scales of groups 0.001 +- 0.0005, quantized values and zero points any bits (4-bit zero points below 16).
#ifndef INGOT_RUNTIME_EXECUTOR_WEIGHTS_H
#define INGOT_RUNTIME_EXECUTOR_WEIGHTS_H

#include "runtime/executor/engine_file.h"

#include <cstdint>
#include <span>

namespace ingot::runtime {

class WeightSource {
public:
  explicit WeightSource(const EngineFile &engine);

  uint64_t bytes() const { return total; }
  // Whether some of them are not in the file.
  bool drawn() const { return total > stored.size(); }
  // Bytes [offset, offset + to.size()) of all weights. Safe from several threads.
  void read(uint64_t offset, std::span<uint8_t> to) const;
  // The same, shared out among threads.
  void readPiece(uint64_t offset, std::span<uint8_t> to, unsigned threads) const;

private:
  const format::Plan &plan;
  std::span<const uint8_t> stored;
  uint64_t total;
};

} // namespace ingot::runtime

#endif
