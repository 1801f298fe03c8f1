// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs entries on the CPU. At load each entry is flattened to steps whose operand pointers are final but for the entry's own
// arguments; a run writes those, evaluates the tile counts and walks.
#include "runtime/core/machine.h"
#include "runtime/device/cpu/code_image.h"
#include "runtime/device/cpu/thread_pool.h"
#include "runtime/executor/backend.h"
#include "runtime/executor/layout.h"
#include "runtime/executor/weights.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <optional>

namespace ingot::runtime {

namespace {

constexpr uint32_t kLacking = 0xffffffff;

uint64_t largestScratch(const format::Plan &plan) {
  uint64_t most = 0;
  for (const format::Kernel *kernel : *plan.kernels())
    most = std::max(most, kernel->scratch_bytes());
  return most;
}

unsigned threadCount(const ExecutorOptions &options) { return options.threads ? options.threads : defaultThreads(); }

Result<void> checkThreads(const ExecutorOptions &options) {
  constexpr unsigned kMost = 4096;
  if (options.threads > kMost)
    return makeError(ErrorCode::InvalidArgument, "%u threads, expected at most %u", options.threads, kMost);
  return {};
}

// An operand that every run sets anew.
struct ArgumentSlot {
  size_t pointer; // into CompiledEntry::pointers
  unsigned index; // of the input or output
  bool output;
};

// A launch whose rows every worker may compute for itself, and where these rows are read and written.
struct LocalRows {
  unsigned step;
  uint64_t offset, rowBytes; // in the workers' own memory for one row; of one row
  std::vector<size_t> uses;  // into CompiledEntry::pointers, of worker 0
  void *shared;              // where they lie when the work is shared
  bool whole = false;        // as the pointers stand now
};

struct CompiledEntry {
  const format::Entry *entry;
  // Operands of all launches, one after the other; `perWorker` of them, and so many again for each further worker where
  // some lie in a worker's own memory.
  std::vector<void *> pointers;
  size_t perWorker = 0;
  std::vector<ArgumentSlot> arguments;
  std::vector<Step> steps;
  std::vector<unsigned> variants, abis; // of each launch's kernel
  std::vector<LocalRows> locals;
};

// Rows are computed by every worker for itself where that takes about as long as a barrier: a few microseconds. Of few workers each saves little
// by sharing, and all of them together read the rows from caches that keep up: on 2, 16 rows of 8,192 bytes take as long either way.
constexpr uint64_t kMostLocalRows = 16;
constexpr uint64_t kMostLocalBytes = 40 << 10;       // of one worker, whatever their number
constexpr uint64_t kMostLocalBytesOfAll = 512 << 10; // of all workers together

bool computedWhole(uint64_t rows, uint64_t rowBytes, unsigned workers) {
  const uint64_t bytes = rows * rowBytes;
  return rows <= 1 || (rows <= kMostLocalRows && (bytes <= kMostLocalBytes || bytes * workers <= kMostLocalBytesOfAll));
}

// Bytes of each worker's own memory per row: local rows lie there as they lie in their arena.
uint64_t localBytes(const format::Plan &plan) {
  uint64_t most = 0;
  for (const format::Entry *entry : *plan.entries())
    for (const format::Launch *launch : *entry->launches())
      if (launch->local() >= 0) {
        const format::Buffer &rows = *entry->buffers()->Get(launch->buffers()->Get(unsigned(launch->local())));
        most = std::max(most, rows.offset() + rows.size());
      }
  return roundUpToPage(most * kMostLocalRows);
}

// Address space behind an argument without elements: that of one row of any tensor.
constexpr uint64_t kNothing = uint64_t(1) << 30;

class CpuBackend : public Backend {
public:
  static Result<std::unique_ptr<Backend>> create(std::shared_ptr<const EngineFile> engine,
                                                 const ExecutorOptions &options);

  Result<void> run(unsigned entry, std::span<int64_t> symbols, std::span<const void *const> inputs,
                   std::span<void *const> outputs) override;
  unsigned threads() const override { return pool->workers(); }
  const MemoryUse &memory() const override { return used; }
  const VariantChoice &choice() const override { return chosen; }
  std::string describe() const override {
    return cpuName() + ", " + std::to_string(threads()) + (threads() == 1 ? " thread" : " threads");
  }
  std::string_view variantOf(unsigned entry, unsigned launch) const override {
    return engine->head().variants()->Get(entries[entry].variants[launch])->name()->string_view();
  }
  void profile(std::vector<StepTime> *into) override { times = into; }
  uint64_t barriers() const override { return pool->barriers(); }
  const CachePool *hostCache() const override { return &cache; }

private:
  Result<void> chooseCode();
  Result<unsigned> variantOf(const format::Kernel &kernel);
  Result<void> compile(const format::Entry &entry);
  void findLocals(CompiledEntry &compiled);
  Result<void> settle(const CompiledEntry &entry, const format::SymbolSetting &setting, std::span<int64_t> symbols,
                      std::vector<bool> &settled) const;
  void placeLocals(CompiledEntry &entry, unsigned workers);
  void *pointerTo(const format::Buffer &buffer) const;

