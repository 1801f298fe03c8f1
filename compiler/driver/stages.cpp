// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/driver/stages.h"

#include "compiler/engine/output_file.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/raw_ostream.h"

namespace ingot::driver {

std::string Stages::prepare() {
  if (options.dumpStages.empty())
    return "";
  if (std::error_code error = llvm::sys::fs::create_directories(options.dumpStages))
    return "cannot make the folder " + options.dumpStages + ": " + error.message();
  return "";
}

std::string Stages::write(const std::string &path, const std::string &text) {
  engine::OutputFile file;
  std::string error = file.create(path, text.size());
  if (error.empty())
    error = file.write(0, text.data(), text.size());
  return error.empty() ? file.commit() : error;
}

std::string Stages::offer(const std::string &stage, const std::function<std::string(std::string &)> &make, bool &done) {
  ++count;
  done = options.emit == stage;
  if (!done && options.dumpStages.empty())
    return "";
  std::string text;
  if (std::string error = make(text); !error.empty())
    return error;
  if (!options.dumpStages.empty()) {
    const char *suffix = stage == "asm" ? "s" : stage == "llvm" ? "ll" : stage == "cuda" ? "cu" : "mlir";
    if (std::string error =
            write(options.dumpStages + "/" + std::to_string(count) + "-" + stage + "." + suffix, text);
        !error.empty())
      return error;
  }
  if (!done)
    return "";
  if (!options.output.empty() && options.output != "-")
    return write(options.output, text);
  llvm::outs() << text;
  llvm::outs().flush();
  if (llvm::outs().has_error())
    return "cannot write to stdout: " + llvm::outs().error().message();
  return "";
}

std::string Stages::offer(const std::string &stage, mlir::ModuleOp module, bool &done) {
  return offer(
      stage,
      [&](std::string &text) -> std::string {
        llvm::raw_string_ostream stream(text);
        mlir::OpPrintingFlags flags;
        flags.elideLargeElementsAttrs(64);
        module.print(stream, flags);
        return "";
      },
      done);
}

} // namespace ingot::driver
