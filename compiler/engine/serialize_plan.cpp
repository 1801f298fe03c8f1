// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/engine/serialize_plan.h"

#include "compiler/engine/recipe_from_ir.h"
#include "runtime/format/engine.h"
#include "runtime/format/head_generated.h"
#include "runtime/format/plan_generated.h"

#include "dialects/ingot/IngotDialect.h"
#include "dialects/ingot/SymbolExpr.h"
#include "llvm/ADT/StringMap.h"

using namespace mlir;

namespace ingot::engine {

namespace {

namespace fb = flatbuffers;

class PlanSerializer {
public:
  PlanSerializer(plan::ProgramOp program, const std::vector<VariantCode> &variants,
                 const KernelFacts &kernelFacts)
      : program(program), variants(variants), kernelFacts(kernelFacts) {}

  LogicalResult run(const ModelFacts &facts, EngineContents &contents);

private:
  using SizeOffset = fb::Offset<format::Size>;
  SizeOffset size(plan::SizeAttr attr) {
    std::vector<int64_t> coefficients(symbols.size(), 0);
    for (auto [symbol, coefficient] : llvm::zip(attr.getSymbols(), attr.getCoefficients()))
      coefficients[symbols.lookup(symbol.getValue())] = coefficient;
    return format::CreateSizeDirect(builder, attr.getConstant(), &coefficients);
  }
  fb::Offset<format::GridSize> gridSize(const target::cuda::Extent &extent);
  fb::Offset<format::CudaFunction> cudaFunction(const target::cuda::NamedFunction &function);
  fb::Offset<format::Argument> argument(StringRef name, RankedTensorType type);
  FailureOr<fb::Offset<format::Entry>> entry(plan::EntryOp op);
  FailureOr<fb::Offset<format::Buffer>> buffer(plan::EntryOp entry, Operation *op);
  int32_t symbolIndex(std::optional<StringRef> symbol) { return symbol ? int32_t(symbols.lookup(*symbol)) : -1; }

