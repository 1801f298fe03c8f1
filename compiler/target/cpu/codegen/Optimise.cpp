// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// LLVM's part that depends on a feature set alone: the machine, the passes over a module, the emission of code. The
// compiler uses it on the kernels of a model, PrecompileShared.cpp on what all models share, when Ingot is built.
#include "compiler/target/cpu/codegen/Analyses.h"
#include "llvm/Bitcode/BitcodeReader.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetOptions.h"
#include "llvm/TargetParser/Triple.h"
#include "llvm/Transforms/IPO/GlobalDCE.h"
#include <mutex>

namespace ingot::target::cpu {

static constexpr const char *kTriple = "x86_64-unknown-linux-gnu";

std::unique_ptr<llvm::TargetMachine> makeTargetMachine(const SetCode &set, std::string &error) {
  static std::once_flag once;
  std::call_once(once, [] {
    LLVMInitializeX86TargetInfo();
    LLVMInitializeX86Target();
    LLVMInitializeX86TargetMC();
    LLVMInitializeX86AsmPrinter();
    LLVMInitializeX86AsmParser();
  });
  llvm::Triple triple(kTriple);
  const llvm::Target *target = llvm::TargetRegistry::lookupTarget(triple, error);
  if (!target)
    return nullptr;
  llvm::TargetOptions options;
  options.FunctionSections = true;
  options.AllowFPOpFusion = llvm::FPOpFusion::Strict; // the numeric contract: only what the source fuses
  std::unique_ptr<llvm::TargetMachine> machine(target->createTargetMachine(triple, "x86-64", set.llvmFeatures, options,
                                                                           llvm::Reloc::PIC_, llvm::CodeModel::Small,
                                                                           llvm::CodeGenOptLevel::Default));
  if (!machine)
    error = "LLVM has no code generator for x86-64";
  return machine;
}

void optimiseModule(llvm::Module &module, llvm::TargetMachine &machine) {
  Analyses analyses(machine);
  analyses.builder.buildPerModuleDefaultPipeline(llvm::OptimizationLevel::O1).run(module, analyses.module);
}

void dropUnused(llvm::Module &module, llvm::TargetMachine &machine) {
  Analyses analyses(machine);
  llvm::ModulePassManager clean;
  clean.addPass(llvm::GlobalDCEPass());
  clean.run(module, analyses.module);
}

std::unique_ptr<llvm::Module> parseBitcode(llvm::LLVMContext &context, llvm::StringRef bitcode, llvm::StringRef name,
                                           std::string &error) {
  auto parsed = llvm::parseBitcodeFile(llvm::MemoryBufferRef(bitcode, name), context);
  if (parsed)
    return std::move(*parsed);
  error = "internal error: bitcode of '" + name.str() + "': " + llvm::toString(parsed.takeError());
  return nullptr;
}

bool emitModule(llvm::Module &module, llvm::TargetMachine &machine, bool assembly, llvm::SmallVectorImpl<char> &out,
                std::string &error) {
  llvm::raw_svector_ostream stream(out);
  llvm::legacy::PassManager passes;
  auto type = assembly ? llvm::CodeGenFileType::AssemblyFile : llvm::CodeGenFileType::ObjectFile;
  if (machine.addPassesToEmitFile(passes, stream, nullptr, type)) {
    error = "internal error: LLVM cannot emit this form of code";
    return false;
  }
  passes.run(module);
  return true;
}

} // namespace ingot::target::cpu
