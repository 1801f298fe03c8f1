// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Where the stages of a compilation go: printed to stdout or a file when one was asked for by --emit, and kept in a
// folder with --dump-stages.
#ifndef INGOT_COMPILER_DRIVER_STAGES_H
#define INGOT_COMPILER_DRIVER_STAGES_H

#include "compiler/driver/compile.h"

#include "mlir/IR/BuiltinOps.h"

#include <functional>
#include <string>

namespace ingot::driver {

class Stages {
public:
  explicit Stages(const CompileOptions &options) : options(options) {}

  // Makes the folder of --dump-stages. "" or an error sentence.
  std::string prepare();

  // Offers a stage; `text` is called only where somebody wants it. Sets `done` when this is where --emit stops.
  std::string offer(const std::string &stage, const std::function<std::string(std::string &text)> &text, bool &done);
  std::string offer(const std::string &stage, mlir::ModuleOp module, bool &done);

private:
  std::string write(const std::string &path, const std::string &text);
  const CompileOptions &options;
  unsigned count = 0;
};

} // namespace ingot::driver

#endif
