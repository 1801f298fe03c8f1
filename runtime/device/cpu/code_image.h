// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A feature set's machine code, mapped read-execute straight from the engine file: no dlopen, no temporary file, no
// relocation. The image is trusted like a program.
#ifndef INGOT_RUNTIME_DEVICE_CPU_CODE_IMAGE_H
#define INGOT_RUNTIME_DEVICE_CPU_CODE_IMAGE_H

#include "runtime/core/error.h"
#include "runtime/core/file.h"
#include "runtime/format/kernel_abi.h"

#include <cstdint>

namespace ingot::runtime {

class CodeImage {
public:
  // Maps [offset, offset + size) of the file; offset is a multiple of the page size, size > 0.
  static Result<CodeImage> map(const File &file, uint64_t offset, uint64_t size);
  CodeImage(CodeImage &&other) noexcept : base(other.base), length(other.length) { other.base = nullptr; }
  CodeImage &operator=(CodeImage &&other) = delete;
  ~CodeImage();

  // The kernel that starts at `offset` of the image; offset < size.
  ingot_kernel function(uint32_t offset) const;

private:
  CodeImage(uint8_t *base, uint64_t length) : base(base), length(length) {}
  uint8_t *base;
  uint64_t length;
};

} // namespace ingot::runtime

#endif
