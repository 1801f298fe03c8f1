// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See npy.h. The header is a Python dictionary literal; only what NumPy itself writes is understood:
//   {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }
#include "runtime/core/npy.h"

#include <algorithm>
#include <cstring>

namespace ingot::runtime {

namespace {

constexpr uint8_t kMagic[6] = {0x93, 'N', 'U', 'M', 'P', 'Y'};
constexpr size_t kLongestHeader = 1 << 16;
constexpr size_t kMostDimensions = 16;

struct Header {
  std::string type;
  std::vector<uint64_t> shape;
};

// A cursor over the dictionary. Every step says whether it found what it wanted.
class Parser {
public:
  Parser(std::string_view text, const std::string &path) : text(text), path(path) {}

  Result<Header> parse() {
    bool descr = false, order = false, shape = false;
    Header header;
    if (!take('{'))
      return bad("expected '{'");
    while (!take('}')) {
      std::string key;
      if (!string(key) || !take(':'))
        return bad("expected a quoted key and ':'");
      if (key == "descr" && !descr) {
        descr = true;
        INGOT_RETURN_IF_ERROR(parseType(header.type));
      } else if (key == "fortran_order" && !order) {
        order = true;
        if (word("True"))
          return makeError(ErrorCode::Unsupported,
                           "%s: the array is in Fortran order, expected C order; save numpy.ascontiguousarray(array)",
                           path.c_str());
        if (!word("False"))
          return bad("fortran_order: expected True or False");
      } else if (key == "shape" && !shape) {
        shape = true;
        INGOT_RETURN_IF_ERROR(parseShape(header.shape));
      } else {
        return bad(("key " + quoted(key) + " is unknown or comes twice").c_str());
      }
      if (!take(',') && !peek('}'))
        return bad("expected ',' or '}'");
    }
    skip();
    if (at != text.size())
      return bad("something follows the dictionary");
    if (!descr || !order || !shape)
      return bad("one of descr, fortran_order and shape is missing");
    return header;
  }

private:
  Error bad(const char *why) const {
    return makeError(ErrorCode::Corrupt, "%s: the .npy header is malformed at its byte %zu: %s", path.c_str(), at, why);
  }
  void skip() {
    while (at < text.size() && (text[at] == ' ' || text[at] == '\n' || text[at] == '\t'))
      ++at;
  }
  bool peek(char c) {
    skip();
    return at < text.size() && text[at] == c;
  }
  bool take(char c) {
    if (!peek(c))
      return false;
    ++at;
    return true;
  }
  bool word(std::string_view wanted) {
    skip();
    if (!text.substr(at).starts_with(wanted))
      return false;
    at += wanted.size();
    return true;
  }
  bool string(std::string &out) {
    skip();
    if (at >= text.size() || (text[at] != '\'' && text[at] != '"'))
      return false;
    size_t end = text.find(text[at], at + 1);
    if (end == std::string_view::npos)
      return false;
    out = text.substr(at + 1, end - at - 1);
    at = end + 1;
    return true;
  }
  bool number(uint64_t &out) {
    skip();
    size_t start = at;
    for (out = 0; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at)
      if (__builtin_mul_overflow(out, uint64_t(10), &out) ||
          __builtin_add_overflow(out, uint64_t(text[at] - '0'), &out))
        return false;
    return at > start;
  }

  Result<void> parseType(std::string &type) {
    std::string descr;
    if (!string(descr))
      return makeError(ErrorCode::Unsupported, "%s: the array is a record, expected plain numbers", path.c_str());
    static constexpr std::string_view kTypes[] = {"f2", "f4", "f8", "i1", "i2", "i4",
                                                  "i8", "u1", "u2", "u4", "u8", "b1", "V2"};
    char order = descr.empty() ? '?' : descr[0];
    type = descr.substr(std::min<size_t>(1, descr.size()));
    if (order == '>')
      return makeError(ErrorCode::Unsupported,
                       "%s: the numbers are big-endian (%s), expected little-endian; save "
                       "array.astype('<%s')",
                       path.c_str(), quoted(descr).c_str(), quoted(type).substr(1, type.size()).c_str());
    if ((order != '<' && order != '|') || std::find(std::begin(kTypes), std::end(kTypes), type) == std::end(kTypes))
      return makeError(ErrorCode::Unsupported, "%s: element type %s, expected a little-endian integer or float",
                       path.c_str(), quoted(descr).c_str());
    return {};
  }

  Result<void> parseShape(std::vector<uint64_t> &shape) {
    if (!take('('))
      return bad("shape: expected '('");
    while (!take(')')) {
      uint64_t extent;
      if (!number(extent))
        return bad("shape: expected a whole number that fits 64 bits");
      shape.push_back(extent);
      if (shape.size() > kMostDimensions)
        return makeError(ErrorCode::Unsupported, "%s: more than %zu dimensions", path.c_str(), kMostDimensions);
      if (!take(',') && !peek(')'))
        return bad("shape: expected ',' or ')'");
    }
    return {};
  }

