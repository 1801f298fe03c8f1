// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See sampling.h.
#include "tools/ingot-run/sampling.h"

#include "tools/ingot-run/common.h"

#include <random>

namespace ingot::tool {
namespace {

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%g", value);
  return text;
}

// "temperature 0.6, top-k 20": all that is not off. The words are those of the options.
std::string described(const serve::SamplingParams &params) {
  std::string text = params.temperature > 0 ? "temperature " + number(double(params.temperature)) : "greedy";
  auto add = [&](const char *name, double value, double off) {
    if (value != off)
      text += std::string(", ") + name + " " + number(value);
  };
  if (params.temperature > 0) {
    add("top-k", params.top_k, 0);
    add("top-p", double(params.top_p), 1);
    add("min-p", double(params.min_p), 0);
  }
  add("repetition penalty", double(params.repetition_penalty), 1);
  add("presence penalty", double(params.presence_penalty), 0);
  add("frequency penalty", double(params.frequency_penalty), 0);
  return text;
}

} // namespace

serve::SamplingParams samplingParams(const SamplingOptions &o, const serve::Model &model) {
  serve::SamplingParams params = model.defaultSampling();
  if (params.temperature == 0 && !o.greedy && (o.topK || o.topP || o.minP || o.seed))
    params.temperature = 1;
  if (o.temperature)
    params.temperature = *o.temperature;
  if (o.topK)
    params.top_k = *o.topK;
  if (o.topP)
    params.top_p = *o.topP;
  if (o.minP)
    params.min_p = *o.minP;
  if (o.repetitionPenalty)
    params.repetition_penalty = *o.repetitionPenalty;
  if (o.presencePenalty)
    params.presence_penalty = *o.presencePenalty;
  if (o.frequencyPenalty)
    params.frequency_penalty = *o.frequencyPenalty;
  if (o.greedy)
    params.temperature = 0;
  params.seed = o.seed ? *o.seed : int64_t(std::random_device{}());
  return params;
}

std::vector<int32_t> endIds(const SamplingOptions &options, const serve::Model &model) {
  return options.ignoreEos ? std::vector<int32_t>() : model.endIds();
}

void describeSampling(const SamplingOptions &options, const serve::SamplingParams &params, const serve::Model &model) {
  std::string ends;
  for (int32_t id : model.endIds()) {
    ends += (ends.empty() ? "ends at " : ", ") + std::to_string(id);
    if (model.tokenizer() && id < model.tokenizer()->size())
      ends += " " + model.tokenizer()->piece(id);
  }
  note("defaults    generation_config: %s; %s", described(model.defaultSampling()).c_str(),
       ends.empty() ? "no token ends a text" : ends.c_str());
  note("sampling    %s%s%s", described(params).c_str(),
       params.temperature > 0 ? (", seed " + std::to_string(params.seed)).c_str() : "",
       options.ignoreEos ? "; end tokens are ignored" : "");
}

} // namespace ingot::tool
