// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Qwen2 and Qwen2.5: Llama whose query, key and value projections always have biases; the upper layers may slide.
#include "compiler/import/huggingface/decoder.h"
#include "compiler/import/huggingface/families/registry.h"

namespace ingot::huggingface {

// sliding_window counts only beside use_sliding_window; layers from max_window_layers on slide, unless layer_types says
// which do. Qwen3 does the same.
std::vector<int64_t> readQwenWindows(Model &model, int64_t layers) {
  Config &config = model.config;
  std::optional<int64_t> window;
  if (!config.boolean("use_sliding_window").value_or(false))
    config.find("sliding_window");
  else if (config.has("sliding_window"))
    window = config.integer("sliding_window", 1, INT32_MAX);
  else
    window = 4096;
  int64_t firstSliding = config.integer("max_window_layers", 0, INT32_MAX).value_or(28);
  return readWindows(model, layers, window, firstSliding);
}

static void import(Model &model) {
  Decoder decoder = readDecoder(model, {.vocabulary = 151936,
                                        .hidden = 4096,
                                        .intermediate = 22016,
                                        .layers = 32,
                                        .heads = 32,
                                        .context = 32768,
                                        .kvHeads = 32,
                                        .headDim = {}});
  decoder.qkvBias = true;
  decoder.windows = readQwenWindows(model, decoder.layers);
  for (const char *key : {"attention_bias", "mlp_bias"})
    model.config.ignored(key, "model_type qwen2 has biases on queries, keys and values, and no others");
  buildDecoder(model, decoder);
}

const Family qwen2 = {"qwen2", "Qwen2ForCausalLM", import};

} // namespace ingot::huggingface
