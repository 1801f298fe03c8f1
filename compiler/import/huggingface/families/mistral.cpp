// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Mistral: Llama without biases, whose attention slides over a window. Configs with `layer_types` (transformers loads
// those as Ministral) slide in some layers only.
#include "compiler/import/huggingface/decoder.h"
#include "compiler/import/huggingface/families/registry.h"

namespace ingot::huggingface {

static void import(Model &model) {
  Config &config = model.config;
  Decoder decoder = readDecoder(model, {.vocabulary = 32000,
                                        .hidden = 4096,
                                        .intermediate = 14336,
                                        .layers = 32,
                                        .heads = 32,
                                        .context = 131072,
                                        .kvHeads = 8,
                                        .headDim = {}});
  // null says "no window"; a config that leaves the key out has the class's own.
  std::optional<int64_t> window = 4096;
  if (config.has("sliding_window"))
    window = config.integer("sliding_window", 1, INT32_MAX);
  decoder.windows = readWindows(model, decoder.layers, window, 0);
  for (const char *key : {"attention_bias", "mlp_bias"})
    config.ignored(key, "model_type mistral has no biases");
  for (const char *key : {"use_sliding_window", "max_window_layers"})
    config.ignored(key, "model_type mistral reads sliding_window and layer_types alone");
  buildDecoder(model, decoder);
}

const Family mistral = {"mistral", "MistralForCausalLM", import, /*bos=*/1, /*eos=*/2};

} // namespace ingot::huggingface
