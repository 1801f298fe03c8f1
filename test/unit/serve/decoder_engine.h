// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A small decoder made without the compiler: the fake model of fake_model.h as an engine file, with the entries,
// argument names and symbols of a real one. Vocabulary 97, context 200, pages of 8 tokens of 64 bytes, no tokenizer.
// The token 7 ends a text, and the checkpoint asks for greedy.
#ifndef INGOT_TEST_SERVE_DECODER_ENGINE_H
#define INGOT_TEST_SERVE_DECODER_ENGINE_H

#include "test/unit/runtime/test_engine.h"

namespace ingot::test {

TestEngine decoderEngine();

} // namespace ingot::test

#endif
