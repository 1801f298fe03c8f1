// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See likelihood.h.
#include "runtime/serve/likelihood.h"

#include <algorithm>
#include <cmath>

namespace ingot::serve {
namespace {

// log(sum(exp(row))) in double.
double logSumExp(const float *row, int64_t count) {
  float largest = *std::max_element(row, row + count);
  double sum = 0;
  for (int64_t i = 0; i < count; ++i)
    sum += std::exp(double(row[i]) - double(largest));
  return double(largest) + std::log(sum);
}

// Ids that no distribution holds (logits of minus infinity) add nothing.
double divergence(const float *reference, double referenceSum, const float *model, double modelSum, int64_t count) {
  double kl = 0;
  for (int64_t i = 0; i < count; ++i) {
    double logReference = double(reference[i]) - referenceSum;
    if (double p = std::exp(logReference); p > 0)
      kl += p * (logReference - (double(model[i]) - modelSum));
  }
  return std::max(0.0, kl); // what rounding took below 0
}

Result<void> checkText(std::span<const int32_t> ids, const RunnerInfo &info, int64_t window) {
  if (ids.size() < 2)
    return makeError(ErrorCode::InvalidArgument, "the text has %zu ids; at least 2 are needed to predict one",
                     ids.size());
  INGOT_RETURN_IF_ERROR(checkIds(ids, info, "the text"));
  if (window < 1 || window > info.context)
    return makeError(ErrorCode::InvalidArgument, "the window is %lld ids; it must be between 1 and the context, %lld",
                     (long long)window, (long long)info.context);
  return {};
}

// Calls `one(ids of the window, first target)` for each window and tells progress.
Result<void> eachWindow(std::span<const int32_t> ids, int64_t window, int64_t &predicted,
                        const LikelihoodProgress &progress,
                        const std::function<Result<void>(std::span<const int32_t>, int64_t)> &one) {
  for (int64_t start = 0; start + 1 < int64_t(ids.size()); start += window) {
    int64_t count = std::min(window, int64_t(ids.size()) - 1 - start);
    INGOT_RETURN_IF_ERROR(one(ids.subspan(size_t(start), size_t(count)), start + 1));
    predicted += count;
    if (progress && !progress(predicted))
      break;
  }
  return {};
}

} // namespace

Result<Likelihood> evaluate(StepRunner &runner, std::span<const int32_t> ids, int64_t window,
                            const LikelihoodProgress &progress) {
  Likelihood result;
  INGOT_RETURN_IF_ERROR(checkText(ids, runner.info(), window));
  int64_t vocabulary = runner.info().vocabulary;
  INGOT_RETURN_IF_ERROR(eachWindow(
      ids, window, result.predicted, progress, [&](std::span<const int32_t> inputs, int64_t target) -> Result<void> {
        return forward(runner, inputs, {}, [&](int64_t first, int64_t rows, const float *logits) -> Result<void> {
          for (int64_t i = 0; i < rows; ++i) {
            const float *row = logits + i * vocabulary;
            result.nll += logSumExp(row, vocabulary) - double(row[ids[size_t(target + first + i)]]);
          }
          return {};
        });
      }));
  return result;
}

Result<Divergence> compare(StepRunner &model, StepRunner &reference, std::span<const int32_t> ids, int64_t window,
                           const LikelihoodProgress &progress) {
  Divergence result;
  int64_t vocabulary = model.info().vocabulary;
  if (reference.info().vocabulary != vocabulary)
    return makeError(ErrorCode::InvalidArgument,
                     "the vocabularies differ, %lld ids and %lld in the reference; compare engines of one model",
                     (long long)vocabulary, (long long)reference.info().vocabulary);
  for (StepRunner *runner : {&model, &reference})
    INGOT_RETURN_IF_ERROR(checkText(ids, runner->info(), window));
  auto eachPiece = [&](std::span<const int32_t> inputs, int64_t target) -> Result<void> {
    INGOT_ASSIGN_OR_RETURN(ForwardPass expected, ForwardPass::create(reference, inputs, {}));
    INGOT_ASSIGN_OR_RETURN(ForwardPass found, ForwardPass::create(model, inputs, {}));
    const int64_t pieces = std::min(expected.chunk(), found.chunk());
    while (!found.done()) {
      INGOT_ASSIGN_OR_RETURN(ForwardPass::Rows rows, found.next(pieces));
      INGOT_ASSIGN_OR_RETURN(ForwardPass::Rows other, expected.next(pieces));
      for (int64_t i = 0; i < rows.count; ++i, ++target) {
        const float *a = rows.logits + i * vocabulary, *b = other.logits + i * vocabulary;
        double sumA = logSumExp(a, vocabulary), sumB = logSumExp(b, vocabulary);
        result.model.nll += sumA - double(a[ids[size_t(target)]]);
        result.reference.nll += sumB - double(b[ids[size_t(target)]]);
        result.kl.push_back(divergence(b, sumB, a, sumA, vocabulary));
        result.agreements += std::max_element(a, a + vocabulary) - a == std::max_element(b, b + vocabulary) - b;
      }
    }
    return {};
  };
  INGOT_RETURN_IF_ERROR(eachWindow(ids, window, result.model.predicted, progress, eachPiece));
  result.reference.predicted = result.model.predicted;
  return result;
}

} // namespace ingot::serve
