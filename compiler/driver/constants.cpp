// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See constants.h. A module of one entry without arguments is compiled to an engine in a temporary file, and run.
#include "compiler/driver/constants.h"

#include "compiler/driver/program.h"
#include "compiler/engine/engine_writer.h"
#include "compiler/engine/serialize_plan.h"
#include "compiler/pipelines/Pipelines.h"
#include "compiler/target/cpu/target.h"
#include "dialects/ingot/IngotDialect.h"
#include "runtime/core/memory.h"
#include "runtime/executor/graph.h"
#include "runtime/format/kernel_abi.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/Support/FileSystem.h"

#include <cstring>

using namespace mlir;

namespace ingot::driver {

namespace {

using ir::tensorOf;

// A result of so many bytes is kept whatever it is made of; beyond that one may have twice the bytes of the weights behind it.
constexpr int64_t kSmall = 16 << 20;
// Of all together.
constexpr int64_t kAll = 256 << 20;

int64_t bytesOf(mlir::Value value) {
  auto type = tensorOf(value);
  return type.getNumElements() * std::max<int64_t>(1, ir::elementBytes(type.getElementType()));
}

bool isPlain(mlir::Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (!type || !type.hasStaticShape() || type.getNumElements() == 0)
    return false;
  Type element = type.getElementType();
  return element.isF32() || element.isF64() || element.isF16() || element.isBF16() || (element.isInteger() && element.getIntOrFloatBitWidth() >= 8) ||
         element.isInteger(1);
}

// Ops that compute nothing: what they give is left to them.
bool onlyMoves(Operation *op) { return isa<ir::BroadcastOp, ir::ReshapeOp, ir::TransposeOp, ir::SplitOp>(op); }

class Finder {
public:
  explicit Finder(ir::EntryOp entry) {
    for (Operation &op : entry.getBody().front().without_terminator())
      if (isConstant(op))
        constant.insert(op.result_begin(), op.result_end());
    // What something else reads, from the end: what is left to it may give others to be read.
    int64_t all = 0;
    SmallVector<Operation *> ops;
    for (Operation &op : llvm::reverse(entry.getBody().front().without_terminator()))
      ops.push_back(&op);
    for (Operation *op : ops)
      for (mlir::Value value : op->getResults()) {
        if (!constant.contains(value) || ir::isRecipe(value) || !llvm::any_of(value.getUsers(), [&](Operation *user) { return !isInside(user); }))
          continue;
        const int64_t bytes = isPlain(value) ? bytesOf(value) : 0;
        if (bytes == 0 || onlyMoves(op) || all + bytes > kAll || (bytes > kSmall && bytes > 2 * bytesBehind(value))) {
          constant.remove(value);
          continue;
        }
        all += bytes;
        found.push_back(value);
      }
  }

  SmallVector<mlir::Value> found;

private:
  bool isInside(Operation *op) const { return op->getNumResults() != 0 && llvm::all_of(op->getResults(), [&](mlir::Value value) { return constant.contains(value); }); }

  bool isConstant(Operation &op) {
    if (auto weight = dyn_cast<ir::WeightOp>(op)) {
      auto tensor = ir::lookup<ir::TensorOp>(&op, weight.getTensorAttr().getAttr());
      return tensor && !tensor.getDummy();
    }
    if (isa<ir::ConstantOp>(op))
      return true;
    if (op.getNumResults() == 0 || !isPure(&op))
      return false;
    for (mlir::Value operand : op.getOperands())
      if (!constant.contains(operand))
        return false;
    for (mlir::Value result : op.getResults())
      if (auto type = dyn_cast<RankedTensorType>(result.getType()); !type || !type.hasStaticShape())
        return false;
    // Extents and sizes by symbols are numbers of the entry's arguments.
    bool symbols = false;
    op.walk([&](ir::SizeOp) { symbols = true; });
    if (auto compute = dyn_cast<ir::ComputeOp>(op))
      for (Attribute extent : compute.getExtents())
        if (int64_t number; cast<StringAttr>(extent).getValue().getAsInteger(10, number))
          symbols = true;
    return !symbols;
  }

