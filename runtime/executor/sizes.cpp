// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See sizes.h.
#include "runtime/executor/sizes.h"

#include "runtime/format/kernel_abi.h"

#include <algorithm>
#include <limits>

namespace ingot::runtime {

uint64_t elementBytes(format::ElementType type) {
  using enum format::ElementType;
  switch (type) {
  case i8:
  case u8:
  case i1:
    return 1;
  case f16:
  case bf16:
  case i16:
  case u16:
    return 2;
  case f32:
  case i32:
  case u32:
    return 4;
  case f64:
  case i64:
  case u64:
    return 8;
  }
  return 0; // no such type: verifyPlan() refuses it
}

std::string_view elementName(format::ElementType type) {
  const char *name = format::EnumNameElementType(type);
  return name ? name : "";
}

int64_t extent(const format::Size *size, std::span<const int64_t> symbols) {
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  if (!size)
    return 0;
  int64_t sum = size->constant();
  if (const auto *coefficients = size->coefficients())
    for (unsigned i = 0; i < coefficients->size(); ++i) {
      int64_t term;
      if (__builtin_mul_overflow(coefficients->Get(i), symbols[i], &term) || __builtin_add_overflow(sum, term, &sum))
        return kMost;
    }
  return sum;
}

// The sum, where `counts` says of a coefficient whether it counts.
template <class Counts>
static int64_t sumOf(const format::Size *size, std::span<const int64_t> symbols, const Counts &counts) {
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  if (!size)
    return 0;
  // Both signs by themselves, as either may saturate.
  uint64_t more = 0, less = 0;
  auto add = [](uint64_t &sum, uint64_t term) { sum = sum > uint64_t(kMost) - term ? uint64_t(kMost) : sum + term; };
  auto magnitude = [](int64_t value) {
    return std::min(value < 0 ? 0 - uint64_t(value) : uint64_t(value), uint64_t(kMost));
  };
  add(size->constant() < 0 ? less : more, magnitude(size->constant()));
  if (const auto *coefficients = size->coefficients())
    for (unsigned i = 0; i < coefficients->size(); ++i) {
      int64_t coefficient = coefficients->Get(i);
      uint64_t term;
      if (!counts(coefficient))
        continue;
      if (__builtin_mul_overflow(magnitude(coefficient), uint64_t(symbols[i]), &term) || term > uint64_t(kMost))
        term = uint64_t(kMost);
      add(coefficient < 0 ? less : more, term);
    }
  return more > less ? int64_t(more - less) : 0;
}

int64_t amount(const format::Size *size, std::span<const int64_t> symbols) {
  return sumOf(size, symbols, [](int64_t) { return true; });
}

int64_t unitsOf(const format::Launch &launch, std::span<const int64_t> symbols, unsigned workers, unsigned abi) {
  const int64_t tiles = std::min<int64_t>(amount(launch.tiles(), symbols), UINT32_MAX);
  if (!launch.rows())
    return tiles;
  const auto parts = abi == INGOT_KERNEL_ABI ? ingot_row_parts : ingot_row_parts_abi2;
  return tiles * parts(amount(launch.rows(), symbols), uint32_t(tiles), workers);
}

int64_t largestAmount(const format::Size *size, std::span<const int64_t> bounds) {
  return sumOf(size, bounds, [](int64_t coefficient) { return coefficient > 0; });
}

int symbolOf(const format::Size &size) {
  int symbol = -1;
  for (unsigned s = 0; size.coefficients() && s < size.coefficients()->size(); ++s)
    if (const int64_t coefficient = size.coefficients()->Get(s)) {
      if (symbol >= 0 || coefficient != 1)
        return -1;
      symbol = int(s);
    }
  return symbol;
}

std::vector<int64_t> shapeOf(const format::Argument &argument, std::span<const int64_t> symbols) {
  std::vector<int64_t> shape;
  for (const format::Size *size : *argument.shape())
    shape.push_back(extent(size, symbols));
  return shape;
}

uint64_t bytesOf(const format::Argument &argument, std::span<const int64_t> symbols) {
  uint64_t bytes = elementBytes(argument.type());
  bool overflow = false;
  for (const format::Size *size : *argument.shape()) {
    uint64_t dimension = uint64_t(extent(size, symbols));
    if (dimension == 0)
      return 0;
    overflow |= __builtin_mul_overflow(bytes, dimension, &bytes);
  }
  return overflow ? std::numeric_limits<uint64_t>::max() : bytes;
}

} // namespace ingot::runtime
