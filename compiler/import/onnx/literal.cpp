// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See literal.h. Conversions between 16-bit floats and float round to nearest even.
#include "compiler/import/onnx/literal.h"

#include <bit>
#include <cmath>
#include <cstring>

namespace ingot::onnx {

namespace {

float fromHalf(uint16_t bits) {
  const uint32_t sign = uint32_t(bits & 0x8000) << 16, exponent = (bits >> 10) & 31, fraction = bits & 1023;
  if (exponent == 31)
    return std::bit_cast<float>(sign | 0x7f800000 | (fraction << 13));
  if (exponent == 0) {
    float magnitude = std::ldexp(float(fraction), -24);
    return sign ? -magnitude : magnitude;
  }
  return std::bit_cast<float>(sign | ((exponent + 112) << 23) | (fraction << 13));
}

// To a binary format with so many bits of fraction and exponent, from double, to nearest even.
uint16_t toNarrow(double value, int fractionBits, int exponentBits) {
  const int bias = (1 << (exponentBits - 1)) - 1, most = (1 << exponentBits) - 1;
  const uint16_t sign = std::signbit(value) ? uint16_t(1 << (fractionBits + exponentBits)) : 0;
  if (std::isnan(value))
    return uint16_t(sign | (most << fractionBits) | (1 << (fractionBits - 1)));
  value = std::fabs(value);
  int exponent;
  std::frexp(value, &exponent);
  exponent = std::max(exponent - 1, 1 - bias);
  // In units of the last place; nearbyint rounds ties to even.
  double units = std::isinf(value) ? value : std::nearbyint(std::ldexp(value, fractionBits - exponent));
  if (std::isinf(units) || units >= std::ldexp(1.0, bias + 1 - exponent + fractionBits))
    return uint16_t(sign | (most << fractionBits));
  auto whole = uint32_t(units);
  if (whole < (1u << fractionBits)) // subnormal
    return uint16_t(sign | whole);
  return uint16_t(sign + ((uint32_t(exponent + bias) << fractionBits) + (whole - (1u << fractionBits))));
}

} // namespace

double roundTo(ElementType type, double value) {
  switch (type) {
  case ElementType::f16:
    return fromHalf(toNarrow(value, 10, 5));
  case ElementType::bf16:
    return std::bit_cast<float>(uint32_t(toNarrow(value, 7, 8)) << 16);
  case ElementType::f32:
    return float(value);
  default:
    return value;
  }
}

int64_t wrapTo(ElementType type, int64_t value) {
  switch (type) {
  case ElementType::i1: return value != 0;
  case ElementType::i8: return int8_t(value);
  case ElementType::u8: return uint8_t(value);
  case ElementType::i16: return int16_t(value);
  case ElementType::u16: return uint16_t(value);
  case ElementType::i32: return int32_t(value);
  case ElementType::u32: return uint32_t(value);
  default: return value;
  }
}

bool Literal::isConstant() const {
  for (const Cell &cell : cells)
    if (dependsOnDimensions(cell))
      return false;
  return true;
}

std::string Literal::bytes() const {
  const size_t size = elementBytes(type);
  std::string bytes(cells.size() * size, '\0');
  for (size_t i = 0; i < cells.size(); ++i) {
    char *to = bytes.data() + i * size;
    if (const double *real = std::get_if<double>(&cells[i])) {
      const float single = float(*real);
      const uint16_t half = type == ElementType::f16 ? toNarrow(*real, 10, 5) : toNarrow(*real, 7, 8);
      const void *from = type == ElementType::f64   ? static_cast<const void *>(real)
                         : type == ElementType::f32 ? static_cast<const void *>(&single)
                                                    : static_cast<const void *>(&half);
      std::memcpy(to, from, size);
    } else if (const int64_t *whole = std::get_if<int64_t>(&cells[i])) {
      std::memcpy(to, whole, size); // little-endian: the low bytes come first
    }
  }
  return bytes;
}

Literal Literal::fromBytes(ElementType type, std::vector<int64_t> shape, const void *bytes) {
  Literal literal{type, std::move(shape), {}};
  size_t count = 1;
  for (int64_t dimension : literal.shape)
    count *= size_t(dimension);
  const auto *at = static_cast<const char *>(bytes);
  const size_t size = elementBytes(type);
  literal.cells.reserve(count);
  for (size_t i = 0; i < count; ++i, at += size) {
    auto read = [&]<typename T>() {
      T value;
      std::memcpy(&value, at, sizeof(T));
      return value;
    };
    switch (type) {
    case ElementType::f32: literal.cells.push_back(double(read.operator()<float>())); break;
    case ElementType::f64: literal.cells.push_back(read.operator()<double>()); break;
    case ElementType::f16: literal.cells.push_back(double(fromHalf(read.operator()<uint16_t>()))); break;
    case ElementType::bf16:
      literal.cells.push_back(double(std::bit_cast<float>(uint32_t(read.operator()<uint16_t>()) << 16)));
      break;
    default: {
      int64_t value = 0;
      std::memcpy(&value, at, size);
      literal.cells.push_back(wrapTo(type, value));
    }
    }
  }
  return literal;
}

} // namespace ingot::onnx
