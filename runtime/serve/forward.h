// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Whole forward passes over known ids, without drawing anything: logits for every position. What the scheduler does for
// generation this does for `logits` and `evaluate`.
#ifndef INGOT_SERVE_FORWARD_H
#define INGOT_SERVE_FORWARD_H

#include "runtime/serve/batch.h"

#include <functional>
#include <memory>
#include <span>

namespace ingot::serve {

// Receives logits [rows, vocabulary] of positions first .. first+rows-1, in ascending order of positions.
using LogitSink = std::function<Result<void>(int64_t first, int64_t rows, const float *logits)>;

struct ForwardOptions {
  int64_t chunk = 0; // tokens a step takes of the sequence; 0: as many as a step holds
  // Another sequence that is computed in the same steps, as many tokens at a time; its logits are dropped.
  std::span<const int32_t> mixed;
  // Of a model with an encoder: what both attend to. It must outlive the pass.
  const Source *source = nullptr;
};

// InvalidArgument for no ids or for ids outside the vocabulary; `what` names them.
Result<void> checkIds(std::span<const int32_t> ids, const RunnerInfo &info, const char *what);

// A pass piece by piece, for who wants the logits of two models side by side. The ids must outlive it.
class ForwardPass {
public:
  struct Rows {
    int64_t first = 0, count = 0; // positions
    const float *logits;          // [count, vocabulary], until the next call
  };
  // The pass over a sequence that starts with ids[0] at position 0. InvalidArgument for no ids, ids outside the
  // vocabulary, more ids than the context, or a source that is missing or none that the model takes.
  static Result<ForwardPass> create(StepRunner &runner, std::span<const int32_t> ids, const ForwardOptions &options);

  bool done() const { return sequence.length() == int64_t(ids.size()); }
  int64_t chunk() const { return piece; } // ids that a step takes at most
  // The next `count` ids, as far as the chunk and what is left allow. Not to be called when done.
  Result<Rows> next(int64_t count);

private:
  ForwardPass(StepRunner &runner, std::span<const int32_t> ids, const ForwardOptions &options, int64_t piece, int64_t positions);

  StepRunner *runner;
  std::span<const int32_t> ids, mixed;
  int64_t piece;
  const Source *source;
  int64_t positions; // of the source
  bool encoded = false;
  std::vector<PagePool> pools;
  PagedSequence sequence, other;
  std::unique_ptr<float[]> logits;
};

// A whole pass; errors are those of ForwardPass and of the sink.
Result<void> forward(StepRunner &runner, std::span<const int32_t> ids, const ForwardOptions &options,
                     const LogitSink &sink);

} // namespace ingot::serve

#endif
