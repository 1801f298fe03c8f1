// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What holds for every tokenizer and every text: encoding with offsets gives the same ids as without, offsets lie in
// the text, ids are ids, and a stream decodes to the text of the whole, in whole characters. Aborts where it does not.
#ifndef INGOT_TEST_FUZZ_TOKENIZER_CHECKS_H
#define INGOT_TEST_FUZZ_TOKENIZER_CHECKS_H

#include "runtime/text/tokenizer.h"
#include "runtime/text/unicode.h"

#include <cstdlib>
#include <string_view>
#include <vector>

inline void checkText(const ingot::text::Tokenizer &tokenizer, std::string_view text) {
  for (bool special : {false, true}) {
    std::vector<int32_t> ids = tokenizer.encode(text, special);
    ingot::text::Encoding encoding = tokenizer.encodeWithOffsets(text, special);
    if (encoding.ids != ids || encoding.offsets.size() != ids.size())
      std::abort();
    for (ingot::text::Offsets place : encoding.offsets)
      if (place.begin > place.end || place.end > text.size())
        std::abort();
    std::string whole = tokenizer.decode(ids, special), streamed;
    ingot::text::StreamDecoder stream(tokenizer, special);
    for (int32_t id : ids) {
      if (id < 0 || id >= tokenizer.size())
        std::abort();
      streamed += stream.push(id);
      if (!ingot::text::isValidUtf8(streamed))
        std::abort();
    }
    if (streamed + stream.finish() != whole)
      std::abort();
  }
}

#endif
