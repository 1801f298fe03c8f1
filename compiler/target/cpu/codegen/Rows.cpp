// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See Rows.h. Decides where each tensor of the function lives, and which ops run per row:
//
//   for row in [tile0, tile1):            ops whose every reader wants only that row of them: one row of scratch each,
//     op, op, ..., root -> destination    or a value where nothing but the row's dimension is left
//
// Ops that a reader wants as a whole run before the loop, into scratch of their whole (static) size. An op that writes
// over another's result (its init) shares its place. RowEmitter writes the ops themselves.
#include "compiler/target/cpu/codegen/Rows.h"
#include "compiler/target/cpu/codegen/Permute.h"
#include "compiler/target/cpu/codegen/RowEmitter.h"
#include "compiler/target/templates/functions.h"
#include "dialects/ingot/Dims.h"
#include "dialects/ingot/IngotDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/Twine.h"

using namespace mlir;

namespace ingot::target::cpu {
namespace {

constexpr uint64_t kLargestScratch = 16 << 20;

class RowLowering {
public:
  RowLowering(func::FuncOp source, llvm::ArrayRef<std::string> symbols, ModuleOp module, std::string &error)
      : source(source), module(module), b(module.getContext()), error(error), symbols(symbols),
        emitter(b, storages, scalars, error) {}

  bool run(llvm::StringRef symbol) { return collect() && classify() && write(symbol); }
  uint64_t scratchBytes = 0;

private:
  bool fail(const llvm::Twine &what) {
    if (error.empty())
      error = what.str();
    return false;
  }
  Value index(int64_t value) { return arith::ConstantIndexOp::create(b, loc, value); }

  bool collect() {
    if (source.getBody().empty() || !source.getBody().hasOneBlock())
      return fail("has no body of one block");
    if (source.getNumResults() == 0)
      return fail("has no result");
    for (Value returned : source.getBody().front().getTerminator()->getOperands()) {
      roots.push_back(returned.getDefiningOp<linalg::LinalgOp>());
      if (!roots.back())
        return fail("returns a value that no linalg op gives");
    }
    for (Operation &op : llvm::make_early_inc_range(source.getBody().front().without_terminator())) {
      auto linalgOp = dyn_cast<linalg::LinalgOp>(op);
      if (!linalgOp)
        continue;
      if (op.getNumResults() != 1 || linalgOp.getNumDpsInits() != 1)
        return fail("has an op '" + op.getName().getStringRef() + "' with more than one result");
      if (linalg::LinalgOp own = ownInit(linalgOp))
        ops.push_back(own);
      ops.push_back(linalgOp);
    }
    return true;
  }

  // An op writes over its init: one that others read too is computed (a fill) or copied for it alone.
  linalg::LinalgOp ownInit(linalg::LinalgOp op) {
    OpOperand *init = op.getDpsInitOperand(0);
    auto from = init->get().getDefiningOp<linalg::LinalgOp>();
    if (!from || init->get().hasOneUse())
      return {};
    OpBuilder before(op);
    Value empty = from.getDpsInitOperand(0)->get();
    while (auto further = empty.getDefiningOp<linalg::LinalgOp>())
      empty = further.getDpsInitOperand(0)->get();
    Operation *own;
    if (isa<linalg::FillOp>(from)) {
      own = before.clone(*from);
      cast<linalg::LinalgOp>(own).getDpsInitOperand(0)->set(empty);
    } else {
      own = linalg::CopyOp::create(before, op.getLoc(), init->get(), empty);
    }
    init->set(own->getResult(0));
    return cast<linalg::LinalgOp>(own);
  }

  bool wantsOnlyItsRow(OpOperand &use) {
    Operation *reader = use.getOwner();
    if (isa<func::ReturnOp>(reader) || isa<tensor::DimOp>(reader))
      return true;
    auto op = dyn_cast<linalg::LinalgOp>(reader);
    if (!op || !rows.contains(op))
      return false;
    const int64_t index = firstIndex(op.getMatchingIndexingMap(&use));
    return index >= 0 && index == rows.lookup(op);
  }

