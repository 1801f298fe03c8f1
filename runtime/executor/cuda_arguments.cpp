// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See cuda_arguments.h.
#include "runtime/executor/cuda_arguments.h"

#include "runtime/executor/layout.h"
#include "runtime/executor/named.h"
#include "runtime/executor/sizes.h"

#include <algorithm>
#include <cstring>
#include <span>
#include <utility>

namespace ingot::runtime {

namespace {

constexpr uint64_t kAlignment = 256;
// Arguments of so many bytes and less, at the bounds, travel together.
constexpr uint64_t kSmall = 16 << 10;
// Inputs of more than this have one slot: page-locked memory is dear, and their runs are long.
constexpr uint64_t kTwice = 64 << 20;
// No argument has more bytes than this, so that their sum does not overflow.
constexpr uint64_t kLargest = 1ull << 44;
constexpr unsigned kWithoutTiming = 2; // CU_EVENT_DISABLE_TIMING

uint64_t alignUp(uint64_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

const EntryLink *linkTo(const std::vector<EntryLink> &links, std::string_view entry, std::string_view input) {
  for (const EntryLink &link : links)
    if (link.to == entry && link.input == input)
      return &link;
  return nullptr;
}

// Whether runs of the entry are given before the one before has ended: their outputs come back without being asked for.
bool runsAhead(const std::vector<EntryLink> &links, std::string_view entry) {
  return std::any_of(links.begin(), links.end(),
                     [&](const EntryLink &link) { return link.from == entry || link.to == entry; });
}

// Whether an output is for the caller.
bool isTold(const std::vector<EntryLink> &links, std::string_view entry, std::string_view output) {
  return std::none_of(links.begin(), links.end(),
                      [&](const EntryLink &link) { return link.from == entry && link.output == output && !link.told; });
}

} // namespace

CudaArguments::CudaArguments(CudaArguments &&other) noexcept { *this = std::move(other); }

CudaArguments &CudaArguments::operator=(CudaArguments &&other) noexcept {
  std::swap(device, other.device);
  std::swap(symbolCount, other.symbolCount);
  std::swap(memory, other.memory);
  std::swap(host, other.host);
  std::swap(entries, other.entries);
  std::swap(allErrors, other.allErrors);
  std::swap(errorBytes, other.errorBytes);
  std::swap(deviceBytes, other.deviceBytes);
  std::swap(hostBytes, other.hostBytes);
  return *this;
}

CudaArguments::~CudaArguments() {
  for (const Entry &entry : entries)
    for (const Slot &slot : entry.slots)
      if (slot.over)
        device->driver().EventDestroy(slot.over);
}

static bool equal(const format::Size &a, const format::Size &b) {
  const auto coefficients = [](const format::Size &size) {
    return size.coefficients() ? std::span<const int64_t>(size.coefficients()->data(), size.coefficients()->size())
                               : std::span<const int64_t>();
  };
  return a.constant() == b.constant() && std::ranges::equal(coefficients(a), coefficients(b));
}

Result<CudaArguments> CudaArguments::layOut(const format::Plan &plan, std::span<const int64_t> bounds, const std::vector<EntryLink> &links) {
  CudaArguments made;
  made.symbolCount = bounds.size();
  const auto &tables = *plan.entries();
  for (const format::Entry *table : tables)
    for (const auto *list : {table->inputs(), table->outputs()})
      for (const format::Argument *argument : *list)
        if (bytesOf(*argument, bounds) > kLargest)
          return makeError(ErrorCode::ResourceExhausted,
                           "%s of entry %s may have more than 2^44 bytes at these bounds; ask for smaller bounds",
                           quoted(argument->name()->string_view()).c_str(),
                           quoted(table->name()->string_view()).c_str());
  uint64_t total = 0, hostBytes = 0;
  std::vector<uint64_t> sentBytes;
  // Offsets first, addresses when there is memory.
  for (const format::Entry *table : tables) {
    Entry &entry = made.entries.emplace_back();
    entry.table = table;
    entry.inputs.resize(table->inputs()->size());
    entry.outputs.resize(table->outputs()->size());
    entry.symbols = total;
    for (const format::Launch *launch : *table->launches()) {
      int symbol = launch->tiles()->constant() == 0 ? symbolOf(*launch->tiles()) : -1;
      if (symbol < 0) { // layers have the same
        const auto like = std::ranges::find_if(
            entry.counted, [&](const format::Size *size) { return equal(*size, *launch->tiles()); });
        symbol = int(bounds.size() + size_t(like - entry.counted.begin()));
        if (like == entry.counted.end())
          entry.counted.push_back(launch->tiles());
      }
      entry.tiles.push_back(symbol);
    }
    uint64_t staged = alignUp(std::max<size_t>(1, bounds.size() + entry.counted.size()) * 8);
    for (bool small : {true, false}) {
      for (unsigned i = 0; i < table->inputs()->size(); ++i) {
        const format::Argument &argument = *table->inputs()->Get(i);
        const uint64_t bytes = alignUp(bytesOf(argument, bounds));
        if ((bytes <= kSmall) == small &&
            !linkTo(links, table->name()->string_view(), argument.name()->string_view())) {
          entry.inputs[i] = {total + staged, staged, small};
          staged += bytes;
        }
      }
      if (small)
        entry.smallBytes = staged;
    }
    total += staged;
    sentBytes.push_back(staged);
  }
  for (Entry &entry : made.entries) {
    entry.back = total;
    for (unsigned i = 0; i < entry.outputs.size(); ++i) {
      const format::Argument &argument = *entry.table->outputs()->Get(i);
      const uint64_t bytes = alignUp(bytesOf(argument, bounds));
      const std::string_view name = entry.table->name()->string_view();
      if ((bytes > kSmall && !runsAhead(links, name)) || !isTold(links, name, argument.name()->string_view()))
        continue;
      entry.outputs[i] = {total, total - entry.back, true};
      total += bytes;
      entry.tells = true;
    }
  }
  made.allErrors = total;
  for (Entry &entry : made.entries) {
    entry.errors = total;
    total += uint64_t(entry.table->launches()->size()) * 4;
  }
  made.errorBytes = total - made.allErrors;
  for (size_t e = 0; e < made.entries.size(); ++e) {
    Entry &entry = made.entries[e];
    entry.backBytes = total - entry.back;
    entry.slots.resize(sentBytes[e] <= kTwice ? 2 : 1);
    for (Slot &slot : entry.slots) {
      slot.sent = hostBytes;
      slot.back = slot.sent + sentBytes[e];
      hostBytes = alignUp(slot.back + entry.backBytes);
    }
  }
  total = alignUp(total);
  for (Entry &entry : made.entries)
    for (unsigned i = 0; i < entry.outputs.size(); ++i)
      if (!entry.outputs[i].small) {
        entry.outputs[i].address = total;
        total += alignUp(bytesOf(*entry.table->outputs()->Get(i), bounds));
      }
  // A linked input lies where the output does.
  for (Entry &entry : made.entries)
    for (unsigned i = 0; i < entry.inputs.size(); ++i) {
      const format::Argument &argument = *entry.table->inputs()->Get(i);
      const EntryLink *link = linkTo(links, entry.table->name()->string_view(), argument.name()->string_view());
      if (!link)
        continue;
      INGOT_ASSIGN_OR_RETURN(unsigned from, findNamed(tables, link->from, "entry"));
      INGOT_ASSIGN_OR_RETURN(unsigned output, findNamed(*tables.Get(from)->outputs(), link->output, "output"));
      if (bytesOf(argument, bounds) != bytesOf(*tables.Get(from)->outputs()->Get(output), bounds))
        return makeError(ErrorCode::Internal, "output %s and input %s differ in size and cannot be one",
                         link->output.c_str(), link->input.c_str());
      entry.inputs[i].address = made.entries[from].outputs[output].address;
    }

  made.deviceBytes = std::max(total, kAlignment);
  made.hostBytes = std::max(hostBytes, kAlignment);
  return std::move(made);
}

Result<CudaArguments> CudaArguments::create(const cuda::Device &device, const format::Plan &plan, std::span<const int64_t> bounds,
                                            const std::vector<EntryLink> &links) {
  INGOT_ASSIGN_OR_RETURN(CudaArguments made, layOut(plan, bounds, links));
  made.device = &device;
  INGOT_ASSIGN_OR_RETURN(made.memory, device.allocate(made.deviceBytes, "inputs and outputs", true));
  INGOT_ASSIGN_OR_RETURN(made.host, device.allocateHost(made.hostBytes, "inputs and outputs"));
  const cuda::Address base = made.memory.address();
  made.allErrors += base;
  for (Entry &entry : made.entries) {
    for (cuda::Address *address : {&entry.symbols, &entry.errors, &entry.back})
      *address += base;
    for (std::vector<Place> *list : {&entry.inputs, &entry.outputs})
      for (Place &place : *list)
        place.address += base;
    for (Slot &slot : entry.slots)
      if (cuda::Status status = device.driver().EventCreate(&slot.over, kWithoutTiming))
        return device.driver().failed(status, "runs cannot be waited for");
  }
  return std::move(made);
}

// All symbols, and the numbers of tiles that are counted behind them.
void CudaArguments::writeSymbols(const Entry &entry, uint8_t *to, std::span<const int64_t> symbols) const {
  std::memcpy(to, symbols.data(), symbols.size() * 8);
  for (size_t i = 0; i < entry.counted.size(); ++i) {
    const int64_t tiles = amount(entry.counted[i], symbols);
    std::memcpy(to + (symbolCount + i) * 8, &tiles, 8);
  }
}

Result<void> CudaArguments::sendSymbols(unsigned index, std::span<const int64_t> symbols) {
  const Entry &entry = entries[index];
  uint8_t *sent = host.data() + last(index).sent;
  writeSymbols(entry, sent, symbols);
  return device->upload(entry.symbols, sent, (symbolCount + entry.counted.size()) * 8);
}

Result<void> CudaArguments::send(unsigned index, std::span<const int64_t> symbols,
                                 std::span<const void *const> inputs) {
  Entry &entry = entries[index];
  entry.current = (entry.current + 1) % unsigned(entry.slots.size());
  Slot &slot = entry.slots[entry.current];
  if (slot.used)
    INGOT_RETURN_IF_ERROR(wait(index));
  slot.used = true;
  uint8_t *sent = host.data() + slot.sent;
  writeSymbols(entry, sent, symbols);
  for (unsigned i = 0; i < inputs.size(); ++i) {
    const uint64_t bytes = bytesOf(*entry.table->inputs()->Get(i), symbols);
    const Place &place = entry.inputs[i];
    if (!inputs[i] || bytes == 0 || place.staged == 0)
      continue;
    std::memcpy(sent + place.staged, inputs[i], bytes);
    if (!place.small)
      INGOT_RETURN_IF_ERROR(device->upload(place.address, sent + place.staged, bytes));
  }
  return device->upload(entry.symbols, sent, entry.smallBytes);
}

Result<void> CudaArguments::fetch(unsigned index, bool back) {
  const Entry &entry = entries[index];
  if (back)
    INGOT_RETURN_IF_ERROR(device->download(host.data() + last(index).back, entry.back, entry.backBytes));
  if (cuda::Status status = device->driver().EventRecord(last(index).over, device->stream()))
    return device->driver().failed(status, "a run of entry '" + entry.table->name()->str() + "' cannot be waited for");
  return {};
}

Result<void> CudaArguments::fetchLarge(unsigned index, std::span<const int64_t> symbols,
                                       std::span<void *const> outputs) const {
  const Entry &entry = entries[index];
  for (unsigned i = 0; i < outputs.size(); ++i)
    if (outputs[i] && !entry.outputs[i].small)
      INGOT_RETURN_IF_ERROR(
          device->download(outputs[i], entry.outputs[i].address, bytesOf(*entry.table->outputs()->Get(i), symbols)));
  return {};
}

Result<void> CudaArguments::wait(unsigned index) const {
  if (cuda::Status status = device->driver().EventSynchronize(last(index).over))
    return device->driver().failed(status, "entry '" + entries[index].table->name()->str() +
                                               "', or a run before it, failed on GPU " +
                                               std::to_string(device->facts().index));
  return {};
}

void CudaArguments::take(unsigned index, std::span<const int64_t> symbols, std::span<void *const> outputs) const {
  const Entry &entry = entries[index];
  for (unsigned i = 0; i < outputs.size(); ++i)
    if (outputs[i] && entry.outputs[i].small)
      std::memcpy(outputs[i], host.data() + last(index).back + entry.outputs[i].staged,
                  bytesOf(*entry.table->outputs()->Get(i), symbols));
}

std::optional<CudaArguments::Refusal> CudaArguments::refusal(unsigned index) const {
  const uint8_t *words = host.data() + last(index).back + (allErrors - entries[index].back);
  for (unsigned e = 0; e < entries.size(); ++e)
    for (unsigned launch = 0; launch < entries[e].table->launches()->size(); ++launch, words += 4) {
      int32_t code;
      std::memcpy(&code, words, 4);
      if (code != 0)
        return Refusal{e, launch, code};
    }
  return std::nullopt;
}

Result<void> CudaArguments::clearErrors() const {
  INGOT_RETURN_IF_ERROR(device->synchronize("a run"));
  if (cuda::Status status = device->driver().MemsetD8Async(allErrors, 0, errorBytes, device->stream()))
    return device->driver().failed(status, "errors cannot be cleared");
  return device->synchronize("clearing errors");
}

} // namespace ingot::runtime
