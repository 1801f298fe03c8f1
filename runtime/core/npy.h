// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// NumPy's .npy files: tensors in and out of the command line. Reads format versions 1 to 3, little-endian, C order, up
// to 8 dimensions; writes version 1. A header is untrusted: its length, its shape and the file's size must agree.
#ifndef INGOT_RUNTIME_CORE_NPY_H
#define INGOT_RUNTIME_CORE_NPY_H

#include "runtime/core/error.h"
#include "runtime/core/file.h"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace ingot::runtime {

struct NpyArray {
  // "f4", "i8", "b1", ...: kind and bytes, as NumPy writes it without the byte order; "V2" of bfloat16 (ml_dtypes)
  std::string type;
  std::vector<uint64_t> shape;
  std::vector<uint8_t> data; // C order

  uint64_t elements() const;
};

Result<NpyArray> readNpy(const std::string &path);

// Integers of a file of type i4 or i8 with one or two dimensions, widened; `shape` is the file's.
struct NpyIntegers {
  std::vector<uint64_t> shape;
  std::vector<int64_t> values;
};
Result<NpyIntegers> readNpyIntegers(const std::string &path);

// Writes an array piece by piece, in C order, and only then under its final name.
class NpyWriter {
public:
  // type as in NpyArray.
  static Result<std::unique_ptr<NpyWriter>> create(const std::string &path, std::string_view type,
                                                   std::span<const uint64_t> shape);
  Result<void> append(std::span<const float> values);
  Result<void> append(std::span<const uint8_t> bytes);
  // Fails when the bytes appended are not those that the shape asks for.
  Result<void> finish();

private:
  NpyWriter(std::unique_ptr<AtomicFile> file, uint64_t expected) : file(std::move(file)), expected(expected) {}
  std::unique_ptr<AtomicFile> file;
  uint64_t expected;
  uint64_t written = 0;
};

Result<void> writeNpy(const std::string &path, std::span<const float> values, std::span<const uint64_t> shape);

} // namespace ingot::runtime

#endif
