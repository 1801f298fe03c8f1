// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See cuda_program.h.
#include "runtime/executor/cuda_program.h"

#include "runtime/executor/sizes.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <map>

namespace ingot::runtime {

int64_t gridExtent(const format::GridSize &extent, int64_t tiles, std::span<const int64_t> symbols) {
  int64_t sum = 0, part = 0;
  if (__builtin_mul_overflow(extent.tiles(), tiles, &part) ||
      __builtin_add_overflow(amount(extent.size(), symbols), part, &sum))
    return std::numeric_limits<int64_t>::max();
  return sum <= 0 ? 0 : sum / extent.per() + (sum % extent.per() != 0);
}

std::vector<uint64_t> workspacesAt(const format::Plan &plan, std::span<const int64_t> bounds) {
  const auto &kernels = *plan.kernels();
  std::vector<uint64_t> bytes(kernels.size(), 0);
  for (const format::Entry *entry : *plan.entries())
    for (const format::Launch *launch : *entry->launches()) {
      const format::Kernel &kernel = *kernels.Get(launch->kernel());
      if (!kernel.cuda())
        continue;
      const int64_t tiles = std::max<int64_t>(0, largestAmount(launch->tiles(), bounds));
      for (const format::CudaFunction *function : *kernel.cuda())
        if (function->workspace())
          bytes[launch->kernel()] = std::max(bytes[launch->kernel()], uint64_t(gridExtent(*function->workspace(), tiles, bounds)));
    }
  return bytes;
}

Result<CudaProgram> CudaProgram::create(cuda::Device &device, const format::Plan &plan,
                                        const std::vector<CudaEntryMemory> &memory, std::span<const int64_t> bounds,
                                        bool deterministic, bool early) {
  CudaProgram program;
  program.device = &device;
  program.early = early;
  const auto &kernels = *plan.kernels();
  std::map<std::string, cuda::Handle> found;
  for (uint64_t bytes : workspacesAt(plan, bounds)) {
    INGOT_ASSIGN_OR_RETURN(cuda::Memory workspace, device.allocate(bytes, "a kernel's workspace", true));
    program.workspaces.push_back(std::move(workspace));
    program.workspaceTotal += bytes;
  }
  for (unsigned e = 0; e < plan.entries()->size(); ++e) {
    std::vector<Launch> &launches = program.entries.emplace_back();
    for (const format::Launch *table : *plan.entries()->Get(e)->launches()) {
      Launch launch{table, {}};
      const format::Kernel &kernel = *kernels.Get(table->kernel());
      ingot_cuda_args args{};
      for (unsigned i = 0; i < table->buffers()->size() && kernel.cuda(); ++i)
        args.buffers[i] = reinterpret_cast<void *>(memory[e].buffers[table->buffers()->Get(i)]);
      args.workspace = reinterpret_cast<void *>(program.workspaces[table->kernel()].address());
      args.error = reinterpret_cast<int32_t *>(memory[e].errors + launches.size() * 4);
      for (unsigned i = 0; kernel.cuda() && i < kernel.cuda()->size(); ++i) {
        const format::CudaFunction &function = *kernel.cuda()->Get(i);
        if (deterministic && function.rows_symbol() >= 0)
          continue;
        const std::string name = function.name()->str();
        auto [at, fresh] = found.try_emplace(name, nullptr);
        if (fresh) {
          INGOT_ASSIGN_OR_RETURN(at->second, device.function(name, function.shared_bytes()));
        }
        args.symbols = reinterpret_cast<const int64_t *>(memory[e].symbols + uint64_t(function.first_symbol()) * 8);
        args.tiles_symbol = memory[e].tiles[launches.size()] - int32_t(function.first_symbol());
        launch.choices.push_back({&function, at->second, args});
      }
      launches.push_back(std::move(launch));
    }
  }
  return std::move(program);
}

Result<void> CudaProgram::launchOne(const Launch &launch, std::span<const int64_t> symbols) {
  const int64_t tiles = std::max<int64_t>(0, amount(launch.table->tiles(), symbols));
  int64_t stage = -1; // that was launched
  for (const Choice &choice : launch.choices) {
    const format::CudaFunction &function = *choice.table;
    if (int64_t(function.stage()) == stage)
      continue;
    if (function.rows_symbol() >= 0 && symbols[size_t(function.rows_symbol())] > function.rows_most())
      continue;
    stage = function.stage();
    cuda::LaunchConfig config{};
    bool any = true;
    for (unsigned i = 0; i < 3; ++i) {
      int64_t blocks = i < function.grid()->size() ? gridExtent(*function.grid()->Get(i), tiles, symbols) : 1;
      if (i == 0 && function.blocks_per_multiprocessor())
        blocks = std::min(blocks, int64_t(function.blocks_per_multiprocessor()) * device->facts().multiprocessors);
      any = any && blocks > 0;
      const int64_t most = i == 0 ? 0x7fffffff : 65535;
      if (blocks > most)
        return makeError(ErrorCode::InvalidArgument,
                         "%s needs a grid of %lld blocks at these sizes, a GPU takes %lld; use smaller steps (--chunk)",
                         quoted(launch.table->node() ? launch.table->node()->string_view() : "").c_str(),
                         static_cast<long long>(blocks), static_cast<long long>(most));
      config.grid[i] = unsigned(blocks);
    }
    if (!any)
      continue;
    config.block[0] = function.threads();
    config.block[1] = config.block[2] = 1;
    config.sharedBytes = function.shared_bytes();
    config.stream = device->stream();
    cuda::LaunchAttribute attribute{};
    attribute.id = cuda::kProgrammaticSerialization;
    attribute.value[0] = 1;
    if (early) {
      config.attributes = &attribute;
      config.attributeCount = 1;
    }
    void *parameters[] = {const_cast<ingot_cuda_args *>(&choice.args)};
    if (cuda::Status status = device->driver().LaunchKernelEx(&config, choice.function, parameters, nullptr))
      return device->driver().failed(
          status, quoted(launch.table->node() ? launch.table->node()->string_view() : "") + " (kernel " +
                      function.name()->str() + ") could not be launched on GPU " +
                      std::to_string(device->facts().index));
  }
  return {};
}

Result<void> CudaProgram::launch(unsigned entry, Piece piece, std::span<const int64_t> symbols) {
  for (unsigned i = piece.first; i < piece.end; ++i)
    INGOT_RETURN_IF_ERROR(launchOne(entries[entry][i], symbols));
  return {};
}

Result<void> CudaProgram::launchTimed(unsigned entry, Piece piece, std::span<const int64_t> symbols,
                                      std::span<StepTime> times) {
  const cuda::Driver &driver = device->driver();
  struct Events {
    const cuda::Driver &driver;
    std::vector<cuda::Handle> list;
    ~Events() {
      for (cuda::Handle event : list)
        driver.EventDestroy(event);
    }
  } events{driver, {}};
  auto record = [&]() -> Result<void> {
    cuda::Handle event = nullptr;
    cuda::Status status = driver.EventCreate(&event, 0);
    if (!status) {
      events.list.push_back(event);
      status = driver.EventRecord(event, device->stream());
    }
    return status ? Result<void>(driver.failed(status, "launches cannot be timed")) : Result<void>();
  };
  INGOT_RETURN_IF_ERROR(device->synchronize("copying inputs"));
  const auto began = std::chrono::steady_clock::now().time_since_epoch();
  INGOT_RETURN_IF_ERROR(record());
  for (unsigned i = piece.first; i < piece.end; ++i) {
    INGOT_RETURN_IF_ERROR(launchOne(entries[entry][i], symbols));
    INGOT_RETURN_IF_ERROR(record());
  }
  INGOT_RETURN_IF_ERROR(device->synchronize("a timed run"));
  int64_t at = std::chrono::duration_cast<std::chrono::nanoseconds>(began).count();
  for (size_t i = 0; i + 1 < events.list.size(); ++i) {
    float milliseconds = 0;
    if (cuda::Status status = driver.EventElapsedTime(&milliseconds, events.list[i], events.list[i + 1]))
      return driver.failed(status, "launches cannot be timed");
    const int64_t end = at + int64_t(double(milliseconds) * 1e6);
    times[piece.first + i] = {at, end, end};
    at = end;
  }
  return {};
}

} // namespace ingot::runtime
