// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Functions over tensors (docs/design/0001-foundation.md) as CUDA C++: a block computes one row of the destination.
//
//   per linalg op, in order:   the threads share the elements of the row (or of a tensor that is read as a whole);
//                              where the row's result is one number, they share the reduction instead
//   temporaries                rows in shared memory, a barrier after each op
//
// It reads what the CPU's row lowering reads, and refuses what that does.
#include "compiler/target/cuda/codegen/Internal.h"
#include "compiler/target/cuda/codegen/ScalarCode.h"
#include "compiler/target/templates/functions.h"
#include "dialects/ingot/Dims.h"
#include "dialects/ingot/IngotDialect.h"
#include "runtime/format/cuda_abi.h"

#include "mlir/Analysis/SliceAnalysis.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/AffineExpr.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/Twine.h"

using namespace mlir;

namespace ingot::target::cuda {

namespace {

constexpr uint32_t kThreads = 256;
constexpr uint64_t kReduceBytes = 32 * 8;           // shared memory of reduceBlock
constexpr uint64_t kMostShared = 96 << 10;          // of a block on every architecture
constexpr const char *kHeader = "tensor_function.h";

// Where the elements of a tensor lie, as expressions.
struct Storage {
  std::string pointer;            // of the memory type; of a single row where isRow
  Type element;
  std::vector<std::string> sizes; // of every dimension
  bool isRow = false;
};

class Emitter {
public:
  Emitter(const Kernel &kernel, std::string &error) : kernel(kernel), error(error) {}

  bool run(Function &function, std::string &code) {
    auto body = dyn_cast<func::FuncOp>(kernel.body);
    if (!body || body.getBody().empty() || !body.getBody().hasOneBlock())
      return fail("its body is no func.func of one block");
    std::string problem;
    fused = fusedCopy(body, problem);
    if (!fused)
      return fail(problem);
    source = *fused->getOps<func::FuncOp>().begin();
    if (source.getNumResults() == 0)
      return fail("it has no result");
    returned = llvm::to_vector(source.getBody().front().getTerminator()->getOperands());
    for (Value value : returned)
      if (!value.getDefiningOp<linalg::LinalgOp>())
        return fail("it returns a value that no linalg op gives");
    symbols = symbolsAround(body);
    if (!bindArguments() || !classify() || !emitOps())
      return false;
    const auto type = cast<RankedTensorType>(returned.front().getType());
    function.header = kHeader;
    function.threads = kThreads;
    function.sharedBytes = uint32_t(shared);
    function.grid[0] = type.getRank() == 0 ? Extent::of(1) : rowExtent;
    code = "  waitForPreviousLaunch();\n  letNextLaunchBegin();\n"
           "  [[maybe_unused]] unsigned char *const shared = sharedMemory();\n"
           "  [[maybe_unused]] const int64_t row = blockX();\n";
    if (type.getRank() > 0)
      code += "  if (row >= " + storages[source.getArguments().back()].sizes[0] + ")\n    return;\n";
    code += text;
    return true;
  }

private:
  bool fail(const llvm::Twine &what) {
    if (error.empty())
      error = ("kernel '" + kernel.name + "': " + what).str();
    return false;
  }
  void line(const llvm::Twine &what) { text += std::string(indent, ' ') + what.str() + "\n"; }
  std::string fresh() { return "v" + std::to_string(count++); }

