// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// ingot-run evaluate: perplexity of a text. It is encoded whole, without added special tokens, and cut into windows of
// N inputs, each computed from an empty context; every id after the first is predicted once. With --against, how far
// the predictions are from those of a second engine, the reference: what the first one's quantization costs.
#include "runtime/core/file.h"
#include "runtime/serve/likelihood.h"
#include "tools/ingot-run/common.h"
#include "tools/ingot-run/profile.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>

namespace ingot::tool {
namespace {

struct Text {
  std::unique_ptr<serve::Model> model;
  std::vector<int32_t> ids;
};

Result<Text> loadWith(const EvaluateOptions &o, const std::string &engine, const std::string &text) {
  serve::LoadOptions load;
  load.chunk = o.run.chunk;
  load.logit_rows = o.run.chunk;
  RunOptions run = o.run;
  run.engine = engine;
  Text loaded;
  INGOT_ASSIGN_OR_RETURN(loaded.model, loadModel(run, load));
  if (!loaded.model->tokenizer())
    return makeError(ErrorCode::InvalidArgument, "%s has no tokenizer, so it reads no text", engine.c_str());
  loaded.ids = loaded.model->tokenizer()->encode(text, /*add_special=*/false);
  if (o.maxIds && int64_t(loaded.ids.size()) > o.maxIds)
    loaded.ids.resize(size_t(o.maxIds));
  return loaded;
}

// Both engines must read the same ids out of the text: else their predictions are of different things.
Result<void> checkSame(const EvaluateOptions &o, const Text &a, const Text &b) {
  if (a.model->info().vocabulary != b.model->info().vocabulary)
    return makeError(ErrorCode::InvalidArgument,
                     "%s has a vocabulary of %lld ids, %s one of %lld; --against compares engines of one model",
                     o.run.engine.c_str(), (long long)a.model->info().vocabulary, o.against->c_str(),
                     (long long)b.model->info().vocabulary);
  if (a.ids == b.ids)
    return {};
  size_t at = size_t(std::mismatch(a.ids.begin(), a.ids.end(), b.ids.begin(), b.ids.end()).first - a.ids.begin());
  auto idAt = [&](const Text &text) { return at < text.ids.size() ? std::to_string(text.ids[at]) : "the end"; };
  return makeError(ErrorCode::InvalidArgument,
                   "the tokenizers of %s and %s differ: at place %zu of the text they give %s and %s; --against "
                   "compares engines of one model",
                   o.run.engine.c_str(), o.against->c_str(), at, idAt(a).c_str(), idAt(b).c_str());
}

nlohmann::ordered_json likelihoodJson(const serve::Likelihood &result) {
  double mean = result.nll / double(result.predicted);
  return {{"perplexity", std::exp(mean)}, {"mean_nll", mean}};
}

Result<void> tell(const EvaluateOptions &o, const serve::Likelihood &model, int64_t window,
                  const std::optional<serve::Divergence> &divergence, double seconds) {
  double predicted = double(model.predicted), mean = model.nll / predicted;
  if (o.json) {
    nlohmann::ordered_json object = likelihoodJson(model);
    object["predicted"] = model.predicted;
    object["window"] = window;
    if (divergence) {
      nlohmann::ordered_json other{{"engine", *o.against}};
      other.update(likelihoodJson(divergence->reference));
      double sum = 0;
      for (double kl : divergence->kl)
        sum += kl;
      other["kl_mean"] = sum / predicted;
      other["kl_median"] = percentile(divergence->kl, 50);
      other["kl_99"] = percentile(divergence->kl, 99);
      other["kl_max"] = percentile(divergence->kl, 100);
      other["top1_agreement"] = double(divergence->agreements) / predicted;
      object["against"] = std::move(other);
    }
    object["seconds"] = seconds;
    return print(object.dump() + "\n");
  }
  char text[800];
  int size =
      std::snprintf(text, sizeof text, "perplexity %.4f (mean nll %.6f nats, %lld ids predicted in windows of %lld)\n",
                    std::exp(mean), mean, (long long)model.predicted, (long long)window);
  if (divergence) {
    double sum = 0, other = divergence->reference.nll / predicted;
    for (double kl : divergence->kl)
      sum += kl;
    std::snprintf(text + size, sizeof text - size_t(size),
                  "reference  %.4f (mean nll %.6f nats): perplexity %+.2f%%\n"
                  "KL divergence from the reference, nats a token: mean %.6g, median %.6g, 99%% %.6g, most %.6g\n"
                  "top-1 agreement %.2f%%\n",
                  std::exp(other), other, 100 * std::expm1(mean - other), sum / predicted,
                  percentile(divergence->kl, 50), percentile(divergence->kl, 99), percentile(divergence->kl, 100),
                  100 * double(divergence->agreements) / predicted);
  }
  INGOT_RETURN_IF_ERROR(print(text));
  note("%.1f s, %.0f ids/s", seconds, predicted / seconds);
  return {};
}

Result<int> run(const EvaluateOptions &o) {
  INGOT_ASSIGN_OR_RETURN(std::string text, runtime::readTextFile(o.text));
  INGOT_ASSIGN_OR_RETURN(Text tested, loadWith(o, o.run.engine, text));
  Text reference;
  int64_t window = tested.model->info().context;
  if (o.against) {
    INGOT_ASSIGN_OR_RETURN(reference, loadWith(o, *o.against, text));
    INGOT_RETURN_IF_ERROR(checkSame(o, tested, reference));
    window = std::min(window, reference.model->info().context);
  }
  INGOT_ASSIGN_OR_RETURN(std::unique_ptr<Profile> profile, Profile::start(tested.model->runner(), o.run));
  auto start = std::chrono::steady_clock::now();
  Progress progress("evaluate", int64_t(tested.ids.size()) - 1);
  auto update = [&](int64_t done) {
    progress.update(done);
    return !interrupted();
  };
  serve::Likelihood result;
  std::optional<serve::Divergence> divergence;
  if (o.against) {
    INGOT_ASSIGN_OR_RETURN(
        divergence, serve::compare(tested.model->runner(), reference.model->runner(), tested.ids, window, update));
    result = divergence->model;
  } else {
    INGOT_ASSIGN_OR_RETURN(result, serve::evaluate(tested.model->runner(), tested.ids, window, update));
  }
  if (interrupted())
    return kInterrupted;
  INGOT_RETURN_IF_ERROR(tell(o, result, window, divergence, secondsSince(start)));
  INGOT_RETURN_IF_ERROR(profile->finish());
  INGOT_RETURN_IF_ERROR(flush());
  return 0;
}

} // namespace

int evaluate(const EvaluateOptions &options) {
  Result<int> status = run(options);
  return status ? *status : report(status.error());
}

} // namespace ingot::tool
