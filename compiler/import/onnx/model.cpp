// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See model.h.
#include "compiler/import/onnx/model.h"
#include "compiler/import/onnx/wire.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ingot::onnx {

struct Model::Mapping {
  const char *data = nullptr;
  uint64_t bytes = 0;
  ~Mapping() {
    if (data)
      munmap(const_cast<char *>(data), bytes);
  }

  static std::string open(const std::string &path, std::shared_ptr<const Mapping> &result) {
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0)
      return path + ": cannot be opened: " + std::strerror(errno);
    struct stat status {};
    std::string error;
    auto mapping = std::make_shared<Mapping>();
    if (fstat(file, &status) != 0 || !S_ISREG(status.st_mode)) {
      error = path + ": is no regular file";
    } else if (status.st_size > 0) {
      void *at = mmap(nullptr, size_t(status.st_size), PROT_READ, MAP_PRIVATE, file, 0);
      if (at == MAP_FAILED) {
        error = path + ": cannot be mapped: " + std::strerror(errno);
      } else {
        mapping->data = static_cast<const char *>(at);
        mapping->bytes = uint64_t(status.st_size);
      }
    }
    ::close(file);
    result = mapping;
    return error;
  }
};

uint64_t TensorBytes::elements() const {
  uint64_t count = 1;
  for (int64_t dimension : shape)
    count *= uint64_t(dimension);
  return count;
}

Model::Model() = default;
Model::~Model() = default;

std::string Model::open(const std::string &path) {
  name = path;
  const size_t slash = path.rfind('/');
  directory = slash == std::string::npos ? "." : path.substr(0, slash);
  if (std::string error = Mapping::open(path, own); !error.empty())
    return error;
  content = {own->data, size_t(own->bytes)};
  return load(content);
}

std::string Model::parse(std::string_view bytes, const std::string &beside) {
  name = "model.onnx";
  directory = beside;
  content = bytes;
  return load(bytes);
}

std::string Model::load(std::string_view bytes) {
  std::string stripped;
  const std::string broken = name + ": is no ONNX file: ";
  if (bytes.empty())
    return broken + "it is empty";
  if (!withoutTensorBytes(bytes, stripped))
    return broken + "its bytes are no protobuf message; it is damaged, cut off or of another format";
  google::protobuf::io::CodedInputStream stream(reinterpret_cast<const uint8_t *>(stripped.data()), int(stripped.size()));
  stream.SetRecursionLimit(200);
  if (stripped.size() > INT32_MAX || !model.ParseFromCodedStream(&stream) || !stream.ConsumedEntireMessage())
    return broken + "protobuf cannot read it as a ModelProto";
  if (!model.has_graph())
    return broken + "it has no graph";
  return "";
}

std::string Model::tensor(const proto::TensorProto &tensor, TensorBytes &result) const {
  result = {};
  result.type = DataType(tensor.data_type());
  const std::string who = "tensor '" + tensor.name() + "'";
  uint64_t elements = 1;
  for (int64_t dimension : tensor.dims()) {
    if (dimension < 0)
      return who + " has a dimension of " + std::to_string(dimension);
    if (__builtin_mul_overflow(elements, uint64_t(dimension), &elements) || elements > (uint64_t(1) << 48))
      return who + " has more elements than any machine holds";
    result.shape.push_back(dimension);
  }
  if (result.type == DataType::string) {
    if (uint64_t(tensor.string_data_size()) != elements)
      return who + " holds " + std::to_string(tensor.string_data_size()) + " strings; its shape asks for " +
             std::to_string(elements);
    result.strings = std::make_shared<const std::vector<std::string>>(tensor.string_data().begin(), tensor.string_data().end());
    return "";
  }
  const unsigned bits = storedBits(result.type);
  if (bits == 0)
    return who + " has element type " + nameOf(result.type) + ", which is not supported";
  const uint64_t wanted = (elements * bits + 7) / 8;
  if (tensor.data_location() == 1) {
    if (std::string error = external(tensor, result); !error.empty())
      return who + ": " + error;
  } else if (tensor.has_stored_bytes()) {
    if (tensor.stored_offset() > content.size() || content.size() - tensor.stored_offset() < tensor.stored_bytes())
      return who + " lies outside the file";
    result.data = content.data() + tensor.stored_offset();
    result.bytes = tensor.stored_bytes();
    if (own) {
      result.file = name;
      result.offset = tensor.stored_offset();
    }
  } else {
    // One by one, each type in the field that the specification gives it.
    auto bytes = std::make_shared<std::string>();
    auto take = [&](const auto &values, size_t width) {
      for (auto value : values)
        bytes->append(reinterpret_cast<const char *>(&value), width);
    };
    const size_t width = bits < 8 ? 1 : bits / 8;
    if (result.type == DataType::f32)
      take(tensor.float_data(), 4);
    else if (result.type == DataType::f64)
      take(tensor.double_data(), 8);
    else if (result.type == DataType::i64)
      take(tensor.int64_data(), 8);
    else if (result.type == DataType::u64 || result.type == DataType::u32)
      take(tensor.uint64_data(), width);
    else
      take(tensor.int32_data(), width);
    result.bytes = bytes->size();
    result.data = bytes->data();
    result.owned = bytes;
  }
  if (result.bytes != wanted)
    return who + " of " + nameOf(result.type) + " holds " + std::to_string(result.bytes) +
           " bytes; its shape asks for " + std::to_string(wanted);
  return "";
}

std::string Model::external(const proto::TensorProto &tensor, TensorBytes &result) const {
  std::string location;
  std::optional<uint64_t> offset, length;
  for (const auto &entry : tensor.external_data()) {
    auto number = [&]() -> std::optional<uint64_t> {
      uint64_t value = 0;
      if (entry.value().empty() || entry.value().size() > 18)
        return std::nullopt;
      for (char c : entry.value()) {
        if (c < '0' || c > '9')
          return std::nullopt;
        value = value * 10 + uint64_t(c - '0');
      }
      return value;
    };
    if (entry.key() == "location") {
      location = entry.value();
    } else if (entry.key() == "offset" || entry.key() == "length") {
      auto value = number();
      if (!value)
        return "external data has " + entry.key() + " '" + entry.value() + "', which is no number";
      (entry.key() == "offset" ? offset : length) = value;
    }
  }
  if (location.empty())
    return "external data without a location";
  // The specification wants a path below the model's own folder.
  if (location.front() == '/' || ("/" + location + "/").find("/../") != std::string::npos)
    return "external data lies at '" + location + "', which leads out of the model's folder";
  const std::string path = directory + "/" + location;
  std::shared_ptr<const Mapping> &mapping = others[path];
  if (!mapping) {
    std::shared_ptr<const Mapping> opened;
    if (std::string error = Mapping::open(path, opened); !error.empty())
      return "external data: " + error;
    mapping = opened;
  }
  const uint64_t first = offset.value_or(0);
  if (first > mapping->bytes || (length && *length > mapping->bytes - first))
    return "external data from byte " + std::to_string(first) +
           (length ? " on, " + std::to_string(*length) + " bytes" : " on") + ", lies past the end of " + path + ", which has " +
           std::to_string(mapping->bytes);
  result.data = mapping->data + first;
  result.bytes = length.value_or(mapping->bytes - first);
  result.file = path;
  result.offset = first;
  return "";
}

} // namespace ingot::onnx
