// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From options and what the checkpoint recommends to how tokens are drawn; generate and chat share it.
#ifndef INGOT_TOOLS_INGOT_RUN_SAMPLING_H
#define INGOT_TOOLS_INGOT_RUN_SAMPLING_H

#include "runtime/serve/model.h"
#include "tools/ingot-run/options.h"

namespace ingot::tool {

// The checkpoint's generation_config, with the options in place of what they name. An option that only makes sense when
// drawing asks for drawing, unless greedy is asked for by name. Without a seed among the options it is another each
// time.
serve::SamplingParams samplingParams(const SamplingOptions &options, const serve::Model &model);

// What ends a text: the checkpoint's end tokens, unless they are to be ignored.
std::vector<int32_t> endIds(const SamplingOptions &options, const serve::Model &model);

// Tells on standard error what came from the checkpoint and what is drawn with.
void describeSampling(const SamplingOptions &options, const serve::SamplingParams &params, const serve::Model &model);

} // namespace ingot::tool

#endif