  bool bindArguments() {
    for (auto [number, argument] : llvm::enumerate(source.getArguments())) {
      auto type = dyn_cast<RankedTensorType>(argument.getType());
      if (!type || memoryType(type.getElementType()).empty())
        return fail("argument " + llvm::Twine(number) + " is no tensor of numbers");
      if (number >= INGOT_CUDA_BUFFERS)
        return fail("it has more than " + llvm::Twine(INGOT_CUDA_BUFFERS) + " arguments");
      Storage storage;
      storage.element = type.getElementType();
      storage.pointer =
          "((" + memoryType(storage.element) + " *)args.buffers[" + std::to_string(number) + "])";
      auto dims = source.getArgAttrOfType<ir::DimsAttr>(unsigned(number), "ingot.dims");
      for (int64_t dim = 0; dim < type.getRank(); ++dim) {
        if (!type.isDynamicDim(dim)) {
          storage.sizes.push_back(std::to_string(type.getDimSize(dim)));
          continue;
        }
        std::optional<ir::DimExpr> expr;
        if (dims && dim < int64_t(dims.getExprs().size()))
          expr = ir::parseDim(dims.getExprs()[dim].getValue());
        if (!expr)
          return fail("it does not say which symbol dimension " + llvm::Twine(dim) + " of argument " +
                      llvm::Twine(number) + " is (ingot.dims)");
        auto found = llvm::find(symbols, expr->symbol.str());
        if (found == symbols.end())
          return fail("it names the symbol '" + expr->symbol + "', which the module does not declare");
        const int32_t index = int32_t(found - symbols.begin());
        storage.sizes.push_back("(args.symbols[" + std::to_string(index) + "] + " + std::to_string(expr->constant) +
                                ")");
        if (dim == 0) // of the last argument in the end: the destination
          rowExtent = Extent::of(index, 1, 1, expr->constant);
      }
      if (type.getRank() > 0 && !type.isDynamicDim(0))
        rowExtent = Extent::of(type.getDimSize(0));
      storages[argument] = storage;
    }
    return true;
  }

  bool wantsOnlyItsRow(OpOperand &use) {
    Operation *reader = use.getOwner();
    if (isa<func::ReturnOp, tensor::DimOp>(reader))
      return true;
    auto op = dyn_cast<linalg::LinalgOp>(reader);
    if (!op || !rows.contains(op))
      return false;
    const int64_t index = firstIndex(op.getMatchingIndexingMap(&use));
    return index >= 0 && index == rows.lookup(op);
  }

  // Which ops run for the block's row alone; the others run whole, in every block.
  bool classify() {
    SmallVector<linalg::LinalgOp> ops(source.getBody().front().getOps<linalg::LinalgOp>());
    for (linalg::LinalgOp op : ops)
      if (op->getNumResults() != 1 || op.getNumDpsInits() != 1)
        return fail("it has an op '" + op->getName().getStringRef() + "' with more than one result");
    for (linalg::LinalgOp op : llvm::reverse(ops)) {
      const int64_t rowDim = rowDimOf(op);
      if (rowDim >= 0 && llvm::all_of(op->getResult(0).getUses(), [&](OpOperand &use) { return wantsOnlyItsRow(use); }))
        rows[op] = rowDim;
    }
    for (Value value : returned)
      if (!rows.contains(value.getDefiningOp()) && (returned.size() > 1 || cast<RankedTensorType>(value.getType()).getRank() > 0))
        return fail("it returns a result whose rows are not those of a loop");
    return true;
  }

  bool emitOps() {
    for (Operation &op : source.getBody().front().without_terminator()) {
      if (auto linalgOp = dyn_cast<linalg::LinalgOp>(op)) {
        if (!emitLinalg(linalgOp))
          return false;
      } else if (isa<tensor::EmptyOp>(op)) {
        continue; // placed where a result needs it
      } else if (auto size = dyn_cast<ir::SizeOp>(op)) {
        const ir::DimExpr expr = *ir::parseDim(size.getExpr());
        auto found = llvm::find(symbols, expr.symbol.str());
        if (found == symbols.end())
          return fail("it names the symbol '" + expr.symbol + "', which the module does not declare");
        scalars[size.getResult()] = "(args.symbols[" + std::to_string(found - symbols.begin()) + "] + " +
                                    std::to_string(expr.constant) + ")";
      } else if (auto dim = dyn_cast<tensor::DimOp>(op)) {
        std::optional<int64_t> number = dim.getConstantIndex();
        auto found = storages.find(dim.getSource());
        if (!number || found == storages.end())
          return fail("it asks for a size that is not known");
        scalars[dim.getResult()] = "(int64_t)" + found->second.sizes[*number];
      } else if (!emitScalar(op)) {
        return false;
      }
    }
    return true;
  }

