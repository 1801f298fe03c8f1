// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The header of a safetensors file: which tensors it holds, and where. Tensor data is never read here; the engine
// writer maps the file and reads each tensor when its turn comes.
//
//   1. bytes 0..7: length N of the header, little-endian.
//   2. bytes 8..8+N-1: JSON, padded with spaces: {"__metadata__": {name: text}, tensor: {"dtype", "shape",
//      "data_offsets": [begin, end)}}, offsets counted from byte 8+N.
//   3. tensor data, row-major and little-endian, without overlaps and without holes.
#ifndef INGOT_IMPORT_HUGGINGFACE_SAFETENSORS_H
#define INGOT_IMPORT_HUGGINGFACE_SAFETENSORS_H

#include "compiler/import/builder.h"
#include "compiler/import/huggingface/json.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ingot::huggingface {

struct StoredTensor {
  std::string name;
  std::string dtype;               // as the file spells it
  std::optional<ElementType> type; // nothing where Ingot has no such type: an error only if the tensor is used
  std::vector<int64_t> shape;
  std::string file;
  uint64_t offset = 0; // of its first byte in the file
  uint64_t bytes = 0;
};

// The format's own limit on the header.
inline constexpr uint64_t kMaxSafetensorsHeader = 100'000'000;

// Length of the header, from the file's first bytes (at least 8 where the file has as many). Nothing, and a problem,
// where they cannot belong to a safetensors file of `fileBytes` bytes.
std::optional<uint64_t> safetensorsHeaderBytes(std::string_view start, uint64_t fileBytes, const std::string &file,
                                               Messages &messages);

// Reads the header's JSON; `dataStart` is the offset of tensor data in the file. Every problem is told, each names the
// file and the tensor; tensors that have one are left out.
std::vector<StoredTensor> parseSafetensorsHeader(std::string_view header, uint64_t dataStart, uint64_t fileBytes,
                                                 const std::string &file, Messages &messages);

// Both of the above, for a file on disk.
std::vector<StoredTensor> readSafetensors(const std::string &file, Messages &messages);

} // namespace ingot::huggingface

#endif
