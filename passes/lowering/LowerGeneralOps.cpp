// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// lower-general-ops: chains of general ops become functions of linalg on tensors and calls to them. The mathematics
// stands in RowMath.cpp, what may join a chain here. How such a function is tiled and vectorized is the target's.
#include "dialects/ingot/IngotDialect.h"
#include "passes/Locations.h"
#include "passes/Passes.h"
#include "passes/lowering/GeneralOps.h"
#include "passes/shapes/Dimensions.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/OperationSupport.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;

namespace ingot::passes {

#define GEN_PASS_DEF_LOWERGENERALOPSPASS
#include "passes/Passes.h.inc"

namespace {

using ir::tensorOf;

// A chain: the value that it gives, and all values that it computes on the way (the root among them).
struct Chain {
  Value root;
  llvm::SetVector<Value> inner;
};

bool sameRows(Value a, Value b) {
  auto left = tensorOf(a), right = tensorOf(b);
  return left.getRank() > 0 && right.getRank() > 0 && ir::dimOf(left, 0) == ir::dimOf(right, 0);
}

// Whether a function can hold a row of the value: its size is known, or it goes straight into its one reader (null: it has several).
bool fitsInRow(Value value, Operation *reader) {
  auto type = tensorOf(value);
  for (int64_t dim = 1; dim < type.getRank(); ++dim)
    if (type.isDynamicDim(dim))
      return reader && isa<ir::ScalarBodyInterface>(reader) && isa<ir::ScalarBodyInterface, ir::BroadcastOp>(value.getDefiningOp());
  return true;
}

// Gives the chain broadcasts of its own for those that something else reads too: repeating is less work than reading.
bool repeatBroadcasts(Chain &chain) {
  bool repeated = false;
  for (size_t i = 0; i < chain.inner.size(); ++i) {
    Operation *op = chain.inner[i].getDefiningOp();
    for (OpOperand &operand : op->getOpOperands()) {
      auto broadcast = operand.get().getDefiningOp<ir::BroadcastOp>();
      Value value = operand.get();
      if (!broadcast || chain.inner.contains(value) || !isGeneral(value) || !sameRows(value, chain.root) || !readsRowByRow(operand) || !fitsInRow(value, op))
        continue;
      operand.set(OpBuilder(op).clone(*broadcast)->getResult(0));
      chain.inner.insert(operand.get());
      repeated = true;
    }
  }
  return repeated;
}

// Takes producers into the chain while everything that reads them is in it.
void growChain(Chain &chain) {
  const Value root = chain.root;
  bool grown = true;
  while (grown) {
    grown = false;
    for (size_t i = 0; i < chain.inner.size(); ++i) {
      Operation *op = chain.inner[i].getDefiningOp();
      for (OpOperand &operand : op->getOpOperands()) {
        Value value = operand.get();
        if (chain.inner.contains(value) || !isGeneral(value) || !sameRows(value, root) ||
            !fitsInRow(value, value.hasOneUse() ? *value.user_begin() : nullptr))
          continue;
        bool owned = llvm::all_of(value.getUses(), [&](OpOperand &use) {
          return llvm::any_of(use.getOwner()->getResults(), [&](Value v) { return chain.inner.contains(v); }) &&
                 readsRowByRow(use);
        });
        if (owned) {
          chain.inner.insert(value);
          grown = true;
        }
      }
    }
  }
}

// The largest chain that ends in `root`.
Chain chainOf(Value root) {
  Chain chain{root, {}};
  chain.inner.insert(root);
  do
    growChain(chain);
  while (repeatBroadcasts(chain));
  return chain;
}

class Outliner {
public:
  explicit Outliner(ModuleOp module) : module(module), symbols(module) {}