  // Of the weights and constants that a value is made of.
  static int64_t bytesBehind(mlir::Value value) {
    llvm::SetVector<mlir::Value> seen;
    seen.insert(value);
    int64_t bytes = 0;
    for (size_t i = 0; i < seen.size(); ++i) {
      Operation *op = seen[i].getDefiningOp();
      if (isa<ir::WeightOp, ir::ConstantOp>(op))
        bytes += bytesOf(seen[i]);
      seen.insert(op->operand_begin(), op->operand_end());
    }
    return bytes;
  }

  llvm::SetVector<mlir::Value> constant;
};

// A module of its own whose entry gives the values.
OwningOpRef<ModuleOp> outlined(ModuleOp from, ArrayRef<mlir::Value> values) {
  MLIRContext *context = from.getContext();
  OwningOpRef<ModuleOp> made = ModuleOp::create(from.getLoc(), "constants");
  OpBuilder b(context);
  b.setInsertionPointToEnd(made->getBody());
  llvm::SetVector<Operation *> needed;
  SmallVector<mlir::Value> work(values);
  while (!work.empty())
    if (Operation *op = work.pop_back_val().getDefiningOp(); needed.insert(op))
      llvm::append_range(work, op->getOperands());
  llvm::SmallPtrSet<Operation *, 16> declared;
  for (Operation *op : needed)
    if (auto weight = dyn_cast<ir::WeightOp>(op))
      if (Operation *tensor = ir::lookup<ir::TensorOp>(op, weight.getTensorAttr().getAttr()); declared.insert(tensor).second)
        b.clone(*tensor);
  SmallVector<Type> types;
  SmallVector<std::string> names;
  for (auto [i, value] : llvm::enumerate(values)) {
    types.push_back(value.getType());
    names.push_back("c" + std::to_string(i));
  }
  SmallVector<StringRef> results(names.begin(), names.end());
  auto entry = ir::EntryOp::create(b, from.getLoc(), "constants", b.getFunctionType({}, types), ArrayRef<StringRef>(), results);
  Block *body = &entry.getBody().front();
  b.setInsertionPointToEnd(body);
  IRMapping mapping;
  for (Operation &op : *values.front().getDefiningOp()->getBlock())
    if (needed.contains(&op))
      b.clone(op, mapping);
  SmallVector<mlir::Value> given;
  for (mlir::Value value : values)
    given.push_back(mapping.lookup(value));
  ir::ReturnOp::create(b, from.getLoc(), given);
  return made;
}

// Compiles the module to an engine for this machine. Returns "" or what was wrong.
std::string writeEngine(ModuleOp module, unsigned threads, const std::string &path) {
  PassManager manager(module.getContext());
  pipelines::Options options;
  options.compute = "f32";
  pipelines::buildPrecisionPipeline(manager, options);
  pipelines::buildFusionPipeline(manager, options);
  pipelines::buildLinalgPipeline(manager, options);
  pipelines::buildPlanPipeline(manager, options);
  if (failed(manager.run(module)))
    return "passes failed";
  plan::ProgramOp program = *module.getOps<plan::ProgramOp>().begin();
  const std::vector<target::Kernel> kernels = kernelsOf(program);
  target::cpu::CompiledKernels compiled;
  std::string error;
  if (!target::cpu::compileKernels(kernels, {{target::cpu::featureSets().front().name}, threads, true}, compiled, error))
    return error;
  engine::KernelFacts facts;
  facts.scratch = std::move(compiled.scratchBytes);
  std::vector<engine::VariantCode> variants;
  for (target::cpu::Image &image : compiled.images)
    variants.push_back(variantOf(image));
  engine::EngineContents contents;
  engine::ModelFacts model{};
  model.name = "constants";
  model.family = "constants";
  model.compute = "f32";
  if (failed(engine::serializePlan(program, model, variants, facts, contents)))
    return "the plan could not be written";
  contents.report = "{}";
  engine::WriteOptions write;
  write.threads = threads;
  return engine::writeEngine(path, contents, write);
}

// Runs it; results[i]: the bytes of value i.
std::string run(const std::string &path, unsigned threads, std::vector<runtime::Region> &results) {
  auto file = runtime::EngineFile::open(path);
  if (!file)
    return file.error().message();
  auto runner = runtime::GraphRunner::create(std::move(*file), {threads, {}, {}});
  if (!runner)
    return runner.error().message();
  const runtime::SymbolTable table((*runner)->plan());
  std::vector<int64_t> symbols(table.size(), 0);
  table.evaluate(symbols); // all of them are numbers
  std::vector<void *> outputs;
  for (runtime::Region &bytes : results)
    outputs.push_back(bytes.data());
  if (auto done = (*runner)->run(0, symbols, {}, outputs); !done)
    return done.error().message();
  return "";
}

DenseElementsAttr elementsOf(RankedTensorType type, ArrayRef<char> bytes) {
  auto bare = RankedTensorType::get(type.getShape(), type.getElementType());
  if (!type.getElementType().isInteger(1))
    return DenseElementsAttr::getFromRawBuffer(bare, bytes);
  SmallVector<bool> truths;
  for (char byte : bytes)
    truths.push_back(byte != 0);
  return DenseElementsAttr::get(bare, truths);
}

} // namespace

size_t computeConstants(ModuleOp module, unsigned threads, std::string &why) {
  SmallVector<mlir::Value> values;
  Block *block = nullptr;
  size_t replaced = 0;
  for (auto entry : module.getOps<ir::EntryOp>()) {
    values = Finder(entry).found;
    if (values.empty())
      continue;
    block = &entry.getBody().front();
    OwningOpRef<ModuleOp> constants = outlined(module, values);
    SmallString<128> path;
    if (std::error_code error = llvm::sys::fs::createTemporaryFile("ingot-constants", "ingot", path)) {
      why = "no temporary file can be made: " + error.message();
      return replaced;
    }
    std::vector<runtime::Region> results;
    std::string problem;
    for (mlir::Value value : values) {
      auto bytes = runtime::Region::reserve(static_cast<uint64_t>(bytesOf(value)), "a constant");
      if (!bytes) {
        why = bytes.error().message();
        return replaced;
      }
      results.push_back(std::move(*bytes));
    }
    {
      ScopedDiagnosticHandler handler(module.getContext(), [&](Diagnostic &diagnostic) {
        problem = problem.empty() ? diagnostic.str() : problem;
        return success();
      });
      std::string error = writeEngine(*constants, threads, path.str().str());
      if (error.empty())
        error = run(path.str().str(), threads, results);
      if (error.empty())
        problem.clear();
      else if (problem.empty())
        problem = error;
    }
    llvm::sys::fs::remove(path);
    if (!problem.empty()) {
      why = problem;
      return replaced;
    }
    OpBuilder b(module.getContext());
    for (auto [value, bytes] : llvm::zip(values, results)) {
      b.setInsertionPoint(value.getDefiningOp());
      ArrayRef<char> raw(static_cast<const char *>(static_cast<const void *>(bytes.data())), static_cast<size_t>(bytesOf(value)));
      auto made = ir::ConstantOp::create(b, value.getLoc(), value.getType(), elementsOf(tensorOf(value), raw));
      mlir::Value(value).replaceAllUsesWith(made.getResult());
      ++replaced;
    }
    for (Operation &op : llvm::make_early_inc_range(llvm::reverse(*block)))
      if (isOpTriviallyDead(&op))
        op.erase();
  }
  return replaced;
}

} // namespace ingot::driver
