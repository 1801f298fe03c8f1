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

// The header's flags tell by now whether the model reads bytes (text::kByteLevel).
bool compilePreTokenizer(const Reader &json, SectionParts &parts);

// After the pre-tokenizer. Sets text::kNoDecoder where there is none.
bool compileDecoder(const Reader &json, SectionParts &parts);

// Whether text reaches the model spelled in the byte alphabet by the last pre-tokenizer, and by no other.
bool endsWithByteLevel(const Json &pre_tokenizer);

// The special ids around one text, and the flags of each step that trims offsets (text::PostHeader).
struct SpecialIds {
  std::vector<int32_t> prefix, suffix;
  std::vector<uint32_t> trims;
};
bool compilePostProcessor(const Reader &json, SpecialIds &out);

} // namespace ingot::tokenizer

#endif