  // Replaces the chain's root by a call. What nothing reads any more is erased and added to `erased`.
  void outline(const Chain &chain, llvm::SmallPtrSetImpl<Operation *> &erased) {
    // Inner ops in the order in which they stand, and what they read from outside in the order in which they read it.
    SmallVector<Value> inner(chain.inner.begin(), chain.inner.end());
    llvm::sort(inner, [](Value a, Value b) {
      Operation *x = a.getDefiningOp(), *y = b.getDefiningOp();
      return x == y ? cast<OpResult>(a).getResultNumber() < cast<OpResult>(b).getResultNumber() : x->isBeforeInBlock(y);
    });
    llvm::SetVector<Value> inputs;
    SmallVector<Operation *> ops;
    for (Value value : inner) {
      Operation *op = value.getDefiningOp();
      if (!llvm::is_contained(ops, op))
        ops.push_back(op);
      for (Value operand : op->getOperands())
        if (!chain.inner.contains(operand))
          inputs.insert(operand);
    }
    func::FuncOp function = build(chain, inner, ops, inputs.getArrayRef());
    StringRef name = share(function);
    OpBuilder builder(chain.root.getDefiningOp());
    builder.setInsertionPointAfterValue(chain.root);
    auto call = ir::CallOp::create(builder, fuseLocations(ops), chain.root.getType(),
                                   FlatSymbolRefAttr::get(module.getContext(), name), inputs.getArrayRef());
    Value root = chain.root;
    root.replaceAllUsesWith(call.getResult(0));
    for (Operation *op : llvm::reverse(ops)) {
      if (!op->use_empty())
        continue;
      erased.insert(op);
      op->erase();
    }
  }

private:
  func::FuncOp build(const Chain &chain, ArrayRef<Value> inner, ArrayRef<Operation *> ops, ArrayRef<Value> inputs) {
    MLIRContext *context = module.getContext();
    SmallVector<Value> arguments(inputs);
    arguments.push_back(chain.root); // the destination
    SmallVector<Type> types;
    for (Value value : arguments)
      types.push_back(ir::storedTensor(tensorOf(value)));
    Location loc = UnknownLoc::get(context);
    auto type = FunctionType::get(context, types, types.back());
    auto function = func::FuncOp::create(loc, nameOf(chain, ops), type);
    function.setPrivate();
    for (auto [index, value] : llvm::enumerate(arguments))
      if (Attribute dims = tensorOf(value).getEncoding())
        function.setArgAttr(index, "ingot.dims", dims);

    Block *body = function.addEntryBlock();
    OpBuilder builder = OpBuilder::atBlockEnd(body);
    IRMapping mapping;
    SmallVector<RankedTensorType> argumentTypes;
    for (auto [value, argument] : llvm::zip(arguments, body->getArguments()))
      argumentTypes.push_back(tensorOf(value));
    for (auto [value, argument] : llvm::zip(inputs, body->getArguments()))
      mapping.map(value, argument);
    for (Value value : inner) {
      Value init = value == chain.root ? Value(body->getArguments().back())
                                       : emptyOf(tensorOf(value), argumentTypes, body->getArguments(), builder, loc);
      mapping.map(value, emitGeneral(cast<OpResult>(value), mapping, init, builder, loc));
    }
    func::ReturnOp::create(builder, loc, mapping.lookup(chain.root));
    return function;
  }

  // An uninitialised tensor whose dynamic dimensions are found among the arguments.
  static Value emptyOf(RankedTensorType type, ArrayRef<RankedTensorType> argumentTypes, ValueRange arguments,
                       OpBuilder &builder, Location loc) {
    SmallVector<OpFoldResult> sizes;
    for (const ir::Dim &dim : ir::dimsOf(type))
      sizes.push_back(dim.isDynamic() ? dynamicSize(dim, argumentTypes, arguments, builder, loc)
                                      : OpFoldResult(builder.getIndexAttr(dim.size)));
    return tensor::EmptyOp::create(builder, loc, sizes, ir::storedType(type.getElementType()));
  }

  static OpFoldResult dynamicSize(const ir::Dim &dim, ArrayRef<RankedTensorType> argumentTypes, ValueRange arguments,
                                  OpBuilder &builder, Location loc) {
    for (auto [type, argument] : llvm::zip(argumentTypes, arguments))
      for (auto [index, other] : llvm::enumerate(ir::dimsOf(type)))
        if (other.isDynamic() && other.name == dim.name)
          return tensor::DimOp::create(builder, loc, argument, index).getResult();
    return ir::SizeOp::create(builder, loc, dim.name).getResult();
  }

