// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See functions.h.
#include "compiler/target/templates/functions.h"

#include "mlir/Dialect/Linalg/Passes.h"
#include "mlir/IR/AffineExpr.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/ADT/SmallPtrSet.h"

using namespace mlir;

namespace ingot::target {

std::vector<std::string> symbolsAround(func::FuncOp body) {
  std::vector<std::string> symbols;
  auto around = body->getParentOfType<ModuleOp>();
  for (llvm::StringRef kind : {"plan.symbol", "ingot.symbol"})
    if (symbols.empty() && around)
      around.walk([&](Operation *op) {
        if (op->getName().getStringRef() == kind)
          symbols.push_back(SymbolTable::getSymbolName(op).str());
      });
  return symbols;
}

bool runPasses(ModuleOp module, llvm::function_ref<void(PassManager &)> build, std::string &error) {
  std::string message;
  ScopedDiagnosticHandler handler(module.getContext(), [&](Diagnostic &diagnostic) {
    if (message.empty())
      message = diagnostic.str();
    return success();
  });
  PassManager manager(module.getContext());
  build(manager);
  if (succeeded(manager.run(module)))
    return true;
  error = "internal error: " + (message.empty() ? std::string("a pass failed") : message);
  return false;
}

static ArrayRef<BlockArgument> destinations(func::FuncOp function) {
  return function.getArguments().take_back(function.getNumResults());
}

OwningOpRef<ModuleOp> fusedCopy(func::FuncOp body, std::string &error) {
  MLIRContext *context = body.getContext();
  OwningOpRef<ModuleOp> module = ModuleOp::create(UnknownLoc::get(context));
  OpBuilder builder(context);
  builder.setInsertionPointToEnd(module->getBody());
  auto copy = cast<func::FuncOp>(builder.clone(*body));
  copy.setPublic();
  auto build = [](PassManager &manager) {
    manager.addPass(createLinalgElementwiseOpFusionPass());
    manager.addPass(createCanonicalizerPass());
    manager.addPass(createCSEPass());
  };
  if (!runPasses(*module, build, error))
    return {};
  if (!copy.getBody().hasOneBlock())
    return module;
  Operation *end = copy.getBody().front().getTerminator();
  builder.setInsertionPoint(end);
  llvm::SmallPtrSet<Value, 4> returned;
  for (OpOperand &operand : end->getOpOperands())
    if (isa<BlockArgument>(operand.get()) || !returned.insert(operand.get()).second)
      operand.set(linalg::CopyOp::create(builder, end->getLoc(), operand.get(), destinations(copy)[operand.getOperandNumber()]).getResult(0));
  return module;
}

int64_t firstIndex(AffineMap map) {
  if (map.getNumResults() == 0)
    return -1;
  auto expr = dyn_cast<AffineDimExpr>(map.getResult(0));
  return expr ? static_cast<int64_t>(expr.getPosition()) : -1;
}

int64_t rowDimOf(linalg::LinalgOp op) { return firstIndex(op.getMatchingIndexingMap(op.getDpsInitOperand(0))); }

Value destinationOf(func::FuncOp function, Value value) {
  while (true) {
    for (OpOperand &use : value.getUses())
      if (isa<func::ReturnOp>(use.getOwner()))
        return destinations(function)[use.getOperandNumber()];
    if (!value.hasOneUse())
      return {};
    auto reader = dyn_cast<linalg::LinalgOp>(*value.user_begin());
    if (!reader || reader.getDpsInitOperand(0)->get() != value)
      return {};
    value = reader->getResult(0);
  }
}

} // namespace ingot::target
