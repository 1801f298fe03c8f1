// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// ingot-run evaluate: perplexity of a text. It is encoded whole, without added special tokens, and cut into windows of
// N inputs, each computed from an empty context; every id after the first is predicted once. Sums are in double.
#include "runtime/core/file.h"
#include "runtime/serve/forward.h"
#include "tools/ingot-run/common.h"

#include <nlohmann/json.hpp>

#include <cmath>

namespace ingot::tool {
namespace {

Result<int> run(const EvaluateOptions &o) {
  INGOT_ASSIGN_OR_RETURN(std::string text, runtime::readTextFile(o.text));
  serve::LoadOptions load;
  load.chunk = o.run.chunk;
  load.logit_rows = o.run.chunk;
  INGOT_ASSIGN_OR_RETURN(std::unique_ptr<serve::Model> model, loadModel(o.run, load));
  if (!model->tokenizer())
    return makeError(ErrorCode::InvalidArgument, "%s has no tokenizer, so it reads no text", o.run.engine.c_str());
  std::vector<int32_t> ids = model->tokenizer()->encode(text, /*add_special=*/false);
  if (o.maxIds && int64_t(ids.size()) > o.maxIds)
    ids.resize(size_t(o.maxIds));

  int64_t window = model->info().context;
  auto start = std::chrono::steady_clock::now();
  Progress progress("evaluate", int64_t(ids.size()) - 1);
  INGOT_ASSIGN_OR_RETURN(serve::Likelihood result, serve::evaluate(model->runner(), ids, window, [&](int64_t done) {
                           progress.update(done);
                           return !interrupted();
                         }));
  if (interrupted())
    return kInterrupted;
  double seconds = secondsSince(start);
  double mean = result.nll / double(result.predicted);
  if (o.json) {
    nlohmann::ordered_json object;
    object["perplexity"] = std::exp(mean);
    object["mean_nll"] = mean;
    object["predicted"] = result.predicted;
    object["window"] = window;
    object["seconds"] = seconds;
    INGOT_RETURN_IF_ERROR(print(object.dump() + "\n"));
  } else {
    char line[200];
    std::snprintf(line, sizeof line, "perplexity %.4f (mean nll %.6f nats, %lld ids predicted in windows of %lld)\n",
                  std::exp(mean), mean, (long long)result.predicted, (long long)window);
    INGOT_RETURN_IF_ERROR(print(line));
    note("%.1f s, %.0f ids/s", seconds, double(result.predicted) / seconds);
  }
  INGOT_RETURN_IF_ERROR(flush());
  return 0;
}

} // namespace

int evaluate(const EvaluateOptions &options) {
  Result<int> status = run(options);
  return status ? *status : report(status.error());
}

} // namespace ingot::tool
