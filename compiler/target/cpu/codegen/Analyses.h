// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How kernels are optimised: what passes know of the machine and of libraries, and which are left out.
#ifndef INGOT_COMPILER_TARGET_CPU_CODEGEN_ANALYSES_H
#define INGOT_COMPILER_TARGET_CPU_CODEGEN_ANALYSES_H

#include "compiler/target/cpu/codegen/Internal.h"
#include "llvm/Analysis/TargetLibraryInfo.h"
#include "llvm/Passes/PassBuilder.h"

namespace ingot::target::cpu {

// The analyses of one run of passes, in the order in which they must be torn down.
struct Analyses {
  llvm::LoopAnalysisManager loop;
  llvm::FunctionAnalysisManager function;
  llvm::CGSCCAnalysisManager cgscc;
  llvm::ModuleAnalysisManager module;
  llvm::PassBuilder builder;

  static llvm::PipelineTuningOptions tuning() {
    llvm::PipelineTuningOptions options;
    // Kernels are written in vectors, and say which loops to unroll: the rest is compile time.
    options.SLPVectorization = false;
    options.LoopVectorization = false;
    options.LoopInterleaving = false;
    options.LoopUnrolling = false;
    options.ForgetAllSCEVInLoopUnroll = true; // the same code, sooner
    return options;
  }
  Analyses(llvm::TargetMachine &machine) : builder(&machine, tuning()) {
    // No library function exists for kernels, so none may be invented (memset and its kin are linked in for the back
    // end).
    function.registerPass([&machine] {
      llvm::TargetLibraryInfoImpl none(machine.getTargetTriple());
      none.disableAllFunctions();
      return llvm::TargetLibraryAnalysis(none);
    });
    builder.registerModuleAnalyses(module);
    builder.registerCGSCCAnalyses(cgscc);
    builder.registerFunctionAnalyses(function);
    builder.registerLoopAnalyses(loop);
    builder.crossRegisterProxies(loop, function, cgscc, module);
  }
};

} // namespace ingot::target::cpu

#endif
