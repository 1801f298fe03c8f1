// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A GraphBuilder for tests that needs no compiler: it writes down every call, and where token ids are given it
// computes each op at once in float64, from the published formulas. So what an importer builds is compared with the
// logits of the reference implementation, before any pass or kernel exists. One sequence, one step.
#ifndef INGOT_TEST_UNIT_IMPORT_REFERENCE_BUILDER_H
#define INGOT_TEST_UNIT_IMPORT_REFERENCE_BUILDER_H

#include "compiler/import/builder.h"

#include <map>
#include <string>
#include <vector>

namespace ingot {

struct GraphBuilder::Impl {
  struct Tensor {
    std::vector<int64_t> shape; // -1: as many as tokens
    std::vector<double> values; // empty where nothing is computed
  };

  // --- Set before importing: what `tokens` holds. Without it calls are only written down.
  std::vector<int32_t> ids;

  // --- Read after importing.
  std::vector<std::string> calls; // "linear @model.layers.0.mlp.gate_proj [-1, 64] [172, 64]"
  std::map<std::string, TensorSource> weights;
  std::vector<AttentionSpec> attentions;
  std::vector<RopeSpec> ropes;
  DecoderSpec decoder;
  bool ended = false;
  std::vector<double> logits; // [tokens, vocabulary]

  std::vector<std::string> scopes;
  std::vector<std::unique_ptr<Tensor>> tensors;
};

} // namespace ingot

#endif
