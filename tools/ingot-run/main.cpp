// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// ingot-run: runs engines. The command line is in options.cpp, each verb in a file of its name.
#include "tools/ingot-run/common.h"

int main(int argc, char **argv) {
  using namespace ingot::tool;
  catchInterrupt();
  Options options = parseCommandLine(argc, argv);
  switch (options.verb) {
  case Verb::none:
    break;
  case Verb::generate:
    return generate(options.generate);
  case Verb::chat:
    return chat(options.chat);
  case Verb::logits:
    return logits(options.logits);
  case Verb::infer:
    return infer(options.infer);
  case Verb::evaluate:
    return evaluate(options.evaluate);
  case Verb::tokenize:
    return tokenize(options.tokenize);
  case Verb::bench:
    return bench(options.bench);
  case Verb::check:
    return check(options.check);
  case Verb::ceilings:
    return ceilings(options.ceilings);
  case Verb::materialize:
    return materialize(options.materialize);
  }
  return options.status;
}
