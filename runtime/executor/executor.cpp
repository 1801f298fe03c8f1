// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See executor.h. At load each entry is flattened to steps whose operand pointers are final but for the entry's own
// arguments; a run writes those, evaluates the tile counts and walks.
#include "runtime/executor/executor.h"

#include "runtime/core/machine.h"
#include "runtime/device/cpu/code_image.h"
#include "runtime/device/cpu/thread_pool.h"

#include <algorithm>
#include <atomic>
#include <limits>
#include <optional>

namespace ingot::runtime {

namespace {

constexpr uint64_t kGranule = 4096;
constexpr uint32_t kLacking = 0xffffffff;

uint64_t roundUp(uint64_t bytes) { return (bytes + kGranule - 1) / kGranule * kGranule; }

// "a, b, c" of a list of named tables.
template <class Tables> std::string listNames(const Tables &tables) {
  std::string text;
  for (const auto *table : tables)
    text += (text.empty() ? "" : ", ") + quoted(table->name()->string_view());
  return text.empty() ? "none" : text;
}

template <class Tables> Result<unsigned> findNamed(const Tables &tables, std::string_view name, const char *what) {
  for (unsigned i = 0; i < tables.size(); ++i)
    if (tables.Get(i)->name()->string_view() == name)
      return i;
  return makeError(ErrorCode::NotFound, "the engine has no %s %s, it has %s", what, quoted(name).c_str(),
                   listNames(tables).c_str());
}

// The bounds in the order of the plan's symbols.
Result<std::vector<int64_t>> orderBounds(const format::Plan &plan, const ExecutorOptions &options) {
  constexpr int64_t kMost = std::numeric_limits<int32_t>::max();
  std::vector<int64_t> bounds(plan.symbols()->size(), -1);
  for (const auto &[name, bound] : options.bounds) {
    INGOT_ASSIGN_OR_RETURN(unsigned index, findNamed(*plan.symbols(), name, "symbol"));
    if (bounds[index] >= 0)
      return makeError(ErrorCode::InvalidArgument, "the bound of symbol %s is given twice", quoted(name).c_str());
    if (bound < 0 || bound > kMost)
      return makeError(ErrorCode::InvalidArgument, "the bound of symbol %s is %lld, expected 0 to %lld",
                       quoted(name).c_str(), static_cast<long long>(bound), static_cast<long long>(kMost));
    bounds[index] = bound;
  }
  for (unsigned i = 0; i < bounds.size(); ++i)
    if (bounds[i] < 0)
      return makeError(ErrorCode::InvalidArgument, "symbol %s has no bound; give every symbol's largest value",
                       quoted(plan.symbols()->Get(i)->name()->string_view()).c_str());
  return bounds;
}

// Where each symbol's arena starts in one allocation; the last one is the arena of constants.
struct ArenaLayout {
  std::vector<uint64_t> starts;
  uint64_t bytes = 0;
};

Result<ArenaLayout> layOutArenas(const format::Plan &plan, const std::vector<int64_t> &bounds) {
  ArenaLayout layout;
  for (unsigned i = 0; i <= bounds.size(); ++i) {
    bool constant = i == bounds.size();
    uint64_t unit = constant ? plan.arena_bytes_constant() : plan.arena_bytes()->Get(i);
    uint64_t bytes;
    layout.starts.push_back(layout.bytes);
    if (__builtin_mul_overflow(unit, constant ? 1 : uint64_t(bounds[i]), &bytes) ||
        __builtin_add_overflow(layout.bytes, bytes, &layout.bytes) || layout.bytes > (1ull << 62))
      return makeError(ErrorCode::ResourceExhausted,
                       "the arenas need more than 2^62 bytes (symbol %s: %llu bytes for each of %lld); ask for smaller "
                       "bounds",
                       constant ? "none" : quoted(plan.symbols()->Get(i)->name()->string_view()).c_str(),
                       static_cast<unsigned long long>(unit), constant ? 1ll : static_cast<long long>(bounds[i]));
    layout.bytes = roundUp(layout.bytes);
  }
  return layout;
}

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
  std::vector<unsigned> variants; // of each launch's kernel
  std::vector<LocalRows> locals;
};

// Rows are computed by every worker for itself where that takes about as long as a barrier: a few microseconds.
constexpr uint64_t kMostLocalRows = 16;
constexpr uint64_t kMostLocalBytes = 32 << 10;

bool computedWhole(uint64_t rows, uint64_t rowBytes) {
  return rows <= 1 || (rows <= kMostLocalRows && rows * rowBytes <= kMostLocalBytes);
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
  return roundUp(most * kMostLocalRows);
}

} // namespace