  bool classify() {
    for (linalg::LinalgOp op : llvm::reverse(ops)) {
      int64_t rowDim = rowDimOf(op);
      if (rowDim >= 0 && llvm::all_of(op->getResult(0).getUses(), [&](OpOperand &use) { return wantsOnlyItsRow(use); }))
        rows[op] = rowDim;
    }
    for (linalg::LinalgOp root : roots)
      if (!rows.contains(root) && (roots.size() > 1 || cast<RankedTensorType>(root->getResult(0).getType()).getRank() > 0))
        return fail("returns a result whose rows are not those of a loop");
    return true;
  }

  Value symbolValue(llvm::StringRef name, int64_t constant) {
    auto found = llvm::find(symbols, name.str());
    if (found == symbols.end()) {
      fail("names the symbol '" + name + "', which the module does not declare");
      return {};
    }
    auto pointer = LLVM::LLVMPointerType::get(b.getContext());
    Value at = LLVM::GEPOp::create(b, loc, pointer, b.getI64Type(), symbolsPointer,
                                   ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(found - symbols.begin())});
    Value value = LLVM::LoadOp::create(b, loc, b.getI64Type(), at);
    value = arith::IndexCastOp::create(b, loc, b.getIndexType(), value);
    return constant ? b.createOrFold<arith::AddIOp>(loc, value, index(constant)) : value;
  }

  bool checkElement(Type element) {
    if (element.isF32() || element.isF16() || element.isBF16() || element.isF64() || element.isInteger(8) ||
        element.isInteger(16) || element.isInteger(32) || element.isInteger(64))
      return true;
    std::string text;
    llvm::raw_string_ostream(text) << element;
    return fail("has tensors of " + text + "; f16, bf16, f32, f64 and integers of 8 to 64 bits are compiled");
  }

  // Arguments: a pointer each, sizes by their types and #ingot.dims.
  bool bindArguments(Value buffers) {
    auto pointer = LLVM::LLVMPointerType::get(b.getContext());
    for (auto [number, argument] : llvm::enumerate(source.getArguments())) {
      auto type = dyn_cast<RankedTensorType>(argument.getType());
      if (!type)
        return fail("has an argument that is no ranked tensor");
      if (!checkElement(type.getElementType()))
        return false;
      Storage storage;
      storage.element = type.getElementType();
      Value at =
          LLVM::GEPOp::create(b, loc, pointer, pointer, buffers, ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(number)});
      storage.pointer = LLVM::LoadOp::create(b, loc, pointer, at);
      auto dims = source.getArgAttrOfType<ir::DimsAttr>(static_cast<unsigned>(number), "ingot.dims");
      for (int64_t dim = 0; dim < type.getRank(); ++dim) {
        if (!type.isDynamicDim(dim)) {
          storage.sizes.push_back(index(type.getDimSize(dim)));
          continue;
        }
        std::optional<ir::DimExpr> expr;
        if (dims && dim < static_cast<int64_t>(dims.getExprs().size()))
          expr = ir::parseDim(dims.getExprs()[dim].getValue());
        if (!expr)
          return fail("does not say which symbol dimension " + llvm::Twine(dim) + " of argument " +
                      llvm::Twine(number) + " is (ingot.dims)");
        Value size = symbolValue(expr->symbol, expr->constant);
        if (!size)
          return false;
        storage.sizes.push_back(size);
      }
      storages[argument] = storage;
    }
    return true;
  }