  plan::ProgramOp program;
  const std::vector<VariantCode> &variants;
  const KernelFacts &kernelFacts;
  fb::FlatBufferBuilder builder;
  llvm::StringMap<unsigned> symbols, kernels, weights, groups;
};

// "tokens", "sequences+1" or, for a static dimension, its extent.
std::pair<std::string, int64_t> parseDim(StringRef expression) {
  size_t sign = expression.find_first_of("+-");
  if (sign == StringRef::npos)
    return {expression.str(), 0};
  int64_t constant = 0;
  expression.drop_front(sign + 1).getAsInteger(10, constant);
  return {expression.take_front(sign).str(), expression[sign] == '-' ? -constant : constant};
}

fb::Offset<format::GridSize> PlanSerializer::gridSize(const target::cuda::Extent &extent) {
  std::vector<int64_t> coefficients(symbols.size(), 0);
  int64_t tiles = 0;
  for (auto [symbol, coefficient] : extent.terms)
    (symbol == target::cuda::kTiles ? tiles : coefficients[size_t(symbol)]) += coefficient;
  return format::CreateGridSize(builder, format::CreateSizeDirect(builder, extent.constant, &coefficients), tiles,
                                extent.per);
}

fb::Offset<format::CudaFunction> PlanSerializer::cudaFunction(const target::cuda::NamedFunction &function) {
  size_t dims = 3;
  while (dims > 1 && function.grid[dims - 1].terms.empty() && function.grid[dims - 1].constant == 1)
    --dims;
  std::vector<fb::Offset<format::GridSize>> grid;
  for (size_t i = 0; i < dims; ++i)
    grid.push_back(gridSize(function.grid[i]));
  const bool works = function.workspace.constant != 0 || !function.workspace.terms.empty();
  auto workspace = works ? gridSize(function.workspace) : fb::Offset<format::GridSize>();
  return format::CreateCudaFunctionDirect(builder, function.name.c_str(), function.threads, function.sharedBytes,
                                          function.blocksPerMultiprocessor, &grid, workspace, function.firstSymbol,
                                          function.rowsSymbol, function.rowsMost, function.stage);
}

fb::Offset<format::Argument> PlanSerializer::argument(StringRef name, RankedTensorType type) {
  std::vector<SizeOffset> shape;
  auto dims = dyn_cast_or_null<ir::DimsAttr>(type.getEncoding());
  for (int64_t i = 0; i < type.getRank(); ++i) {
    std::vector<int64_t> coefficients(symbols.size(), 0);
    int64_t constant = type.getDimSize(i);
    if (type.isDynamicDim(i)) {
      auto [symbol, offset] = parseDim(dims.getExprs()[i].getValue());
      coefficients[symbols.lookup(symbol)] = 1;
      constant = offset;
    }
    shape.push_back(format::CreateSizeDirect(builder, constant, &coefficients));
  }
  return format::CreateArgumentDirect(builder, name.str().c_str(),
                                      format::ElementType(uint8_t(*elementTypeOf(type.getElementType()))), &shape);
}

FailureOr<fb::Offset<format::Buffer>> PlanSerializer::buffer(plan::EntryOp entry, Operation *op) {
  using format::BufferKind;
  if (auto view = dyn_cast<plan::ViewOp>(op))
    return format::CreateBuffer(builder, BufferKind::arena, 0, 0, 0, symbolIndex(view.getSymbol()),
                                uint64_t(view.getOffset()), uint64_t(view.getBytes()));
  if (auto weight = dyn_cast<plan::WeightRefOp>(op))
    return format::CreateBuffer(builder, BufferKind::weight, weights.lookup(weight.getWeight()));
  if (auto input = dyn_cast<plan::InputOp>(op))
    return format::CreateBuffer(builder, BufferKind::input, uint32_t(entry.inputIndex(input.getName())));
  if (auto output = dyn_cast<plan::OutputOp>(op))
    return format::CreateBuffer(builder, BufferKind::output, uint32_t(entry.outputIndex(output.getName())));
  if (auto plane = dyn_cast<plan::CachePlaneOp>(op)) {
    auto group = SymbolTable::lookupNearestSymbolFrom<plan::CacheGroupOp>(op, plane.getGroupAttr());
    return format::CreateBuffer(builder, BufferKind::cache, groups.lookup(plane.getGroup()), uint32_t(plane.getLayer()),
                                uint32_t(group.planeIndex(plane.getPlane())));
  }
  return op->emitError("has no place in memory: run the memory planning pass first");
}

FailureOr<fb::Offset<format::Entry>> PlanSerializer::entry(plan::EntryOp op) {
  std::vector<fb::Offset<format::Argument>> inputs, outputs;
  for (auto [i, name] : llvm::enumerate(op.getArgNames().getAsValueRange<StringAttr>()))
    inputs.push_back(argument(name, op.inputType(unsigned(i))));
  for (auto [i, name] : llvm::enumerate(op.getResNames().getAsValueRange<StringAttr>()))
    outputs.push_back(argument(name, op.outputType(unsigned(i))));

  std::vector<fb::Offset<format::Buffer>> buffers;
  std::vector<fb::Offset<format::Launch>> launches;
  std::vector<fb::Offset<format::SymbolSetting>> settings;
  llvm::DenseMap<mlir::Value, uint32_t> numbers;
  for (Operation &inner : op.getBody().front()) {
    if (auto set = dyn_cast<plan::SetSymbolOp>(inner)) {
      settings.push_back(format::CreateSymbolSetting(builder, symbols.lookup(set.getSymbol()),
                                                     uint32_t(launches.size() - 1), numbers.lookup(set.getValue())));
      continue;
    }
    if (auto launch = dyn_cast<plan::LaunchOp>(inner)) {
      std::vector<uint32_t> operands;
      for (mlir::Value operand : launch.getBuffers())
        operands.push_back(numbers.lookup(operand));
      SizeOffset tiles = size(launch.getTiles());
      SizeOffset bytesRead = launch.getBytesRead() ? size(*launch.getBytesRead()) : SizeOffset();
      SizeOffset operations = launch.getOperations() ? size(*launch.getOperations()) : SizeOffset();
      SizeOffset rows = launch.getRows() ? size(*launch.getRows()) : SizeOffset();
      std::string node = launch.getNode() ? launch.getNode()->str() : "";
      launches.push_back(format::CreateLaunchDirect(builder, kernels.lookup(launch.getKernel()), &operands, tiles,
                                                    node.c_str(), bytesRead, operations, launch.getJoined(),
                                                    launch.getLocal() ? int(*launch.getLocal()) : -1, rows));
      continue;
    }
    auto made = buffer(op, &inner);
    if (failed(made))
      return failure();
    numbers[inner.getResult(0)] = uint32_t(buffers.size());
    buffers.push_back(*made);
  }
  return format::CreateEntryDirect(builder, op.getSymName().str().c_str(), &inputs, &outputs, &buffers, &launches,
                                   settings.empty() ? nullptr : &settings);
}

uint64_t alignUp(uint64_t value, uint64_t alignment) { return (value + alignment - 1) / alignment * alignment; }

LogicalResult PlanSerializer::run(const ModelFacts &facts, EngineContents &contents) {
  if (!program.getArenaBytes())
    return program.emitError("memory is not planned yet");

  std::vector<fb::Offset<format::Symbol>> symbolTables;
  for (auto op : program.getOps<plan::SymbolOp>()) {
    std::vector<format::SymbolStep> steps;
    if (std::optional<StringRef> text = op.getData() ? op.getData() : op.getValue()) {
      std::string why;
      std::optional<ir::SymbolExpr> expr = ir::SymbolExpr::parse(*text, why); // verified
      for (const ingot::symbols::Step &step : expr->steps())
        steps.emplace_back(format::SymbolStepKind(step.op),
                           step.op == ingot::symbols::Op::symbol
                               ? int64_t(symbols.lookup(expr->names()[size_t(step.value)]))
                               : step.value);
    }
    symbols[op.getSymName()] = unsigned(symbolTables.size());
    const std::string requirement = op.getRequirement().value_or("").str();
    symbolTables.push_back(format::CreateSymbolDirect(builder, op.getSymName().str().c_str(), steps.empty() ? nullptr : &steps,
                                                      op.getData().has_value(), requirement.empty() ? nullptr : requirement.c_str()));
  }

  std::vector<fb::Offset<format::Kernel>> kernelTables;
  for (auto op : program.getOps<plan::KernelOp>()) {
    const unsigned index = unsigned(kernelTables.size());
    kernels[op.getSymName()] = index;
    std::vector<uint32_t> functions;
    for (const VariantCode &variant : variants)
      functions.push_back(variant.functions[index]);
    std::vector<fb::Offset<format::CudaFunction>> cuda;
    if (!kernelFacts.cuda.empty())
      for (const target::cuda::NamedFunction &function : kernelFacts.cuda[index])
        cuda.push_back(cudaFunction(function));
    kernelTables.push_back(format::CreateKernelDirect(builder, op.getSymName().str().c_str(),
                                                      kernelFacts.scratch[index], &functions,
                                                      cuda.empty() ? nullptr : &cuda));
  }

  // Where weights are drawn at load, those that are constants stand first, and they alone are stored.
  std::vector<StoredWeight> all, drawn;
  auto isDrawn = [&](const Recipe &recipe) {
    bool any = false;
    recipe.forEachSource([&](const TensorSource &) { any = true; });
    return facts.drawn && any;
  };
  for (auto op : program.getOps<plan::WeightOp>()) {
    auto recipe = recipeOf(op);
    if (failed(recipe))
      return failure();
    weights[op.getSymName()] = unsigned(all.size());
    all.push_back({op.getSymName().str(), *recipe, 0});
    (isDrawn(**recipe) ? drawn : contents.weights).push_back(all.back());
  }
  contents.weightBytes = placeWeights(contents.weights);
  const uint64_t weightBytes = contents.weightBytes + placeWeights(drawn);
  llvm::StringMap<uint64_t> offsets;
  for (const StoredWeight &weight : contents.weights)
    offsets[weight.name] = weight.offset;
  for (const StoredWeight &weight : drawn)
    offsets[weight.name] = contents.weightBytes + weight.offset;
  std::vector<fb::Offset<format::Weight>> weightTables;
  for (auto op : program.getOps<plan::WeightOp>()) {
    const StoredWeight &stored = all[weightTables.size()];
    RankedTensorType type = op.getTensorType();
    std::vector<uint64_t> shape(type.getShape().begin(), type.getShape().end());
    weightTables.push_back(format::CreateWeightDirect(
        builder, stored.name.c_str(), format::ElementType(uint8_t(*elementTypeOf(type.getElementType()))), &shape,
        op.getLayout().str().c_str(), offsets.lookup(stored.name), stored.recipe->storedBytes(),
        isDrawn(*stored.recipe)));
  }

  uint64_t cacheBytesPerToken = 0;
  std::vector<fb::Offset<format::CacheGroup>> groupTables;
  for (auto op : program.getOps<plan::CacheGroupOp>()) {
    groups[op.getSymName()] = unsigned(groupTables.size());
    std::vector<fb::Offset<format::CachePlane>> planes;
    for (auto plane : op.getPlanes().getAsRange<plan::PlaneAttr>()) {
      if (op.getRetention() != "source")
        cacheBytesPerToken += uint64_t(plane.getPageBytes() * op.getLayers() / op.getPageTokens());
      planes.push_back(format::CreateCachePlaneDirect(builder, plane.getName().str().c_str(),
                                                      format::ElementType(uint8_t(*elementTypeOf(plane.getType()))),
                                                      plane.getLayout().str().c_str(), uint64_t(plane.getPageBytes())));
    }
    groupTables.push_back(format::CreateCacheGroupDirect(
        builder, op.getSymName().str().c_str(), uint32_t(op.getLayers()), uint32_t(op.getPageTokens()),
        op.getRetention() == "window"   ? format::Retention::window
        : op.getRetention() == "source" ? format::Retention::source
                                        : format::Retention::full,
        uint32_t(op.getWindow().value_or(0)), &planes));
  }

  std::vector<fb::Offset<format::Entry>> entries;
  for (auto op : program.getOps<plan::EntryOp>()) {
    auto made = entry(op);
    if (failed(made))
      return failure();
    entries.push_back(*made);
  }

  const GenerationDefaults &defaults = facts.generation;
  std::vector<int32_t> eos(defaults.eos.begin(), defaults.eos.end()), start(defaults.start.begin(), defaults.start.end());
  auto generation = format::CreateGenerationDirect(
      builder, int32_t(defaults.bos), &eos, int32_t(defaults.pad), defaults.doSample, float(defaults.temperature),
      int32_t(defaults.topK), float(defaults.topP), float(defaults.minP), float(defaults.repetitionPenalty),
      &start);
  llvm::ArrayRef<int64_t> arenas = *program.getArenaBytes();
  std::vector<uint64_t> arenaBytes(arenas.begin(), arenas.end());
  const uint64_t constantBytes = uint64_t(program.getArenaBytesConstant().value_or(0));
  builder.Finish(format::CreatePlanDirect(builder, &symbolTables, &arenaBytes, constantBytes, &kernelTables,
                                          &weightTables, &groupTables, &entries, uint32_t(program.getVocabulary()),
                                          uint32_t(program.getContextLength()), generation, weightBytes, facts.seed));
  contents.plan.assign(builder.GetBufferPointer(), builder.GetBufferPointer() + builder.GetSize());

  fb::FlatBufferBuilder head;
  std::vector<fb::Offset<format::Variant>> variantTables;
  for (const VariantCode &variant : variants) {
    std::vector<fb::Offset<fb::String>> features;
    for (const std::string &feature : variant.features)
      features.push_back(head.CreateString(feature));
    std::vector<fb::Offset<format::VendorScore>> vendors;
    for (const auto &[vendor, score] : variant.vendors)
      vendors.push_back(format::CreateVendorScoreDirect(head, vendor.c_str(), score));
    const uint64_t offset = alignUp(contents.code.size(), format::kPage);
    contents.code.resize(offset);
    contents.code.insert(contents.code.end(), variant.image.begin(), variant.image.end());
    variantTables.push_back(format::CreateVariantDirect(head, variant.target.c_str(), variant.name.c_str(), &features,
                                                        variant.score, variant.kernelAbi, offset,
                                                        variant.image.size(), variant.partial,
                                                        vendors.empty() ? nullptr : &vendors, variant.capability,
                                                        variant.driver));
  }
  std::vector<fb::Offset<fb::String>> arenaSymbols;
  for (auto op : program.getOps<plan::SymbolOp>())
    arenaSymbols.push_back(head.CreateString(op.getSymName().str()));
  head.Finish(format::CreateHeadDirect(head, facts.name.c_str(), facts.family.c_str(), facts.producer.c_str(),
                                       facts.parameters, weightBytes, facts.compute.c_str(),
                                       uint32_t(program.getContextLength()), constantBytes, &arenaSymbols, &arenaBytes,
                                       cacheBytesPerToken, &variantTables));
  contents.head.assign(head.GetBufferPointer(), head.GetBufferPointer() + head.GetSize());
  return success();
}

} // namespace

LogicalResult serializePlan(plan::ProgramOp program, const ModelFacts &facts, const std::vector<VariantCode> &variants,
                            const KernelFacts &kernels, EngineContents &contents) {
  return PlanSerializer(program, variants, kernels).run(facts, contents);
}

} // namespace ingot::engine
