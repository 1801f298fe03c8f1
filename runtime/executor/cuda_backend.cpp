// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs entries on a GPU. At load everything is placed in device memory: weights as the file has them, arenas, cache,
// the entries' arguments, the symbols. A run copies its inputs and symbols, launches the kernels in the plan's order on
// one stream, and copies its outputs back (cuda_arguments.h); where dimensions depend on data it waits for their values in
// between. The runs that were announced (PreparedRun) are recorded as CUDA graphs, made for the largest values that they
// serve; kernels read the present values from device memory.
#include "runtime/device/cuda/device.h"
#include "runtime/executor/backend.h"
#include "runtime/executor/cuda_arguments.h"
#include "runtime/executor/cuda_graphs.h"
#include "runtime/executor/cuda_program.h"
#include "runtime/executor/cuda_upload.h"
#include "runtime/executor/layout.h"
#include "runtime/executor/symbols.h"

namespace ingot::runtime {

namespace {

class CudaBackend : public Backend {
public:
  static Result<std::unique_ptr<Backend>> create(std::shared_ptr<const EngineFile> engine,
                                                 const ExecutorOptions &options);
  ~CudaBackend() override {
    if (Result<cuda::Current> current = device->use(); current.ok())
      ending.emplace(*std::move(current));
    (void)device->synchronize("the last run");
  }

  Result<void> run(unsigned entry, std::span<int64_t> symbols, std::span<const void *const> inputs,
                   std::span<void *const> outputs) override;
  Result<void> start(unsigned entry, std::span<const int64_t> symbols, std::span<const void *const> inputs) override;
  Result<void> finish(unsigned entry, std::span<const int64_t> symbols, std::span<void *const> outputs) override;
  unsigned threads() const override { return 1; }
  const MemoryUse &memory() const override { return used; }
  const VariantChoice &choice() const override { return chosen; }
  std::string describe() const override {
    const cuda::DeviceFacts &facts = device->facts();
    return facts.name + " (cuda:" + std::to_string(facts.index) + "), " + chosen.verdicts[*chosen.taken].name +
           ", driver of CUDA " + cuda::versionName(facts.driver) +
           (graphs.unavailable().empty() ? "" : ", launches not recorded: " + graphs.unavailable());
  }
  std::string_view variantOf(unsigned, unsigned) const override { return chosen.verdicts[*chosen.taken].name; }
  void profile(std::vector<StepTime> *into) override { times = into; }

private:
  Result<void> chooseCode();
  Result<void> placeMemory(const ExecutorOptions &options);
  cuda::Address addressOf(const format::Buffer &buffer, unsigned entry) const;
  bool settles(unsigned entry) const; // whether it has dimensions that depend on its data
  Result<void> launch(unsigned entry, std::span<const int64_t> symbols);
  Result<void> launchPiece(unsigned entry, CudaProgram::Piece piece, std::span<const int64_t> symbols);
  Result<void> launchSettling(unsigned entry, std::span<int64_t> symbols);
  Result<void> checkRefusals(unsigned entry) const;

