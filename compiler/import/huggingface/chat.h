// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The chat templates and special tokens of a checkpoint, found where transformers looks for them. Each template is
// parsed here as the runtime will parse it, so that one it cannot render is a problem when compiling.
#ifndef INGOT_IMPORT_HUGGINGFACE_CHAT_H
#define INGOT_IMPORT_HUGGINGFACE_CHAT_H

#include "compiler/import/huggingface/import.h"
#include "compiler/import/huggingface/json.h"

#include <string>

namespace ingot::huggingface {

// Sets result.chat. `tokenizerConfig` is tokenizer_config.json's object, null where there is none; `replacement` is a
// file whose template stands in for the default one, or "".
void readChat(const std::string &directory, const Json *tokenizerConfig, const std::string &replacement,
              ImportResult &result, Messages &messages);

} // namespace ingot::huggingface

#endif
