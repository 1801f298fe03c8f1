// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See registry.h. An explicit list: objects that register themselves would be dropped from a static library.
#include "compiler/import/huggingface/families/registry.h"

namespace ingot::huggingface {

const std::vector<const Family *> &families() {
  static const std::vector<const Family *> all = {&llama, &mistral, &qwen2, &qwen3};
  return all;
}

} // namespace ingot::huggingface
