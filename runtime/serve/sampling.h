// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How one sequence draws its tokens, and what it has drawn: the part of a row of `sample` that lives from step to
// step. The arithmetic itself is the plan's sample kernel.
#ifndef INGOT_SERVE_SAMPLING_H
#define INGOT_SERVE_SAMPLING_H

#include "runtime/serve/runner.h"

#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

namespace ingot::serve {

struct SamplingParams {
  float temperature = 1;        // 0: greedy, the lowest id among equals
  int32_t top_k = 0;            // 0: off
  float top_p = 1;              // in (0, 1]; 1: off
  float min_p = 0;              // in [0, 1]; 0: off
  float repetition_penalty = 1; // over prompt and output; above 0; 1: off
  float presence_penalty = 0;   // over the output
  float frequency_penalty = 0;  // over the output, per occurrence
  int64_t seed = 0;
};

// Fails with invalid_argument, naming the parameter, its value and its range.
Result<void> validate(const SamplingParams &params);

class SamplingState {
public:
  SamplingState(const SamplingParams &params, std::span<const int32_t> prompt);
  // Appends this sequence's row. The counter of the generator is the number of tokens drawn so far, so that a draw
  // depends neither on the batch nor on a preemption.
  void addRow(SampleBatch &batch) const;
  void drew(int32_t id);

private:
  bool penalized() const;
  void note(int32_t id, int32_t occurrences);

  SamplingParams params;
  int64_t drawn = 0;
  std::unordered_map<int32_t, size_t> index; // id -> place in ids and counts
  std::vector<int32_t> ids, counts;
};

} // namespace ingot::serve

#endif