  // Scratch of the whole tensor, or of one row of it.
  bool allocate(Value value, Storage &storage) {
    auto type = cast<RankedTensorType>(value.getType());
    int64_t elements = 1;
    for (int64_t dim = storage.isRow ? 1 : 0; dim < type.getRank(); ++dim) {
      std::optional<int64_t> size = getConstantIntValue(storage.sizes[dim]);
      if (!size)
        return fail("needs a temporary whose size is not known when it is compiled (dimension " + llvm::Twine(dim) +
                    " of a result of '" + value.getDefiningOp()->getName().getStringRef() + "')");
      elements *= *size;
    }
    if (storage.isRow && type.getRank() == 1) // nothing but the row: a value
      return true;
    if (!storage.isRow && type.getRank() == 0)
      return true;
    uint64_t bytes = (static_cast<uint64_t>(elements) * type.getElementTypeBitWidth() / 8 + 63) / 64 * 64;
    if (bytes > kLargestScratch || scratchBytes + bytes > kLargestScratch)
      return fail("needs temporaries of more than " + llvm::Twine(kLargestScratch >> 20) + " MiB a worker");
    auto pointer = LLVM::LLVMPointerType::get(b.getContext());
    storage.pointer = LLVM::GEPOp::create(b, loc, pointer, b.getI8Type(), scratch,
                                          ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(scratchBytes)});
    scratchBytes += bytes;
    return true;
  }

  void bindOver(Value result, Value init) {
    Storage same = storages.find(init)->second;
    storages[result] = same;
  }

  // Where the result of an op goes: over its init, where that is a destination or another op's result.
  bool bindResult(linalg::LinalgOp op) {
    Value init = op.getDpsInitOperand(0)->get(), result = op->getResult(0);
    if (!checkElement(cast<RankedTensorType>(result.getType()).getElementType()))
      return false;
    if (isa<BlockArgument>(init)) {
      const unsigned number = cast<BlockArgument>(init).getArgNumber();
      if (number + source.getNumResults() < source.getNumArguments())
        return fail("writes over argument " + llvm::Twine(number) + ", which is no destination");
      if (destinationOf(source, result) != init)
        return fail("writes a value to a destination that it does not return there");
      bindOver(result, init);
      return true;
    }
    if (init.getDefiningOp<linalg::LinalgOp>()) {
      if (rows.contains(op) != rows.contains(init.getDefiningOp<linalg::LinalgOp>()))
        return fail("writes over a value that is kept in another form");
      bindOver(result, init);
      return true;
    }
    auto empty = init.getDefiningOp<tensor::EmptyOp>();
    if (!empty)
      return fail("starts from a result of '" + init.getDefiningOp()->getName().getStringRef() +
                  "', expected a destination, tensor.empty or a linalg op");
    if (Value destination = destinationOf(source, result)) { // upstream's folds drop an init that is not read
      bindOver(result, destination);
      return true;
    }
    Storage storage;
    storage.element = empty.getType().getElementType();
    storage.isRow = rows.contains(op);
    for (OpFoldResult size : empty.getMixedSizes()) {
      if (auto constant = getConstantIntValue(size))
        storage.sizes.push_back(index(*constant));
      else
        storage.sizes.push_back(scalars.lookupOrNull(cast<Value>(size)));
      if (!storage.sizes.back())
        return fail("has a tensor.empty whose size is not computed before it");
    }
    if (!allocate(result, storage))
      return false;
    storages[result] = storage;
    return true;
  }

  // What is no linalg op: sizes and scalars, the same for every row.
  bool writeScalar(Operation &op) {
    if (isa<tensor::EmptyOp>(op))
      return true;
    if (auto size = dyn_cast<ir::SizeOp>(op)) {
      ir::DimExpr expr = *ir::parseDim(size.getExpr());
      Value value = symbolValue(expr.symbol, expr.constant);
      scalars.map(size.getResult(), value);
      return value != nullptr;
    }
    if (auto dim = dyn_cast<tensor::DimOp>(op)) {
      auto found = storages.find(dim.getSource());
      std::optional<int64_t> number = dim.getConstantIndex();
      if (found == storages.end() || !number)
        return fail("asks for the size of a tensor that is not known");
      scalars.map(dim.getResult(), found->second.sizes[*number]);
      return true;
    }
    bool allowed = op.getNumRegions() == 0 &&
                   (op.getName().getDialectNamespace() == "arith" || op.getName().getDialectNamespace() == "math");
    for (Type type : op.getResultTypes())
      allowed &= !isa<ShapedType>(type);
    if (!allowed)
      return fail("has an op '" + op.getName().getStringRef() +
                  "', which is not compiled: expected linalg ops, tensor.empty, tensor.dim and scalar arithmetic");
    b.clone(op, scalars);
    return true;
  }

  bool write(llvm::StringRef symbol) {
    auto pointer = LLVM::LLVMPointerType::get(b.getContext());
    Type i32 = b.getI32Type();
    auto type = b.getFunctionType({pointer, pointer, pointer, i32, i32, pointer}, {i32});
    b.setInsertionPointToEnd(module.getBody());
    auto kernel = func::FuncOp::create(b, loc, symbol, type);
    Block *entry = kernel.addEntryBlock();
    b.setInsertionPointToStart(entry);
    symbolsPointer = entry->getArgument(2);
    scratch = entry->getArgument(5);
    if (!bindArguments(entry->getArgument(1)))
      return false;
    Value from = arith::IndexCastUIOp::create(b, loc, b.getIndexType(), entry->getArgument(3));
    Value to = arith::IndexCastUIOp::create(b, loc, b.getIndexType(), entry->getArgument(4));

    // Places and scalars first, with all that runs once; then the rows.
    for (Operation &op : source.getBody().front().without_terminator()) {
      auto linalgOp = dyn_cast<linalg::LinalgOp>(op);
      if (!linalgOp) {
        if (!writeScalar(op))
          return false;
        continue;
      }
      if (!bindResult(linalgOp))
        return false;
      if (!rows.contains(linalgOp) && !emitter.emit(linalgOp, {}, -1))
        return false;
    }
    llvm::SmallPtrSet<Operation *, 2> starts; // zeros of products
    for (linalg::LinalgOp op : ops)
      if (rows.lookup(op) == 0 && RowEmitter::isProduct(op))
        starts.insert(op.getDpsInitOperand(0)->get().getDefiningOp());
    const bool alone = rows.size() == 1 + starts.size();
    linalg::LinalgOp root = roots.front();
    if (alone && starts.size() == 1 && RowEmitter::isProduct(root) && cast<RankedTensorType>(root->getResult(0).getType()).getRank() == 2) {
      if (!emitter.emitProduct(root, from, b.createOrFold<arith::SubIOp>(loc, to, from)))
        return false;
    } else if (rows.contains(root) &&
        !(alone && emitPermutation(b, root, rows.lookup(root), storages, scalars, from, to))) {
      // An op alone that transposes goes by blocks of rows while there are whole ones.
      if (alone && RowEmitter::transposes(root, rows.lookup(root))) {
        Value count = b.createOrFold<arith::SubIOp>(loc, to, from);
        Value left = b.createOrFold<arith::RemUIOp>(loc, count, index(kLanes));
        Value whole = b.createOrFold<arith::SubIOp>(loc, to, left);
        auto blocks = scf::ForOp::create(b, loc, from, whole, index(kLanes));
        OpBuilder::InsertionGuard guard(b);
        b.setInsertionPointToStart(blocks.getBody());
        if (!emitter.emitBlock(root, blocks.getInductionVar(), rows.lookup(root)))
          return false;
        from = whole;
      }
      auto loop = scf::ForOp::create(b, loc, from, to, index(1));
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToStart(loop.getBody());
      for (linalg::LinalgOp op : ops) {
        auto found = rows.find(op);
        if (found == rows.end() || starts.contains(op))
          continue;
        // A value of this row was given its place before; one that is a scalar is found where its init was computed.
        Value init = op.getDpsInitOperand(0)->get();
        Storage &storage = storages.find(op->getResult(0))->second;
        if (!storage.pointer)
          if (auto before = storages.find(init); before != storages.end())
            storage.scalar = before->second.scalar;
        if (!emitter.emit(op, loop.getInductionVar(), found->second))
          return false;
      }
    }
    Value zero = arith::ConstantOp::create(b, loc, b.getI32IntegerAttr(0));
    func::ReturnOp::create(b, loc, zero);
    return true;
  }

  func::FuncOp source;
  ModuleOp module;
  OpBuilder b;
  std::string &error;
  Location loc = UnknownLoc::get(b.getContext());
  llvm::ArrayRef<std::string> symbols;
  SmallVector<linalg::LinalgOp> ops;
  SmallVector<linalg::LinalgOp> roots; // of the results
  llvm::DenseMap<Operation *, int64_t> rows; // ops that run per row, and their loop over rows
  llvm::DenseMap<Value, Storage> storages;
  IRMapping scalars;
  Value symbolsPointer, scratch;
  RowEmitter emitter;
};

} // namespace

bool lowerToRows(func::FuncOp source, llvm::ArrayRef<std::string> symbols, ModuleOp module, llvm::StringRef symbol,
                 uint64_t &scratchBytes, std::string &error) {
  RowLowering lowering(source, symbols, module, error);
  bool done = lowering.run(symbol);
  scratchBytes = lowering.scratchBytes;
  return done;
}

} // namespace ingot::target::cpu
