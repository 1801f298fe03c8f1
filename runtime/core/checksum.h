// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The checksum of the engine file: XXH3-64 with seed 0. It guards against damage, not against malice.
#ifndef INGOT_RUNTIME_CORE_CHECKSUM_H
#define INGOT_RUNTIME_CORE_CHECKSUM_H

#include <cstdint>
#include <memory>
#include <span>

namespace ingot::runtime {

uint64_t checksum(std::span<const uint8_t> bytes);

// The same over bytes that come in pieces.
class RunningChecksum {
public:
  RunningChecksum();
  ~RunningChecksum();
  RunningChecksum(RunningChecksum &&) noexcept;
  RunningChecksum &operator=(RunningChecksum &&) noexcept;
  void add(std::span<const uint8_t> bytes);
  uint64_t value() const;

private:
  struct State;
  std::unique_ptr<State> state;
};

} // namespace ingot::runtime

#endif
