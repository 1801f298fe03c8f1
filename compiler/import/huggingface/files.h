// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Files of a checkpoint directory, read with clear errors. Only small files are read whole.
#ifndef INGOT_IMPORT_HUGGINGFACE_FILES_H
#define INGOT_IMPORT_HUGGINGFACE_FILES_H

#include "compiler/import/huggingface/json.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ingot::huggingface {

// A regular file open for reading. Failing to open shows at the first read.
class InputFile {
public:
  explicit InputFile(std::string path);
  ~InputFile();
  InputFile(const InputFile &) = delete;
  InputFile &operator=(const InputFile &) = delete;

  uint64_t size() const { return bytes; }
  // Exactly bytes [offset, offset + count) into `out`.
  bool read(uint64_t offset, uint64_t count, std::string &out);
  // One sentence with the path, once something failed.
  const std::string &error() const { return failure; }

private:
  std::string path;
  int descriptor = -1;
  uint64_t bytes = 0;
  std::string failure;
};

bool fileExists(const std::string &path);

// The whole of a text file of at most 256 MB. Nothing, and a problem, where it cannot be read.
std::optional<std::string> readText(const std::string &path, Messages &messages);

// The JSON object in a file. Nothing, and a problem, where there is none.
std::optional<Json> readJsonObject(const std::string &path, Messages &messages);

// Cloning a repository without Git LFS leaves small text files in place of large ones.
bool isLfsPointer(std::string_view start);

} // namespace ingot::huggingface

#endif
