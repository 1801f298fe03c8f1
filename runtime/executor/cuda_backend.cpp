// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs entries on a GPU. At load everything is placed in device memory: weights as the file has them, arenas, cache, the
// entries' arguments, the symbols. A run copies its inputs and symbols, launches the kernels in the plan's order on one
// stream, and copies its outputs back. The runs that were announced (PreparedRun) are recorded as CUDA graphs, made for the
// largest values that they serve; kernels read the present values from device memory.
#include "runtime/device/cuda/device.h"
#include "runtime/executor/backend.h"
#include "runtime/executor/cuda_graphs.h"
#include "runtime/executor/cuda_program.h"
#include "runtime/executor/cuda_upload.h"
#include "runtime/executor/layout.h"
#include "runtime/executor/named.h"

#include <algorithm>
#include <cstring>

namespace ingot::runtime {

namespace {

constexpr uint64_t kAlignment = 256;
// Inputs of so many bytes and less, at the bounds, travel together.
constexpr uint64_t kSmallInput = 16 << 10;

uint64_t alignUp(uint64_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

// An argument of an entry in device memory.
struct Place {
  cuda::Address address = 0;
  uint64_t staged = 0; // offset in the page-locked memory of the inputs
  bool small = false;
};

struct EntryPlaces {
  std::vector<Place> inputs, outputs;
  uint64_t smallBytes = 0; // of all small inputs, which lie side by side from `smallAddress` and offset 0 on
  cuda::Address smallAddress = 0;
};

class CudaBackend : public Backend {
public:
  static Result<std::unique_ptr<Backend>> create(std::shared_ptr<const EngineFile> engine,
                                                 const ExecutorOptions &options);
  ~CudaBackend() override {
    (void)device->use();
    (void)device->synchronize("the last run");
  }

  Result<void> run(unsigned entry, std::span<int64_t> symbols, std::span<const void *const> inputs,
                   std::span<void *const> outputs) override;
  unsigned threads() const override { return 1; }
  const MemoryUse &memory() const override { return used; }
  const VariantChoice &choice() const override { return chosen; }
  std::string describe() const override {
    const cuda::DeviceFacts &facts = device->facts();
    return facts.name + " (cuda:" + std::to_string(facts.index) + "), " + chosen.verdicts[*chosen.taken].name +
           ", driver of CUDA " + cuda::versionName(facts.driver);
  }
  std::string_view variantOf(unsigned, unsigned) const override { return chosen.verdicts[*chosen.taken].name; }
  void profile(std::vector<StepTime> *into) override { times = into; }

private:
  Result<void> chooseCode();
  Result<void> placeMemory(const ExecutorOptions &options);
  Result<void> placeArguments(const ExecutorOptions &options);
  cuda::Address addressOf(const format::Buffer &buffer, const EntryPlaces &places) const;
  Result<void> copyInputs(unsigned entry, std::span<const int64_t> symbols, std::span<const void *const> inputs);

  std::shared_ptr<const EngineFile> engine;
  std::shared_ptr<cuda::Device> device;
  VariantChoice chosen;
  std::vector<int64_t> bounds;
  ArenaLayout layout;
  std::vector<CacheLayout> cacheLayouts;
  cuda::Memory weights, arenas, arguments, symbolValues;
  cuda::Memory errors; // of each launch of the entry in progress: the code with which a kernel refused its input
  std::vector<cuda::Memory> caches;
  cuda::HostMemory staging; // of inputs, then of symbols, then of errors
  uint64_t stagedSymbols = 0, stagedErrors = 0;
  std::vector<EntryPlaces> places;
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
      return makeError(ErrorCode::Unsupported,
                       "%s holds no kernels for GPUs; compile the model with --target=cpu,cuda", engine->path().c_str());
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
  return placeArguments(options);
}

// Inputs and outputs of all entries, at the bounds; an input that is linked lies where the output does.
Result<void> CudaBackend::placeArguments(const ExecutorOptions &options) {
  const auto &entries = *engine->plan().entries();
  uint64_t total = 0, host = 0;
  auto link = [&](std::string_view entry, std::string_view input) -> const EntryLink * {
    for (const EntryLink &candidate : options.links)
      if (candidate.to == entry && candidate.input == input)
        return &candidate;
    return nullptr;
  };
  for (const format::Entry *entry : entries)
    for (const auto *list : {entry->inputs(), entry->outputs()})
      for (const format::Argument *argument : *list)
        if (bytesOf(*argument, bounds) > 1ull << 44)
          return makeError(ErrorCode::ResourceExhausted,
                           "%s of entry %s may have more than 2^44 bytes at these bounds; ask for smaller bounds",
                           quoted(argument->name()->string_view()).c_str(),
                           quoted(entry->name()->string_view()).c_str());
  // Offsets first, addresses when there is memory.
  for (const format::Entry *entry : entries) {
    EntryPlaces &of = places.emplace_back();
    of.inputs.resize(entry->inputs()->size());
    of.outputs.resize(entry->outputs()->size());
    uint64_t staged = 0;
    of.smallAddress = total;
    for (bool small : {true, false}) {
      for (unsigned i = 0; i < entry->inputs()->size(); ++i) {
        const format::Argument &argument = *entry->inputs()->Get(i);
        const uint64_t bytes = alignUp(bytesOf(argument, bounds));
        if (link(entry->name()->string_view(), argument.name()->string_view()) || (bytes <= kSmallInput) != small)
          continue;
        of.inputs[i] = {total, staged, small};
        total += bytes;
        staged += bytes;
      }
      if (small)
        of.smallBytes = staged;
    }
    for (unsigned i = 0; i < entry->outputs()->size(); ++i) {
      of.outputs[i].address = total;
      total += alignUp(bytesOf(*entry->outputs()->Get(i), bounds));
    }
    host = std::max(host, staged);
  }
  for (unsigned e = 0; e < entries.size(); ++e)
    for (unsigned i = 0; i < places[e].inputs.size(); ++i) {
      const format::Argument &argument = *entries.Get(e)->inputs()->Get(i);
      const EntryLink *found = link(entries.Get(e)->name()->string_view(), argument.name()->string_view());
      if (!found)
        continue;
      INGOT_ASSIGN_OR_RETURN(unsigned from, findNamed(entries, found->from, "entry"));
      INGOT_ASSIGN_OR_RETURN(unsigned output, findNamed(*entries.Get(from)->outputs(), found->output, "output"));
      if (bytesOf(argument, bounds) != bytesOf(*entries.Get(from)->outputs()->Get(output), bounds))
        return makeError(ErrorCode::Internal, "output %s and input %s differ in size and cannot be one",
                         found->output.c_str(), found->input.c_str());
      places[e].inputs[i].address = places[from].outputs[output].address;
    }
  INGOT_ASSIGN_OR_RETURN(arguments, device->allocate(std::max<uint64_t>(total, kAlignment), "inputs and outputs", true));
  for (EntryPlaces &of : places) {
    of.smallAddress += arguments.address();
    for (std::vector<Place> *list : {&of.inputs, &of.outputs})
      for (Place &place : *list)
        place.address += arguments.address();
  }
  used.arenas += total;
  const uint64_t symbolBytes = alignUp(std::max<size_t>(1, bounds.size()) * 8);
  INGOT_ASSIGN_OR_RETURN(symbolValues, device->allocate(symbolBytes, "symbols", true));
  uint64_t launches = 1;
  for (const format::Entry *entry : entries)
    launches = std::max<uint64_t>(launches, entry->launches()->size());
  INGOT_ASSIGN_OR_RETURN(errors, device->allocate(alignUp(launches * 4), "errors", true));
  stagedSymbols = alignUp(host);
  stagedErrors = stagedSymbols + symbolBytes;
  INGOT_ASSIGN_OR_RETURN(staging, device->allocateHost(stagedErrors + errors.size(), "inputs"));
  return {};
}

cuda::Address CudaBackend::addressOf(const format::Buffer &buffer, const EntryPlaces &of) const {
  switch (buffer.kind()) {
  case format::BufferKind::arena:
    return arenas.address() + layout.offsetOf(buffer, bounds);
  case format::BufferKind::weight:
    return weights.address() + engine->plan().weights()->Get(buffer.index())->offset();
  case format::BufferKind::cache:
    return caches[buffer.index()].address() + cacheLayouts[buffer.index()].planes[buffer.layer()][buffer.plane()];
  case format::BufferKind::input:
    return of.inputs[buffer.index()].address;
  case format::BufferKind::output:
    return of.outputs[buffer.index()].address;
  }
  return 0;
}

Result<std::unique_ptr<Backend>> CudaBackend::create(std::shared_ptr<const EngineFile> engine,
                                                     const ExecutorOptions &options) {
  std::shared_ptr<cuda::Device> device = options.gpu;
  if (!device) {
    INGOT_ASSIGN_OR_RETURN(device, cuda::Device::open(options.device.index));
  }
  INGOT_RETURN_IF_ERROR(device->use());
  auto made = std::make_unique<CudaBackend>();
  made->engine = std::move(engine);
  made->device = std::move(device);
  INGOT_RETURN_IF_ERROR(made->chooseCode());
  INGOT_RETURN_IF_ERROR(made->placeMemory(options));
  const format::Plan &plan = made->engine->plan();
  std::vector<std::vector<cuda::Address>> addresses;
  for (unsigned e = 0; e < plan.entries()->size(); ++e) {
    std::vector<cuda::Address> &of = addresses.emplace_back();
    for (const format::Buffer *buffer : *plan.entries()->Get(e)->buffers())
      of.push_back(made->addressOf(*buffer, made->places[e]));
  }
  INGOT_ASSIGN_OR_RETURN(made->program,
                         CudaProgram::create(*made->device, plan, addresses, made->symbolValues.address(),
                                             made->errors.address(), made->bounds, options.deterministic));
  made->used.scratch = made->program.workspaceBytes();
  INGOT_RETURN_IF_ERROR(made->device->synchronize("loading " + made->engine->path()));
  INGOT_RETURN_IF_ERROR(made->graphs.prepare(*made->device, plan, made->program, made->bounds, options.prepared));
  return std::unique_ptr<Backend>(std::move(made));
}

Result<void> CudaBackend::copyInputs(unsigned entry, std::span<const int64_t> symbols,
                                     std::span<const void *const> inputs) {
  const format::Entry &table = *engine->plan().entries()->Get(entry);
  const EntryPlaces &of = places[entry];
  bool anySmall = false;
  for (unsigned i = 0; i < inputs.size(); ++i) {
    const uint64_t bytes = bytesOf(*table.inputs()->Get(i), symbols);
    if (!inputs[i] || bytes == 0)
      continue;
    uint8_t *staged = staging.data() + of.inputs[i].staged;
    std::memcpy(staged, inputs[i], bytes);
    anySmall |= of.inputs[i].small;
    if (!of.inputs[i].small)
      INGOT_RETURN_IF_ERROR(device->upload(of.inputs[i].address, staged, bytes));
  }
  if (anySmall)
    INGOT_RETURN_IF_ERROR(device->upload(of.smallAddress, staging.data(), of.smallBytes));
  std::memcpy(staging.data() + stagedSymbols, symbols.data(), symbols.size() * 8);
  return device->upload(symbolValues.address(), staging.data() + stagedSymbols, symbols.size() * 8);
}

Result<void> CudaBackend::run(unsigned entry, std::span<int64_t> symbols, std::span<const void *const> inputs,
                              std::span<void *const> outputs) {
  const format::Plan &plan = engine->plan();
  const format::Entry &table = *plan.entries()->Get(entry);
  if (table.settings() && table.settings()->size())
    return makeError(ErrorCode::Unsupported,
                     "entry %s has a dimension %s that depends on its data, which GPUs do not run yet; use --device=cpu",
                     quoted(table.name()->string_view()).c_str(),
                     quoted(plan.symbols()->Get(table.settings()->Get(0)->symbol())->name()->string_view()).c_str());
  INGOT_RETURN_IF_ERROR(device->use());
  INGOT_RETURN_IF_ERROR(copyInputs(entry, symbols, inputs));
  if (times) {
    INGOT_RETURN_IF_ERROR(program.launchTimed(entry, symbols, *times));
  } else if (const CudaGraph *graph = graphs.find(entry, symbols)) {
    INGOT_RETURN_IF_ERROR(graphs.launch(*device, *graph));
  } else {
    INGOT_RETURN_IF_ERROR(program.launch(entry, symbols));
  }
  for (unsigned i = 0; i < outputs.size(); ++i)
    if (outputs[i])
      INGOT_RETURN_IF_ERROR(device->download(outputs[i], places[entry].outputs[i].address,
                                             bytesOf(*table.outputs()->Get(i), symbols)));
  const auto &launches = *table.launches();
  INGOT_RETURN_IF_ERROR(device->download(staging.data() + stagedErrors, errors.address(), launches.size() * 4));
  INGOT_RETURN_IF_ERROR(device->synchronize("a run of entry '" + table.name()->str() + "'"));
  for (unsigned i = 0; i < launches.size(); ++i) {
    int32_t code;
    std::memcpy(&code, staging.data() + stagedErrors + i * 4, 4);
    if (code == 0)
      continue;
    // The next run begins without it.
    std::memset(staging.data() + stagedErrors, 0, errors.size());
    INGOT_RETURN_IF_ERROR(device->upload(errors.address(), staging.data() + stagedErrors, errors.size()));
    INGOT_RETURN_IF_ERROR(device->synchronize("clearing errors"));
    return refusedBy(plan, *launches.Get(i), code);
  }
  return {};
}

} // namespace

Result<std::unique_ptr<Backend>> makeCudaBackend(std::shared_ptr<const EngineFile> engine,
                                                 const ExecutorOptions &options) {
  return CudaBackend::create(std::move(engine), options);
}

} // namespace ingot::runtime