  std::optional<cuda::Current> ending; // while all that follows is destroyed
  std::shared_ptr<const EngineFile> engine;
  std::shared_ptr<cuda::Device> device;
  VariantChoice chosen;
  std::vector<int64_t> bounds;
  ArenaLayout layout;
  std::vector<CacheLayout> cacheLayouts;
  cuda::Memory weights, arenas;
  std::vector<cuda::Memory> caches;
  CudaArguments arguments;
  CudaProgram program;
  CudaGraphs graphs;
  MemoryUse used;
  std::vector<StepTime> *times = nullptr;
};

Result<void> CudaBackend::chooseCode() {
  const cuda::DeviceFacts &facts = device->facts();
  chosen = chooseCudaVariant(engine->head(), facts.capability, facts.driver);
  if (!chosen.taken) {
    std::string reasons;
    for (const VariantVerdict *verdict : chosen.byScore())
      if (engine->head().variants()->Get(verdict->index)->target()->string_view() == "cuda")
        reasons += "; " + verdict->name + " " + verdict->reason;
    if (reasons.empty())
      return makeError(ErrorCode::Unsupported, "%s holds no kernels for GPUs; compile the model with --target=cpu,cuda",
                       engine->path().c_str());
    return makeError(ErrorCode::Unsupported, "%s: none of its variants runs on GPU %u (%s)%s", engine->path().c_str(),
                     facts.index, facts.name.c_str(), reasons.c_str());
  }
  const format::Variant &variant = *engine->head().variants()->Get(*chosen.taken);
  const uint8_t *image = engine->section(format::Section::Code).data() + variant.code_offset();
  return device->loadModule(image, engine->path() + ": variant " + variant.name()->str());
}

Result<void> CudaBackend::placeMemory(const ExecutorOptions &options) {
  const format::Plan &plan = engine->plan();
  INGOT_ASSIGN_OR_RETURN(bounds, orderBounds(plan, options));
  INGOT_ASSIGN_OR_RETURN(layout, layOutArenas(plan, bounds));
  INGOT_ASSIGN_OR_RETURN(cacheLayouts, layOutCache(plan, options.cachePages));
  used.arenas = layout.bytes;
  INGOT_ASSIGN_OR_RETURN(arenas, device->allocate(layout.bytes, "the arenas"));
  for (const CacheLayout &group : cacheLayouts) {
    INGOT_ASSIGN_OR_RETURN(cuda::Memory memory, device->allocate(group.bytes, "the KV cache"));
    used.cache += group.bytes;
    caches.push_back(std::move(memory));
  }
  const WeightSource source(*engine);
  used.weights = source.bytes();
  INGOT_ASSIGN_OR_RETURN(weights, device->allocate(source.bytes(), "the weights"));
  engine->prefetchWeights();
  INGOT_RETURN_IF_ERROR(uploadWeights(*device, weights.address(), source));
  INGOT_ASSIGN_OR_RETURN(arguments, CudaArguments::create(*device, plan, bounds, options.links));
  used.arenas += arguments.bytes();
  return {};
}

cuda::Address CudaBackend::addressOf(const format::Buffer &buffer, unsigned entry) const {
  switch (buffer.kind()) {
  case format::BufferKind::arena:
    return arenas.address() + layout.offsetOf(buffer, bounds);
  case format::BufferKind::weight:
    return weights.address() + engine->plan().weights()->Get(buffer.index())->offset();
  case format::BufferKind::cache:
    return caches[buffer.index()].address() + cacheLayouts[buffer.index()].planes[buffer.layer()][buffer.plane()];
  case format::BufferKind::input:
    return arguments.input(entry, buffer.index());
  case format::BufferKind::output:
    return arguments.output(entry, buffer.index());
  }
  return 0;
}

Result<std::unique_ptr<Backend>> CudaBackend::create(std::shared_ptr<const EngineFile> engine,
                                                     const ExecutorOptions &options) {
  std::shared_ptr<cuda::Device> device = options.gpu;
  if (!device) {
    INGOT_ASSIGN_OR_RETURN(device, cuda::Device::open(options.device.index));
  }
  INGOT_ASSIGN_OR_RETURN(const cuda::Current current, device->use());
  auto made = std::make_unique<CudaBackend>();
  made->engine = std::move(engine);
  made->device = std::move(device);
  INGOT_RETURN_IF_ERROR(made->chooseCode());
  INGOT_RETURN_IF_ERROR(made->placeMemory(options));
  const format::Plan &plan = made->engine->plan();
  std::vector<CudaEntryMemory> memory;
  for (unsigned e = 0; e < plan.entries()->size(); ++e) {
    CudaEntryMemory &of = memory.emplace_back();
    for (const format::Buffer *buffer : *plan.entries()->Get(e)->buffers())
      of.buffers.push_back(made->addressOf(*buffer, e));
    of.symbols = made->arguments.symbols(e);
    of.tiles = made->arguments.tiles(e);
    of.errors = made->arguments.errors(e);
  }
  // Code for older GPUs, as PTX is, does not wait for the launch before it (primitives.h), whatever GPU it runs on.
  constexpr unsigned kWaits = 90;
  const bool early = made->engine->head().variants()->Get(*made->chosen.taken)->capability() >= kWaits;
  INGOT_ASSIGN_OR_RETURN(
      made->program, CudaProgram::create(*made->device, plan, memory, made->bounds, options.deterministic, early));
  made->used.scratch = made->program.workspaceBytes();
  INGOT_RETURN_IF_ERROR(made->device->synchronize("loading " + made->engine->path()));
  INGOT_RETURN_IF_ERROR(made->graphs.prepare(*made->device, plan, made->program, made->bounds, options.prepared));
  return std::unique_ptr<Backend>(std::move(made));
}

Result<void> CudaBackend::launch(unsigned entry, std::span<const int64_t> symbols) {
  if (!times)
    if (const CudaGraph *graph = graphs.find(entry, symbols))
      return graphs.launch(*device, *graph);
  const CudaProgram::Piece all = program.whole(entry);
  if (times)
    times->assign(all.end, {});
  return launchPiece(entry, all, symbols);
}

Result<void> CudaBackend::launchPiece(unsigned entry, CudaProgram::Piece piece, std::span<const int64_t> symbols) {
  return times ? program.launchTimed(entry, piece, symbols, *times) : program.launch(entry, piece, symbols);
}

// An entry with dimensions that depend on its data: up to each launch that the value of one comes from, and on with that
// value. Launches know their grids from the host, so it waits for each.
Result<void> CudaBackend::launchSettling(unsigned entry, std::span<int64_t> symbols) {
  const format::Entry &table = *engine->plan().entries()->Get(entry);
  const SymbolTable known(engine->plan());
  CudaProgram::Piece rest = program.whole(entry);
  if (times)
    times->assign(rest.end, {});
  std::vector<bool> settled;
  for (const format::SymbolSetting *setting : *table.settings()) {
    const unsigned end = setting->launch() + 1;
    INGOT_RETURN_IF_ERROR(launchPiece(entry, {rest.first, end}, symbols));
    rest.first = end;
    int64_t value = 0;
    INGOT_RETURN_IF_ERROR(device->download(&value, addressOf(*table.buffers()->Get(setting->buffer()), entry), 8));
    INGOT_RETURN_IF_ERROR(arguments.fetch(entry, true));
    INGOT_RETURN_IF_ERROR(arguments.wait(entry));
    INGOT_RETURN_IF_ERROR(checkRefusals(entry));
    INGOT_RETURN_IF_ERROR(known.settle(table, setting->symbol(), value, symbols, settled));
    INGOT_RETURN_IF_ERROR(arguments.sendSymbols(entry, symbols));
  }
  return launchPiece(entry, rest, symbols);
}

bool CudaBackend::settles(unsigned entry) const {
  const auto *settings = engine->plan().entries()->Get(entry)->settings();
  return settings && settings->size() > 0;
}

Result<void> CudaBackend::run(unsigned entry, std::span<int64_t> symbols, std::span<const void *const> inputs,
                              std::span<void *const> outputs) {
  INGOT_ASSIGN_OR_RETURN(const cuda::Current current, device->use());
  INGOT_RETURN_IF_ERROR(arguments.send(entry, symbols, inputs));
  INGOT_RETURN_IF_ERROR(settles(entry) ? launchSettling(entry, symbols) : launch(entry, symbols));
  INGOT_RETURN_IF_ERROR(arguments.fetchLarge(entry, symbols, outputs));
  INGOT_RETURN_IF_ERROR(arguments.fetch(entry, true));
  return finish(entry, symbols, outputs);
}

Result<void> CudaBackend::start(unsigned entry, std::span<const int64_t> symbols, std::span<const void *const> inputs) {
  if (settles(entry))
    return makeError(ErrorCode::Unsupported,
                     "entry %s has dimensions that depend on its data: it runs to its end, and cannot be started",
                     quoted(engine->plan().entries()->Get(entry)->name()->string_view()).c_str());
  INGOT_ASSIGN_OR_RETURN(const cuda::Current current, device->use());
  INGOT_RETURN_IF_ERROR(arguments.send(entry, symbols, inputs));
  INGOT_RETURN_IF_ERROR(launch(entry, symbols));
  return arguments.fetch(entry, arguments.tells(entry));
}

// Of the last run of the entry, which is over.
Result<void> CudaBackend::checkRefusals(unsigned entry) const {
  std::optional<CudaArguments::Refusal> refusal = arguments.refusal(entry);
  if (!refusal)
    return {};
  INGOT_RETURN_IF_ERROR(arguments.clearErrors()); // the next run begins without it
  const format::Plan &plan = engine->plan();
  return refusedBy(plan, *plan.entries()->Get(refusal->entry)->launches()->Get(refusal->launch), refusal->code);
}

Result<void> CudaBackend::finish(unsigned entry, std::span<const int64_t> symbols, std::span<void *const> outputs) {
  INGOT_ASSIGN_OR_RETURN(const cuda::Current current, device->use());
  INGOT_RETURN_IF_ERROR(arguments.wait(entry));
  INGOT_RETURN_IF_ERROR(checkRefusals(entry));
  arguments.take(entry, symbols, outputs);
  return {};
}

} // namespace

Result<MemoryUse> cudaMemoryUse(const EngineFile &engine, const ExecutorOptions &options) {
  const format::Plan &plan = engine.plan();
  INGOT_ASSIGN_OR_RETURN(auto bounds, orderBounds(plan, options));
  INGOT_ASSIGN_OR_RETURN(ArenaLayout layout, layOutArenas(plan, bounds));
  INGOT_ASSIGN_OR_RETURN(auto caches, layOutCache(plan, options.cachePages));
  INGOT_ASSIGN_OR_RETURN(CudaArguments arguments, CudaArguments::layOut(plan, bounds, options.links));
  MemoryUse use;
  use.arenas = layout.bytes + arguments.bytes();
  for (uint64_t bytes : workspacesAt(plan, bounds))
    use.scratch += bytes;
  for (const CacheLayout &group : caches)
    use.cache += group.bytes;
  use.weights = WeightSource(engine).bytes();
  return use;
}

Result<std::unique_ptr<Backend>> makeCudaBackend(std::shared_ptr<const EngineFile> engine,
                                                 const ExecutorOptions &options) {
  return CudaBackend::create(std::move(engine), options);
}

} // namespace ingot::runtime