struct Executor::Impl {
  std::shared_ptr<const EngineFile> engine;
  VariantChoice choice;
  std::vector<std::optional<CodeImage>> images; // per variant, mapped when a kernel needs it
  std::vector<int64_t> bounds;
  ArenaLayout layout;
  Region arenas;
  Region own; // of each worker in turn, see localBytes
  CachePool cache;
  MemoryUse memory;
  std::unique_ptr<ThreadPool> pool;
  std::vector<CompiledEntry> entries;
  std::vector<StepTime> *profile = nullptr;
  std::atomic<bool> running{false};

  Result<void> chooseCode();
  Result<unsigned> variantOf(const format::Kernel &kernel);
  Result<void> compile(const format::Entry &entry);
  void findLocals(CompiledEntry &compiled);
  void placeLocals(CompiledEntry &entry, unsigned workers);
  void *pointerTo(const format::Buffer &buffer) const;
  Result<void> checkArguments(const format::Entry &entry, std::span<const int64_t> symbols,
                              std::span<const void *const> inputs, std::span<void *const> outputs) const;
  Error explain(const CompiledEntry &entry, StepFailure failure) const;
};

Result<void> Executor::Impl::chooseCode() {
  INGOT_ASSIGN_OR_RETURN(auto isa, isaRestriction());
  choice = chooseVariant(engine->head(), CpuFeatures::host(), isa);
  images.resize(choice.verdicts.size());
  if (choice.taken)
    return {};
  std::string reasons;
  for (const VariantVerdict *verdict : choice.byScore())
    reasons += "; " + verdict->name + " " + verdict->reason;
  return makeError(ErrorCode::Unsupported, "%s: none of its variants runs on this machine (%s)%s",
                   engine->path().c_str(), cpuName().c_str(), reasons.c_str());
}

