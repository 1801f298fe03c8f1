// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Llama 2, 3, 3.1 and 3.2, and the many models that publish themselves as Llama. The plain decoder, with switches for
// biases.
#include "compiler/import/huggingface/decoder.h"
#include "compiler/import/huggingface/families/registry.h"

namespace ingot::huggingface {

static void import(Model &model) {
  Decoder decoder = readDecoder(model, {.vocabulary = 32000,
                                        .hidden = 4096,
                                        .intermediate = 11008,
                                        .layers = 32,
                                        .heads = 32,
                                        .context = 2048,
                                        .kvHeads = {},
                                        .headDim = {}});
  // One switch for all four projections of attention.
  decoder.qkvBias = decoder.outputBias = model.config.boolean("attention_bias").value_or(false);
  decoder.mlpBias = model.config.boolean("mlp_bias").value_or(false);
  for (const char *key : {"sliding_window", "use_sliding_window", "max_window_layers", "layer_types"})
    model.config.ignored(key, "model_type llama has no windows");
  buildDecoder(model, decoder);
}

const Family llama = {"llama", "LlamaForCausalLM", import, /*bos=*/1, /*eos=*/2};

} // namespace ingot::huggingface
