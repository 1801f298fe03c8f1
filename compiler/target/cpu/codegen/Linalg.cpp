// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Functions over tensors become kernels.
#include "compiler/target/cpu/codegen/Internal.h"
#include "llvm/IR/Module.h"

namespace ingot::target::cpu {

bool lowerLinalgKernel(const Kernel &kernel, const SetCode &, llvm::StringRef, LinalgKernel &, std::string &error) {
  error = "kernel '" + kernel.name + "' is a function over tensors, which the CPU target does not compile yet";
  return false;
}

std::unique_ptr<llvm::Module> specialiseLinalg(llvm::LLVMContext &, llvm::TargetMachine &, const LinalgKernel &,
                                               unsigned, std::string &error) {
  error = "internal error: no function was lowered";
  return nullptr;
}

} // namespace ingot::target::cpu
