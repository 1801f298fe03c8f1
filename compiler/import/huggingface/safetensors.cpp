// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See safetensors.h. Follows the format's specification and, where that is silent, its reference implementation.
#include "compiler/import/huggingface/safetensors.h"
#include "compiler/import/huggingface/files.h"

#include <algorithm>
#include <limits>
#include <tuple>

namespace ingot::huggingface {

namespace {

// Widths of every dtype that the format names, so that sizes are checked also where Ingot cannot use the tensor.
struct Dtype {
  std::string_view name;
  unsigned bits;
  std::optional<ElementType> type;
};
constexpr Dtype kDtypes[] = {
    {"F32", 32, ElementType::f32}, {"F16", 16, ElementType::f16},    {"BF16", 16, ElementType::bf16},
    {"F64", 64, ElementType::f64}, {"I8", 8, ElementType::i8},       {"U8", 8, ElementType::u8},
    {"I16", 16, ElementType::i16}, {"U16", 16, ElementType::u16},    {"I32", 32, ElementType::i32},
    {"U32", 32, ElementType::u32}, {"I64", 64, ElementType::i64},    {"U64", 64, ElementType::u64},
    {"BOOL", 8, std::nullopt},     {"F8_E4M3", 8, std::nullopt},     {"F8_E5M2", 8, std::nullopt},
    {"F8_E8M0", 8, std::nullopt},  {"F8_E4M3FNUZ", 8, std::nullopt}, {"F8_E5M2FNUZ", 8, std::nullopt},
    {"F6_E2M3", 6, std::nullopt},  {"F6_E3M2", 6, std::nullopt},     {"F4", 4, std::nullopt},
    {"C64", 64, std::nullopt},
};

// a * b, or nothing where it leaves 64 bits.
std::optional<uint64_t> product(uint64_t a, uint64_t b) {
  uint64_t out;
  if (__builtin_mul_overflow(a, b, &out))
    return std::nullopt;
  return out;
}

// One tensor's entry. Reports what is wrong with it and gives nothing then.
std::optional<StoredTensor> parseEntry(const std::string &name, const Json &entry, uint64_t dataStart,
                                       uint64_t dataBytes, const std::string &file, Messages &messages) {
  auto problem = [&](const std::string &text) {
    messages.problems.push_back(file + ": tensor " + inQuotes(name) + ": " + text);
    return std::nullopt;
  };
  if (!entry.is_object())
    return problem("its header entry is " + described(entry) + ", expected an object; the file is damaged");
  for (const char *key : {"dtype", "shape", "data_offsets"})
    if (!entry.contains(key))
      return problem(std::string("its header entry has no ") + inQuotes(key) + "; the file is damaged");
  for (const auto &[key, value] : entry.items())
    if (key != "dtype" && key != "shape" && key != "data_offsets")
      return problem("its header entry has the key " + inQuotes(key) + ", which the format does not know");

  StoredTensor tensor;
  tensor.name = name;
  tensor.file = file;
  const Json &dtype = entry["dtype"];
  if (!dtype.is_string())
    return problem("dtype is " + described(dtype) + ", expected text such as \"BF16\"");
  tensor.dtype = dtype.get<std::string>();
  const Dtype *known = nullptr;
  for (const Dtype &candidate : kDtypes)
    if (candidate.name == tensor.dtype)
      known = &candidate;
  if (known)
    tensor.type = known->type;

  const Json &shape = entry["shape"];
  if (!shape.is_array())
    return problem("shape is " + described(shape) + ", expected a list of sizes");
  uint64_t elements = 1;
  for (const Json &dim : shape) {
    if (!dim.is_number_unsigned() || dim.get<uint64_t>() > uint64_t(std::numeric_limits<int64_t>::max()))
      return problem("shape has " + described(dim) + ", expected an integer of at least 0");
    auto grown = product(elements, dim.get<uint64_t>());
    if (!grown)
      return problem("shape describes more than 2^64 elements; the file is damaged");
    elements = *grown;
    tensor.shape.push_back(dim.get<int64_t>());
  }

  const Json &offsets = entry["data_offsets"];
  if (!offsets.is_array() || offsets.size() != 2 || !offsets[0].is_number_unsigned() ||
      !offsets[1].is_number_unsigned())
    return problem("data_offsets is " + (offsets.is_array() ? offsets.dump().substr(0, 80) : described(offsets)) +
                   ", expected two integers of at least 0");
  uint64_t begin = offsets[0].get<uint64_t>(), end = offsets[1].get<uint64_t>();
  if (begin > end)
    return problem("data_offsets ends at " + std::to_string(end) + ", before its begin " + std::to_string(begin) +
                   "; the file is damaged");
  if (end > dataBytes)
    return problem("its data ends at byte " + std::to_string(end) + " of the tensor data, but the file has only " +
                   std::to_string(dataBytes) + "; the file is truncated, download it again");
  if (known) {
    auto bits = product(elements, known->bits);
    if (!bits || *bits % 8 != 0 || *bits / 8 != end - begin)
      return problem("shape " + shapeText(tensor.shape) + " of " + tensor.dtype + " needs " +
                     (bits ? std::to_string(*bits / 8) : std::string("more than 2^61")) +
                     " bytes, but data_offsets gives it " + std::to_string(end - begin) + "; the file is damaged");
  }
  tensor.offset = dataStart + begin;
  tensor.bytes = end - begin;
  return tensor;
}

} // namespace

std::optional<uint64_t> safetensorsHeaderBytes(std::string_view start, uint64_t fileBytes, const std::string &file,
                                               Messages &messages) {
  auto problem = [&](const std::string &text) {
    messages.problems.push_back(file + ": " + text);
    return std::nullopt;
  };
  if (isLfsPointer(start))
    return problem("this is a Git LFS pointer, not the weights; run `git lfs pull` in the checkpoint's folder");
  if (fileBytes < 8 || start.size() < 8)
    return problem("the file has " + std::to_string(fileBytes) +
                   " bytes, too few for a safetensors file; download it again");
  uint64_t length = 0;
  for (int i = 7; i >= 0; --i)
    length = length << 8 | static_cast<uint8_t>(start[i]);
  if (length > kMaxSafetensorsHeader)
    return problem("the header's length is " + std::to_string(length) + ", expected at most " +
                   std::to_string(kMaxSafetensorsHeader) + "; this is no safetensors file, or it is damaged");
  if (length > fileBytes - 8)
    return problem("the header's length is " + std::to_string(length) + ", but only " + std::to_string(fileBytes - 8) +
                   " bytes follow it; the file is truncated, download it again");
  return length;
}

std::vector<StoredTensor> parseSafetensorsHeader(std::string_view header, uint64_t dataStart, uint64_t fileBytes,
                                                 const std::string &file, Messages &messages) {
  std::vector<StoredTensor> tensors;
  if (header.empty() || header[0] != '{') {
    messages.problems.push_back(file + ": the header does not begin with \"{\"; this is no safetensors file");
    return tensors;
  }
  std::string error;
  std::optional<Json> root = parseJson(header, error);
  if (!root) {
    messages.problems.push_back(file + ": the header is not valid JSON: " + error + "; the file is damaged");
    return tensors;
  }
  if (root->contains("__metadata__")) {
    const Json &metadata = (*root)["__metadata__"];
    bool texts = metadata.is_object();
    if (texts)
      for (const Json &value : metadata)
        texts = texts && value.is_string();
    if (!texts)
      messages.problems.push_back(file + ": __metadata__ is not an object of texts; the file is damaged");
  }
  uint64_t dataBytes = fileBytes - dataStart;
  bool complete = true;
  for (const auto &[name, entry] : root->items()) {
    if (name == "__metadata__")
      continue;
    if (auto tensor = parseEntry(name, entry, dataStart, dataBytes, file, messages))
      tensors.push_back(std::move(*tensor));
    else
      complete = false;
  }
  if (!complete)
    return tensors; // what is left out would show as holes

  // Sorted by place, each tensor must begin where the one before it ends.
  std::vector<const StoredTensor *> byPlace;
  for (const StoredTensor &tensor : tensors)
    byPlace.push_back(&tensor);
  std::sort(byPlace.begin(), byPlace.end(), [](const StoredTensor *a, const StoredTensor *b) {
    return std::tie(a->offset, a->bytes, a->name) < std::tie(b->offset, b->bytes, b->name);
  });
  uint64_t end = dataStart;
  const StoredTensor *before = nullptr;
  for (const StoredTensor *tensor : byPlace) {
    if (tensor->offset < end)
      messages.problems.push_back(file + ": tensor " + inQuotes(tensor->name) + " begins at byte " +
                                  std::to_string(tensor->offset - dataStart) + ", inside tensor " +
                                  inQuotes(before->name) + " which ends at " + std::to_string(end - dataStart) +
                                  "; the file is damaged");
    else if (tensor->offset > end)
      messages.problems.push_back(file + ": bytes " + std::to_string(end - dataStart) + " to " +
                                  std::to_string(tensor->offset - dataStart) + " before tensor " +
                                  inQuotes(tensor->name) + " belong to no tensor; the format allows no holes");
    if (tensor->offset + tensor->bytes >= end) {
      end = tensor->offset + tensor->bytes;
      before = tensor;
    }
  }
  if (end < fileBytes)
    messages.problems.push_back(file + ": " + std::to_string(fileBytes - end) +
                                " bytes after the last tensor belong to no tensor; the file is damaged");
  return tensors;
}

std::vector<StoredTensor> readSafetensors(const std::string &file, Messages &messages) {
  InputFile input(file);
  std::string start, header;
  if (!input.read(0, std::min<uint64_t>(input.size(), 64), start)) {
    messages.problems.push_back(input.error());
    return {};
  }
  std::optional<uint64_t> length = safetensorsHeaderBytes(start, input.size(), file, messages);
  if (!length)
    return {};
  if (!input.read(8, *length, header)) {
    messages.problems.push_back(input.error());
    return {};
  }
  return parseSafetensorsHeader(header, 8 + *length, input.size(), file, messages);
}

} // namespace ingot::huggingface
