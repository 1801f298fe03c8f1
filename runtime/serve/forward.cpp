// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See forward.h. Pools are made afresh for each pass: nothing of an earlier one is in the cache.
#include "runtime/serve/forward.h"

#include <algorithm>
#include <cmath>
#include <memory>

namespace ingot::serve {
namespace {

Result<void> checkIds(std::span<const int32_t> ids, const RunnerInfo &info, const char *what) {
  if (ids.empty())
    return makeError(ErrorCode::InvalidArgument, "%s has no ids; give at least one", what);
  for (size_t i = 0; i < ids.size(); ++i)
    if (ids[i] < 0 || ids[i] >= info.vocabulary)
      return makeError(ErrorCode::InvalidArgument, "id %d at place %zu of %s is outside the vocabulary 0..%lld", ids[i],
                       i, what, (long long)info.vocabulary - 1);
  return {};
}

// log(sum(exp(row))) in double.
double logSumExp(const float *row, int64_t count) {
  float largest = *std::max_element(row, row + count);
  double sum = 0;
  for (int64_t i = 0; i < count; ++i)
    sum += std::exp(double(row[i]) - double(largest));
  return double(largest) + std::log(sum);
}

} // namespace

Result<void> forward(StepRunner &runner, std::span<const int32_t> ids, const ForwardOptions &options,
                     const LogitSink &sink) {
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
  int64_t chunk = options.chunk > 0 ? std::min(options.chunk, most) : most;

  std::vector<PagePool> pools(info.groups.begin(), info.groups.end());
  PagedSequence sequence(pools.size()), other(pools.size());
  std::unique_ptr<float[]> logits(new float[size_t(std::min<int64_t>(chunk, int64_t(ids.size())) * info.vocabulary)]);
  while (sequence.length() < int64_t(ids.size())) {
    BatchBuilder builder(pools);
    int64_t first = sequence.length();
    int64_t count = std::min(chunk, int64_t(ids.size()) - first);
    int64_t otherCount = std::min(chunk, int64_t(options.mixed.size()) - other.length());
    if (!sequence.reserve(pools, first + count) || !other.reserve(pools, other.length() + otherCount))
      return makeError(ErrorCode::ResourceExhausted, "the cache has no page left at position %lld; give it more memory",
                       (long long)first);
    // The other one goes first, so that no row of ours stands where it would alone.
    if (otherCount > 0)
      builder.add(other, options.mixed.subspan(size_t(other.length()), size_t(otherCount)), WantLogits::none);
    builder.add(sequence, ids.subspan(size_t(first), size_t(count)), WantLogits::all);
    INGOT_RETURN_IF_ERROR(runner.step(builder.build(), logits.get()));
    sequence.advance(pools, first + count);
    other.advance(pools, other.length() + otherCount);
    INGOT_RETURN_IF_ERROR(sink(first, count, logits.get()));
  }
  return {};
}

Result<Likelihood> evaluate(StepRunner &runner, std::span<const int32_t> ids, int64_t window,
                            const std::function<bool(int64_t)> &progress) {
  Likelihood result;
  int64_t vocabulary = runner.info().vocabulary;
  if (ids.size() < 2)
    return makeError(ErrorCode::InvalidArgument, "the text has %zu ids; at least 2 are needed to predict one",
                     ids.size());
  INGOT_RETURN_IF_ERROR(checkIds(ids, runner.info(), "the text"));
  if (window < 1 || window > runner.info().context)
    return makeError(ErrorCode::InvalidArgument, "the window is %lld ids; it must be between 1 and the context, %lld",
                     (long long)window, (long long)runner.info().context);
  for (int64_t start = 0; start + 1 < int64_t(ids.size()); start += window) {
    int64_t count = std::min(window, int64_t(ids.size()) - 1 - start);
    INGOT_RETURN_IF_ERROR(forward(runner, ids.subspan(size_t(start), size_t(count)), {},
                                  [&](int64_t first, int64_t rows, const float *logits) -> Result<void> {
                                    for (int64_t i = 0; i < rows; ++i) {
                                      const float *row = logits + i * vocabulary;
                                      int32_t target = ids[size_t(start + first + i + 1)];
                                      result.nll += logSumExp(row, vocabulary) - double(row[target]);
                                    }
                                    return {};
                                  }));
    result.predicted += count;
    if (progress && !progress(result.predicted))
      break;
  }
  return result;
}

} // namespace ingot::serve
