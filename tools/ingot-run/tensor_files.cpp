// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See tensor_files.h.
#include "tools/ingot-run/tensor_files.h"

#include "runtime/executor/sizes.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <optional>

namespace ingot::tool {

using format::ElementType;
using runtime::ErrorCode;
using runtime::makeError;
using runtime::Result;

namespace {

struct TypeName {
  ElementType type;
  std::string_view npy;
};
constexpr TypeName kTypes[] = {{ElementType::f32, "f4"}, {ElementType::f16, "f2"}, {ElementType::bf16, "V2"},
                               {ElementType::f64, "f8"}, {ElementType::i8, "i1"},  {ElementType::u8, "u1"},
                               {ElementType::i16, "i2"}, {ElementType::u16, "u2"}, {ElementType::i32, "i4"},
                               {ElementType::u32, "u4"}, {ElementType::i64, "i8"}, {ElementType::u64, "u8"},
                               {ElementType::i1, "b1"}};

std::optional<ElementType> elementOf(std::string_view npy) {
  for (const TypeName &known : kTypes)
    if (known.npy == npy)
      return known.type;
  return std::nullopt;
}

template <class T> T load(const void *data, uint64_t index) {
  T value;
  std::memcpy(&value, static_cast<const uint8_t *>(data) + index * sizeof(T), sizeof(T));
  return value;
}

// IEEE 754 binary16.
double halfValue(uint16_t bits) {
  const int exponent = bits >> 10 & 31, mantissa = bits & 1023;
  const double magnitude = exponent == 31 ? (mantissa ? NAN : INFINITY)
                           : exponent     ? std::ldexp(1024 + mantissa, exponent - 25)
                                          : std::ldexp(mantissa, -24);
  return bits & 0x8000 ? -magnitude : magnitude;
}

float bfloatValue(uint16_t bits) {
  const uint32_t wide = uint32_t(bits) << 16;
  float value;
  std::memcpy(&value, &wide, 4);
  return value;
}

std::string real(double value) {
  char text[40];
  std::snprintf(text, sizeof text, "%.6g", value);
  return text;
}

std::string valueText(ElementType type, const void *data, uint64_t i) {
  using enum ElementType;
  switch (type) {
  case f32:
    return real(double(load<float>(data, i)));
  case f64:
    return real(load<double>(data, i));
  case f16:
    return real(halfValue(load<uint16_t>(data, i)));
  case bf16:
    return real(double(bfloatValue(load<uint16_t>(data, i))));
  case i8:
    return std::to_string(load<int8_t>(data, i));
  case u8:
    return std::to_string(load<uint8_t>(data, i));
  case i16:
    return std::to_string(load<int16_t>(data, i));
  case u16:
    return std::to_string(load<uint16_t>(data, i));
  case i32:
    return std::to_string(load<int32_t>(data, i));
  case u32:
    return std::to_string(load<uint32_t>(data, i));
  case i64:
    return std::to_string(load<int64_t>(data, i));
  case u64:
    return std::to_string(load<uint64_t>(data, i));
  case i1:
    return load<uint8_t>(data, i) ? "true" : "false";
  }
  return "?";
}

} // namespace

Result<TensorFiles> readTensors(const format::Entry &entry,
                                const std::vector<std::pair<std::string, std::string>> &files) {
  TensorFiles read;
  for (const auto &[name, path] : files) {
    INGOT_ASSIGN_OR_RETURN(runtime::NpyArray array, runtime::readNpy(path));
    std::optional<ElementType> type = elementOf(array.type);
    if (!type)
      return makeError(ErrorCode::Unsupported, "%s: element type %s is that of no tensor", path.c_str(),
                       array.type.c_str());
    for (const format::Argument *input : *entry.inputs())
      if (input->name()->string_view() == name && input->type() == ElementType::bf16 && type == ElementType::u16)
        type = ElementType::bf16;
    if (type == ElementType::i1)
      for (uint8_t &value : array.data)
        value = value != 0;
    read.tensors.push_back({name, *type, {array.shape.begin(), array.shape.end()}, nullptr});
    read.arrays.push_back(std::move(array));
  }
  for (size_t i = 0; i < read.arrays.size(); ++i)
    read.tensors[i].data = read.arrays[i].data.data();
  return read;
}

Result<serve::Source> readSource(const serve::Model &model, const std::string &path) {
  if (!model.sources())
    return makeError(ErrorCode::InvalidArgument, "%s has no encoder: --source is for models that have one", model.engine().path().c_str());
  const format::Entry &encode = *model.engine().plan().entries()->Get(model.sources()->index());
  INGOT_ASSIGN_OR_RETURN(TensorFiles files, readTensors(encode, {{"source", path}}));
  const runtime::NamedTensor &tensor = files.tensors.at(0);
  return model.sources()->ofTensor(tensor.type, tensor.shape, tensor.data);
}

std::string_view npyType(ElementType type) {
  for (const TypeName &known : kTypes)
    if (known.type == type)
      return known.npy;
  return "u1";
}

Result<void> writeTensor(const std::string &path, ElementType type, std::span<const int64_t> shape, const void *data) {
  std::vector<uint64_t> extents(shape.begin(), shape.end());
  INGOT_ASSIGN_OR_RETURN(auto writer, runtime::NpyWriter::create(path, npyType(type), extents));
  uint64_t bytes = runtime::elementBytes(type);
  for (uint64_t extent : extents)
    bytes *= extent;
  INGOT_RETURN_IF_ERROR(writer->append(std::span(static_cast<const uint8_t *>(data), bytes)));
  return writer->finish();
}

Result<std::vector<runtime::Region>> reserveOutputs(const format::Entry &entry, std::span<const int64_t> symbols) {
  std::vector<runtime::Region> regions;
  for (const format::Argument *output : *entry.outputs()) {
    INGOT_ASSIGN_OR_RETURN(runtime::Region region,
                           runtime::Region::reserve(runtime::bytesOf(*output, symbols),
                                                    "output " + runtime::quoted(output->name()->string_view())));
    regions.push_back(std::move(region));
  }
  return regions;
}

std::string valuesText(ElementType type, const void *data, uint64_t count, uint64_t most) {
  std::string text;
  for (uint64_t i = 0; i < std::min(count, most); ++i)
    text += (i ? ", " : "") + valueText(type, data, i);
  return count > most ? text + ", ... (" + std::to_string(count) + " values)" : text;
}

} // namespace ingot::tool
