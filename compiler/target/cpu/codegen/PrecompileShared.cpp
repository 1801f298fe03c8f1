// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// ingot-precompile-shared SET IN.bc OUT.o: compiles a file of functions that depend on the feature set alone, as the
// compiler would. Runs when Ingot is built; the compiler embeds the object.
#include "compiler/target/cpu/codegen/Internal.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"

using namespace ingot::target::cpu;

static int fail(const std::string &why) {
  llvm::errs() << "ingot-precompile-shared: " << why << "\n";
  return 1;
}

int main(int argc, char **argv) {
  if (argc != 4)
    return fail("expected SET IN.bc OUT.o");
  const SetCode *set =
      llvm::find_if(setCodes(), [&](const SetCode &code) { return llvm::StringRef(code.name) == argv[1]; });
  if (set == setCodes().end())
    return fail("no CPU feature set '" + std::string(argv[1]) + "'");
  auto bitcode = llvm::MemoryBuffer::getFile(argv[2]);
  if (!bitcode)
    return fail("cannot read '" + std::string(argv[2]) + "': " + bitcode.getError().message());
  llvm::LLVMContext context;
  std::string error;
  std::unique_ptr<llvm::TargetMachine> machine = makeTargetMachine(*set, error);
  std::unique_ptr<llvm::Module> module =
      machine ? parseBitcode(context, (*bitcode)->getBuffer(), argv[2], error) : nullptr;
  if (!module)
    return fail(error);
  optimiseModule(*module, *machine);
  llvm::SmallVector<char, 0> object;
  if (!emitModule(*module, *machine, /*assembly=*/false, object, error))
    return fail(error);
  std::error_code failed;
  llvm::raw_fd_ostream out(argv[3], failed);
  if (!failed) {
    out.write(object.data(), object.size());
    out.close();
    failed = out.error();
    out.clear_error();
  }
  return failed ? fail("cannot write '" + std::string(argv[3]) + "': " + failed.message()) : 0;
}
