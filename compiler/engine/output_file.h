// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A file that appears whole or not at all. It is created without a name where the file system can (so that even a
// killed process leaves nothing behind), else under a temporary name beside the final one, and is renamed on commit.
#ifndef INGOT_COMPILER_ENGINE_OUTPUT_FILE_H
#define INGOT_COMPILER_ENGINE_OUTPUT_FILE_H

#include <cstdint>
#include <string>
#include <vector>

namespace ingot::engine {

class OutputFile {
public:
  // `bytes`: the final size, reserved at once so that a full disk is told before the work, not after it.
  std::string create(const std::string &path, uint64_t bytes);
  // Bytes that follow each other are put together to whole blocks of kBlock: written at once, each can be one large page
  // of the system's page cache, through which a program that maps the file reads it faster.
  std::string write(uint64_t offset, const void *data, uint64_t size);
  std::string commit();
  ~OutputFile(); // discards what was not committed

private:
  static constexpr uint64_t kBlock = 2u << 20;
  std::string describe(const char *what, int error) const;
  std::string put(uint64_t offset, const uint8_t *data, uint64_t size);
  std::string flush();
  std::string path, temporary;
  uint64_t bytes = 0;
  int descriptor = -1;
  uint64_t start = 0; // of what is pending, which ends before the block does
  std::vector<uint8_t> pending;
  bool named = false; // `temporary` exists
};

} // namespace ingot::engine

#endif