  std::shared_ptr<const EngineFile> engine;
  VariantChoice chosen;
  std::vector<std::optional<CodeImage>> images; // per variant, mapped when a kernel needs it
  std::vector<int64_t> bounds;
  ArenaLayout layout;
  Region arenas;
  Region own; // of each worker in turn, see localBytes
  Region nothing; // where an argument without elements begins, see run
  Region drawnWeights; // all weights, where the file leaves some to be drawn
  CachePool cache;
  MemoryUse used;
  std::unique_ptr<ThreadPool> pool;
  std::vector<CompiledEntry> entries;
  std::vector<StepTime> *times = nullptr;
};

Result<void> CpuBackend::chooseCode() {
  INGOT_ASSIGN_OR_RETURN(auto isa, isaRestriction());
  chosen = chooseVariant(engine->head(), CpuFeatures::host(), isa);
  images.resize(chosen.verdicts.size());
  if (chosen.taken)
    return {};
  std::string reasons;
  for (const VariantVerdict *verdict : chosen.byScore())
    reasons += "; " + verdict->name + " " + verdict->reason;
  return makeError(ErrorCode::Unsupported, "%s: none of its variants runs on this machine (%s)%s",
                   engine->path().c_str(), cpuName().c_str(), reasons.c_str());
}

// The best runnable variant that has the kernel; its image is mapped.
Result<unsigned> CpuBackend::variantOf(const format::Kernel &kernel) {
  for (const VariantVerdict *verdict : chosen.byScore()) {
    if (!verdict->runnable || kernel.functions()->Get(verdict->index) == kLacking)
      continue;
    std::optional<CodeImage> &image = images[verdict->index];
    if (!image) {
      const format::Variant &variant = *engine->head().variants()->Get(verdict->index);
      uint64_t start = engine->sections()[format::Section::Code].offset + variant.code_offset();
      INGOT_ASSIGN_OR_RETURN(CodeImage mapped, CodeImage::map(engine->file(), start, variant.code_size()));
      image.emplace(std::move(mapped));
    }
    return verdict->index;
  }
  return makeError(ErrorCode::Unsupported, "%s: kernel %s is in no variant that runs on this machine",
                   engine->path().c_str(), quoted(kernel.name()->string_view()).c_str());
}

void *CpuBackend::pointerTo(const format::Buffer &buffer) const {
  switch (buffer.kind()) {
  case format::BufferKind::arena:
    return arenas.data() + layout.offsetOf(buffer, bounds);
  case format::BufferKind::weight:
    if (drawnWeights.data())
      return drawnWeights.data() + engine->plan().weights()->Get(buffer.index())->offset();
    return const_cast<uint8_t *>(engine->weight(buffer.index()));
  case format::BufferKind::cache:
    return cache.plane(buffer.index(), buffer.layer(), buffer.plane());
  case format::BufferKind::input:
  case format::BufferKind::output:
    break;
  }
  return nullptr;
}

Result<void> CpuBackend::compile(const format::Entry &entry) {
  const format::Plan &plan = engine->plan();
  CompiledEntry compiled{&entry, {}, 0, {}, {}, {}, {}, {}};
  size_t operands = 0;
  for (const format::Launch *launch : *entry.launches())
    operands += launch->buffers()->size();
  // Steps point into it.
  const bool locals = pool->workers() > 1 && std::any_of(entry.launches()->begin(), entry.launches()->end(),
                                                         [](const format::Launch *l) { return l->local() >= 0; });
  compiled.perWorker = operands;
  compiled.pointers.reserve(operands * (locals ? pool->workers() : 1));
  for (const format::Launch *launch : *entry.launches()) {
    // Rows are cut in a part a worker at most, or in so many that 8 units a worker are there.
    const int64_t most = std::numeric_limits<uint32_t>::max();
    if (largestAmount(launch->tiles(), bounds) > (launch->rows() ? most / pool->workers() - 8 : most))
      return makeError(ErrorCode::InvalidArgument,
                       "launch %s has more than 2^32 tiles at these bounds; ask for smaller bounds",
                       quoted(launch->node() ? launch->node()->string_view() : "").c_str());
    const format::Kernel &kernel = *plan.kernels()->Get(launch->kernel());
    INGOT_ASSIGN_OR_RETURN(unsigned variant, variantOf(kernel));
    void *const *first = compiled.pointers.data() + compiled.pointers.size();
    for (uint32_t index : *launch->buffers()) {
      const format::Buffer &buffer = *entry.buffers()->Get(index);
      bool output = buffer.kind() == format::BufferKind::output;
      if (output || buffer.kind() == format::BufferKind::input)
        compiled.arguments.push_back({compiled.pointers.size(), buffer.index(), output});
      compiled.pointers.push_back(pointerTo(buffer));
    }
    compiled.steps.push_back(
        {images[variant]->function(kernel.functions()->Get(variant)), first, 0, 0, launch->joined()});
    compiled.variants.push_back(variant);
    compiled.abis.push_back(engine->head().variants()->Get(variant)->kernel_abi());
  }
  if (locals)
    findLocals(compiled);
  entries.push_back(std::move(compiled));
  return {};
}

// Gives every worker pointers of its own to the operands of all launches, and notes which of them are local rows.
void CpuBackend::findLocals(CompiledEntry &compiled) {
  const auto &launches = *compiled.entry->launches();
  for (unsigned i = 0; i < launches.size(); ++i) {
    if (launches.Get(i)->local() < 0)
      continue;
    uint32_t buffer = launches.Get(i)->buffers()->Get(unsigned(launches.Get(i)->local()));
    const format::Buffer &rows = *compiled.entry->buffers()->Get(buffer);
    LocalRows local{i, rows.offset(), rows.size(), {}, pointerTo(rows), false};
    size_t at = 0;
    for (unsigned j = 0; j < launches.size(); ++j)
      for (uint32_t operand : *launches.Get(j)->buffers()) {
        if (operand == buffer) {
          local.uses.push_back(at);
          compiled.steps[j].stride = uint32_t(compiled.perWorker);
        }
        ++at;
      }
    compiled.locals.push_back(std::move(local));
  }
  std::vector<ArgumentSlot> all;
  for (unsigned worker = 0; worker < pool->workers(); ++worker) {
    if (worker > 0)
      for (size_t i = 0; i < compiled.perWorker; ++i)
        compiled.pointers.push_back(compiled.pointers[i]);
    for (ArgumentSlot slot : compiled.arguments)
      all.push_back({slot.pointer + worker * compiled.perWorker, slot.index, slot.output});
  }
  compiled.arguments = std::move(all);
}

// Before a run: which local rows every worker computes for itself. Pointers change only when that does.
void CpuBackend::placeLocals(CompiledEntry &entry, unsigned workers) {
  const uint64_t each = own.size() / workers;
  for (LocalRows &local : entry.locals) {
    Step &step = entry.steps[local.step];
    step.whole = computedWhole(step.tiles, local.rowBytes, workers);
    if (step.whole == local.whole)
      continue;
    local.whole = step.whole;
    for (unsigned worker = 0; worker < workers; ++worker) {
      void *mine = own.data() + worker * each + local.offset * kMostLocalRows;
      for (size_t use : local.uses)
        entry.pointers[worker * entry.perWorker + use] = local.whole ? mine : local.shared;
    }
  }
}

} // namespace

Result<MemoryUse> cpuMemoryUse(const EngineFile &engine, const ExecutorOptions &options) {
  INGOT_RETURN_IF_ERROR(checkThreads(options));
  INGOT_ASSIGN_OR_RETURN(auto bounds, orderBounds(engine.plan(), options));
  INGOT_ASSIGN_OR_RETURN(ArenaLayout layout, layOutArenas(engine.plan(), bounds));
  INGOT_ASSIGN_OR_RETURN(auto cache, cacheBytes(engine.plan(), options.cachePages));
  MemoryUse use;
  use.arenas = layout.bytes;
  if (threadCount(options) > 1)
    use.arenas += localBytes(engine.plan()) * threadCount(options);
  use.scratch = roundUpToPage(largestScratch(engine.plan())) * threadCount(options);
  for (uint64_t bytes : cache)
    use.cache += bytes;
  use.weights = WeightSource(engine).bytes();
  return use;
}

namespace {

Result<std::unique_ptr<Backend>> CpuBackend::create(std::shared_ptr<const EngineFile> engine,
                                                    const ExecutorOptions &options) {
  auto made = std::make_unique<CpuBackend>();
  made->engine = std::move(engine);
  const format::Plan &plan = made->engine->plan();
  INGOT_RETURN_IF_ERROR(made->chooseCode());
  INGOT_ASSIGN_OR_RETURN(made->used, cpuMemoryUse(*made->engine, options));
  INGOT_ASSIGN_OR_RETURN(made->bounds, orderBounds(plan, options));
  INGOT_ASSIGN_OR_RETURN(made->layout, layOutArenas(plan, made->bounds));
  INGOT_ASSIGN_OR_RETURN(made->arenas, Region::reserve(made->layout.bytes, "the arenas"));
  made->arenas.preferLargePages(0, made->layout.bytes);
  INGOT_ASSIGN_OR_RETURN(made->cache, CachePool::reserve(plan, options.cachePages));
  if (uint64_t bytes = localBytes(plan); bytes && threadCount(options) > 1) {
    INGOT_ASSIGN_OR_RETURN(made->own, Region::reserve(bytes * threadCount(options), "the workers' own rows"));
  }
  if (const WeightSource weights(*made->engine); weights.drawn()) {
    INGOT_ASSIGN_OR_RETURN(made->drawnWeights, Region::reserve(weights.bytes(), "drawn weights"));
    made->drawnWeights.preferLargePages(0, weights.bytes());
    weights.readPiece(0, {made->drawnWeights.data(), weights.bytes()}, threadCount(options));
  }
  INGOT_ASSIGN_OR_RETURN(made->pool, ThreadPool::create(threadCount(options), largestScratch(plan), made->used.weights));
  for (const format::Entry *entry : *plan.entries())
    INGOT_RETURN_IF_ERROR(made->compile(*entry));
  return std::unique_ptr<Backend>(std::move(made));
}

// Reads what the launch before it has computed.
Result<void> CpuBackend::settle(const CompiledEntry &entry, const format::SymbolSetting &setting,
                                std::span<int64_t> symbols, std::vector<bool> &settled) const {
  int64_t value;
  std::memcpy(&value, pointerTo(*entry.entry->buffers()->Get(setting.buffer())), sizeof value);
  return SymbolTable(engine->plan()).settle(*entry.entry, setting.symbol(), value, symbols, settled);
}

Result<void> CpuBackend::run(unsigned index, std::span<int64_t> symbols, std::span<const void *const> inputs,
                             std::span<void *const> outputs) {
  CompiledEntry &entry = entries[index];
  for (const ArgumentSlot &slot : entry.arguments) {
    void *&pointer = entry.pointers[slot.pointer];
    pointer = slot.output ? outputs[slot.index] : const_cast<void *>(inputs[slot.index]);
    if (pointer)
      continue;
    // Kernels may read where a tensor without elements would begin, such as an empty past that new rows follow, though they
    // take nothing of it: zeros that no memory is spent on.
    if (!nothing.data()) {
      INGOT_ASSIGN_OR_RETURN(nothing, Region::reserve(kNothing, "tensors without elements"));
    }
    pointer = nothing.data();
  }
  const auto &launches = *entry.entry->launches();
  const auto *settings = entry.entry->settings();
  const unsigned pieces = settings ? settings->size() + 1 : 1;
  if (times)
    times->assign(launches.size() * threads(), {});
  std::vector<bool> settled;
  // Up to each launch that a symbol's value comes from, and on with that value.
  for (unsigned piece = 0, first = 0; piece < pieces; ++piece) {
    const unsigned end = piece + 1 < pieces ? settings->Get(piece)->launch() + 1 : launches.size();
    for (unsigned i = first; i < launches.size(); ++i)
      entry.steps[i].tiles = uint32_t(unitsOf(*launches.Get(i), symbols, pool->workers(), entry.abis[i]));
    placeLocals(entry, pool->workers());
    const std::span<const Step> steps(entry.steps.data() + first, end - first);
    if (steps.empty() && pieces > 1) { // two values from one launch
      if (piece + 1 < pieces)
        INGOT_RETURN_IF_ERROR(settle(entry, *settings->Get(piece), symbols, settled));
      continue;
    }
    std::vector<StepTime> timed(times && pieces > 1 ? steps.size() * threads() : 0);
    StepTime *into = !times ? nullptr : pieces > 1 ? timed.data() : times->data();
    if (auto failure = pool->walk(steps, symbols.data(), into))
      return refusedBy(engine->plan(), *launches.Get(first + failure->step), failure->code);
    for (size_t worker = 0; !timed.empty() && worker < threads(); ++worker)
      std::copy_n(timed.data() + worker * steps.size(), steps.size(),
                  times->data() + worker * launches.size() + first);
    first = end;
    if (piece + 1 < pieces)
      INGOT_RETURN_IF_ERROR(settle(entry, *settings->Get(piece), symbols, settled));
  }
  return {};
}

} // namespace

Result<std::unique_ptr<Backend>> makeCpuBackend(std::shared_ptr<const EngineFile> engine,
                                                const ExecutorOptions &options) {
  return CpuBackend::create(std::move(engine), options);
}

} // namespace ingot::runtime
