// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How well a model predicts a text, and how far one model's predictions are from another's: what quantization costs.
// Ids are cut into windows, each computed from an empty context; every id after the first is predicted once. Sums and
// logarithms are in double.
#ifndef INGOT_SERVE_LIKELIHOOD_H
#define INGOT_SERVE_LIKELIHOOD_H

#include "runtime/serve/forward.h"

namespace ingot::serve {

struct Likelihood {
  int64_t predicted = 0; // ids that were predicted
  double nll = 0;        // sum of -log p, in nats
};

// Told the number of ids predicted so far; false stops early.
using LikelihoodProgress = std::function<bool(int64_t)>;

Result<Likelihood> evaluate(StepRunner &runner, std::span<const int32_t> ids, int64_t window,
                            const LikelihoodProgress &progress = {});

struct Divergence {
  Likelihood model, reference;
  // KL(reference || model) = sum over the vocabulary of p_reference * (log p_reference - log p_model), in nats: one for
  // each predicted id, in their order. Never below 0, and exactly 0 where all logits are the same.
  std::vector<double> kl;
  int64_t agreements = 0; // places where both hold the same id for the likeliest; the lowest among equals
};

// Both runners take the same pieces in turn, so that memory holds the logits of one piece of each. InvalidArgument when
// their vocabularies differ, or the window is longer than either context.
Result<Divergence> compare(StepRunner &model, StepRunner &reference, std::span<const int32_t> ids, int64_t window,
                           const LikelihoodProgress &progress = {});

} // namespace ingot::serve

#endif