  std::string_view text;
  const std::string &path;
  size_t at = 0;
};

uint64_t typeBytes(std::string_view type) { return uint64_t(type[1] - '0'); }

std::string shapeText(std::span<const uint64_t> shape) {
  std::string text = "(";
  for (uint64_t extent : shape)
    text += std::to_string(extent) + ", ";
  if (shape.size() > 1)
    text.resize(text.size() - 2);
  else if (shape.size() == 1)
    text.pop_back();
  return text + ")";
}

} // namespace

uint64_t NpyArray::elements() const {
  uint64_t product = 1;
  for (uint64_t extent : shape)
    product *= extent;
  return product;
}

Result<NpyArray> readNpy(const std::string &path) {
  INGOT_ASSIGN_OR_RETURN(File file, File::open(path));
  uint8_t start[12];
  size_t prefix = std::min<uint64_t>(sizeof start, file.size());
  INGOT_RETURN_IF_ERROR(file.readAt(0, {start, prefix}));
  if (prefix < 10 || std::memcmp(start, kMagic, sizeof kMagic) != 0)
    return makeError(ErrorCode::Corrupt, "%s: is not a .npy file; write one with numpy.save", path.c_str());
  unsigned version = start[6];
  if (version < 1 || version > 3)
    return makeError(ErrorCode::Unsupported, "%s: .npy version %u.%u, expected 1 to 3", path.c_str(), version,
                     unsigned(start[7]));
  uint64_t headerAt = version == 1 ? 10 : 12;
  uint64_t headerBytes = start[8] | start[9] << 8;
  if (version > 1 && prefix == 12)
    headerBytes |= uint64_t(start[10]) << 16 | uint64_t(start[11]) << 24;
  if (headerBytes > kLongestHeader || headerAt + headerBytes > file.size())
    return makeError(ErrorCode::Corrupt, "%s: the .npy header states a length of %llu bytes, but the file has %llu",
                     path.c_str(), static_cast<unsigned long long>(headerBytes),
                     static_cast<unsigned long long>(file.size()));
  std::string text(size_t(headerBytes), '\0');
  INGOT_RETURN_IF_ERROR(file.readAt(headerAt, {reinterpret_cast<uint8_t *>(text.data()), text.size()}));
  INGOT_ASSIGN_OR_RETURN(Header header, Parser(text, path).parse());

  uint64_t bytes = typeBytes(header.type);
  bool overflow = false;
  for (uint64_t extent : header.shape)
    overflow |= __builtin_mul_overflow(bytes, extent, &bytes);
  uint64_t present = file.size() - headerAt - headerBytes;
  if (overflow || bytes != present)
    return makeError(ErrorCode::Corrupt, "%s: shape %s of %s needs %s bytes of data, the file has %llu", path.c_str(),
                     shapeText(header.shape).c_str(), header.type.c_str(),
                     overflow ? "more than 2^64" : std::to_string(bytes).c_str(),
                     static_cast<unsigned long long>(present));
  NpyArray array{std::move(header.type), std::move(header.shape), {}};
  array.data.resize(size_t(bytes));
  INGOT_RETURN_IF_ERROR(file.readAt(headerAt + headerBytes, array.data));
  return array;
}

Result<NpyIntegers> readNpyIntegers(const std::string &path) {
  INGOT_ASSIGN_OR_RETURN(NpyArray array, readNpy(path));
  if (array.type != "i4" && array.type != "i8")
    return makeError(ErrorCode::InvalidArgument, "%s: element type %s, expected i4 or i8; save array.astype('int32')",
                     path.c_str(), array.type.c_str());
  if (array.shape.size() != 1 && array.shape.size() != 2)
    return makeError(ErrorCode::InvalidArgument, "%s: shape %s, expected one or two dimensions", path.c_str(),
                     shapeText(array.shape).c_str());
  NpyIntegers out{array.shape, std::vector<int64_t>(size_t(array.elements()))};
  for (size_t i = 0; i < out.values.size(); ++i) {
    if (array.type == "i4") {
      int32_t value;
      std::memcpy(&value, array.data.data() + 4 * i, 4);
      out.values[i] = value;
    } else {
      std::memcpy(&out.values[i], array.data.data() + 8 * i, 8);
    }
  }
  return out;
}

Result<std::unique_ptr<NpyWriter>> NpyWriter::create(const std::string &path, std::string_view type,
                                                     std::span<const uint64_t> shape) {
  INGOT_ASSIGN_OR_RETURN(auto file, AtomicFile::create(path));
  std::string dictionary = std::string("{'descr': '") + (type[1] == '1' ? '|' : '<') + std::string(type) +
                           "', 'fortran_order': False, 'shape': " + shapeText(shape) + ", }";
  // The data starts at a multiple of 64 bytes.
  size_t total = (10 + dictionary.size() + 1 + 63) / 64 * 64;
  dictionary.resize(total - 11, ' ');
  dictionary += '\n';
  std::string start(reinterpret_cast<const char *>(kMagic), sizeof kMagic);
  start += {1, 0, char(dictionary.size() & 0xff), char(dictionary.size() >> 8)};
  INGOT_RETURN_IF_ERROR(file->write(start + dictionary));
  uint64_t bytes = typeBytes(type);
  for (uint64_t extent : shape)
    bytes *= extent;
  return std::unique_ptr<NpyWriter>(new NpyWriter(std::move(file), bytes));
}

Result<void> NpyWriter::append(std::span<const float> values) {
  return append(std::span(reinterpret_cast<const uint8_t *>(values.data()), values.size_bytes()));
}

Result<void> NpyWriter::append(std::span<const uint8_t> bytes) {
  written += bytes.size();
  return file->write(bytes);
}

Result<void> NpyWriter::finish() {
  if (written != expected)
    return makeError(ErrorCode::Internal, "%llu bytes of data were written to a .npy file whose shape needs %llu",
                     static_cast<unsigned long long>(written), static_cast<unsigned long long>(expected));
  return file->commit();
}

Result<void> writeNpy(const std::string &path, std::span<const float> values, std::span<const uint64_t> shape) {
  INGOT_ASSIGN_OR_RETURN(auto writer, NpyWriter::create(path, "f4", shape));
  INGOT_RETURN_IF_ERROR(writer->append(values));
  return writer->finish();
}

} // namespace ingot::runtime
