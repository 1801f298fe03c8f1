// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/engine/recipe.h"

#include "compiler/engine/element.h"

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <fcntl.h>
#include <mutex>
#include <unistd.h>

namespace ingot::engine {

TensorReader::~TensorReader() {
  for (const File &file : files)
    ::close(file.descriptor);
}

std::string TensorReader::open(const TensorSource &source) {
  if (source.file.empty())
    return "";
  for (const File &file : files)
    if (file.path == source.file)
      return "";
  int descriptor = ::open(source.file.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0)
    return "cannot open " + source.file + ": " + std::strerror(errno);
  files.push_back({source.file, descriptor});
  return "";
}

namespace {

// splitmix64 (Steele, Lea, Flood 2014): the finalizer used as a counter-based generator.
uint64_t mix(uint64_t x) {
  x += 0x9e3779b97f4a7c15ull;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
  return x ^ (x >> 31);
}

uint64_t hashName(const std::string &name, uint64_t seed) {
  uint64_t hash = mix(seed);
  for (unsigned char c : name)
    hash = mix(hash ^ c);
  return hash;
}

bool contains(const std::string &text, const char *part) { return text.find(part) != std::string::npos; }

// About normal: the sum of four 16-bit uniforms has variance 4/12 in units of its range.
void fillDummy(const TensorSource &source, uint64_t seed, int64_t row, int64_t columns, float *out) {
  uint64_t hash = mix(hashName(source.name, seed) ^ mix(uint64_t(row)));
  float mean = 0, deviation = 1.0f / std::sqrt(float(columns));
  if (source.shape.size() < 2) {
    mean = contains(source.name, "norm") ? 1.0f : 0.0f;
    deviation = 0.05f;
  }
  const float unit = deviation * std::sqrt(3.0f) / 65536.0f;
  for (int64_t i = 0; i < columns; ++i) {
    uint64_t bits = mix(hash + uint64_t(i));
    float sum = float(bits & 0xffff) + float((bits >> 16) & 0xffff) + float((bits >> 32) & 0xffff) + float(bits >> 48);
    out[i] = mean + (sum - 131070.0f) * unit;
  }
}

int64_t columnsOf(const TensorSource &source) {
  int64_t columns = 1;
  for (size_t i = 1; i < source.shape.size(); ++i)
    columns *= source.shape[i];
  return columns;
}

int64_t ceilDiv(int64_t a, int64_t b) { return (a + b - 1) / b; }

} // namespace

std::string TensorReader::read(const TensorSource &source, int64_t first, int64_t count, void *out) const {
  const int64_t columns = columnsOf(source);
  const uint64_t rowBytes = uint64_t(columns) * elementBytes(source.type);
  auto *bytes = static_cast<uint8_t *>(out);
  if (source.file.empty()) {
    if (!isFloatStorage(source.type))
      return "dummy values for " + source.name + " of type " + std::string(elementName(source.type)) +
             " are not possible; only f32, f16 and bf16 are";
    std::vector<float> row(columns);
    for (int64_t i = 0; i < count; ++i) {
      fillDummy(source, dummySeed, first + i, columns, row.data());
      fromFloat(source.type, row.data(), bytes + uint64_t(i) * rowBytes, columns);
    }
    return "";
  }
  auto file = std::find_if(files.begin(), files.end(), [&](const File &f) { return f.path == source.file; });
  assert(file != files.end() && "open() first");
  uint64_t offset = source.offset + uint64_t(first) * rowBytes, left = uint64_t(count) * rowBytes;
  while (left > 0) {
    ssize_t got = ::pread(file->descriptor, bytes, std::min<uint64_t>(left, 1u << 30), off_t(offset));
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      return "cannot read " + source.file + ": " + std::strerror(errno);
    if (got == 0)
      return source.file + " ended while tensor " + source.name + " was read: expected " + std::to_string(left) +
             " more bytes at offset " + std::to_string(offset) + "; the file was changed or cut off meanwhile";
    bytes += got;
    offset += uint64_t(got);
    left -= uint64_t(got);
  }
  return "";
}

std::shared_ptr<Recipe> Recipe::tensor(TensorSource source) {
  auto recipe = std::make_shared<Recipe>();
  recipe->kind = Kind::tensor;
  recipe->type = source.type;
  recipe->rows = source.shape.empty() ? 1 : source.shape[0];
  recipe->columns = columnsOf(source);
  recipe->source = std::move(source);
  return recipe;
}

std::shared_ptr<Recipe> Recipe::constant(ElementType type, int64_t rows, int64_t columns, std::vector<uint8_t> bytes) {
  assert(bytes.size() == uint64_t(rows * columns) * elementBytes(type));
  auto recipe = std::make_shared<Recipe>();
  recipe->kind = Kind::constant;
  recipe->type = type;
  recipe->rows = rows;
  recipe->columns = columns;
  recipe->bytes = std::move(bytes);
  return recipe;
}

std::shared_ptr<Recipe> Recipe::cast(std::shared_ptr<const Recipe> operand, ElementType type) {
  auto recipe = std::make_shared<Recipe>();
  recipe->kind = Kind::cast;
  recipe->type = type;
  recipe->rows = operand->rows;
  recipe->columns = operand->columns;
  recipe->operands = {std::move(operand)};
  return recipe;
}

struct Recipe::Transposed {
  std::mutex mutex;
  std::shared_ptr<const std::vector<uint8_t>> rows; // of the result
  int64_t served = 0;
};

std::shared_ptr<Recipe> Recipe::transpose(std::shared_ptr<const Recipe> operand) {
  auto recipe = std::make_shared<Recipe>();
  recipe->kind = Kind::transpose;
  recipe->type = operand->type;
  recipe->rows = operand->columns;
  recipe->columns = operand->rows;
  recipe->operands = {std::move(operand)};
  recipe->transposed = std::make_shared<Transposed>();
  return recipe;
}

// In blocks that fit the cache.
template <typename T> static void transposeMatrix(const uint8_t *from, uint8_t *to, int64_t rows, int64_t columns) {
  constexpr int64_t kBlock = 64;
  for (int64_t r0 = 0; r0 < rows; r0 += kBlock)
    for (int64_t c0 = 0; c0 < columns; c0 += kBlock)
      for (int64_t r = r0; r < std::min(r0 + kBlock, rows); ++r)
        for (int64_t c = c0; c < std::min(c0 + kBlock, columns); ++c)
          std::memcpy(to + size_t(c * rows + r) * sizeof(T), from + size_t(r * columns + c) * sizeof(T), sizeof(T));
}

std::shared_ptr<Recipe> Recipe::concat(std::vector<std::shared_ptr<const Recipe>> operands,
                                       std::vector<Segment> segments) {
  auto recipe = std::make_shared<Recipe>();
  recipe->kind = Kind::concat;
  recipe->type = operands.front()->type;
  recipe->columns = operands.front()->columns;
  for (const Segment &segment : segments)
    recipe->rows += segment.rows;
  recipe->quantized = operands.front()->quantized;
  recipe->quantization = operands.front()->quantization;
  recipe->operands = std::move(operands);
  recipe->segments = std::move(segments);
  return recipe;
}

std::shared_ptr<Recipe> Recipe::interleave(std::vector<std::shared_ptr<const Recipe>> operands, int64_t block) {
  auto recipe = std::make_shared<Recipe>();
  recipe->kind = Kind::interleave;
  recipe->type = operands.front()->type;
  recipe->columns = operands.front()->columns;
  recipe->rows = ceilDiv(operands.front()->rows, block) * block * int64_t(operands.size());
  recipe->quantized = operands.front()->quantized;
  recipe->quantization = operands.front()->quantization;
  recipe->operands = std::move(operands);
  recipe->block = block;
  return recipe;
}

std::shared_ptr<Recipe> Recipe::quantize(std::shared_ptr<const Recipe> operand, Quantization quantization) {
  auto recipe = std::make_shared<Recipe>();
  recipe->kind = Kind::quantize;
  recipe->type = ElementType::u8;
  recipe->rows = operand->rows;
  recipe->columns = operand->columns;
  recipe->operands = {std::move(operand)};
  recipe->quantized = true;
  recipe->quantization = quantization;
  return recipe;
}

std::shared_ptr<Recipe> Recipe::packGroups(std::shared_ptr<const Recipe> operand, GroupPlane plane) {
  assert(operand->quantized);
  auto recipe = std::make_shared<Recipe>();
  recipe->kind = Kind::pack_groups;
  recipe->type = plane == GroupPlane::scales  ? operand->quantization.scale
                 : plane == GroupPlane::zeros ? ElementType::u8
                                              : ElementType::i32;
  recipe->rows = operand->rows;
  recipe->columns = operand->columns;
  recipe->operands = {std::move(operand)};
  recipe->plane = plane;
  return recipe;
}

std::shared_ptr<Recipe> Recipe::pack(std::shared_ptr<const Recipe> operand, Layout layout, int64_t taps) {
  auto recipe = std::make_shared<Recipe>();
  recipe->kind = Kind::pack;
  recipe->type = operand->type;
  recipe->rows = operand->rows;
  recipe->columns = operand->columns;
  recipe->operands = {std::move(operand)};
  recipe->layout = layout;
  recipe->taps = taps;
  return recipe;
}

int64_t Recipe::units() const {
  const bool panels = kind == Kind::pack_groups || (kind == Kind::pack && layout != Layout::row_major);
  if (kind == Kind::pack && layout == Layout::tn)
    return 1; // a place holds something of each row
  return panels ? ceilDiv(rows, 16) : rows;
}

uint64_t Recipe::unitBytes() const {
  if (kind == Kind::pack && layout == Layout::tn)
    return uint64_t(rows * columns) * elementBytes(type);
  if (kind == Kind::pack && (layout == Layout::n16k || layout == Layout::n16tc))
    return uint64_t(columns) * 16 * elementBytes(type);
  if (kind == Kind::pack && layout == Layout::n16k2)
    return uint64_t(ceilDiv(columns, 32) * 32) * 16 * elementBytes(type);
  if (kind == Kind::pack && (layout == Layout::n16k4 || layout == Layout::n16k8))
    return uint64_t(ceilDiv(columns, 64) * 64) * (layout == Layout::n16k4 ? 16 : 8);
  if (kind == Kind::pack_groups)
    return uint64_t(operands[0]->quantization.groups(columns)) * 16 * elementBytes(type);
  return uint64_t(columns) * elementBytes(type);
}

uint64_t Recipe::storedBytes() const { return uint64_t(units()) * unitBytes(); }

std::string Recipe::evaluateRows(const TensorReader &reader, int64_t first, int64_t count, uint8_t *out) const {
  const uint64_t rowBytes = uint64_t(columns) * elementBytes(type);
  switch (kind) {
  case Kind::tensor:
    return reader.read(source, first, count, out);
  case Kind::constant:
    std::memcpy(out, bytes.data() + uint64_t(first) * rowBytes, uint64_t(count) * rowBytes);
    return "";
  case Kind::cast: {
    const Recipe &operand = *operands[0];
    std::vector<uint8_t> in(uint64_t(count) * uint64_t(columns) * elementBytes(operand.type));
    if (std::string error = operand.evaluateRows(reader, first, count, in.data()); !error.empty())
      return error;
    std::vector<float> wide(uint64_t(count) * uint64_t(columns));
    toFloat(operand.type, in.data(), wide.data(), count * columns);
    fromFloat(type, wide.data(), out, count * columns);
    return "";
  }
  case Kind::transpose: {
    std::shared_ptr<const std::vector<uint8_t>> held;
    {
      std::lock_guard lock(transposed->mutex);
      if (!transposed->rows) {
        const Recipe &operand = *operands[0];
        const uint64_t size = elementBytes(type);
        std::vector<uint8_t> whole(uint64_t(rows) * rowBytes);
        if (std::string error = operand.evaluateRows(reader, 0, operand.rows, whole.data()); !error.empty())
          return error;
        auto made = std::make_shared<std::vector<uint8_t>>(whole.size());
        switch (size) {
        case 1:
          transposeMatrix<uint8_t>(whole.data(), made->data(), operand.rows, operand.columns);
          break;
        case 2:
          transposeMatrix<uint16_t>(whole.data(), made->data(), operand.rows, operand.columns);
          break;
        case 4:
          transposeMatrix<uint32_t>(whole.data(), made->data(), operand.rows, operand.columns);
          break;
        default:
          transposeMatrix<uint64_t>(whole.data(), made->data(), operand.rows, operand.columns);
          break;
        }
        transposed->rows = std::move(made);
        transposed->served = 0;
      }
      held = transposed->rows;
      transposed->served += count;
      if (transposed->served >= rows)
        transposed->rows = nullptr;
    }
    std::memcpy(out, held->data() + uint64_t(first) * rowBytes, uint64_t(count) * rowBytes);
    return "";
  }
  case Kind::concat:
  case Kind::interleave:
    if (quantized)
      break;
    return forEachPart(first, count, [&](const Recipe *operand, int64_t from, int64_t rows, int64_t to) -> std::string {
      uint8_t *at = out + uint64_t(to - first) * rowBytes;
      if (operand)
        return operand->evaluateRows(reader, from, rows, at);
      std::memset(at, 0, uint64_t(rows) * rowBytes);
      return "";
    });
  case Kind::unpack_bits: {
    const Recipe &operand = *operands[0];
    const int64_t each = 8 / bits, mask = (1 << bits) - 1;
    std::vector<uint8_t> packed(uint64_t(operand.columns));
    for (int64_t row = 0; row < count; ++row, out += columns) {
      if (std::string error = operand.evaluateRows(reader, first + row, 1, packed.data()); !error.empty())
        return error;
      for (int64_t j = 0; j < columns; ++j) {
        const int64_t value = packed[size_t(j / each)] >> (j % each * bits) & mask;
        out[j] = uint8_t(type == ElementType::i8 && value >> (bits - 1) ? value - (mask + 1) : value);
      }
    }
    return "";
  }
  case Kind::assemble:
    if (quantized)
      break;
    return assembleFloats(reader, first, count, reinterpret_cast<float *>(out));
  case Kind::quantize:
  case Kind::pack:
  case Kind::pack_groups:
    break;
  }
  return "internal error: a quantized or packed weight is used inside a recipe";
}

bool Recipe::makesSameAs(const Recipe &other) const {
  if (kind != other.kind || type != other.type || rows != other.rows || columns != other.columns ||
      bytes != other.bytes || operands.size() != other.operands.size() || segments.size() != other.segments.size() ||
      block != other.block || quantized != other.quantized || bits != other.bits || zero != other.zero ||
      plane != other.plane || layout != other.layout || taps != other.taps)
    return false;
  if (source.name != other.source.name || source.file != other.source.file || source.offset != other.source.offset ||
      source.type != other.source.type || source.shape != other.source.shape)
    return false;
  const Quantization &a = quantization, &b = other.quantization;
  if (a.bits != b.bits || a.group != b.group || a.scale != b.scale || a.asym != b.asym)
    return false;
  for (size_t i = 0; i < segments.size(); ++i)
    if (segments[i].operand != other.segments[i].operand || segments[i].first != other.segments[i].first ||
        segments[i].rows != other.segments[i].rows)
      return false;
  for (size_t i = 0; i < operands.size(); ++i)
    if (!operands[i]->makesSameAs(*other.operands[i]))
      return false;
  return true;
}

std::string Recipe::sourceNames() const {
  std::string names;
  forEachSource([&](const TensorSource &tensor) { names += (names.empty() ? "" : " + ") + tensor.name; });
  return names;
}

static bool isFiniteF16(const uint16_t *bits, int64_t count) {
  constexpr uint16_t kExponent = 0x7c00;
  bool finite = true;
  for (int64_t i = 0; i < count; ++i)
    finite &= (bits[i] & kExponent) != kExponent;
  return finite;
}

// Draws (n16k, n16tc):  [panel][k][16 rows]      (n16k2): [panel][k / 2][16 rows][2], K padded to 32 with zeros.
std::string Recipe::evaluate(const TensorReader &reader, int64_t first, int64_t count, uint8_t *out,
                             QuantizationError *error, GroupValues groups) const {
  if (kind == Kind::pack_groups || (kind == Kind::pack && operands[0]->quantized))
    return evaluatePanels(reader, first, count, out, error, groups);
  if (kind != Kind::pack)
    return evaluateRows(reader, first, count, out);
  const Recipe &operand = *operands[0];
  if (layout == Layout::row_major)
    return operand.evaluateRows(reader, first, count, out);
  const uint64_t size = elementBytes(type), rowBytes = uint64_t(columns) * size;
  if (layout == Layout::tn) {
    std::vector<uint8_t> all(uint64_t(rows) * rowBytes);
    if (std::string error = operand.evaluateRows(reader, 0, rows, all.data()); !error.empty())
      return error;
    const auto *in = reinterpret_cast<const uint32_t *>(all.data());
    auto *to = reinterpret_cast<uint32_t *>(out);
    for (int64_t t = 0; t < columns; ++t)
      for (int64_t n = 0; n < rows; ++n)
        to[t * rows + n] = in[n * columns + t];
    return "";
  }
  std::vector<uint8_t> rowsBuffer(16 * rowBytes);
  for (int64_t panel = first; panel < first + count; ++panel, out += unitBytes()) {
    int64_t real = std::min<int64_t>(16, rows - panel * 16);
    if (std::string error = operand.evaluateRows(reader, panel * 16, real, rowsBuffer.data()); !error.empty())
      return error;
    if (type == ElementType::f16)
      for (int64_t row = 0; row < real; ++row)
        if (!isFiniteF16(reinterpret_cast<const uint16_t *>(rowsBuffer.data() + uint64_t(row) * rowBytes), columns))
          return "cannot store " + sourceNames() + " as f16: row " + std::to_string(panel * 16 + row) +
                 " holds a value that is not finite or beyond f16's largest number, 65504; store it as f32 or bf16 (--weights, or --rules for this tensor)";
    std::memset(rowsBuffer.data() + uint64_t(real) * rowBytes, 0, uint64_t(16 - real) * rowBytes);
    if (layout == Layout::n16k || layout == Layout::n16tc) {
      const auto *in = reinterpret_cast<const uint32_t *>(rowsBuffer.data());
      auto *to = reinterpret_cast<uint32_t *>(out);
      const int64_t channels = columns / taps; // n16k: k runs over elements as they lie
      for (int64_t t = 0; t < taps; ++t)
        for (int64_t c = 0; c < channels; ++c)
          for (int64_t n = 0; n < 16; ++n)
            *to++ = in[n * columns + c * taps + t];
    } else {
      const auto *in = reinterpret_cast<const uint16_t *>(rowsBuffer.data());
      auto *to = reinterpret_cast<uint16_t *>(out);
      const int64_t whole = columns / 2;
      for (int64_t pair = 0; pair < whole; ++pair)
        for (int64_t n = 0; n < 16; ++n) {
          uint32_t both;
          std::memcpy(&both, in + n * columns + pair * 2, 4);
          std::memcpy(to + pair * 32 + n * 2, &both, 4);
        }
      std::memset(to + whole * 32, 0, unitBytes() - uint64_t(whole) * 64);
      if (columns % 2)
        for (int64_t n = 0; n < 16; ++n)
          to[whole * 32 + n * 2] = in[n * columns + columns - 1];
    }
  }
  return "";
}

} // namespace ingot::engine