  bool emitScalar(Operation &op) {
    SmallVector<std::string> operands;
    for (Value operand : op.getOperands()) {
      auto found = scalars.find(operand);
      if (found == scalars.end())
        return fail("op '" + op.getName().getStringRef() + "' reads what is not computed");
      operands.push_back(found->second);
    }
    const std::string code = scalarCode(op, operands);
    if (code.empty())
      return fail("there is no CUDA code for op '" + op.getName().getStringRef() + "'");
    if (isa<arith::ConstantOp>(op)) {
      scalars[op.getResult(0)] = code;
      return true;
    }
    const std::string name = fresh();
    line("const " + registerType(op.getResult(0).getType()) + " " + name + " = " + code + ";");
    scalars[op.getResult(0)] = name;
    return true;
  }

  bool placeResult(linalg::LinalgOp op) {
    Value result = op->getResult(0);
    if (Value destination = destinationOf(source, result)) {
      storages[result] = storages[destination];
      return true;
    }
    auto type = cast<RankedTensorType>(result.getType());
    if (memoryType(type.getElementType()).empty())
      return fail("it has a tensor of a type that is not compiled");
    Storage storage;
    storage.element = type.getElementType();
    storage.isRow = rows.contains(op);
    uint64_t elements = 1;
    for (int64_t dim = 0; dim < type.getRank(); ++dim) {
      if (storage.isRow && dim == 0) {
        storage.sizes.push_back("0"); // never part of an address
        continue;
      }
      if (type.isDynamicDim(dim))
        return fail("it needs a temporary whose size is not known when it is compiled (dimension " + llvm::Twine(dim) +
                    " of a result of '" + op->getName().getStringRef() + "')");
      elements *= uint64_t(type.getDimSize(dim));
      storage.sizes.push_back(std::to_string(type.getDimSize(dim)));
    }
    const uint64_t bytes = (elements * std::max(1u, type.getElementTypeBitWidth() / 8) + 15) / 16 * 16;
    if (bytes > kMostShared || shared + bytes > kMostShared)
      return fail("it needs temporaries of more than " + llvm::Twine(kMostShared >> 10) +
                  " KiB, which do not fit the shared memory of a block");
    storage.pointer = "((" + memoryType(storage.element) + " *)(shared + " + std::to_string(shared) + "))";
    shared += bytes;
    storages[result] = storage;
    return true;
  }

  std::string affine(AffineExpr expr, ArrayRef<std::string> dims) {
    if (auto dim = dyn_cast<AffineDimExpr>(expr))
      return dims[dim.getPosition()];
    if (auto constant = dyn_cast<AffineConstantExpr>(expr))
      return std::to_string(constant.getValue());
    auto binary = cast<AffineBinaryOpExpr>(expr);
    const std::string a = affine(binary.getLHS(), dims), b = affine(binary.getRHS(), dims);
    switch (binary.getKind()) {
    case AffineExprKind::Add: return "(" + a + " + " + b + ")";
    case AffineExprKind::Mul: return "(" + a + " * " + b + ")";
    case AffineExprKind::FloorDiv: return "(" + a + " / " + b + ")"; // indices are not negative
    case AffineExprKind::CeilDiv: return "((" + a + " + " + b + " - 1) / " + b + ")";
    default: return "(" + a + " % " + b + ")";
    }
  }

  std::string element(const Storage &storage, ArrayRef<std::string> indices) {
    std::string linear = "0";
    for (size_t dim = storage.isRow ? 1 : 0; dim < storage.sizes.size(); ++dim)
      linear = linear == "0" ? indices[dim] : "(" + linear + " * " + storage.sizes[dim] + " + " + indices[dim] + ")";
    return storage.pointer + "[" + linear + "]";
  }

  std::string operandElement(linalg::LinalgOp op, OpOperand *operand, const Storage &storage,
                             ArrayRef<std::string> loops) {
    SmallVector<std::string> indices;
    for (AffineExpr expr : op.getMatchingIndexingMap(operand).getResults())
      indices.push_back(affine(expr, loops));
    return element(storage, indices);
  }

