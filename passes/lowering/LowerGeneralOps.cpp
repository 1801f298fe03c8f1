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

// A chain: the value that it gives, what else it gives of the same rows, and all values that it computes on the way (those among them).
struct Chain {
  Value root;
  llvm::SetVector<Value> inner;
  SmallVector<Value> others = {};
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

// Whether the value is a number for each row of another: the row is read for it wherever it is at hand.
bool isOfRows(Value value) {
  auto reduce = value.getDefiningOp<ir::ReduceOp>();
  return reduce && !ir::isRecipe(value) && reduce.getAxis() != 0 && sameRows(value, reduce.getInput()) && fitsInRow(reduce.getInput(), nullptr);
}

// Whether a function that gives the value has its rows at hand, one at a time.
bool hasRowsAtHand(Value value) {
  return isGeneral(value) && isa<ir::ScalarBodyInterface, ir::RmsNormOp, ir::LayerNormOp, ir::SoftmaxOp, ir::ComputeOp>(value.getDefiningOp()) &&
         fitsInRow(value, nullptr);
}

// What is reduced of rows of `value`, each by itself, and is left for a function of its own.
SmallVector<Value> reductionsOf(Value value) {
  SmallVector<Value> found;
  for (Operation *reader : value.getUsers())
    if (auto reduce = dyn_cast<ir::ReduceOp>(reader); reduce && isOfRows(reduce.getResult()) && !reduce->use_empty() && !llvm::is_contained(found, reduce.getResult()))
      found.push_back(reduce.getResult());
  llvm::sort(found, [](Value a, Value b) { return a.getDefiningOp()->isBeforeInBlock(b.getDefiningOp()); });
  return found;
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
    SmallVector<Value> results = resultsOf(chain);
    SmallVector<Type> types;
    for (Value result : results)
      types.push_back(result.getType());
    auto call = ir::CallOp::create(builder, fuseLocations(ops), types, FlatSymbolRefAttr::get(module.getContext(), name), inputs.getArrayRef());
    for (auto [result, made] : llvm::zip(results, call.getResults()))
      result.replaceAllUsesWith(made);
    for (Operation *op : llvm::reverse(ops)) {
      if (!op->use_empty())
        continue;
      erased.insert(op);
      op->erase();
    }
  }

private:
  static SmallVector<Value> resultsOf(const Chain &chain) {
    SmallVector<Value> results{chain.root};
    llvm::append_range(results, chain.others);
    return results;
  }

  func::FuncOp build(const Chain &chain, ArrayRef<Value> inner, ArrayRef<Operation *> ops, ArrayRef<Value> inputs) {
    MLIRContext *context = module.getContext();
    const SmallVector<Value> results = resultsOf(chain);
    SmallVector<Value> arguments(inputs);
    llvm::append_range(arguments, results); // the destinations
    SmallVector<Type> types;
    for (Value value : arguments)
      types.push_back(ir::storedTensor(tensorOf(value)));
    Location loc = UnknownLoc::get(context);
    auto type = FunctionType::get(context, types, ArrayRef(types).take_back(results.size()));
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
      auto result = llvm::find(results, value);
      Value init = result != results.end() ? Value(body->getArgument(static_cast<unsigned>(inputs.size() + (result - results.begin()))))
                                           : emptyOf(tensorOf(value), argumentTypes, body->getArguments(), builder, loc);
      mapping.map(value, emitGeneral(cast<OpResult>(value), mapping, init, builder, loc));
    }
    SmallVector<Value> made;
    for (Value result : results)
      made.push_back(mapping.lookup(result));
    func::ReturnOp::create(builder, loc, made);
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
      repeatNumbers(entry);
      outlineAll(entry, outliner);
      outlineAll(entry, outliner); // reductions that waited for one that became part of another chain
    }
  }

  // A constant of one number that an element-wise op reads is that number, which its chain repeats: nothing as large as the result is stored.
  static void repeatNumbers(ir::EntryOp entry) {
    for (Operation &op : llvm::make_early_inc_range(entry.getBody().front())) {
      if (!isa<ir::ScalarBodyInterface>(op) || ir::isRecipe(op.getResult(0)))
        continue;
      for (OpOperand &operand : op.getOpOperands()) {
        auto constant = operand.get().getDefiningOp<ir::ConstantOp>();
        auto elements = constant ? dyn_cast<SplatElementsAttr>(constant.getValue()) : SplatElementsAttr();
        if (!elements || elements.getNumElements() < 2)
          continue;
        OpBuilder builder(&op);
        auto type = RankedTensorType::get({}, tensorOf(operand.get()).getElementType());
        Value number = ir::ConstantOp::create(builder, constant.getLoc(), type, cast<ElementsAttr>(elements.resizeSplat(type)));
        operand.set(ir::BroadcastOp::create(builder, op.getLoc(), operand.get().getType(), number));
      }
    }
  }

  // From the end, so that a chain is as long as it can be before its producers are looked at.
  static void outlineAll(ir::EntryOp entry, Outliner &outliner) {
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
        if (Value root = op->getResult(i); isGeneral(root) && !root.use_empty() && !waits(root))
          outliner.outline(withReductions(chainOf(root)), erased);
    }
  }

  // Reductions of one value's rows are computed together: with the value where a function gives it, else with the first of them.
  static bool waits(Value root) {
    if (!isOfRows(root))
      return false;
    Value of = root.getDefiningOp<ir::ReduceOp>().getInput();
    return hasRowsAtHand(of) || reductionsOf(of).front() != root;
  }

  static Chain withReductions(Chain chain) {
    if (isOfRows(chain.root) && chain.inner.size() == 1)
      chain.others = reductionsOf(chain.root.getDefiningOp<ir::ReduceOp>().getInput());
    else if (hasRowsAtHand(chain.root))
      chain.others = reductionsOf(chain.root);
    llvm::erase(chain.others, chain.root);
    chain.inner.insert(chain.others.begin(), chain.others.end());
    return chain;
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
