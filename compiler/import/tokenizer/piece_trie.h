// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Builds the double array of a model's pieces (runtime/text/format.h, PieceTrie).
#ifndef INGOT_COMPILER_IMPORT_TOKENIZER_PIECE_TRIE_H
#define INGOT_COMPILER_IMPORT_TOKENIZER_PIECE_TRIE_H

#include "compiler/import/tokenizer/model.h"

#include <vector>

namespace ingot::tokenizer {

std::vector<text::TrieUnit> buildPieceTrie(const ModelText &model);

} // namespace ingot::tokenizer

#endif