  // The number of steps of a loop dimension, from an operand that has it as an index of its own.
  bool extentOf(linalg::LinalgOp op, unsigned dim, std::string &extent) {
    for (OpOperand &operand : op->getOpOperands()) {
      auto type = dyn_cast<RankedTensorType>(operand.get().getType());
      if (!type)
        continue;
      for (auto [i, expr] : llvm::enumerate(op.getMatchingIndexingMap(&operand).getResults()))
        if (auto own = dyn_cast<AffineDimExpr>(expr); own && own.getPosition() == dim) {
          if (!type.isDynamicDim(unsigned(i))) {
            extent = std::to_string(type.getDimSize(unsigned(i)));
            return true;
          }
          if (auto span = operand.get().getDefiningOp<tensor::EmptyOp>(); span && !op.isDpsInit(&operand)) {
            extent = scalars[cast<Value>(span.getMixedSizes()[i])]; // stands for the extent alone
            return true;
          }
          // An init that nothing reads may stand for no memory: the result has its sizes.
          auto found = storages.find(op.isDpsInit(&operand) ? op->getResult(0) : operand.get());
          if (found != storages.end() && !(found->second.isRow && i == 0)) {
            extent = found->second.sizes[i];
            return true;
          }
        }
    }
    return fail("the extent of a loop of '" + op->getName().getStringRef() + "' is not known");
  }

  // The body at these loop indices; `accumulator` stands for what the result's element holds.
  bool emitBody(linalg::LinalgOp op, ArrayRef<std::string> loops, const std::string &accumulator, std::string &result) {
    Block *body = op.getBlock();
    for (OpOperand &operand : op->getOpOperands()) {
      BlockArgument argument = op.getMatchingBlockArgument(&operand);
      if (argument.use_empty())
        continue;
      if (op.isDpsInit(&operand)) {
        scalars[argument] = accumulator;
        continue;
      }
      if (!isa<RankedTensorType>(operand.get().getType())) {
        scalars[argument] = scalars[operand.get()];
        continue;
      }
      auto found = storages.find(operand.get());
      if (found == storages.end())
        return fail("'" + op->getName().getStringRef() + "' reads a tensor that has no place in memory");
      const std::string name = fresh();
      line("const " + registerType(argument.getType()) + " " + name + " = " +
           loaded(argument.getType(), operandElement(op, &operand, found->second, loops)) + ";");
      scalars[argument] = name;
    }
    for (Operation &inner : body->without_terminator()) {
      if (auto index = dyn_cast<linalg::IndexOp>(inner)) {
        scalars[index.getResult()] = loops[index.getDim()];
      } else if (auto extract = dyn_cast<tensor::ExtractOp>(inner)) {
        auto found = storages.find(extract.getTensor());
        if (found == storages.end() || found->second.isRow)
          return fail("it picks elements of a tensor that is not held whole");
        SmallVector<std::string> indices;
        for (Value index : extract.getIndices())
          indices.push_back(scalars[index]);
        const std::string name = fresh();
        line("const " + registerType(extract.getType()) + " " + name + " = " +
             loaded(extract.getType(), element(found->second, indices)) + ";");
        scalars[extract.getResult()] = name;
      } else if (auto dim = dyn_cast<tensor::DimOp>(inner)) {
        auto found = storages.find(dim.getSource());
        std::optional<int64_t> number = dim.getConstantIndex();
        if (!number || found == storages.end())
          return fail("it asks for a size that is not known");
        scalars[dim.getResult()] = "(int64_t)" + found->second.sizes[*number];
      } else if (!emitScalar(inner)) {
        return false;
      }
    }
    Value yielded = body->getTerminator()->getOperand(0);
    auto found = scalars.find(yielded);
    if (found == scalars.end())
      return fail("'" + op->getName().getStringRef() + "' gives a value that its body does not compute");
    result = found->second;
    return true;
  }

  void open(const llvm::Twine &what) {
    line(what + " {");
    indent += 2;
  }
  void close() {
    indent -= 2;
    line("}");
  }

