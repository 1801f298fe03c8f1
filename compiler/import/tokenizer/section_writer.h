// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The parts of a TOKENIZER section while they are made, and their assembly into one (runtime/text/format.h).
#ifndef INGOT_COMPILER_IMPORT_TOKENIZER_SECTION_WRITER_H
#define INGOT_COMPILER_IMPORT_TOKENIZER_SECTION_WRITER_H

#include "compiler/import/tokenizer/char_set.h"
#include "compiler/import/tokenizer/regex_compiler.h"
#include "runtime/text/format.h"

#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace ingot::tokenizer {

// Bytes that are addressed by (offset, length); equal ones are stored once where they happen to lie in it already.
class StringPool {
public:
  std::pair<uint32_t, uint32_t> add(std::string_view text);
  const std::string &bytes() const { return bytes_; }

private:
  std::string bytes_;
};

struct SectionParts {
  text::Header header{}; // magic, version, bytes and parts are filled in by assemble
  SetTable sets;
  PatternTable patterns;
  StringPool strings;
  std::vector<uint32_t> normalizer, pre_tokenizer, decoder;
  std::vector<int32_t> prefix, suffix;
  std::vector<uint32_t> trims;
  std::array<std::vector<uint8_t>, static_cast<size_t>(text::Part::Count)> bytes; // the parts that are made elsewhere

  template <typename T> void set(text::Part part, const std::vector<T> &values) {
    auto &out = bytes[static_cast<size_t>(part)];
    out.resize(values.size() * sizeof(T));
    if (!values.empty())
      std::memcpy(out.data(), values.data(), out.size());
  }
  // False: `error` says why it cannot be written.
  bool assemble(std::vector<uint8_t> &section, std::string &error);
};

} // namespace ingot::tokenizer

#endif