  // What is computed, of which elements, in which shape: "gather_rows-rms_norm-f32-logit_rowsx256".
  std::string nameOf(const Chain &chain, ArrayRef<Operation *> ops) {
    std::string name;
    for (Operation *op : ops)
      name += op->getName().stripDialect().str() + "-";
    llvm::raw_string_ostream stream(name);
    stream << tensorOf(chain.root).getElementType();
    for (auto [index, dim] : llvm::enumerate(ir::dimsOf(tensorOf(chain.root))))
      stream << (index ? "x" : "-") << dim.text();
    return name;
  }

  // The name of a function equal to this one in the module, which may be this one, then inserted under a free name.
  StringRef share(func::FuncOp function) {
    std::string text;
    llvm::raw_string_ostream stream(text);
    function.print(stream, OpPrintingFlags().useLocalScope());
    auto [entry, isNew] = functions.try_emplace(text, "");
    if (isNew) {
      symbols.insert(function, module.getBody()->end());
      entry->second = function.getSymName().str();
    } else {
      function.erase();
    }
    return entry->second;
  }

  ModuleOp module;
  SymbolTable symbols;
  llvm::StringMap<std::string> functions; // text under the first name -> name in the module
};

struct LowerGeneralOpsPass : public impl::LowerGeneralOpsPassBase<LowerGeneralOpsPass> {
  void runOnOperation() override {
    Outliner outliner(getOperation());
    for (auto entry : getOperation().getOps<ir::EntryOp>()) {
      if (failed(checkNamed(entry)))
        return signalPassFailure();
      copyPassedOn(entry, outliner);
      // From the end, so that a chain is as long as it can be before its producers are looked at.
      SmallVector<Operation *> ops;
      for (Operation &op : llvm::reverse(entry.getBody().front()))
        ops.push_back(&op);
      llvm::SmallPtrSet<Operation *, 32> erased;
      for (Operation *op : ops) {
        if (!erased.contains(op) && isa<ir::BroadcastOp>(op) && op->use_empty()) { // all chains have their own
          erased.insert(op);
          op->erase();
        }
        for (unsigned i = 0; !erased.contains(op) && i < op->getNumResults(); ++i)
          if (Value root = op->getResult(i); isGeneral(root) && !root.use_empty())
            outliner.outline(chainOf(root), erased);
      }
    }
  }

  // An entry's result is what a launch writes: arguments, weights and values returned twice are copied.
  static void copyPassedOn(ir::EntryOp entry, Outliner &outliner) {
    llvm::SmallPtrSet<Operation *, 4> erased;
    Operation *terminator = entry.getBody().front().getTerminator();
    OpBuilder builder(terminator);
    llvm::SmallDenseSet<Value> returned;
    for (OpOperand &operand : terminator->getOpOperands()) {
      Value origin = operand.get();
      while (auto reshape = origin.getDefiningOp<ir::ReshapeOp>())
        origin = reshape.getInput();
      if (!isa<RankedTensorType>(origin.getType()))
        continue;
      if (!isa<BlockArgument>(origin) && !ir::isRecipe(origin) && returned.insert(origin).second)
        continue;
      // Outlined at once: a copy of a weight would pass for a recipe.
      Value copy = makeCopy(operand.get(), builder);
      operand.set(copy);
      Chain chain{copy, {}};
      chain.inner.insert(copy);
      outliner.outline(chain, erased);
    }
  }

  static Value makeCopy(Value value, OpBuilder &builder) {
    auto type = tensorOf(value);
    SmallVector<int64_t> identity = llvm::to_vector(llvm::seq<int64_t>(0, type.getRank()));
    return ir::TransposeOp::create(builder, value.getLoc(), type, value, builder.getDenseI64ArrayAttr(identity));
  }
};

} // namespace
} // namespace ingot::passes
