// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The steps of recipes whose values are quantized: rounded here (quantize), or taken as a model's file holds them
// (assemble); and their packing into panels. What rounding does stands in quantize.h.
#include "compiler/engine/element.h"
#include "compiler/engine/recipe.h"

#include <cassert>
#include <cstring>

namespace ingot::engine {

namespace {

int64_t ceilDiv(int64_t a, int64_t b) { return (a + b - 1) / b; }

} // namespace

std::shared_ptr<Recipe> Recipe::unpackBits(std::shared_ptr<const Recipe> operand, ElementType type, int64_t bits,
                                           int64_t columns) {
  assert(columns <= operand->columns * (8 / bits));
  auto recipe = std::make_shared<Recipe>();
  recipe->kind = Kind::unpack_bits;
  recipe->type = type;
  recipe->rows = operand->rows;
  recipe->columns = columns;
  recipe->bits = bits;
  recipe->operands = {std::move(operand)};
  return recipe;
}

std::shared_ptr<Recipe> Recipe::assemble(std::shared_ptr<const Recipe> codes, std::shared_ptr<const Recipe> scales,
                                         std::shared_ptr<const Recipe> zeros, int64_t block, int64_t zero,
                                         const Quantization *quantization) {
  auto recipe = std::make_shared<Recipe>();
  recipe->kind = Kind::assemble;
  recipe->type = quantization ? ElementType::u8 : ElementType::f32;
  recipe->rows = codes->rows;
  recipe->columns = codes->columns;
  recipe->block = block;
  recipe->zero = zero;
  recipe->quantized = quantization != nullptr;
  if (quantization)
    recipe->quantization = *quantization;
  recipe->operands = {std::move(codes), std::move(scales)};
  if (zeros)
    recipe->operands.push_back(std::move(zeros));
  return recipe;
}

Recipe::QuantizedRows Recipe::QuantizedRows::from(int64_t row, int64_t groups) const {
  return {stride, u ? u + row * stride : nullptr, scales + row * groups, zeros + row * groups, error};
}

std::string Recipe::quantizeRows(const TensorReader &reader, int64_t first, int64_t count,
                                 const QuantizedRows &out) const {
  const Recipe &source = *operands[0];
  const int64_t groups = quantization.groups(columns);
  std::vector<uint8_t> raw(uint64_t(count) * uint64_t(columns) * elementBytes(source.type));
  std::vector<float> wide(uint64_t(count) * uint64_t(columns));
  if (std::string failed = source.evaluateRows(reader, first, count, raw.data()); !failed.empty())
    return failed;
  toFloat(source.type, raw.data(), wide.data(), count * columns);
  for (int64_t row = 0; row < count; ++row) {
    const float *w = wide.data() + row * columns;
    const QuantizedRows to = out.from(row, groups);
    if (!quantizeRow(quantization, w, columns, to.u, to.scales, to.zeros)) {
      return "cannot store " + sourceNames() + " as " + quantization.scheme() + ": row " + std::to_string(first + row) +
             " holds a value that is not finite or too large for the scale's type; expected finite weights";
    }
    if (to.u && to.error)
      measureRow(quantization, w, columns, to.u, to.scales, to.zeros, *to.error);
  }
  return "";
}

namespace {

// A small operand of assemble, which may have one row for all.
struct Parameters {
  std::vector<float> values;
  int64_t rows = 0, columns = 0;
  float at(int64_t row, int64_t column) const {
    return values[size_t((rows == 1 ? 0 : row) * columns + (columns == 1 ? 0 : column))];
  }
};

// Numbers of any type that codes and their parameters have, as f32; integers of 8 bits are exact in it.
void widen(ElementType type, const uint8_t *in, float *out, size_t count) {
  if (type == ElementType::u8 || type == ElementType::i8)
    for (size_t i = 0; i < count; ++i)
      out[i] = type == ElementType::u8 ? float(in[i]) : float(int8_t(in[i]));
  else
    toFloat(type, in, out, int64_t(count));
}

} // namespace

std::string Recipe::assembleRows(const TensorReader &reader, int64_t first, int64_t count,
                                 const QuantizedRows &out) const {
  const Recipe &codes = *operands[0];
  const int64_t groups = quantization.groups(columns), size = quantization.groupSize(columns);
  // Signed codes begin at the middle.
  const uint8_t shift = codes.type == ElementType::i8 ? (quantization.bits == 4 ? 8 : 128) : 0;
  if (out.u) {
    std::vector<uint8_t> row(size_t(columns), 0);
    for (int64_t r = 0; r < count; ++r) {
      if (std::string failed = codes.evaluateRows(reader, first + r, 1, row.data()); !failed.empty())
        return failed;
      for (int64_t k = 0; k < columns; ++k)
        out.u[r * out.stride + k] = uint8_t(row[size_t(k)] + shift);
    }
  }
  for (size_t which = 1; which < operands.size(); ++which) {
    const Recipe &of = *operands[which];
    std::vector<uint8_t> raw(size_t(of.columns) * elementBytes(of.type));
    std::vector<float> values(size_t(of.columns), 0.0f);
    for (int64_t r = 0; r < count; ++r) {
      if (r == 0 || of.rows != 1) {
        if (std::string failed = of.evaluateRows(reader, of.rows == 1 ? 0 : first + r, 1, raw.data()); !failed.empty())
          return failed;
        widen(of.type, raw.data(), values.data(), values.size());
      }
      for (int64_t g = 0; g < groups; ++g) {
        const float value = values[size_t(of.columns == 1 || !block ? 0 : g * size / block)];
        if (which == 1)
          out.scales[r * groups + g] = value;
        else
          out.zeros[r * groups + g] = uint8_t(int(value) + shift);
      }
    }
  }
  return "";
}

std::string Recipe::assembleFloats(const TensorReader &reader, int64_t first, int64_t count, float *out) const {
  const Recipe &codes = *operands[0];
  Parameters scales, zeros;
  for (auto [parameters, which] : {std::pair(&scales, size_t(1)), std::pair(&zeros, size_t(2))}) {
    if (which >= operands.size())
      break;
    const Recipe &of = *operands[which];
    parameters->rows = of.rows == 1 ? 1 : count;
    parameters->columns = of.columns;
    const size_t total = size_t(parameters->rows * of.columns);
    std::vector<uint8_t> raw(total * elementBytes(of.type));
    if (std::string failed = of.evaluateRows(reader, of.rows == 1 ? 0 : first, parameters->rows, raw.data());
        !failed.empty())
      return failed;
    parameters->values.resize(total);
    widen(of.type, raw.data(), parameters->values.data(), total);
  }
  std::vector<uint8_t> raw(size_t(columns), 0);
  for (int64_t row = 0; row < count; ++row, out += columns) {
    if (std::string failed = codes.evaluateRows(reader, first + row, 1, raw.data()); !failed.empty())
      return failed;
    widen(codes.type, raw.data(), out, size_t(columns));
    for (int64_t k = 0; k < columns; ++k) {
      const int64_t at = block ? k / block : 0;
      out[k] = (out[k] - (zeros.values.empty() ? float(zero) : zeros.at(row, at))) * scales.at(row, at);
    }
  }
  return "";
}

std::string Recipe::evaluateQuantizedRows(const TensorReader &reader, int64_t first, int64_t count,
                                          const QuantizedRows &out) const {
  if (kind == Kind::quantize)
    return quantizeRows(reader, first, count, out);
  if (kind == Kind::assemble)
    return assembleRows(reader, first, count, out);
  const int64_t groups = quantization.groups(columns);
  return forEachPart(first, count, [&](const Recipe *operand, int64_t from, int64_t rows, int64_t to) -> std::string {
    const QuantizedRows part = out.from(to - first, groups);
    if (operand)
      return operand->evaluateQuantizedRows(reader, from, rows, part);
    for (int64_t row = 0; part.u && row < rows; ++row)
      std::memset(part.u + row * part.stride, quantization.padding(), size_t(columns));
    std::fill_n(part.scales, rows * groups, 0.0f);
    std::fill_n(part.zeros, rows * groups, uint8_t(0));
    return "";
  });
}

// Panels of 16 rows. Draws, K padded to 64:
//   n16k4 [panel][k / 4][16 rows][4]   n16k8 [panel][k / 8][16 rows][4], k and k + 4 in one byte   groups
//   [panel][group][16]
std::string Recipe::evaluatePanels(const TensorReader &reader, int64_t first, int64_t count, uint8_t *out,
                                   QuantizationError *error, GroupValues wanted) const {
  const Recipe &source = *operands[0];
  const Quantization &how = source.quantization;
  const bool values = kind == Kind::pack;
  if (!values) { // one plane alone
    wanted = {};
    wanted.planes[size_t(plane)] = out;
  }
  uint8_t *const sums = wanted.planes[size_t(GroupPlane::sums)];
  const int64_t groups = how.groups(columns), size = how.groupSize(columns), padded = ceilDiv(columns, 64) * 64;
  std::vector<uint8_t> u(values || sums ? size_t(16 * padded) : 0);
  std::vector<float> scales(size_t(16 * groups), 0.0f);
  std::vector<uint8_t> zeros(size_t(16 * groups), 0);
  for (int64_t panel = first; panel < first + count; ++panel) {
    const int64_t real = std::min<int64_t>(16, rows - panel * 16);
    std::fill(u.begin(), u.end(), how.padding());
    std::fill(scales.begin(), scales.end(), 0.0f);
    std::fill(zeros.begin(), zeros.end(), uint8_t(0));
    const QuantizedRows to{padded, u.empty() ? nullptr : u.data(), scales.data(), zeros.data(),
                           values ? error : nullptr};
    if (std::string failed = source.evaluateQuantizedRows(reader, panel * 16, real, to); !failed.empty())
      return failed;
    const int64_t done = (panel - first) * groups * 16; // group values
    for (int64_t group = 0; group < groups; ++group)
      for (int64_t row = 0; row < 16; ++row) {
        const int64_t from = row * groups + group, index = done + group * 16 + row;
        if (uint8_t *plane = wanted.planes[size_t(GroupPlane::scales)])
          fromFloat(how.scale, &scales[size_t(from)], plane + uint64_t(index) * elementBytes(how.scale), 1);
        if (uint8_t *plane = wanted.planes[size_t(GroupPlane::zeros)])
          plane[index] = zeros[size_t(from)];
        if (!sums)
          continue;
        int32_t sum = 0;
        for (int64_t k = group * size, end = std::min(columns, k + size); row < real && k < end; ++k)
          sum += int32_t(u[size_t(row * padded + k)]) - (how.asym ? zeros[size_t(from)] : how.symmetricZero());
        std::memcpy(sums + uint64_t(index) * 4, &sum, 4);
      }
    if (!values)
      continue;
    auto *words = reinterpret_cast<uint32_t *>(out + uint64_t(panel - first) * unitBytes());
    const int64_t step = layout == Layout::n16k4 ? 4 : 8;
    for (int64_t j = 0; j < padded / step; ++j)
      for (int64_t row = 0; row < 16; ++row) {
        const uint8_t *from = u.data() + row * padded + j * step;
        uint32_t low, high = 0;
        std::memcpy(&low, from, 4);
        if (step == 8)
          std::memcpy(&high, from + 4, 4);
        words[j * 16 + row] = low | high << 4; // four-bit values, so that no bit crosses a byte
      }
  }
  return "";
}

} // namespace ingot::engine
