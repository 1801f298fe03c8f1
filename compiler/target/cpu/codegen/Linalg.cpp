// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Functions over tensors become kernels: element-wise fusion as upstream has it, rows (Rows.h), then upstream's
// conversions to LLVM, once for all sets; per set the module takes the set's features, the elementary functions that it
// calls are linked in, and LLVM optimises. Vectors have 16 lanes, which the back end splits where registers are
// narrower.
#include "compiler/target/cpu/codegen/Internal.h"
#include "compiler/target/cpu/codegen/Rows.h"
#include "compiler/target/templates/functions.h"
#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Linalg/Passes.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/Bitcode/BitcodeReader.h"
#include "llvm/Bitcode/BitcodeWriter.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"
#include "llvm/Linker/Linker.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;

namespace ingot::target::cpu {

// What the function is called until its symbol is known, which is made of the code.
static constexpr const char *kUnnamed = "kernel";

bool lowerLinalgKernel(const Kernel &kernel, LinalgKernel &result, std::string &error) {
  auto fail = [&](const std::string &why) {
    error = "kernel '" + kernel.name + "': " + why;
    return false;
  };
  auto body = dyn_cast<func::FuncOp>(kernel.body);
  if (!body)
    return fail("its body is no func.func");
  MLIRContext *context = body.getContext();
  context->loadDialect<scf::SCFDialect, vector::VectorDialect, LLVM::LLVMDialect, cf::ControlFlowDialect>();
  DialectRegistry registry;
  registerBuiltinDialectTranslation(registry);
  registerLLVMDialectTranslation(registry);
  context->appendDialectRegistry(registry);

  const std::vector<std::string> symbols = symbolsAround(body);
  std::string problem;
  OwningOpRef<ModuleOp> work = fusedCopy(body, problem);
  if (!work)
    return fail(problem);
  auto copy = *work->getOps<func::FuncOp>().begin();
  OwningOpRef<ModuleOp> lowered = ModuleOp::create(UnknownLoc::get(context));
  if (!lowerToRows(copy, symbols, *lowered, kUnnamed, result.scratchBytes, problem))
    return fail(problem);
  if (!runPasses(
          *lowered,
          [](PassManager &manager) {
            manager.addPass(createCanonicalizerPass());
            manager.addPass(createCSEPass());
            manager.addPass(createLoopInvariantCodeMotionPass());
            // Arithmetic on bf16, which back ends would round through a library, is that of f32, rounded by integer
            // steps.
            arith::ArithEmulateUnsupportedFloatsOptions widen;
            widen.sourceTypeStrs = {"bf16"};
            widen.targetTypeStr = "f32";
            manager.addPass(arith::createArithEmulateUnsupportedFloats(widen));
            arith::ArithExpandOpsPassOptions expand;
            expand.includeBf16 = true;
            manager.addPass(arith::createArithExpandOpsPass(expand));
            manager.addPass(createSCFToControlFlowPass());
            manager.addPass(createConvertVectorToLLVMPass());
            manager.addPass(createConvertMathToLLVMPass());
            manager.addPass(createArithToLLVMConversionPass());
            manager.addPass(createConvertControlFlowToLLVMPass());
            manager.addPass(createConvertFuncToLLVMPass());
            manager.addPass(createReconcileUnrealizedCastsPass());
          },
          problem))
    return fail(problem);
  llvm::LLVMContext llvmContext;
  std::unique_ptr<llvm::Module> translated = translateModuleToLLVMIR(*lowered, llvmContext, kUnnamed);
  if (!translated)
    return fail("internal error: what it was lowered to cannot be written as LLVM IR");
  llvm::raw_string_ostream stream(result.bitcode);
  llvm::WriteBitcodeToFile(*translated, stream);
  return true;
}

std::unique_ptr<llvm::Module> specialiseLinalg(llvm::LLVMContext &context, llvm::TargetMachine &machine,
                                               const LinalgKernel &lowered, llvm::StringRef symbol, unsigned set,
                                               std::string &error) {
  auto parsed = llvm::parseBitcodeFile(llvm::MemoryBufferRef(lowered.bitcode, "linalg"), context);
  auto math = llvm::getLazyBitcodeModule(llvm::MemoryBufferRef(templateBitcode("vector_math", set), "math"), context);
  if (!parsed || !math) {
    error = "internal error: bitcode of a function over tensors cannot be read";
    if (!parsed)
      llvm::consumeError(parsed.takeError());
    if (!math)
      llvm::consumeError(math.takeError());
    return nullptr;
  }
  std::unique_ptr<llvm::Module> module = std::move(*parsed);
  module->getFunction(kUnnamed)->setName(symbol);
  module->setTargetTriple(machine.getTargetTriple());
  module->setDataLayout(machine.createDataLayout());
  // The features of the microkernels themselves, so that these can be inlined.
  llvm::Function *example = (*math)->getFunction("ingot_vector_exp");
  llvm::AttrBuilder features(context);
  for (llvm::StringRef name : {"target-cpu", "target-features", "tune-cpu", "prefer-vector-width"})
    if (example->hasFnAttribute(name))
      features.addAttribute(example->getFnAttribute(name));
  features.addAttribute(llvm::Attribute::NoUnwind);
  for (llvm::Function &function : *module)
    if (!function.isDeclaration())
      function.addFnAttrs(features);
  if (llvm::Linker::linkModules(*module, std::move(*math), llvm::Linker::LinkOnlyNeeded)) {
    error = "internal error: elementary functions cannot be linked to a function over tensors";
    return nullptr;
  }
  for (llvm::Function &function : *module)
    if (!function.isDeclaration() && function.getName().starts_with("ingot_vector_"))
      function.setLinkage(llvm::GlobalValue::InternalLinkage);
    else if (!function.isDeclaration())
      function.setVisibility(llvm::GlobalValue::ProtectedVisibility);
  optimiseModule(*module, machine);
  return module;
}

} // namespace ingot::target::cpu
