// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Whole forward passes over known ids, without drawing anything: logits for every position, and the likelihood of a
// text. What the scheduler does for generation this does for `logits` and `evaluate`.
#ifndef INGOT_SERVE_FORWARD_H
#define INGOT_SERVE_FORWARD_H

#include "runtime/serve/batch.h"

#include <functional>
#include <span>

namespace ingot::serve {

// Receives logits [rows, vocabulary] of positions first .. first+rows-1, in ascending order of positions.
using LogitSink = std::function<Result<void>(int64_t first, int64_t rows, const float *logits)>;

struct ForwardOptions {
  int64_t chunk = 0; // tokens a step takes of the sequence; 0: as many as a step holds
  // Another sequence that is computed in the same steps, as many tokens at a time; its logits are dropped.
  std::span<const int32_t> mixed;
};

// The logits of a sequence that starts with ids[0] at position 0. InvalidArgument for no ids, ids outside the
// vocabulary, or more ids than the context.
Result<void> forward(StepRunner &runner, std::span<const int32_t> ids, const ForwardOptions &options,
                     const LogitSink &sink);

struct Likelihood {
  int64_t predicted = 0; // ids that were predicted
  double nll = 0;        // sum of -log p, in nats
};

// Every id after the first predicted once: windows of `window` inputs, each from an empty context.
// `progress` is told the number of ids predicted so far; false from it stops early.
Result<Likelihood> evaluate(StepRunner &runner, std::span<const int32_t> ids, int64_t window,
                            const std::function<bool(int64_t)> &progress = {});

} // namespace ingot::serve

#endif
