// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See wire.h. Walks the wire format (https://protobuf.dev/programming-guides/encoding) along the messages that may hold tensors;
// everything else is copied as it is.
#include "compiler/import/onnx/wire.h"

#include <cstdint>

namespace ingot::onnx {

namespace {

// Messages on the way to a tensor.
enum class Message { model, graph, node, attribute, function, sparse, tensor, other };

Message child(Message parent, uint32_t field) {
  switch (parent) {
  case Message::model:
    return field == 7 ? Message::graph : field == 25 ? Message::function : Message::other;
  case Message::graph:
    return field == 1 ? Message::node : field == 5 ? Message::tensor : field == 15 ? Message::sparse : Message::other;
  case Message::function:
    return field == 7 ? Message::node : field == 11 ? Message::attribute : Message::other;
  case Message::node:
    return field == 5 ? Message::attribute : Message::other;
  case Message::attribute:
    return field == 5 || field == 10   ? Message::tensor
           : field == 6 || field == 11 ? Message::graph
           : field == 22               ? Message::sparse
                                       : Message::other;
  case Message::sparse:
    return field == 1 || field == 2 ? Message::tensor : Message::other;
  default:
    return Message::other;
  }
}

class Stripper {
public:
  explicit Stripper(std::string_view file) : file(file) {}

  // The message in [at, end), appended to `out`.
  bool strip(Message message, uint64_t at, uint64_t end, std::string &out, int depth) {
    if (depth > 64)
      return false;
    while (at < end) {
      const uint64_t start = at;
      uint64_t tag, length = 0;
      if (!varint(at, end, tag))
        return false;
      const auto field = uint32_t(tag >> 3);
      switch (tag & 7) {
      case 0:
        if (!varint(at, end, length))
          return false;
        out.append(file.substr(start, at - start));
        continue;
      case 1:
      case 5:
        length = (tag & 7) == 1 ? 8 : 4;
        if (end - at < length)
          return false;
        at += length;
        out.append(file.substr(start, at - start));
        continue;
      case 2:
        if (!varint(at, end, length) || end - at < length)
          return false;
        break;
      default: // groups are not used
        return false;
      }
      const Message inner = child(message, field);
      if (message == Message::tensor && field == 9) {
        put(out, 1000 << 3);
        put(out, at);
        put(out, 1001 << 3);
        put(out, length);
      } else if (inner == Message::other) {
        out.append(file.substr(start, at + length - start));
      } else {
        std::string body;
        if (!strip(inner, at, at + length, body, depth + 1))
          return false;
        put(out, tag);
        put(out, body.size());
        out += body;
      }
      at += length;
    }
    return true;
  }

private:
  bool varint(uint64_t &at, uint64_t end, uint64_t &value) {
    value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      if (at == end)
        return false;
      const auto byte = uint8_t(file[at++]);
      value |= uint64_t(byte & 127) << shift;
      if (byte < 128)
        return true;
    }
    return false;
  }

  static void put(std::string &out, uint64_t value) {
    for (; value >= 128; value >>= 7)
      out += char(value | 128);
    out += char(value);
  }

  std::string_view file;
};

} // namespace

bool withoutTensorBytes(std::string_view file, std::string &stripped) {
  stripped.clear();
  return Stripper(file).strip(Message::model, 0, file.size(), stripped, 0);
}

} // namespace ingot::onnx
