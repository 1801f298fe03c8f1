// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Rotary embeddings from config.json: `rope_parameters` (transformers 5) or `rope_scaling` and `rope_theta`
// (transformers 4) become the frequencies of a RopeSpec. Rotation itself is an op of the graph.
#ifndef INGOT_IMPORT_HUGGINGFACE_ROPE_H
#define INGOT_IMPORT_HUGGINGFACE_ROPE_H

#include "compiler/import/builder.h"
#include "compiler/import/huggingface/config.h"

namespace ingot::huggingface {

// Reads rope_parameters, rope_scaling, rope_theta, original_max_position_embeddings and partial_rotary_factor.
// Supported rope_type: default, linear, dynamic, llama3, yarn, longrope; any other is a problem, by name.
// `headDim` is even and at least 2, `context` is max_position_embeddings.
RopeSpec readRope(Config &config, int64_t headDim, int64_t context);

} // namespace ingot::huggingface

#endif
