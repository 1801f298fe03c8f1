// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See executor.h: what is the same for every device. It checks what a caller gives; the device's backend runs it.
#include "runtime/executor/executor.h"

#include "runtime/executor/backend.h"
#include "runtime/executor/layout.h"
#include "runtime/executor/named.h"

#include <atomic>
#include <utility>

namespace ingot::runtime {

Result<MemoryUse> memoryUse(const EngineFile &engine, const ExecutorOptions &options) {
  return options.device.cuda ? cudaMemoryUse(engine, options) : cpuMemoryUse(engine, options);
}

struct Executor::Impl {
  std::shared_ptr<const EngineFile> engine;
  SymbolTable symbols;
  std::vector<int64_t> bounds;
  std::unique_ptr<Backend> backend;
  std::vector<EntryLink> links;
  std::vector<int64_t> settled; // symbols' values of the last run
  std::atomic<bool> running{false};

  explicit Impl(std::shared_ptr<const EngineFile> file) : engine(std::move(file)), symbols(engine->plan()) {}

  const format::Entry &entry(unsigned index) const { return *engine->plan().entries()->Get(index); }
  // Holds the executor for one call.
  struct Hold {
    std::atomic<bool> *running;
    explicit Hold(std::atomic<bool> &running) : running(&running) {}
    Hold(Hold &&other) noexcept : running(std::exchange(other.running, nullptr)) {}
    ~Hold() {
      if (running)
        running->store(false, std::memory_order_release);
    }
  };
  Result<Hold> hold(unsigned entry) {
    const uint32_t entries = engine->plan().entries()->size();
    if (entry >= entries)
      return makeError(ErrorCode::InvalidArgument, "entry %u does not exist, the engine has %u", entry, entries);
    if (running.exchange(true, std::memory_order_acquire))
      return makeError(ErrorCode::InvalidArgument, "another run is in progress; one executor runs one entry at a time");
    return Hold(running);
  }
  // Whether an argument may be null, as it stays on the device.
  bool stays(const format::Entry &entry, const format::Argument &argument, bool output) const {
    for (const EntryLink &link : links)
      if ((output ? link.from : link.to) == entry.name()->string_view() &&
          (output ? link.output : link.input) == argument.name()->string_view())
        return true;
    return false;
  }

