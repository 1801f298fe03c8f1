// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See ceilings.h. Vector types of the compiler rather than intrinsics, so that one body serves both widths.
#include "tools/ingot-run/ceilings.h"

#include "runtime/core/cpu_features.h"
#include "runtime/core/machine.h"
#include "runtime/core/memory.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <thread>
#include <vector>

namespace ingot::tool {
namespace {

using Clock = std::chrono::steady_clock;

// Runs work(worker) on all threads at once; the seconds from the common start until the last is done.
double together(unsigned threads, const std::function<void(unsigned)> &work) {
  std::atomic<unsigned> ready{0};
  std::atomic<bool> go{false};
  std::vector<std::thread> others;
  auto body = [&](unsigned worker) {
    ready.fetch_add(1);
    while (!go.load(std::memory_order_acquire))
      std::this_thread::yield();
    work(worker);
  };
  for (unsigned w = 1; w < threads; ++w)
    others.emplace_back(body, w);
  while (ready.load() != threads - 1)
    std::this_thread::yield();
  Clock::time_point start = Clock::now();
  go.store(true, std::memory_order_release);
  work(0);
  for (std::thread &thread : others)
    thread.join();
  return std::chrono::duration<double>(Clock::now() - start).count();
}

#if defined(__x86_64__)

using F8 = float __attribute__((vector_size(32)));
using F16 = float __attribute__((vector_size(64)));
using I8 = int64_t __attribute__((vector_size(32)));

// Reads `streams` parts of the data side by side, each line of 64 bytes fetched `ahead` bytes early (0: left to the
// hardware). Which of these forms is the fastest differs from machine to machine; the ceiling is the best of them.
template <unsigned streams, unsigned ahead>
__attribute__((target("avx2"))) void readAll(const uint8_t *data, uint64_t bytes) {
  const uint64_t part = bytes / streams / 64 * 64;
  I8 sums[streams][2] = {};
  for (uint64_t i = 0; i < part; i += 64)
    for (unsigned s = 0; s < streams; ++s) {
      const uint8_t *at = data + s * part + i;
      if (ahead)
        __builtin_prefetch(at + ahead);
      sums[s][0] += reinterpret_cast<const I8 *>(at)[0];
      sums[s][1] += reinterpret_cast<const I8 *>(at)[1];
    }
  I8 sum{};
  for (unsigned s = 0; s < streams; ++s)
    sum += sums[s][0] + sums[s][1];
  asm volatile("" : "+x"(sum)); // the sum must not be dropped
}
constexpr void (*kReaders[])(const uint8_t *, uint64_t) = {readAll<1, 0>,    readAll<1, 1024>, readAll<1, 2048>,
                                                           readAll<1, 4096>, readAll<4, 0>,    readAll<4, 1024>};

// 12 chains hide the latency of an FMA on two ports.
constexpr int kChains = 12;
// Long enough that the scheduler has spread the threads over the processors: some 20 ms a pass.
constexpr int kRounds = 1 << 23;

__attribute__((target("avx2,fma"))) void multiplyAdd8() {
  F8 sums[kChains] = {}, x{}, y{};
  for (int i = 0; i < 8; ++i)
    x[i] = 0.999f, y[i] = 0.001f;
  asm volatile("" : "+x"(x), "+x"(y));
  for (int round = 0; round < kRounds; ++round) {
#pragma GCC unroll 12
    for (int c = 0; c < kChains; ++c)
      asm volatile("vfmadd231ps %2, %1, %0" : "+x"(sums[c]) : "x"(x), "x"(y));
  }
}

__attribute__((target("avx512f"))) void multiplyAdd16() {
  F16 sums[kChains] = {}, x{}, y{};
  for (int i = 0; i < 16; ++i)
    x[i] = 0.999f, y[i] = 0.001f;
  asm volatile("" : "+v"(x), "+v"(y));
  for (int round = 0; round < kRounds; ++round) {
#pragma GCC unroll 12
    for (int c = 0; c < kChains; ++c)
      asm volatile("vfmadd231ps %2, %1, %0" : "+v"(sums[c]) : "v"(x), "v"(y));
  }
}

#endif

} // namespace

Ceilings measureCeilings(unsigned threads) {
  Ceilings result;
#if defined(__x86_64__)
  const runtime::CpuFeatures &cpu = runtime::CpuFeatures::host();
  if (!cpu.has("avx2") || !cpu.has("fma"))
    return result;
  // Several times the last-level cache, within a quarter of the memory.
  uint64_t bytes = std::max<uint64_t>(256ull << 20, 4 * runtime::cacheSizes().l3);
  bytes = std::min({bytes, runtime::memoryLimit() / 4, uint64_t(2) << 30});
  uint64_t share = bytes / threads / 4096 * 4096;
  if (auto memory = runtime::Region::reserve(share * threads, "the measurement of memory")) {
    auto piece = [&](unsigned worker) { return memory->data() + worker * share; };
    together(threads, [&](unsigned worker) { std::fill_n(piece(worker), share, uint8_t(worker + 1)); });
    double best = 1e9;
    for (int pass = 0; pass < 3; ++pass)
      for (auto reader : kReaders)
        best = std::min(best, together(threads, [&](unsigned worker) { reader(piece(worker), share); }));
    result.readBytesPerSecond = double(share * threads) / best;
  }
  bool wide = cpu.has("avx512f");
  double best = 1e9;
  for (int pass = 0; pass < 4; ++pass)
    best = std::min(best, together(threads, [&](unsigned) { wide ? multiplyAdd16() : multiplyAdd8(); }));
  result.f32OpsPerSecond = 2.0 * (wide ? 16 : 8) * kChains * double(kRounds) * threads / best;
  result.width = wide ? "AVX-512" : "AVX2";
#endif
  return result;
}

} // namespace ingot::tool
