// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What lies beside a graph that an exporter wrote: the model's config, its defaults for sampling, tokenizer and chat template, as transformers or ONNX
// Runtime GenAI's builder leave them. Nothing of it need be there.
#ifndef INGOT_IMPORT_HUGGINGFACE_BESIDE_H
#define INGOT_IMPORT_HUGGINGFACE_BESIDE_H

#include "compiler/import/huggingface/import.h"

namespace ingot::huggingface {

// The directory of the graph's file, or the one above where that is called "onnx" and holds no config of its own.
std::string directoryBeside(const std::string &graph);

// Positions the model was made for (config.json, genai_config.json); 0 where nothing says so.
int64_t contextBeside(const std::string &directory);

// Fills generation, tokenizer and chat of the result, and its problems and notes. `tokenizer` is a tokenizer.json or a directory that
// stands in for `directory`, or "".
bool readBeside(const std::string &directory, const std::string &tokenizer, const std::string &chatTemplate, ImportResult &result);

} // namespace ingot::huggingface

#endif
