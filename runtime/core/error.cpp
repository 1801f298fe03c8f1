// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See error.h.
#include "runtime/core/error.h"

#include <cstdarg>
#include <cstdio>
#include <cstring>

namespace ingot::runtime {

std::string_view errorCodeName(ErrorCode code) {
  switch (code) {
  case ErrorCode::InvalidArgument:
    return "invalid_argument";
  case ErrorCode::NotFound:
    return "not_found";
  case ErrorCode::Corrupt:
    return "corrupt";
  case ErrorCode::Unsupported:
    return "unsupported";
  case ErrorCode::ResourceExhausted:
    return "resource_exhausted";
  case ErrorCode::Io:
    return "io";
  case ErrorCode::Internal:
    return "internal";
  }
  return "internal";
}

Error Error::prefixed(std::string_view context) && {
  text.insert(0, ": ");
  text.insert(0, context);
  return std::move(*this);
}

Error makeError(ErrorCode code, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  va_list again;
  va_copy(again, arguments);
  int length = std::vsnprintf(nullptr, 0, format, arguments);
  va_end(arguments);
  std::string text(length < 0 ? 0 : size_t(length), '\0');
  if (length > 0)
    std::vsnprintf(text.data(), text.size() + 1, format, again);
  va_end(again);
  return Error(code, std::move(text));
}

// Length of the well-formed UTF-8 sequence that `text` starts with; 0 where there is none.
static size_t sequenceLength(std::string_view text) {
  auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  unsigned lead = byte(0);
  size_t length = lead < 0x80 ? 1 : lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
  if (length == 0 || length > text.size())
    return 0;
  for (size_t i = 1; i < length; ++i)
    if ((byte(i) & 0xc0) != 0x80)
      return 0;
  return length;
}

std::string quoted(std::string_view name) {
  constexpr size_t kLongest = 120;
  std::string out = "'";
  for (size_t i = 0; i < name.size();) {
    if (i >= kLongest) {
      out += "...";
      break;
    }
    size_t length = sequenceLength(name.substr(i));
    unsigned char byte = static_cast<unsigned char>(name[i]);
    if (length == 0 || byte < 0x20 || byte == 0x7f) {
      char escaped[8];
      std::snprintf(escaped, sizeof escaped, "\\x%02x", byte);
      out += escaped;
      ++i;
      continue;
    }
    out += name.substr(i, length);
    i += length;
  }
  return out + "'";
}

std::string systemReason(int number) {
  char buffer[256];
  // glibc's strerror_r returns the text, which may not be in the buffer.
  return strerror_r(number, buffer, sizeof buffer);
}

} // namespace ingot::runtime
