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

__attribute__((target("avx2"))) void readAll(const uint8_t *data, uint64_t bytes) {
  const I8 *at = reinterpret_cast<const I8 *>(data);
  I8 a{}, b{}, c{}, d{};
  for (uint64_t i = 0; i + 4 <= bytes / sizeof(I8); i += 4) {
    a += at[i];
    b += at[i + 1];
    c += at[i + 2];
    d += at[i + 3];
  }
  a += b + c + d;
  asm volatile("" : "+x"(a)); // the sum must not be dropped
}

// 12 chains hide the latency of an FMA on two ports.
constexpr int kChains = 12;
constexpr int kRounds = 1 << 20;

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
    for (int pass = 0; pass < 4; ++pass)
      best = std::min(best, together(threads, [&](unsigned worker) { readAll(piece(worker), share); }));
    result.readBytesPerSecond = double(share * threads) / best;
  }
  bool wide = cpu.has("avx512f");
  double best = 1e9;
  for (int pass = 0; pass < 4; ++pass)
    best = std::min(best, together(threads, [&](unsigned) { wide ? multiplyAdd16() : multiplyAdd8(); }));
  result.f32OpsPerSecond = 2.0 * (wide ? 16 : 8) * kChains * kRounds * threads / best;
  result.width = wide ? "AVX-512" : "AVX2";
#endif
  return result;
}

} // namespace ingot::tool
