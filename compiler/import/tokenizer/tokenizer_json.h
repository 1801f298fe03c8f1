// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Compiles a checkpoint's tokenizer.json to the TOKENIZER section of an engine (runtime/text/format.h). What the
// runtime could not follow exactly is refused here, by its name in the file, never at run time. No MLIR.
#ifndef INGOT_COMPILER_IMPORT_TOKENIZER_TOKENIZER_JSON_H
#define INGOT_COMPILER_IMPORT_TOKENIZER_TOKENIZER_JSON_H

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ingot::tokenizer {

// `tokenizerJson` and `tokenizerConfigJson` are the texts of tokenizer.json and of tokenizer_config.json (empty: there
// is none), of which added tokens, add_bos_token and add_eos_token are read. True: `section` holds the section, the
// same bytes for the same input. False: `error` is a sentence with the key at fault. `notices`, where given, receives
// what a person should know and that is no error. Thread-safe.
bool compileTokenizer(std::string_view tokenizerJson, std::string_view tokenizerConfigJson,
                      std::vector<uint8_t> &section, std::string &error, std::vector<std::string> *notices = nullptr);

} // namespace ingot::tokenizer

#endif
