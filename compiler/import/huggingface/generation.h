// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a checkpoint brings beside its graph: defaults of generation, the tokenizer's files and the chat templates. The
// tokenizer is compiled and the template read elsewhere; here they are found.
#ifndef INGOT_IMPORT_HUGGINGFACE_GENERATION_H
#define INGOT_IMPORT_HUGGINGFACE_GENERATION_H

#include "compiler/import/huggingface/family.h"
#include "compiler/import/huggingface/import.h"

namespace ingot::huggingface {

// Defaults of generation from generation_config.json (`own`, null where there is none); what that leaves out of the
// special tokens comes from config.json, then from the family.
// What a family's checkpoints mean where they leave ids out; -1: none.
struct DefaultIds {
  int32_t bos = -1, eos = -1;
};

GenerationConfig readGeneration(const Json *own, const std::string &ownWhere, const Json &config,
                                const std::string &configWhere, const DefaultIds &ids, Messages &messages);

// tokenizer.json, tokenizer_config.json and the chat templates of `directory`, each where it is there; `chatTemplate`
// is a file that stands in for its templates, or "".
void readTextFiles(const std::string &directory, const std::string &chatTemplate, ImportResult &result, Messages &messages);

} // namespace ingot::huggingface

#endif
