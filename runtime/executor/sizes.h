// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sizes of a plan at given values of its symbols. Only for verified plans: their coefficients are not negative and what
// overflows saturates.
#ifndef INGOT_RUNTIME_EXECUTOR_SIZES_H
#define INGOT_RUNTIME_EXECUTOR_SIZES_H

#include "runtime/format/plan_generated.h"

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace ingot::runtime {

// Bytes of one element; i1 is stored as a byte.
uint64_t elementBytes(format::ElementType type);
std::string_view elementName(format::ElementType type); // "f32", ...

// constant + sum of coefficients * symbols, none of them negative; a null size is 0. Saturates at INT64_MAX.
int64_t extent(const format::Size *size, std::span<const int64_t> symbols);

// How much a launch has to do (tiles, bytes, operations): the same, with parts that may be negative; 0 where the sum is.
int64_t amount(const format::Size *size, std::span<const int64_t> symbols);

// Units of work of a launch on so many workers: its tiles, times the parts that its rows are cut in by a kernel of `abi`.
int64_t unitsOf(const format::Launch &launch, std::span<const int64_t> symbols, unsigned workers, unsigned abi);

// The largest amount for symbols of 0 up to `bounds`.
int64_t largestAmount(const format::Size *size, std::span<const int64_t> bounds);

// The symbol whose value, once, and a constant are the size; -1 where it is another sum.
int symbolOf(const format::Size &size);

// The argument's shape, and its bytes (saturating).
std::vector<int64_t> shapeOf(const format::Argument &argument, std::span<const int64_t> symbols);
uint64_t bytesOf(const format::Argument &argument, std::span<const int64_t> symbols);

} // namespace ingot::runtime

#endif
