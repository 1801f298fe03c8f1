// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tensors of entries as .npy files, and as a line for people.
#ifndef INGOT_TOOLS_INGOT_RUN_TENSOR_FILES_H
#define INGOT_TOOLS_INGOT_RUN_TENSOR_FILES_H

#include "runtime/core/memory.h"
#include "runtime/core/npy.h"
#include "runtime/executor/tensors.h"

#include "runtime/serve/model.h"

#include <string>
#include <utility>
#include <vector>

namespace ingot::tool {

// Arrays that were read, and views of them.
struct TensorFiles {
  std::vector<runtime::NpyArray> arrays;
  std::vector<runtime::NamedTensor> tensors;
};

// Reads NAME=FILE.npy pairs as the inputs of `entry`. bfloat16, which .npy has no type for, is read from V2 (as
// ml_dtypes writes it) and, where the entry wants bf16, from u2.
runtime::Result<TensorFiles> readTensors(const format::Entry &entry,
                                         const std::vector<std::pair<std::string, std::string>> &files);

// What an encoder reads, from a file.
runtime::Result<serve::Source> readSource(const serve::Model &model, const std::string &path);

// The type as .npy spells it: "f4", "b1", ...; "V2" for bf16.
std::string_view npyType(format::ElementType type);

// Writes one tensor, row-major.
runtime::Result<void> writeTensor(const std::string &path, format::ElementType type, std::span<const int64_t> shape,
                                  const void *data);

// Memory for each output of the entry at these symbols.
runtime::Result<std::vector<runtime::Region>> reserveOutputs(const format::Entry &entry,
                                                             std::span<const int64_t> symbols);

// The first values, and how many more there are: "1, 2.5, -3, ... (96 values)".
std::string valuesText(format::ElementType type, const void *data, uint64_t count, uint64_t most = 6);

} // namespace ingot::tool

#endif
