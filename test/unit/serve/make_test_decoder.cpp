// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// make_test_decoder OUT.ingot [no-eos | graph]: writes the test decoder, or the test graph (test/unit/runtime/test_engine.h),
// for tests of the command line that need no compiler.
#include "test/unit/serve/decoder_engine.h"

#include <cstdio>
#include <cstring>

int main(int argc, char **argv) {
  ingot::test::TestEngine engine = ingot::test::decoderEngine();
  if (argc == 3 && std::strcmp(argv[2], "no-eos") == 0)
    engine.plan.generation->eos.clear();
  if (argc == 3 && std::strcmp(argv[2], "graph") == 0)
    engine = ingot::test::graphEngine();
  ingot::test::Bytes bytes = engine.build();
  FILE *file = argc > 1 ? std::fopen(argv[1], "wb") : nullptr;
  bool done = file && std::fwrite(bytes.data(), 1, bytes.size(), file) == bytes.size() && std::fclose(file) == 0;
  return done ? 0 : 1;
}