// The best runnable variant that has the kernel; its image is mapped.
Result<unsigned> Executor::Impl::variantOf(const format::Kernel &kernel) {
  for (const VariantVerdict *verdict : choice.byScore()) {
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

void *Executor::Impl::pointerTo(const format::Buffer &buffer) const {
  switch (buffer.kind()) {
  case format::BufferKind::arena: {
    bool constant = buffer.symbol() < 0;
    size_t arena = constant ? bounds.size() : size_t(buffer.symbol());
    return arenas.data() + layout.starts[arena] + buffer.offset() * (constant ? 1 : uint64_t(bounds[arena]));
  }
  case format::BufferKind::weight:
    return const_cast<uint8_t *>(engine->weight(buffer.index()));
  case format::BufferKind::cache:
    return cache.plane(buffer.index(), buffer.layer(), buffer.plane());
  case format::BufferKind::input:
  case format::BufferKind::output:
    break;
  }
  return nullptr;
}

Result<void> Executor::Impl::compile(const format::Entry &entry) {
  const format::Plan &plan = engine->plan();
  CompiledEntry compiled{&entry, {}, 0, {}, {}, {}, {}};
  size_t operands = 0;
  for (const format::Launch *launch : *entry.launches())
    operands += launch->buffers()->size();
  // Steps point into it.
  const bool locals = pool->workers() > 1 && std::any_of(entry.launches()->begin(), entry.launches()->end(),
                                                         [](const format::Launch *l) { return l->local() >= 0; });
  compiled.perWorker = operands;
  compiled.pointers.reserve(operands * (locals ? pool->workers() : 1));
  for (const format::Launch *launch : *entry.launches()) {
    // Parts of rows add at most 8 units a worker.
    if (largestAmount(launch->tiles(), bounds) > int64_t(std::numeric_limits<uint32_t>::max()) - 8 * pool->workers())
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
  }
  if (locals)
    findLocals(compiled);
  entries.push_back(std::move(compiled));
  return {};
}

// Gives every worker pointers of its own to the operands of all launches, and notes which of them are local rows.
void Executor::Impl::findLocals(CompiledEntry &compiled) {
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
void Executor::Impl::placeLocals(CompiledEntry &entry, unsigned workers) {
  const uint64_t each = own.size() / workers;
  for (LocalRows &local : entry.locals) {
    Step &step = entry.steps[local.step];
    step.whole = computedWhole(step.tiles, local.rowBytes);
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

Result<MemoryUse> memoryUse(const EngineFile &engine, const ExecutorOptions &options) {
  INGOT_RETURN_IF_ERROR(checkThreads(options));
  INGOT_ASSIGN_OR_RETURN(auto bounds, orderBounds(engine.plan(), options));
  INGOT_ASSIGN_OR_RETURN(ArenaLayout layout, layOutArenas(engine.plan(), bounds));
  INGOT_ASSIGN_OR_RETURN(auto cache, cacheBytes(engine.plan(), options.cachePages));
  MemoryUse use;
  use.arenas = layout.bytes;
  if (threadCount(options) > 1)
    use.arenas += localBytes(engine.plan()) * threadCount(options);
  use.scratch = roundUp(largestScratch(engine.plan())) * threadCount(options);
  for (uint64_t bytes : cache)
    use.cache += bytes;
  use.weights = engine.section(format::Section::Weights).size();
  return use;
}

Result<std::unique_ptr<Executor>> Executor::create(std::shared_ptr<const EngineFile> engine,
                                                   const ExecutorOptions &options) {
  auto impl = std::make_unique<Impl>();
  impl->engine = std::move(engine);
  const format::Plan &plan = impl->engine->plan();
  INGOT_RETURN_IF_ERROR(impl->chooseCode());
  INGOT_ASSIGN_OR_RETURN(impl->memory, memoryUse(*impl->engine, options));
  INGOT_ASSIGN_OR_RETURN(impl->bounds, orderBounds(plan, options));
  INGOT_ASSIGN_OR_RETURN(impl->layout, layOutArenas(plan, impl->bounds));
  INGOT_ASSIGN_OR_RETURN(impl->arenas, Region::reserve(impl->layout.bytes, "the arenas"));
  INGOT_ASSIGN_OR_RETURN(impl->cache, CachePool::reserve(plan, options.cachePages));
  if (uint64_t bytes = localBytes(plan); bytes && threadCount(options) > 1) {
    INGOT_ASSIGN_OR_RETURN(impl->own, Region::reserve(bytes * threadCount(options), "the workers' own rows"));
  }
  INGOT_ASSIGN_OR_RETURN(impl->pool, ThreadPool::create(threadCount(options), largestScratch(plan)));
  for (const format::Entry *entry : *plan.entries())
    INGOT_RETURN_IF_ERROR(impl->compile(*entry));
  return std::unique_ptr<Executor>(new Executor(std::move(impl)));
}

Executor::Executor(std::unique_ptr<Impl> impl) : impl(std::move(impl)) {}
Executor::~Executor() = default;

const EngineFile &Executor::engine() const { return *impl->engine; }
unsigned Executor::threads() const { return impl->pool->workers(); }
const MemoryUse &Executor::memory() const { return impl->memory; }
const CachePool &Executor::cache() const { return impl->cache; }
const VariantChoice &Executor::choice() const { return impl->choice; }

Result<unsigned> Executor::entryIndex(std::string_view name) const {
  return findNamed(*plan().entries(), name, "entry");
}
Result<unsigned> Executor::symbolIndex(std::string_view name) const {
  return findNamed(*plan().symbols(), name, "symbol");
}
Result<unsigned> Executor::inputIndex(unsigned entry, std::string_view name) const {
  return findNamed(*plan().entries()->Get(entry)->inputs(), name, "input");
}
Result<unsigned> Executor::outputIndex(unsigned entry, std::string_view name) const {
  return findNamed(*plan().entries()->Get(entry)->outputs(), name, "output");
}

// A pointer for `argument` at these symbols.
static Result<void> checkPointer(const void *pointer, const format::Argument &argument, const char *what,
                                 std::span<const int64_t> symbols) {
  std::string_view name = argument.name()->string_view();
  uint64_t alignment = elementBytes(argument.type());
  if (!pointer && bytesOf(argument, symbols) != 0)
    return makeError(ErrorCode::InvalidArgument, "%s %s is null, expected %llu bytes", what, quoted(name).c_str(),
                     static_cast<unsigned long long>(bytesOf(argument, symbols)));
  if (reinterpret_cast<uintptr_t>(pointer) % alignment != 0)
    return makeError(ErrorCode::InvalidArgument, "%s %s is not aligned to its %u-byte elements", what,
                     quoted(name).c_str(), unsigned(alignment));
  return {};
}

Result<void> Executor::Impl::checkArguments(const format::Entry &entry, std::span<const int64_t> symbols,
                                            std::span<const void *const> inputs, std::span<void *const> outputs) const {
  const auto &table = *engine->plan().symbols();
  if (symbols.size() != table.size())
    return makeError(ErrorCode::InvalidArgument, "%zu symbol values, the engine has %u symbols: %s", symbols.size(),
                     table.size(), listNames(table).c_str());
  for (unsigned i = 0; i < symbols.size(); ++i)
    if (symbols[i] < 0 || symbols[i] > bounds[i])
      return makeError(ErrorCode::InvalidArgument, "symbol %s is %lld, expected 0 to its bound %lld",
                       quoted(table.Get(i)->name()->string_view()).c_str(), static_cast<long long>(symbols[i]),
                       static_cast<long long>(bounds[i]));
  if (inputs.size() != entry.inputs()->size() || outputs.size() != entry.outputs()->size())
    return makeError(ErrorCode::InvalidArgument, "entry %s takes %u inputs and %u outputs, %zu and %zu are given",
                     quoted(entry.name()->string_view()).c_str(), entry.inputs()->size(), entry.outputs()->size(),
                     inputs.size(), outputs.size());
  for (unsigned i = 0; i < inputs.size(); ++i)
    INGOT_RETURN_IF_ERROR(checkPointer(inputs[i], *entry.inputs()->Get(i), "input", symbols));
  for (unsigned i = 0; i < outputs.size(); ++i)
    INGOT_RETURN_IF_ERROR(checkPointer(outputs[i], *entry.outputs()->Get(i), "output", symbols));
  return {};
}

Error Executor::Impl::explain(const CompiledEntry &entry, StepFailure failure) const {
  const format::Launch &launch = *entry.entry->launches()->Get(failure.step);
  std::string node = quoted(launch.node() ? launch.node()->string_view() : "");
  std::string kernel = engine->plan().kernels()->Get(launch.kernel())->name()->str();
  // Code 1: see the templates' contracts in compiler/target/templates/params.h.
  if (failure.code == 1)
    return makeError(ErrorCode::InvalidArgument, "%s (kernel %s) refused its input: an index in it is out of range",
                     node.c_str(), kernel.c_str());
  return makeError(ErrorCode::Internal, "%s (kernel %s) failed with code %d", node.c_str(), kernel.c_str(),
                   failure.code);
}

Result<void> Executor::run(unsigned index, std::span<const int64_t> symbols, std::span<const void *const> inputs,
                           std::span<void *const> outputs) {
  if (index >= impl->entries.size())
    return makeError(ErrorCode::InvalidArgument, "entry %u does not exist, the engine has %zu", index,
                     impl->entries.size());
  CompiledEntry &entry = impl->entries[index];
  if (impl->running.exchange(true, std::memory_order_acquire))
    return makeError(ErrorCode::InvalidArgument, "another run is in progress; one executor runs one entry at a time");
  struct Done {
    std::atomic<bool> &running;
    ~Done() { running.store(false, std::memory_order_release); }
  } done{impl->running};
  INGOT_RETURN_IF_ERROR(impl->checkArguments(*entry.entry, symbols, inputs, outputs));
  for (const ArgumentSlot &slot : entry.arguments)
    entry.pointers[slot.pointer] = slot.output ? outputs[slot.index] : const_cast<void *>(inputs[slot.index]);
  const auto &launches = *entry.entry->launches();
  for (unsigned i = 0; i < launches.size(); ++i)
    entry.steps[i].tiles = uint32_t(unitsOf(*launches.Get(i), symbols, impl->pool->workers()));
  impl->placeLocals(entry, impl->pool->workers());
  StepTime *times = nullptr;
  if (impl->profile) {
    impl->profile->assign(launches.size() * threads(), {});
    times = impl->profile->data();
  }
  if (auto failure = impl->pool->walk(entry.steps, symbols.data(), times))
    return impl->explain(entry, *failure);
  return {};
}

Result<void> Executor::run(std::string_view entry, std::span<const int64_t> symbols,
                           std::span<const void *const> inputs, std::span<void *const> outputs) {
  INGOT_ASSIGN_OR_RETURN(unsigned index, entryIndex(entry));
  return run(index, symbols, inputs, outputs);
}

void Executor::profile(std::vector<StepTime> *into) { impl->profile = into; }

uint64_t Executor::barriers() const { return impl->pool->barriers(); }

LaunchInfo Executor::launch(unsigned entry, unsigned index) const {
  const format::Launch &launch = *plan().entries()->Get(entry)->launches()->Get(index);
  unsigned variant = impl->entries[entry].variants[index];
  return {launch.node() ? launch.node()->string_view() : std::string_view(),
          plan().kernels()->Get(launch.kernel())->name()->string_view(),
          engine().head().variants()->Get(variant)->name()->string_view(), launch.bytes_read(), launch.operations()};
}

} // namespace ingot::runtime
