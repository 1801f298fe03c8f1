// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One kernel through LLVM: the template's bitcode gets a function of the kernel ABI that calls it with a constant
// struct; inlined, what the constants decide is folded away before anything else is inlined, then the usual
// optimisations run and the code is emitted. Knows nothing of other kernels: each has its own context, so kernels
// compile in parallel.
#include "compiler/target/cpu/codegen/Analyses.h"
#include "llvm/IR/Constants.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/Module.h"
#include "llvm/IR/Verifier.h"
#include "llvm/Transforms/Scalar/EarlyCSE.h"
#include "llvm/Transforms/Scalar/SROA.h"
#include "llvm/Transforms/Scalar/SimplifyCFG.h"
#include "llvm/Transforms/Utils/Cloning.h"

namespace ingot::target::cpu {

std::set<std::string> sharedFunctions(const llvm::Module &module) {
  std::set<std::string> names;
  for (const llvm::Function &function : module)
    if (function.isDeclaration() && function.getName().starts_with("ingot_") && !function.use_empty())
      names.insert(function.getName().str());
  return names;
}

std::unique_ptr<llvm::Module> sharedModule(llvm::LLVMContext &context, llvm::TargetMachine &machine, unsigned set,
                                           llvm::StringRef file, const std::set<std::string> &names,
                                           std::string &error) {
  std::unique_ptr<llvm::Module> module = parseBitcode(context, templateBitcode(file, set), file, error);
  if (!module)
    return nullptr;
  for (llvm::Function &function : *module)
    if (!function.isDeclaration() && !names.count(function.getName().str()))
      function.setLinkage(llvm::GlobalValue::InternalLinkage);
  dropUnused(*module, machine);
  optimiseModule(*module, machine);
  return module;
}

std::unique_ptr<llvm::Module> specialiseTemplate(llvm::LLVMContext &context, llvm::TargetMachine &machine,
                                                 const Kernel &kernel, const CheckedTemplate &checked, unsigned set,
                                                 llvm::ArrayRef<Export> exports, std::string &error) {
  std::unique_ptr<llvm::Module> module =
      parseBitcode(context, templateBitcode(kernel.templateName, set), kernel.templateName, error);
  if (!module)
    return nullptr;
  module->setModuleIdentifier(kernel.name);
  module->setSourceFileName(kernel.name);
  llvm::Function *body = module->getFunction("ingot_" + kernel.templateName);
  if (!body || body->isDeclaration()) {
    error = "internal error: bitcode of template '" + kernel.templateName + "' lacks its function";
    return nullptr;
  }
  for (llvm::Function &function : *module)
    if (!function.isDeclaration())
      function.setLinkage(llvm::GlobalValue::InternalLinkage);
  for (llvm::GlobalVariable &global : module->globals())
    if (!global.isDeclaration())
      global.setLinkage(llvm::GlobalValue::InternalLinkage);

  // The parameters, then the function of the kernel ABI: (env, buffers, symbols, tile0, tile1, scratch).
  llvm::Constant *words = llvm::ConstantDataArray::get(context, llvm::ArrayRef<uint32_t>(checked.words));
  auto *params = new llvm::GlobalVariable(*module, words->getType(), /*isConstant=*/true,
                                          llvm::GlobalValue::PrivateLinkage, words, "params");
  params->setAlignment(llvm::Align(4));
  llvm::Type *pointer = llvm::PointerType::getUnqual(context);
  llvm::Type *word = llvm::Type::getInt32Ty(context);
  auto *type = llvm::FunctionType::get(word, {pointer, pointer, pointer, word, word, pointer}, false);
  auto makeFunction = [&](llvm::StringRef name) {
    llvm::Function *function = llvm::Function::Create(type, llvm::GlobalValue::ExternalLinkage, name, module.get());
    function->setAttributes(
        llvm::AttributeList().addFnAttributes(context, llvm::AttrBuilder(context, body->getAttributes().getFnAttrs())));
    function->removeFnAttr(llvm::Attribute::AlwaysInline);
    function->setVisibility(llvm::GlobalValue::ProtectedVisibility);
    return function;
  };
  const bool shared = exports.size() > 1 || exports[0].firstSymbol != 0;
  llvm::Function *wrapper = makeFunction(shared ? "shared" : llvm::StringRef(exports[0].symbol));
  if (shared) {
    wrapper->setVisibility(llvm::GlobalValue::DefaultVisibility);
    wrapper->setLinkage(llvm::GlobalValue::InternalLinkage);
    wrapper->addFnAttr(llvm::Attribute::NoInline);
    for (const Export &exported : exports) {
      llvm::Function *function = makeFunction(exported.symbol);
      llvm::IRBuilder<> inside(llvm::BasicBlock::Create(context, "entry", function));
      llvm::SmallVector<llvm::Value *> passed;
      for (llvm::Argument &argument : function->args())
        passed.push_back(&argument);
      passed[2] = inside.CreateConstGEP1_32(inside.getInt64Ty(), passed[2], exported.firstSymbol);
      llvm::CallInst *inner = inside.CreateCall(wrapper, passed);
      inner->setTailCall();
      inside.CreateRet(inner);
    }
  }
  llvm::IRBuilder<> builder(llvm::BasicBlock::Create(context, "entry", wrapper));
  llvm::SmallVector<llvm::Value *> arguments = {params};
  for (llvm::Argument &argument : wrapper->args())
    arguments.push_back(&argument);
  llvm::CallInst *call = builder.CreateCall(body, arguments);
  builder.CreateRet(call);

  // Inline level by level while the constants fold: the branches that they rule out are gone before their bodies would
  // be inlined and optimised for nothing.
  {
    Analyses analyses(machine);
    llvm::FunctionPassManager fold;
    fold.addPass(llvm::SROAPass(llvm::SROAOptions::ModifyCFG));
    fold.addPass(llvm::EarlyCSEPass());
    fold.addPass(llvm::SimplifyCFGPass());
    llvm::InlineFunctionInfo info;
    if (!llvm::InlineFunction(*call, info).isSuccess()) {
      error = "internal error: template '" + kernel.templateName + "' cannot be inlined";
      return nullptr;
    }
    fold.run(*wrapper, analyses.function);
    llvm::SmallVector<llvm::CallInst *> calls;
    for (llvm::BasicBlock &block : *wrapper)
      for (llvm::Instruction &instruction : block)
        if (auto *inner = llvm::dyn_cast<llvm::CallInst>(&instruction))
          if (llvm::Function *callee = inner->getCalledFunction(); callee && !callee->isDeclaration())
            calls.push_back(inner);
    for (llvm::CallInst *inner : calls) {
      llvm::InlineFunctionInfo innerInfo;
      (void)llvm::InlineFunction(*inner, innerInfo); // what stays a call is inlined by the pipeline
    }
    analyses.function.clear();
    fold.run(*wrapper, analyses.function);
  }
  dropUnused(*module, machine);
  optimiseModule(*module, machine);
  return module;
}

} // namespace ingot::target::cpu
