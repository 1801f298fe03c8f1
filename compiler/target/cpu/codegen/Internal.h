// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the files of the CPU code generator share: the table of feature sets with LLVM's words for them, the checked
// parameters of a template, and the two stages (kernel to object, objects to image). Private to codegen/.
#ifndef INGOT_COMPILER_TARGET_CPU_CODEGEN_INTERNAL_H
#define INGOT_COMPILER_TARGET_CPU_CODEGEN_INTERNAL_H

#include "compiler/target/cpu/target.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Target/TargetMachine.h"
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace llvm {
class LLVMContext;
class Module;
} // namespace llvm

namespace ingot::target::cpu {

// A feature set in LLVM's words. The table stands in FeatureSets.cpp.
struct SetCode {
  const char *name;
  const char *tuneCpu;      // scheduling and costs; adds no feature
  const char *llvmFeatures; // "+avx2,+fma,..."
  unsigned vectorBits;      // full width
};
llvm::ArrayRef<SetCode> setCodes();

// Whether set number `set` has code of its own for a kernel; sets that stand on another hold only what gains.
bool setHolds(unsigned set, const Kernel &kernel);

// The embedded bitcode of a template for set number `set`, or of a file of sharedFiles(). Empty where there is none.
llvm::StringRef templateBitcode(llvm::StringRef templateName, unsigned set);

// Files of functions that depend on the set alone: those that templates call rather than inline (kernels/linear_rows.h),
// and `support`, which a back end may call on its own. They are compiled when Ingot is built (PrecompileShared.cpp);
// the link drops what an image does not call.
llvm::ArrayRef<llvm::StringRef> sharedFiles();
// The object of one for set number `set`. Empty where there is none.
llvm::StringRef sharedObject(llvm::StringRef file, unsigned set);

// Parameters of a template in the order of its struct, as the bits of its 4-byte fields, checked: all there, of the
// right kind, and a combination that the template can do.
struct CheckedTemplate {
  std::vector<uint32_t> words;
  // Templates that read one symbol alone are compiled as if it were the first: their functions move `symbols` to it.
  uint32_t firstSymbol = 0;
  uint64_t scratchBytes = 0;
};
bool checkTemplate(const Kernel &kernel, CheckedTemplate &checked, std::string &error);

// A machine for one set: PIC, small code, no unwind tables. One per thread.
std::unique_ptr<llvm::TargetMachine> makeTargetMachine(const SetCode &set, std::string &error);

std::unique_ptr<llvm::Module> parseBitcode(llvm::LLVMContext &context, llvm::StringRef bitcode, llvm::StringRef name,
                                           std::string &error);

// Deletes what no exported function uses.
void dropUnused(llvm::Module &module, llvm::TargetMachine &machine);

// Runs LLVM's optimisation over a module.
void optimiseModule(llvm::Module &module, llvm::TargetMachine &machine);

// A function that an object exports, and the symbol that counts its rows.
struct Export {
  std::string symbol;
  uint32_t firstSymbol;
};

// The optimised module of a template's kernel: exports functions of the kernel ABI.
std::unique_ptr<llvm::Module> specialiseTemplate(llvm::LLVMContext &context, llvm::TargetMachine &machine,
                                                 const Kernel &kernel, const CheckedTemplate &checked, unsigned set,
                                                 llvm::ArrayRef<Export> exports, std::string &error);

// The functions of sharedFiles() that `module` calls, by name.
std::set<std::string> sharedFunctions(const llvm::Module &module);
// The optimised module of such a file, with those of its functions that are in `names` (for printing).
std::unique_ptr<llvm::Module> sharedModule(llvm::LLVMContext &context, llvm::TargetMachine &machine, unsigned set,
                                           llvm::StringRef file, const std::set<std::string> &names,
                                           std::string &error);

// An object file, or assembly.
bool emitModule(llvm::Module &module, llvm::TargetMachine &machine, bool assembly, llvm::SmallVectorImpl<char> &out,
                std::string &error);

// A function over tensors, lowered once for all sets (Linalg.cpp), then finished per set, where it gets its symbol.
struct LinalgKernel {
  std::string bitcode; // equal for functions that do the same
  uint64_t scratchBytes = 0;
};
bool lowerLinalgKernel(const Kernel &kernel, LinalgKernel &result, std::string &error);
std::unique_ptr<llvm::Module> specialiseLinalg(llvm::LLVMContext &context, llvm::TargetMachine &machine,
                                               const LinalgKernel &lowered, llvm::StringRef symbol, unsigned set,
                                               std::string &error);

// Links objects in order into one flat image; offsets[i] is that of symbols[i].
bool linkImage(llvm::ArrayRef<llvm::StringRef> objects, llvm::ArrayRef<std::string> symbols,
               std::vector<uint8_t> &image, std::vector<uint32_t> &offsets, std::string &error);

} // namespace ingot::target::cpu

#endif