  // What the accumulator of a reduction starts from where threads share it; empty where it is not known.
  static std::string neutral(Operation *combiner, Type type) {
    const std::string huge = constantCode(FloatAttr::get(
        isa<FloatType>(type) ? type : Type(Float32Type::get(type.getContext())), std::numeric_limits<double>::infinity()));
    StringRef name = combiner->getName().getStringRef();
    if (name == "arith.addf" || name == "arith.addi" || name == "arith.ori" || name == "arith.xori")
      return "0";
    if (name == "arith.mulf" || name == "arith.muli")
      return "1";
    if (name == "arith.maxnumf" || name == "arith.maximumf")
      return "-" + huge;
    if (name == "arith.minnumf" || name == "arith.minimumf")
      return huge;
    if (type.isIndex() || type.isInteger(1) || !type.isInteger())
      return "";
    const unsigned bits = type.getIntOrFloatBitWidth();
    auto integer = [&](const APInt &value) { return constantCode(IntegerAttr::get(type, value)); };
    if (name == "arith.maxui")
      return "0";
    if (name == "arith.minui" || name == "arith.andi")
      return integer(APInt::getAllOnes(bits));
    if (name == "arith.maxsi")
      return integer(APInt::getSignedMinValue(bits));
    if (name == "arith.minsi")
      return integer(APInt::getSignedMaxValue(bits));
    return "";
  }

  bool emitLinalg(linalg::LinalgOp op) {
    OpOperand *init = op.getDpsInitOperand(0);
    Value result = op->getResult(0);
    // Where the result's elements start from: a constant that fills, another tensor, or nothing.
    auto startOf = [&](ArrayRef<std::string> loops, std::string &start) {
      if (init->get().getDefiningOp<tensor::EmptyOp>()) {
        start = "";
        return true;
      }
      auto found = storages.find(init->get());
      if (found == storages.end())
        return fail("'" + op->getName().getStringRef() + "' starts from a tensor that has no place in memory");
      start = loaded(found->second.element, operandElement(op, init, found->second, loops));
      return true;
    };
    if (!placeResult(op))
      return false;
    const Storage target = storages[result];
    const bool isRow = rows.contains(op);
    const int64_t rowDim = isRow ? rows[op] : -1;
    const std::string kind = registerType(target.element);

    // Loops: the row's dimension, those the threads share, those of a reduction.
    SmallVector<std::string> loops(op.getNumLoops());
    SmallVector<unsigned> own, reduced;
    auto iterators = op.getIteratorTypesArray();
    for (unsigned dim = 0; dim < op.getNumLoops(); ++dim) {
      if (int64_t(dim) == rowDim)
        loops[dim] = "row";
      else
        (iterators[dim] == utils::IteratorType::parallel ? own : reduced).push_back(dim);
    }
    line("// " + op->getName().getStringRef());
    open("");
    bool oneElement = true;
    std::string total = "1";
    SmallVector<std::string> extents(op.getNumLoops());
    for (unsigned dim : own) {
      if (!extentOf(op, dim, extents[dim]))
        return false;
      oneElement &= extents[dim] == "1";
      total = total == "1" ? "(int64_t)" + extents[dim] : total + " * " + extents[dim];
    }
    for (unsigned dim : reduced)
      if (!extentOf(op, dim, extents[dim]))
        return false;

    SmallVector<Operation *> combiners;
    Value combined = reduced.empty() ? Value() : matchReduction(op.getRegionOutputArgs(), 0, combiners);
    std::string identity = combined && combiners.size() == 1 ? neutral(combiners[0], target.element) : std::string();
    std::string combine; // of two threads' results, a and b
    if (!identity.empty()) {
      combine = scalarCode(*combiners[0], {"a", "b"});
    } else if (!reduced.empty()) {
      // Products added one by one: sums of two threads are added.
      Value yielded = op.getBlock()->getTerminator()->getOperand(0);
      auto fused = yielded.getDefiningOp<math::FmaOp>();
      if (fused && fused.getC() == op.getRegionOutputArgs()[0]) {
        identity = "0";
        combine = "add(a, b)";
      }
    }
    if (!reduced.empty() && oneElement && !identity.empty()) {
      for (unsigned dim : own)
        loops[dim] = "0";
      // The threads share the reduction.
      std::string steps = "(int64_t)1";
      for (unsigned dim : reduced)
        steps += " * " + extents[dim];
      line(kind + " sum = " + identity + ";");
      open("for (int64_t i = thread(); i < " + steps + "; i += threads())");
      unfold("i", reduced, extents, loops);
      std::string value;
      if (!emitBody(op, loops, "sum", value))
        return false;
      line("sum = " + value + ";");
      close();
      line("sum = reduceBlock(sum, shared, [](" + kind + " a, " + kind + " b) -> " + kind + " { return " + combine +
           "; });");
      std::string start;
      for (unsigned dim : reduced)
        loops[dim] = "0";
      if (!startOf(loops, start))
        return false;
      open("if (thread() == 0)");
      if (!start.empty()) {
        line("const " + kind + " a = " + start + ", b = sum;");
        line("sum = " + combine + ";");
      }
      line(operandElement(op, init, target, loops) + " = " + stored(target.element, "sum") + ";");
      close();
    } else {
      open("for (int64_t i = thread(); i < " + total + "; i += threads())");
      unfold("i", own, extents, loops);
      std::string start, value;
      if (!startOf(loops, start))
        return false;
      if (reduced.empty()) {
        if (!emitBody(op, loops, start.empty() ? kind + "()" : start, value))
          return false;
      } else {
        if (start.empty())
          return fail("'" + op->getName().getStringRef() + "' reduces into a tensor that nothing fills");
        line(kind + " sum = " + start + ";");
        for (unsigned dim : reduced) {
          loops[dim] = "r" + std::to_string(dim);
          open("for (int64_t " + loops[dim] + " = 0; " + loops[dim] + " < " + extents[dim] + "; ++" + loops[dim] + ")");
        }
        if (!emitBody(op, loops, "sum", value))
          return false;
        line("sum = " + value + ";");
        for (size_t i = 0; i < reduced.size(); ++i)
          close();
        value = "sum";
        for (unsigned dim : reduced)
          loops[dim] = "0";
      }
      line(operandElement(op, init, target, loops) + " = " + stored(target.element, value) + ";");
      close();
    }
    close();
    if (!result.hasOneUse() || !isa<func::ReturnOp>(*result.user_begin()))
      line("barrier();");
    return true;
  }

