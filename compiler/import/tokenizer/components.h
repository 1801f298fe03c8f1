// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The small components of a tokenizer.json (normalizer, pre_tokenizer, post_processor, decoder), each turned into the
// program of its part. Every function returns false once `error` of the reader is written: an unknown component is
// refused by its name, a known one by the option that is not supported.
#ifndef INGOT_COMPILER_IMPORT_TOKENIZER_COMPONENTS_H
#define INGOT_COMPILER_IMPORT_TOKENIZER_COMPONENTS_H

#include "compiler/import/tokenizer/json_reader.h"
#include "compiler/import/tokenizer/section_writer.h"

#include <string>
#include <vector>

namespace ingot::tokenizer {

bool compileNormalizer(const Reader &json, SectionParts &parts);

// Sets text::kByteLevel in the header's flags where the model reads bytes.
bool compilePreTokenizer(const Reader &json, SectionParts &parts);

// After the pre-tokenizer. Sets text::kNoDecoder where there is none.
bool compileDecoder(const Reader &json, SectionParts &parts);

// The special tokens around one text: a piece's text as the file gives it, and its id.
struct SpecialIds {
  std::vector<int32_t> prefix, suffix;
};
bool compilePostProcessor(const Reader &json, SpecialIds &out);

} // namespace ingot::tokenizer

#endif
