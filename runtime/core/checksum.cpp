// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See checksum.h. xxHash is used header-only: nothing to link.
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "runtime/core/checksum.h"

namespace ingot::runtime {

uint64_t checksum(std::span<const uint8_t> bytes) { return XXH3_64bits(bytes.data(), bytes.size()); }

struct RunningChecksum::State {
  XXH3_state_t xxh; // 64-byte aligned by its type
};

RunningChecksum::RunningChecksum() : state(std::make_unique<State>()) { XXH3_64bits_reset(&state->xxh); }
RunningChecksum::~RunningChecksum() = default;
RunningChecksum::RunningChecksum(RunningChecksum &&) noexcept = default;
RunningChecksum &RunningChecksum::operator=(RunningChecksum &&) noexcept = default;

void RunningChecksum::add(std::span<const uint8_t> bytes) {
  XXH3_64bits_update(&state->xxh, bytes.data(), bytes.size());
}

uint64_t RunningChecksum::value() const { return XXH3_64bits_digest(&state->xxh); }

} // namespace ingot::runtime
