// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Any bytes as a safetensors file: either a problem is told, or every tensor lies inside the file and fits its shape.
#include "compiler/import/huggingface/safetensors.h"

#include <cstdlib>

using namespace ingot::huggingface;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  std::string_view bytes(reinterpret_cast<const char *>(data), size);
  Messages messages;
  std::optional<uint64_t> length = safetensorsHeaderBytes(bytes.substr(0, 64), size, "fuzz.safetensors", messages);
  if (!length) {
    if (messages.problems.empty())
      std::abort();
    return 0;
  }
  std::vector<StoredTensor> tensors =
      parseSafetensorsHeader(bytes.substr(8, *length), 8 + *length, size, "fuzz.safetensors", messages);
  uint64_t sum = 0;
  for (const StoredTensor &tensor : tensors) {
    if (tensor.offset < 8 + *length || tensor.offset > size || tensor.bytes > size - tensor.offset)
      std::abort();
    sum += tensor.bytes;
    if (tensor.type) {
      uint64_t expected = ingot::elementBytes(*tensor.type);
      for (int64_t dim : tensor.shape)
        expected *= static_cast<uint64_t>(dim);
      if (expected != tensor.bytes)
        std::abort();
    }
  }
  // A good file has no byte that belongs to no tensor, and none that belongs to two.
  if (messages.problems.empty() && sum != size - 8 - *length)
    std::abort();
  for (const std::string &problem : messages.problems)
    if (!isUtf8(problem))
      std::abort();
  return 0;
}
