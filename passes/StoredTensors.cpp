// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See StoredTensors.h.
#include "passes/StoredTensors.h"

#include <cstring>

using namespace mlir;

namespace ingot::passes {

std::optional<double> StoredTensors::at(ir::TensorOp tensor, int64_t index) {
  if (tensor.getDummy() || !tensor.getFile() || !tensor.getOffset())
    return std::nullopt;
  auto [entry, fresh] = files.try_emplace(*tensor.getFile());
  if (fresh) {
    auto opened = llvm::MemoryBuffer::getFile(*tensor.getFile(), /*IsText=*/false, /*RequiresNullTerminator=*/false);
    if (opened)
      entry->second = std::move(*opened);
  }
  if (!entry->second)
    return std::nullopt;
  Type element = tensor.getTensorType().getElementType();
  const int64_t bytes = ir::elementBytes(element);
  const uint64_t at = uint64_t(*tensor.getOffset()) + uint64_t(index) * uint64_t(bytes);
  if (bytes == 0 || at + uint64_t(bytes) > entry->second->getBufferSize())
    return std::nullopt;
  const char *data = entry->second->getBufferStart() + at;
  auto read = [&](auto value) {
    std::memcpy(&value, data, sizeof(value));
    return value;
  };
  if (element.isF32())
    return double(read(float()));
  if (element.isF64())
    return read(double());
  if (element.isF16())
    return llvm::APFloat(llvm::APFloat::IEEEhalf(), llvm::APInt(16, read(uint16_t()))).convertToDouble();
  if (element.isBF16())
    return llvm::APFloat(llvm::APFloat::BFloat(), llvm::APInt(16, read(uint16_t()))).convertToDouble();
  auto integer = dyn_cast<IntegerType>(element);
  if (!integer)
    return std::nullopt;
  const bool isUnsigned = integer.isUnsigned();
  switch (integer.getWidth()) {
  case 1:
    return read(uint8_t()) != 0 ? 1.0 : 0.0;
  case 8:
    return isUnsigned ? double(read(uint8_t())) : double(read(int8_t()));
  case 16:
    return isUnsigned ? double(read(uint16_t())) : double(read(int16_t()));
  case 32:
    return isUnsigned ? double(read(uint32_t())) : double(read(int32_t()));
  case 64:
    return isUnsigned ? double(read(uint64_t())) : double(read(int64_t()));
  default:
    return std::nullopt;
  }
}

} // namespace ingot::passes