  Result<void> checkSymbols(const format::Entry &entry, std::span<const int64_t> values) const;
  Result<void> checkInputs(const format::Entry &entry, std::span<const int64_t> symbols,
                           std::span<const void *const> inputs) const;
  Result<void> checkOutputs(const format::Entry &entry, std::span<const int64_t> symbols,
                            std::span<void *const> outputs) const;
};

Result<DeviceName> parseDevice(std::string_view text) {
  if (text == "cpu")
    return DeviceName{};
  if (text == "cuda")
    return DeviceName{true, 0};
  constexpr std::string_view kCuda = "cuda:";
  std::string_view digits = text.starts_with(kCuda) ? text.substr(kCuda.size()) : std::string_view();
  if (digits.empty() || digits.size() > 3 || digits.find_first_not_of("0123456789") != std::string_view::npos)
    return makeError(ErrorCode::InvalidArgument, "no device %s; there are cpu, cuda (the first GPU) and cuda:N",
                     quoted(text).c_str());
  return DeviceName{true, unsigned(std::stoul(std::string(digits)))};
}

Result<std::unique_ptr<Executor>> Executor::create(std::shared_ptr<const EngineFile> engine,
                                                   const ExecutorOptions &options) {
  auto impl = std::make_unique<Impl>(engine);
  if (options.device.cuda) {
    INGOT_ASSIGN_OR_RETURN(impl->backend, makeCudaBackend(engine, options));
  } else {
    INGOT_ASSIGN_OR_RETURN(impl->backend, makeCpuBackend(engine, options));
  }
  INGOT_ASSIGN_OR_RETURN(impl->bounds, orderBounds(engine->plan(), options));
  if (options.device.cuda)
    impl->links = options.links;
  return std::unique_ptr<Executor>(new Executor(std::move(impl)));
}

Executor::Executor(std::unique_ptr<Impl> impl) : impl(std::move(impl)) {}
Executor::~Executor() = default;

const EngineFile &Executor::engine() const { return *impl->engine; }
const SymbolTable &Executor::symbols() const { return impl->symbols; }
unsigned Executor::threads() const { return impl->backend->threads(); }
const MemoryUse &Executor::memory() const { return impl->backend->memory(); }
const CachePool *Executor::hostCache() const { return impl->backend->hostCache(); }
const VariantChoice &Executor::choice() const { return impl->backend->choice(); }
std::string Executor::device() const { return impl->backend->describe(); }

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

Result<void> Executor::Impl::checkSymbols(const format::Entry &entry, std::span<const int64_t> values) const {
  const auto &table = *engine->plan().symbols();
  if (values.size() != table.size())
    return makeError(ErrorCode::InvalidArgument, "%zu symbol values, the engine has %u symbols: %s", values.size(),
                     table.size(), listNames(table).c_str());
  for (unsigned i = 0; i < values.size(); ++i)
    if (values[i] < 0 || values[i] > bounds[i])
      return makeError(ErrorCode::InvalidArgument, "symbol %s is %lld, expected 0 to its bound %lld",
                       quoted(symbols.name(i)).c_str(), static_cast<long long>(values[i]),
                       static_cast<long long>(bounds[i]));
  if (!symbols.anyDerived())
    return {};
  std::vector<int64_t> completed(values.begin(), values.end());
  INGOT_RETURN_IF_ERROR(symbols.complete(entry, completed));
  for (unsigned i = 0; i < values.size(); ++i)
    if (values[i] != completed[i])
      return makeError(ErrorCode::InvalidArgument, "symbol %s is %lld, but %s is %lld", quoted(symbols.name(i)).c_str(),
                       static_cast<long long>(values[i]), symbols.expression(i).c_str(),
                       static_cast<long long>(completed[i]));
  return {};
}

Result<void> Executor::Impl::checkInputs(const format::Entry &entry, std::span<const int64_t> symbols,
                                         std::span<const void *const> inputs) const {
  if (inputs.size() != entry.inputs()->size())
    return makeError(ErrorCode::InvalidArgument, "entry %s takes %u inputs, %zu are given",
                     quoted(entry.name()->string_view()).c_str(), entry.inputs()->size(), inputs.size());
  for (unsigned i = 0; i < inputs.size(); ++i)
    if (inputs[i] || !stays(entry, *entry.inputs()->Get(i), false))
      INGOT_RETURN_IF_ERROR(checkPointer(inputs[i], *entry.inputs()->Get(i), "input", symbols));
  return {};
}

Result<void> Executor::Impl::checkOutputs(const format::Entry &entry, std::span<const int64_t> symbols,
                                          std::span<void *const> outputs) const {
  if (outputs.size() != entry.outputs()->size())
    return makeError(ErrorCode::InvalidArgument, "entry %s has %u outputs, room for %zu is given",
                     quoted(entry.name()->string_view()).c_str(), entry.outputs()->size(), outputs.size());
  for (unsigned i = 0; i < outputs.size(); ++i)
    if (outputs[i] || !stays(entry, *entry.outputs()->Get(i), true))
      INGOT_RETURN_IF_ERROR(checkPointer(outputs[i], *entry.outputs()->Get(i), "output", symbols));
  return {};
}

Result<void> Executor::run(unsigned index, std::span<const int64_t> symbols, std::span<const void *const> inputs,
                           std::span<void *const> outputs) {
  INGOT_ASSIGN_OR_RETURN(Impl::Hold held, impl->hold(index));
  INGOT_RETURN_IF_ERROR(impl->checkSymbols(impl->entry(index), symbols));
  INGOT_RETURN_IF_ERROR(impl->checkInputs(impl->entry(index), symbols, inputs));
  INGOT_RETURN_IF_ERROR(impl->checkOutputs(impl->entry(index), symbols, outputs));
  impl->settled.assign(symbols.begin(), symbols.end());
  return impl->backend->run(index, impl->settled, inputs, outputs);
}

Result<void> Executor::start(unsigned index, std::span<const int64_t> symbols, std::span<const void *const> inputs) {
  INGOT_ASSIGN_OR_RETURN(Impl::Hold held, impl->hold(index));
  INGOT_RETURN_IF_ERROR(impl->checkSymbols(impl->entry(index), symbols));
  INGOT_RETURN_IF_ERROR(impl->checkInputs(impl->entry(index), symbols, inputs));
  return impl->backend->start(index, symbols, inputs);
}

Result<void> Executor::finish(unsigned index, std::span<const int64_t> symbols, std::span<void *const> outputs) {
  INGOT_ASSIGN_OR_RETURN(Impl::Hold held, impl->hold(index));
  INGOT_RETURN_IF_ERROR(impl->checkSymbols(impl->entry(index), symbols));
  INGOT_RETURN_IF_ERROR(impl->checkOutputs(impl->entry(index), symbols, outputs));
  impl->settled.assign(symbols.begin(), symbols.end());
  return impl->backend->finish(index, symbols, outputs);
}

std::span<const int64_t> Executor::settled() const { return impl->settled; }

Result<void> Executor::run(std::string_view entry, std::span<const int64_t> symbols,
                           std::span<const void *const> inputs, std::span<void *const> outputs) {
  INGOT_ASSIGN_OR_RETURN(unsigned index, entryIndex(entry));
  return run(index, symbols, inputs, outputs);
}

void Executor::profile(std::vector<StepTime> *into) { impl->backend->profile(into); }

uint64_t Executor::barriers() const { return impl->backend->barriers(); }

LaunchInfo Executor::launch(unsigned entry, unsigned index) const {
  const format::Launch &launch = *plan().entries()->Get(entry)->launches()->Get(index);
  return {launch.node() ? launch.node()->string_view() : std::string_view(),
          plan().kernels()->Get(launch.kernel())->name()->string_view(), impl->backend->variantOf(entry, index),
          launch.bytes_read(), launch.operations()};
}

} // namespace ingot::runtime
