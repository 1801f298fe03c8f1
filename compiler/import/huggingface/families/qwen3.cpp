// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Qwen3: queries and keys are normalized per head before they are rotated; head_dim stands apart from the width.
#include "compiler/import/huggingface/decoder.h"
#include "compiler/import/huggingface/families/registry.h"

namespace ingot::huggingface {

static void import(Model &model) {
  Decoder decoder = readDecoder(model, {.vocabulary = 151936,
                                        .hidden = 4096,
                                        .intermediate = 22016,
                                        .layers = 32,
                                        .heads = 32,
                                        .context = 32768,
                                        .kvHeads = 32,
                                        .headDim = 128});
  decoder.qkNorm = true;
  decoder.qkvBias = decoder.outputBias = model.config.boolean("attention_bias").value_or(false);
  decoder.windows = readQwenWindows(model, decoder.layers);
  model.config.ignored("mlp_bias", "model_type qwen3 has no such biases");
  buildDecoder(model, decoder);
}

const Family qwen3 = {"qwen3", "Qwen3ForCausalLM", import};

} // namespace ingot::huggingface
