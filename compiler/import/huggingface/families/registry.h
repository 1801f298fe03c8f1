// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Every model family that can be imported, one line each; the files beside this one define them.
#ifndef INGOT_IMPORT_HUGGINGFACE_FAMILIES_REGISTRY_H
#define INGOT_IMPORT_HUGGINGFACE_FAMILIES_REGISTRY_H

#include "compiler/import/huggingface/family.h"

namespace ingot::huggingface {

extern const Family llama;
extern const Family mistral;
extern const Family qwen2;
extern const Family qwen3;

// Shared by the Qwen families (qwen2.cpp).
std::vector<int64_t> readQwenWindows(Model &model, int64_t layers);

} // namespace ingot::huggingface

#endif
