// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/driver/compile.h"

#include "compiler/driver/constants.h"
#include "compiler/driver/graph_report.h"
#include "compiler/driver/import_model.h"
#include "compiler/driver/program.h"
#include "compiler/driver/progress.h"
#include "compiler/driver/quantized_weights.h"
#include "compiler/driver/stages.h"
#include "compiler/engine/report.h"
#include "compiler/engine/serialize_plan.h"
#include "compiler/pipelines/Pipelines.h"
#include "compiler/target/cpu/target.h"
#include "compiler/target/cuda/target.h"
#include "compiler/target/templates/params.h"
#include "dialects/ingot/IngotDialect.h"
#include "dialects/plan/PlanDialect.h"
#include "runtime/format/cuda_abi.h"
#include "runtime/format/kernel_abi.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/raw_ostream.h"

#include <thread>

using namespace mlir;

namespace ingot::driver {

namespace {

constexpr const char *kProducer = "ingot " INGOT_VERSION;

LogicalResult runStage(ModuleOp module, llvm::function_ref<void(OpPassManager &)> build) {
  PassManager manager(module.getContext());
  build(manager);
  return manager.run(module);
}

// The model's own names for what each kernel computes, in the order of the launches.
std::vector<std::vector<std::string>> nodesOf(plan::ProgramOp program) {
  llvm::StringMap<size_t> numbers;
  for (auto op : program.getOps<plan::KernelOp>())
    numbers.try_emplace(op.getSymName(), numbers.size());
  std::vector<std::vector<std::string>> nodes(numbers.size());
  program.walk([&](plan::LaunchOp launch) {
    if (launch.getNode())
      nodes[numbers.lookup(launch.getKernel())].push_back(launch.getNode()->str());
  });
  return nodes;
}

// "cpu,cuda:sm_90,sm_89", as the report tells it.
std::string targetsOf(const CompileOptions &options) {
  std::string text = options.cpu ? "cpu" : "";
  for (size_t i = 0; i < options.cuda.size(); ++i)
    text += (i ? "," : text.empty() ? "cuda:" : ",cuda:") + options.cuda[i];
  return text;
}

unsigned threadsOf(const CompileOptions &options) {
  return options.threads ? options.threads : std::max(1u, std::thread::hardware_concurrency());
}

// In what the products are, as a person reads it: "int8, weights int4:g32".
StringRef productsOf(ModuleOp module) {
  auto products = module->getAttrOfType<StringAttr>("ingot.products");
  return products ? products.getValue() : "f32";
}

template <typename Options> pipelines::Options passOptionsOf(const Options &options) {
  pipelines::Options passes;
  passes.compute = options.compute.empty() ? "auto" : options.compute;
  passes.weights = options.weights;
  passes.activations = options.activations;
  passes.rules = options.rules;
  passes.kv = options.kv;
  passes.padding = options.padding;
  return passes;
}

std::string computeReason(const CompileOptions &options, StringRef products) {
  if (!options.compute.empty())
    return "--compute was given";
  if (products.contains("int8, weights") || products.contains("int8 and"))
    return options.activations.empty() ? "activations are rounded to int8 where weights are int8 or int4 and nothing "
                                         "else was asked for"
                                       : "--activations was given";
  return products == "bf16" ? "the weights of all products are bf16" : "not all weights of products are bf16";
}

// Whether an embedding reads the packed, quantized weight of the head.
bool quantizesTiedHead(plan::ProgramOp program) {
  bool found = false;
  program.walk([&](plan::KernelOp kernel) {
    auto layout = kernel.getTemplateName() == "embedding" ? kernel.getParams()->getAs<IntegerAttr>("layout") : nullptr;
    found |= layout && (layout.getInt() == INGOT_N16K4 || layout.getInt() == INGOT_N16K8);
  });
  return found;
}

constexpr const char *kTiedHead = "the tied head is quantized: the lookup of embeddings reads the quantized weight too";

engine::GenerationDefaults generationOf(const huggingface::GenerationConfig &config) {
  engine::GenerationDefaults defaults;
  defaults.bos = config.bos;
  defaults.pad = config.pad;
  defaults.eos.assign(config.eos.begin(), config.eos.end());
  defaults.start.assign(config.start.begin(), config.start.end());
  defaults.doSample = config.do_sample;
  defaults.temperature = config.temperature;
  defaults.topK = config.top_k;
  defaults.topP = config.top_p;
  defaults.minP = config.min_p;
  defaults.repetitionPenalty = config.repetition_penalty;
  return defaults;
}

// `text` with the names of the model's files instead of their paths: an engine does not depend on where its model lay.
std::string withoutDirectory(std::string text, StringRef directory) {
  const std::string prefix = directory.rtrim('/').str() + "/";
  for (size_t at = text.find(prefix); at != std::string::npos; at = text.find(prefix, at))
    text.erase(at, prefix.size());
  return text;
}

std::string gigabytes(uint64_t bytes) {
  char text[32];
  if (bytes >= 1'000'000'000)
    std::snprintf(text, sizeof(text), "%.2f GB", double(bytes) / 1e9);
  else
    std::snprintf(text, sizeof(text), "%.1f MB", double(bytes) / 1e6);
  return text;
}

std::string plural(size_t count, const char *noun, const char *ending = "s") {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : ending);
}

} // namespace

int compileModel(const CompileOptions &options) {
  Stages stages(options);
  if (std::string error = stages.prepare(); !error.empty())
    return fail(kModelAtFault, error);
  Progress progress(4, options.quiet || options.emit != "engine");

  // 1. Import.
  progress.step("import");
  Imported imported;
  ModelSource source{options.model, options.encoder, options.dummyWeights, options.chatTemplate, options.tokenizer};
  findGraphs(source);
  if (int status = importAny(source, imported))
    return status;
  ModuleOp module = *imported.module;
  bool done = false;
  if (std::string error = stages.offer("import", module, done); !error.empty())
    return fail(kModelAtFault, error);
  if (done)
    return kDone;
  const huggingface::ImportResult &facts = imported.facts;
  progress.note(facts.family + ", " + plural(facts.tensors, "tensor") + ", " + gigabytes(facts.bytes));

  // 2. Passes, stage by stage.
  progress.step("optimise");
  const pipelines::Options passOptions = passOptionsOf(options);
  if (failed(runStage(module, [&](OpPassManager &manager) { pipelines::buildImportPipeline(manager, passOptions); })))
    return kModelAtFault; // what is wrong with it was told
  std::string whyNot;
  const size_t constants = computeConstants(module, threadsOf(options), whyNot);
  if (failed(runStage(module, [&](OpPassManager &manager) { pipelines::buildChoicePipeline(manager, passOptions); })))
    return kModelAtFault; // the options do not fit the model
  const GraphReport graph = isOnnx(source.model) ? reportGraph(module) : GraphReport();
  if (int status = readTextOfGraph(source, imported))
    return status;
  if (!options.quiet)
    for (const std::string &note : facts.notes)
      llvm::errs() << "note: " << note << "\n";
  struct Stage {
    const char *name;
    void (*build)(OpPassManager &, const pipelines::Options &);
  };
  for (Stage stage : {Stage{"ingot", pipelines::buildFusionPipeline}, Stage{"linalg", pipelines::buildLinalgPipeline},
                      Stage{"plan", pipelines::buildPlanPipeline}}) {
    if (failed(runStage(module, [&](OpPassManager &manager) { stage.build(manager, passOptions); })))
      return isModule(options.model) ? int(kModelAtFault) : bug(llvm::Twine("stage ") + stage.name + " failed");
    if (std::string error = stages.offer(stage.name, module, done); !error.empty())
      return fail(kModelAtFault, error);
    if (done)
      return kDone;
  }
  auto programs = module.getOps<plan::ProgramOp>();
  if (programs.empty())
    return fail(kModelAtFault, options.model + " has no entry: there is nothing to compile");
  plan::ProgramOp program = *programs.begin();
  size_t launches = 0;
  program.walk([&](plan::LaunchOp) { ++launches; });

  // 3. Code.
  const std::vector<target::Kernel> kernels = kernelsOf(program);
  progress.note(plural(launches, "launch", "es") + " of " + plural(kernels.size(), "kernel"));
  progress.step("generate code");
  std::string set = options.set;
  if (set.empty())
    for (const target::cpu::FeatureSet &of : target::cpu::featureSets())
      if (of.base.empty())
        set = of.name; // the last is the widest
  if (options.cpu)
    for (auto [name, form] :
         {std::pair{"llvm", target::cpu::Text::Llvm}, std::pair{"asm", target::cpu::Text::Assembly}}) {
      std::string error = stages.offer(
          name,
          [&, form = form](std::string &text) -> std::string {
            std::string problem;
            return target::cpu::printKernels(kernels, set, form, text, problem) ? "" : problem;
          },
          done);
      if (!error.empty())
        return fail(kModelAtFault, error);
      if (done)
        return kDone;
    }
  std::string error;
  std::vector<target::cuda::Architecture> architectures;
  for (const std::string &name : options.cuda)
    if (!target::cuda::findArchitecture(name, architectures.emplace_back(), error))
      return fail(kUsageAtFault, error);
  target::cuda::Program cudaProgram;
  if (!architectures.empty()) {
    if (!target::cuda::makeProgram(kernels, nodesOf(program), cudaProgram, error))
      return fail(kModelAtFault, error);
    error = stages.offer(
        "cuda",
        [&](std::string &text) -> std::string {
          text = cudaProgram.source;
          return "";
        },
        done);
    if (error.empty() && !done && options.emit == "ptx")
      error = stages.offer(
          "ptx",
          [&](std::string &text) -> std::string {
            std::string problem;
            return target::cuda::printPtx(cudaProgram, architectures.front(), text, problem) ? "" : problem;
          },
          done);
    if (!error.empty())
      return fail(kModelAtFault, error);
    if (done)
      return kDone;
  }

  std::vector<engine::VariantCode> variants;
  engine::KernelFacts kernelFacts;
  kernelFacts.scratch.assign(kernels.size(), 0);
  std::string sets, fromCache;
  if (options.cpu) {
    target::cpu::CompiledKernels compiled;
    if (!target::cpu::compileKernels(kernels, {{}, threadsOf(options), true}, compiled, error))
      return bug(error);
    kernelFacts.scratch = std::move(compiled.scratchBytes);
    for (target::cpu::Image &image : compiled.images) {
      sets += (sets.empty() ? "" : ", ") + image.set.name;
      variants.push_back(variantOf(image));
    }
    if (compiled.known > 0)
      fromCache = ", " + std::to_string(compiled.known) + " of " + plural(compiled.pieces, "function") + " from the cache";
  }
  if (!architectures.empty()) {
    std::vector<target::cuda::Image> images;
    if (!target::cuda::compileProgram(cudaProgram, architectures, {threadsOf(options), true}, images, error))
      return fail(kModelAtFault, error);
    for (target::cuda::Image &image : images) {
      sets += (sets.empty() ? "" : ", ") + image.architecture.name;
      engine::VariantCode variant;
      variant.target = "cuda";
      variant.name = image.architecture.name;
      variant.kernelAbi = INGOT_CUDA_ABI;
      variant.capability = image.architecture.capability;
      variant.driver = image.driver;
      variant.image = std::move(image.bytes);
      variant.functions.assign(kernels.size(), 0);
      variants.push_back(std::move(variant));
    }
    kernelFacts.cuda = std::move(cudaProgram.functions);
  }

  // 4. The file.
  progress.note(sets + fromCache);
  progress.step("write");
  engine::EngineContents contents;
  engine::ModelFacts modelFacts{
      facts.name,  facts.family, kProducer, productsOf(module).str(), facts.parameters, generationOf(facts.generation),
      options.drawAtLoad, options.dummyWeights.value_or(0)};
  if (failed(engine::serializePlan(program, modelFacts, variants, kernelFacts, contents)))
    return bug("the plan could not be written");
  contents.tokenizer = std::move(imported.tokenizer);
  if (!facts.chat.templates.empty())
    contents.chat = chat::writeChatSection(facts.chat);
  engine::ReportFacts report;
  report.producer = kProducer;
  report.model = facts.name;
  report.family = facts.family;
  report.compute = modelFacts.compute;
  report.computeReason = computeReason(options, modelFacts.compute);
  report.weights = options.weights;
  report.activations = options.activations;
  report.target = targetsOf(options);
  report.parameters = facts.parameters;
  report.dummySeed = options.dummyWeights;
  for (const std::string &note : facts.notes)
    report.notes.push_back(withoutDirectory(note, options.model));
  if (!graph.made.empty())
    report.notes.push_back("the graph has " + graph.made);
  for (const std::string &left : graph.left)
    report.notes.push_back("not fused: " + left);
  if (!graph.notDecoder.empty())
    report.notes.push_back("not a decoder: " + graph.notDecoder);
  for (const std::string &text : graph.padding)
    report.notes.push_back("padding " + text);
  if (!graph.quantized.held.empty())
    report.notes.push_back("weights as the model's file has them: " + graph.quantized.held);
  for (const std::string &weight : graph.quantized.dequantized)
    report.notes.push_back("dequantized: " + weight);
  if (quantizesTiedHead(program))
    report.notes.push_back(kTiedHead);
  if (constants != 0)
    report.notes.push_back(plural(constants, "value") + " that weights and constants alone decide were computed here");
  if (!whyNot.empty())
    report.notes.push_back("what weights and constants alone decide is computed in every run: " + whyNot);
  if (options.drawAtLoad)
    report.notes.push_back("weights are drawn when the engine is loaded, from seed " +
                           std::to_string(*options.dummyWeights) + "; the file holds constants alone");
  contents.report = engine::makeReport(report, contents.weights, nullptr);
  contents.finishReport = [&](const std::vector<engine::QuantizationError> &lost) {
    return engine::makeReport(report, contents.weights, &lost);
  };

  engine::WriteOptions writeOptions;
  writeOptions.threads = threadsOf(options);
  writeOptions.dummySeed = options.dummyWeights.value_or(0);
  writeOptions.progress = [&](uint64_t written, uint64_t total) { progress.update(written, total); };
  error = engine::writeEngine(options.output, contents, writeOptions);
  if (!error.empty()) {
    progress.breakLine();
    return fail(kModelAtFault, error);
  }
  uint64_t size = 0;
  if (llvm::sys::fs::file_size(options.output, size))
    size = contents.weightBytes;
  progress.note(options.output + ", " + gigabytes(size) + ", products in " + modelFacts.compute);
  return kDone;
}

std::string parseTargets(const std::string &text, CompileOptions &options) {
  options.cpu = false;
  options.cuda.clear();
  bool inCuda = false; // architectures may follow
  SmallVector<StringRef> parts;
  StringRef(text).split(parts, ',');
  for (StringRef part : parts) {
    if (part == "cpu") {
      options.cpu = true;
      inCuda = false;
      continue;
    }
    if (part == "cuda" || part.starts_with("cuda:")) {
      if (!options.cuda.empty())
        return "--target names cuda twice";
      if (part == "cuda") {
        for (const target::cuda::Architecture &architecture : target::cuda::defaultArchitectures())
          options.cuda.push_back(architecture.name);
        inCuda = false;
        continue;
      }
      part = part.drop_front(5);
      inCuda = true;
    } else if (!inCuda) {
      return "--target takes cpu, cuda and cuda:ARCHITECTURE,..., not '" + part.str() + "'";
    }
    target::cuda::Architecture architecture;
    std::string error;
    if (!target::cuda::findArchitecture(part.str(), architecture, error))
      return "--target: " + error;
    if (llvm::is_contained(options.cuda, architecture.name))
      return "--target names " + architecture.name + " twice";
    options.cuda.push_back(architecture.name);
  }
  return "";
}

int checkModel(const CheckOptions &options) {
  Imported imported;
  ModelSource source{options.model, options.encoder, options.dummyWeights, options.chatTemplate, options.tokenizer};
  findGraphs(source);
  if (int status = importAny(source, imported))
    return status;
  const huggingface::ImportResult &facts = imported.facts;
  ModuleOp module = *imported.module;
  const pipelines::Options passOptions = passOptionsOf(options);
  if (failed(
          runStage(module, [&](OpPassManager &manager) { pipelines::buildPrecisionPipeline(manager, passOptions); })))
    return kModelAtFault; // the options do not fit the model
  const GraphReport graph = isOnnx(source.model) ? reportGraph(module) : GraphReport();
  if (int status = readTextOfGraph(source, imported))
    return status;
  const bool decoder = isDecoder(module);
  if (failed(runStage(module, [&](OpPassManager &manager) {
        pipelines::buildFusionPipeline(manager, passOptions);
        pipelines::buildLinalgPipeline(manager, passOptions);
        pipelines::buildPlanPipeline(manager, passOptions);
      })))
    return bug("the model's graph could not be planned");
  plan::ProgramOp program = *module.getOps<plan::ProgramOp>().begin();
  uint64_t weightBytes = 0, cacheBytesPerToken = 0, sourceBytes = 0;
  std::string cacheType; // the type of cached keys, one for all groups
  for (auto weight : program.getOps<plan::WeightOp>())
    weightBytes += uint64_t(weight.getBytes());
  for (auto group : program.getOps<plan::CacheGroupOp>())
    for (auto plane : group.getPlanes().getAsRange<plan::PlaneAttr>()) {
      (group.getRetention() == "source" ? sourceBytes : cacheBytesPerToken) +=
          uint64_t(plane.getPageBytes() * group.getLayers() / group.getPageTokens());
      if (plane.getName() == "key" && cacheType.empty())
        llvm::raw_string_ostream(cacheType) << plane.getType();
    }

  llvm::raw_ostream &out = llvm::outs();
  out << options.model << " compiles.\n";
  out << "model       " << facts.name << " (" << facts.family << ", " << facts.parameters << " parameters in "
      << plural(facts.tensors, "tensor") << ", mostly " << elementName(facts.weightType) << ")\n";
  if (isOnnx(source.model)) {
    if (!decoder)
      for (const std::string &line : graph.signature)
        out << line << "\n";
    out << "graph       " << (graph.made.empty() ? "no op that has a kernel of its own" : graph.made) << "\n";
    for (const std::string &left : graph.left)
      out << "not fused   " << left << "\n";
    if (!graph.notDecoder.empty())
      out << "no decoder  " << graph.notDecoder << "\n";
    for (const std::string &text : graph.padding)
      out << "padding     " << text << "\n";
    if (!graph.quantized.held.empty())
      out << "quantized   " << graph.quantized.held << "\n";
    for (const std::string &weight : graph.quantized.dequantized)
      out << "dequantized " << weight << "\n";
  }
  if (!decoder) {
    out << "products    in " << productsOf(module) << "\n";
    out << "engine      about " << gigabytes(weightBytes) << " of weights\n";
    for (const std::string &note : facts.notes)
      out << "note: " << note << "\n";
    return kDone;
  }
  out << "context     " << program.getContextLength() << " positions, vocabulary " << program.getVocabulary() << "\n";
  out << "products    in " << productsOf(module) << "\n";
  out << "engine      about " << gigabytes(weightBytes) << " of weights\n";
  out << "cache       " << cacheBytesPerToken << " bytes a token"
      << (sourceBytes ? ", " + std::to_string(sourceBytes) + " a position of the source" : "") << ", in "
      << (cacheType == "i8" ? "int8" : cacheType) << "\n";
  out << "tokenizer   " << (imported.tokenizer.empty() ? "none: the engine takes and gives token ids only" : "ready")
      << "\n";
  for (const std::string &note : facts.notes)
    out << "note: " << note << "\n";
  if (quantizesTiedHead(program))
    out << "note: " << kTiedHead << "\n";
  return kDone;
}

} // namespace ingot::driver