  // Indices of `dims` from a linear one, the last fastest.
  void unfold(const std::string &linear, ArrayRef<unsigned> dims, ArrayRef<std::string> extents,
              SmallVectorImpl<std::string> &loops) {
    if (dims.size() == 1) {
      loops[dims[0]] = linear;
      return;
    }
    std::string left = linear;
    for (unsigned dim : llvm::reverse(dims)) {
      const std::string name = "d" + std::to_string(dim);
      line("const int64_t " + name + " = " + left + " % " + extents[dim] + ";");
      if (dim != dims.front()) {
        const std::string rest = fresh();
        line("const int64_t " + rest + " = " + left + " / " + extents[dim] + ";");
        left = rest;
      }
      loops[dim] = name;
    }
  }

  const Kernel &kernel;
  std::string &error;
  OwningOpRef<ModuleOp> fused;
  func::FuncOp source; // in it
  SmallVector<Value> returned;
  std::vector<std::string> symbols;
  Extent rowExtent;
  llvm::DenseMap<Value, Storage> storages;
  llvm::DenseMap<Value, std::string> scalars;
  llvm::DenseMap<Operation *, int64_t> rows; // ops that run for one row: the loop dimension that it is
  std::string text;
  unsigned indent = 2, count = 0;
  uint64_t shared = kReduceBytes;
};

} // namespace

bool emitTensorFunction(const Kernel &kernel, Function &function, std::string &body, std::string &error) {
  error.clear();
  return Emitter(kernel, error).run(function, body);
}

} // namespace ingot::target::cuda
