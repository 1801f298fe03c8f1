// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What decoders of the Llama kind share: the keys that describe their sizes, and the blocks that a layer is made of.
// A family file fills a Decoder, says what is special, and calls buildDecoder; one whose layers are put together in
// another way writes its own loop over the same blocks.
//
//   x = embedding(tokens)
//   per layer:  x = x + output(attention(rope(q(n)), rope(k(n)), v(n)))     n = norm(x)
//               x = x + down(act(gate(m)) * up(m))                          m = norm(x)
//   logits = head(norm(x of the rows that are asked for))
#ifndef INGOT_IMPORT_HUGGINGFACE_DECODER_H
#define INGOT_IMPORT_HUGGINGFACE_DECODER_H

#include "compiler/import/huggingface/family.h"

#include <optional>

namespace ingot::huggingface {

// What a key counts as where config.json leaves it out: each family's configuration class has its own values.
struct DecoderDefaults {
  int64_t vocabulary = 0, hidden = 0, intermediate = 0, layers = 0, heads = 0, context = 0;
  std::optional<int64_t> kvHeads; // nothing: as many as heads
  std::optional<int64_t> headDim; // nothing: hidden / heads
};

struct Decoder {
  int64_t vocabulary = 0, hidden = 0, intermediate = 0, layers = 0, heads = 0, kvHeads = 0, headDim = 0, context = 0;
  double normEps = 0;
  Activation activation = Activation::silu;
  bool tied = false;
  RopeSpec rope;

  // What differs between families.
  bool qkvBias = false, outputBias = false, mlpBias = false;
  bool qkNorm = false;          // queries and keys are normalized per head, before rotation
  std::vector<int64_t> windows; // per layer; 0: a position sees everything before it
};

// Reads the keys that all families have. Problems show in model.config.good().
Decoder readDecoder(Model &model, const DecoderDefaults &defaults);

// Reads `layer_types`: which layers slide over `window` positions (nothing: no window is set). Where the key is absent,
// layers from `firstSliding` on do, if there is a window.
std::vector<int64_t> readWindows(Model &model, int64_t layers, std::optional<int64_t> window, int64_t firstSliding);

// --- Blocks. `prefix` is the module's name in the checkpoint ("model.layers.3.self_attn"); it names the ops too.
Value linear(Model &model, const std::string &module, Value x, int64_t in, int64_t out, bool bias);
Value norm(Model &model, const std::string &module, Value x, int64_t width, double eps);
Value attention(Model &model, const std::string &prefix, const Decoder &decoder, int64_t layer, Value angles, Value x);
Value gatedMlp(Model &model, const std::string &prefix, const Decoder &decoder, Value x);

// The whole decoder, in the form drawn above. Does nothing where the config has problems.
void buildDecoder(Model &model, const Decoder &decoder);

} // namespace ingot::huggingface

#endif
