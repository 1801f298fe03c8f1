// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs a tokenizer's decoder program on pieces as they arrive. Decoding a whole list is pushing its pieces and
// finishing, so that a stream and the whole can never differ.
#ifndef INGOT_RUNTIME_TEXT_DECODER_H
#define INGOT_RUNTIME_TEXT_DECODER_H

#include "runtime/text/tables.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ingot::text {

class DecoderChain {
public:
  explicit DecoderChain(const Tables &tables);
  // Both append what is certain by now to `out`: whole characters only.
  void push(int32_t id, std::string &out);
  void finish(std::string &out);

private:
  struct Step {
    DecoderOp op;
    std::string_view what, with;
    uint32_t start = 0, stop = 0;
    const Pattern *pattern = nullptr;
    bool fused = false;   // all tokens before it have become one text
    bool whole = false;   // fused, and it must see all of that text at once
    bool first = true;    // nothing has reached it
    bool holding = false; // `held` is a token, perhaps an empty one
    std::string held;     // bytes of an unfinished run, character or match; or the token before
    uint32_t count = 0;   // Strip: characters taken at the start, or the limit once something else came
  };
  void give(size_t step, std::string_view token, std::string &out);
  void giveToken(size_t index, std::string_view token, std::string &out);
  void giveBytes(size_t index, std::string_view bytes, std::string &out);
  void flushBytes(size_t step, std::string &out);
  void replaceFused(size_t index, std::string_view token, std::string &out);
  void strip(size_t index, std::string_view token, std::string &out);

  const Tables &t_;
  std::vector<Step> steps_;
  bool join_with_spaces_ = false, any_ = false;
  bool raw_ = false; // the first step takes the bytes of pieces
};

} // namespace ingot::text

#endif
