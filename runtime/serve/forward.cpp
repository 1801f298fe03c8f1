// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See forward.h. Pools are made afresh for each pass: nothing of an earlier one is in the cache.
#include "runtime/serve/forward.h"

#include <algorithm>

namespace ingot::serve {

Result<void> checkIds(std::span<const int32_t> ids, const RunnerInfo &info, const char *what) {
  if (ids.empty())
    return makeError(ErrorCode::InvalidArgument, "%s has no ids; give at least one", what);
  for (size_t i = 0; i < ids.size(); ++i)
    if (ids[i] < 0 || ids[i] >= info.vocabulary)
      return makeError(ErrorCode::InvalidArgument, "id %d at place %zu of %s is outside the vocabulary 0..%lld", ids[i],
                       i, what, (long long)info.vocabulary - 1);
  return {};
}

ForwardPass::ForwardPass(StepRunner &runner, std::span<const int32_t> ids, const ForwardOptions &options, int64_t piece,
                         int64_t positions)
    : runner(&runner), ids(ids), mixed(options.mixed), piece(piece), source(options.source), positions(positions),
      pools(runner.info().groups.begin(), runner.info().groups.end()), sequence(pools.size()), other(pools.size()),
      logits(new float[size_t(std::min<int64_t>(piece, int64_t(ids.size())) * runner.info().vocabulary)]) {}

Result<ForwardPass> ForwardPass::create(StepRunner &runner, std::span<const int32_t> ids,
                                        const ForwardOptions &options) {
  const RunnerInfo &info = runner.info();
  INGOT_RETURN_IF_ERROR(checkIds(ids, info, "the sequence"));
  if (!options.mixed.empty())
    INGOT_RETURN_IF_ERROR(checkIds(options.mixed, info, "the other sequence"));
  for (std::span<const int32_t> all : {ids, options.mixed})
    if (int64_t(all.size()) > info.context)
      return makeError(ErrorCode::InvalidArgument,
                       "a sequence has %zu ids, but the context holds %lld; shorten it or "
                       "raise the context",
                       all.size(), (long long)info.context);

  int64_t most = std::min(info.tokens / (options.mixed.empty() ? 1 : 2), info.logit_rows);
  if (most < 1 || info.sequences < (options.mixed.empty() ? 1 : 2))
    return makeError(ErrorCode::InvalidArgument, "a step holds %lld tokens of %lld sequences, too few for this pass",
                     (long long)info.tokens, (long long)info.sequences);
  if ((info.source != 0) != (options.source != nullptr))
    return makeError(ErrorCode::InvalidArgument, info.source ? "the model reads a source with its encoder, and none is given"
                                                             : "the model has no encoder that would read a source");
  int64_t positions = 0;
  if (options.source) {
    INGOT_ASSIGN_OR_RETURN(positions, runner.sourcePositions(*options.source));
    if (positions > info.source)
      return makeError(ErrorCode::InvalidArgument, "the source has %lld positions, but %lld were planned; shorten it or plan for more",
                       (long long)positions, (long long)info.source);
  }
  return ForwardPass(runner, ids, options, options.chunk > 0 ? std::min(options.chunk, most) : most, positions);
}

Result<ForwardPass::Rows> ForwardPass::next(int64_t wanted) {
  BatchBuilder builder(pools);
  int64_t first = sequence.length();
  int64_t count = std::min({wanted, piece, int64_t(ids.size()) - first});
  int64_t otherCount = std::min(piece, int64_t(mixed.size()) - other.length());
  if (!sequence.reserve(pools, first + count, positions) || !other.reserve(pools, other.length() + otherCount, otherCount > 0 ? positions : 0))
    return makeError(ErrorCode::ResourceExhausted, "the cache has no page left at position %lld; give it more memory",
                     (long long)first);
  if (source && !encoded) {
    encoded = true;
    INGOT_RETURN_IF_ERROR(runner->encode(*source, sourceSlots(pools, sequence)));
    if (other.sourceLength() > 0)
      INGOT_RETURN_IF_ERROR(runner->encode(*source, sourceSlots(pools, other)));
  }
  // The other one goes first, so that no row of ours stands where it would alone.
  if (otherCount > 0)
    builder.add(other, mixed.subspan(size_t(other.length()), size_t(otherCount)), WantLogits::none);
  builder.add(sequence, ids.subspan(size_t(first), size_t(count)), WantLogits::all);
  INGOT_RETURN_IF_ERROR(runner->step(builder.build(), logits.get()));
  sequence.advance(pools, first + count);
  other.advance(pools, other.length() + otherCount);
  return Rows{first, count, logits.get()};
}

Result<void> forward(StepRunner &runner, std::span<const int32_t> ids, const ForwardOptions &options,
                     const LogitSink &sink) {
  INGOT_ASSIGN_OR_RETURN(ForwardPass pass, ForwardPass::create(runner, ids, options));
  while (!pass.done()) {
    INGOT_ASSIGN_OR_RETURN(ForwardPass::Rows rows, pass.next(pass.chunk()));
    INGOT_RETURN_IF_ERROR(sink(rows.first, rows.count, rows.logits));
  }
  return {};
}

} // namespace ingot::serve
