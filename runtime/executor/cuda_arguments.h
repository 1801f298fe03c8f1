// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Inputs and outputs of a plan's entries in device memory, and the page-locked memory through which they travel, so
// that a run can be given while the one before it is on the device. It launches nothing and checks no argument.
//
//   device   of each entry   symbols, small inputs | large inputs
//            of all          small outputs of each entry | an error word of each launch | large outputs
//   host     of each entry   one or two slots: what is sent, and what comes back
//
// What stands between bars travels in one copy; what comes back goes from the entry's small outputs to the last error
// word.
#ifndef INGOT_RUNTIME_EXECUTOR_CUDA_ARGUMENTS_H
#define INGOT_RUNTIME_EXECUTOR_CUDA_ARGUMENTS_H

#include "runtime/device/cuda/device.h"
#include "runtime/executor/executor.h"

#include <optional>
#include <span>
#include <vector>

namespace ingot::runtime {

class CudaArguments {
public:
  // Where everything lies, from 0 on; nothing is allocated.
  static Result<CudaArguments> layOut(const format::Plan &plan, std::span<const int64_t> bounds, const std::vector<EntryLink> &links);
  static Result<CudaArguments> create(const cuda::Device &device, const format::Plan &plan, std::span<const int64_t> bounds,
                                      const std::vector<EntryLink> &links);
  CudaArguments() = default;
  CudaArguments(CudaArguments &&) noexcept;
  CudaArguments &operator=(CudaArguments &&) noexcept;
  ~CudaArguments();

  cuda::Address input(unsigned entry, unsigned index) const { return entries[entry].inputs[index].address; }
  cuda::Address output(unsigned entry, unsigned index) const { return entries[entry].outputs[index].address; }
  cuda::Address symbols(unsigned entry) const { return entries[entry].symbols; }
  // Where the number of a launch's tiles stands among the symbols: it is one, or is counted behind them. [launches]
  std::span<const int32_t> tiles(unsigned entry) const { return entries[entry].tiles; }
  cuda::Address errors(unsigned entry) const { return entries[entry].errors; }
  uint64_t bytes() const { return deviceBytes; } // of device memory

  // Takes the entry's next slot, when the run that had it is over, and puts the copies of symbols and inputs on the
  // stream.
  Result<void> send(unsigned entry, std::span<const int64_t> symbols, std::span<const void *const> inputs);
  // Puts a copy of the symbols' new values on the stream, of a run that waits.
  Result<void> sendSymbols(unsigned entry, std::span<const int64_t> symbols);
  // Puts the copy of what comes back on the stream, and marks the end of the run. `back`: whether anything is to come
  // back.
  Result<void> fetch(unsigned entry, bool back);
  // Whether any output of the entry is to come back.
  bool tells(unsigned entry) const { return entries[entry].tells; }
  // Puts copies of large outputs on the stream, straight to the caller's memory.
  Result<void> fetchLarge(unsigned entry, std::span<const int64_t> symbols, std::span<void *const> outputs) const;
  // Waits for the last run of the entry.
  Result<void> wait(unsigned entry) const;
  // Of that run, which had come back: copies the small outputs that are not null.
  void take(unsigned entry, std::span<const int64_t> symbols, std::span<void *const> outputs) const;

  // The first launch whose kernel refused its input by then.
  struct Refusal {
    unsigned entry, launch;
    int code;
  };
  std::optional<Refusal> refusal(unsigned entry) const;
  // Forgets all refusals; runs that are on their way end first.
  Result<void> clearErrors() const;

private:
  struct Place {
    cuda::Address address = 0;
    uint64_t staged = 0; // offset in what is sent, or comes back
    bool small = false; // or of an entry whose runs are given ahead
  };
  struct Slot {
    uint64_t sent = 0, back = 0; // offsets in `host`
    cuda::Handle over = nullptr; // event
    bool used = false;
  };
  struct Entry {
    const format::Entry *table = nullptr;
    std::vector<Place> inputs, outputs;
    std::vector<int32_t> tiles;
    std::vector<const format::Size *> counted;
    cuda::Address symbols = 0, errors = 0, back = 0;
    uint64_t smallBytes = 0; // symbols and small inputs
    uint64_t backBytes = 0;  // from `back` to the last error word
    bool tells = false;
    std::vector<Slot> slots;
    unsigned current = 0; // the slot of the last run
  };
  void writeSymbols(const Entry &entry, uint8_t *to, std::span<const int64_t> symbols) const;
  const Slot &last(unsigned entry) const { return entries[entry].slots[entries[entry].current]; }

  const cuda::Device *device = nullptr;
  size_t symbolCount = 0;
  cuda::Memory memory;
  cuda::HostMemory host;
  std::vector<Entry> entries;
  cuda::Address allErrors = 0;
  uint64_t errorBytes = 0, deviceBytes = 0, hostBytes = 0;
};

} // namespace ingot::runtime

#endif
