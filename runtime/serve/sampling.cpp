// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See sampling.h. Penalty lists are kept only for sequences that use a penalty.
#include "runtime/serve/sampling.h"

#include <cmath>
#include <cstdio>

namespace ingot::serve {
namespace {

Result<void> refuse(const char *name, double value, const char *range) {
  char text[160];
  std::snprintf(text, sizeof text, "%s is %g; it must be %s", name, value, range);
  return Error{ErrorCode::InvalidArgument, text};
}

} // namespace

Result<void> validate(const SamplingParams &p) {
  // Comparisons are written so that a NaN fails them.
  if (!(p.temperature >= 0) || std::isinf(p.temperature))
    return refuse("temperature", p.temperature, "a finite number, 0 (greedy) or more");
  if (p.top_k < 0)
    return refuse("top-k", p.top_k, "0 (off) or more");
  if (!(p.top_p > 0 && p.top_p <= 1))
    return refuse("top-p", p.top_p, "above 0 and at most 1 (off)");
  if (!(p.min_p >= 0 && p.min_p <= 1))
    return refuse("min-p", p.min_p, "between 0 (off) and 1");
  if (!(p.repetition_penalty > 0) || std::isinf(p.repetition_penalty))
    return refuse("repetition penalty", p.repetition_penalty, "a finite number above 0; 1 is off");
  if (!std::isfinite(p.presence_penalty))
    return refuse("presence penalty", p.presence_penalty, "a finite number; 0 is off");
  if (!std::isfinite(p.frequency_penalty))
    return refuse("frequency penalty", p.frequency_penalty, "a finite number; 0 is off");
  return {};
}

SamplingState::SamplingState(const SamplingParams &params, std::span<const int32_t> prompt) : params(params) {
  if (params.repetition_penalty != 1)
    for (int32_t id : prompt)
      note(id, 0);
}

bool SamplingState::penalized() const {
  return params.repetition_penalty != 1 || params.presence_penalty != 0 || params.frequency_penalty != 0;
}

void SamplingState::note(int32_t id, int32_t occurrences) {
  auto [at, added] = index.try_emplace(id, ids.size());
  if (added) {
    ids.push_back(id);
    counts.push_back(0);
  }
  counts[at->second] += occurrences;
}

void SamplingState::drew(int32_t id) {
  ++drawn;
  if (penalized())
    note(id, 1);
}

void SamplingState::addRow(SampleBatch &batch) const {
  batch.temperature.push_back(params.temperature);
  batch.top_k.push_back(params.top_k);
  batch.top_p.push_back(params.top_p);
  batch.min_p.push_back(params.min_p);
  batch.repetition.push_back(params.repetition_penalty);
  batch.presence.push_back(params.presence_penalty);
  batch.frequency.push_back(params.frequency_penalty);
  batch.seed.push_back(params.seed);
  batch.counter.push_back(drawn);
  batch.mask_rows.push_back(-1);
  batch.penalty_ids.insert(batch.penalty_ids.end(), ids.begin(), ids.end());
  batch.penalty_counts.insert(batch.penalty_counts.end(), counts.begin(), counts.end());
  batch.penalty_starts.push_back(int32_t(batch.penalty_ids.size()));
}

} // namespace ingot::serve
