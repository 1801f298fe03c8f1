// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The rules of the normalizer Precompiled, as SentencePiece models carry them: u32 bytes of a double array (units of
// darts-clone), the array, then the replacements, each ended by a zero byte. Read in place; any bytes are safe.
#ifndef INGOT_RUNTIME_TEXT_CHARSMAP_H
#define INGOT_RUNTIME_TEXT_CHARSMAP_H

#include "runtime/text/aligned.h"

#include <string_view>

namespace ingot::text {

class Charsmap {
public:
  explicit Charsmap(std::string_view blob);
  // Whether the sizes fit and the replacements are UTF-8.
  static bool valid(std::string_view blob);
  // The normalized text: itself where nothing changes, else held by `storage`.
  Text apply(const Text &text, bool track, TextStorage &storage) const;

private:
  uint32_t unit(size_t index) const;
  // The replacement of the shortest rule that `text` begins with; false: none.
  bool find(std::string_view text, std::string_view &with) const;

  std::string_view units_, replacements_;
};

} // namespace ingot::text

#endif
