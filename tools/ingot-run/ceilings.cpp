// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See ceilings.h. Vector types of the compiler rather than intrinsics, so that one body serves both widths.
#include "tools/ingot-run/ceilings.h"

#include "runtime/core/cpu_features.h"
#include "runtime/core/machine.h"
#include "runtime/core/memory.h"
#include "tools/ingot-run/common.h"

#include <nlohmann/json.hpp>

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

// 12 chains hide the latency of a multiply-add on two ports.
constexpr int kChains = 12;
// Long enough that the scheduler has spread the threads over the processors: some 20 ms a pass.
constexpr int kRounds = 1 << 23;

// One loop of `kChains` independent instructions. Operands are zeros: no value slows an instruction down, and AVX-512
// clocks do not depend on them.
#define INGOT_CHAINS(NAME, FEATURES, VECTOR, CONSTRAINT, INSTRUCTIONS)                                                 \
  __attribute__((target(FEATURES))) void NAME() {                                                                      \
    VECTOR sums[kChains] = {}, x{}, y{}, t{};                                                                          \
    asm volatile("" : "+" CONSTRAINT(x), "+" CONSTRAINT(y));                                                           \
    for (int round = 0; round < kRounds; ++round) {                                                                    \
      _Pragma("GCC unroll 12") for (int c = 0; c < kChains; ++c) asm volatile(                                         \
          INSTRUCTIONS : "+" CONSTRAINT(sums[c]), "=&" CONSTRAINT(t) : CONSTRAINT(x), CONSTRAINT(y));                  \
    }                                                                                                                  \
  }

INGOT_CHAINS(f32Wide8, "avx2,fma", F8, "x", "vfmadd231ps %3, %2, %0")
INGOT_CHAINS(f32Wide16, "avx512f", F16, "v", "vfmadd231ps %3, %2, %0")
INGOT_CHAINS(bf16Wide16, "avx512f,avx512bf16", F16, "v", "vdpbf16ps %3, %2, %0")
// Products of bytes without an instruction of their own: in 16 bits, which hold two products of -127..127, or widened.
INGOT_CHAINS(int8Bytes8, "avx2", F8, "x", "vpmaddubsw %3, %2, %1\n\tvpmaddwd %3, %1, %1\n\tvpaddd %1, %0, %0")
INGOT_CHAINS(int8Bytes16, "avx512f,avx512bw", F16, "v",
             "vpmaddubsw %3, %2, %1\n\tvpmaddwd %3, %1, %1\n\tvpaddd %1, %0, %0")
INGOT_CHAINS(int8Wide8, "avx2", F8, "x", "vpmaddwd %3, %2, %1\n\tvpaddd %1, %0, %0")
INGOT_CHAINS(int8Wide16, "avx512f,avx512bw", F16, "v", "vpmaddwd %3, %2, %1\n\tvpaddd %1, %0, %0")
INGOT_CHAINS(int8Vnni8, "avx2,avxvnni", F8, "x", "%{vex%} vpdpbusd %3, %2, %0")
INGOT_CHAINS(int8Vnni16, "avx512f,avx512vnni", F16, "v", "vpdpbusd %3, %2, %0")
#undef INGOT_CHAINS

// Palette 1, every tile 16 rows of 64 bytes.
struct alignas(64) TileConfig {
  uint8_t palette = 1, startRow = 0, reserved[14] = {};
  uint16_t columns[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};
constexpr int kTileRounds = 1 << 19;

// Two by two tiles of sums, as products are blocked.
#define INGOT_TILES(NAME, INSTRUCTION)                                                                                 \
  __attribute__((target("amx-tile"))) void NAME() {                                                                    \
    TileConfig config;                                                                                                 \
    asm volatile("ldtilecfg %0" ::"m"(config));                                                                        \
    asm volatile("tilezero %%tmm0\n\ttilezero %%tmm1\n\ttilezero %%tmm2\n\ttilezero %%tmm3\n\t"                        \
                 "tilezero %%tmm4\n\ttilezero %%tmm5\n\ttilezero %%tmm6\n\ttilezero %%tmm7" ::);                       \
    for (int round = 0; round < kTileRounds; ++round)                                                                  \
      asm volatile(INSTRUCTION " %%tmm6, %%tmm4, %%tmm0\n\t" INSTRUCTION " %%tmm7, %%tmm4, %%tmm1\n\t" INSTRUCTION     \
                               " %%tmm6, %%tmm5, %%tmm2\n\t" INSTRUCTION " %%tmm7, %%tmm5, %%tmm3" ::);                \
    asm volatile("tilerelease" ::);                                                                                    \
  }
INGOT_TILES(bf16Tiles, "tdpbf16ps")
INGOT_TILES(int8Tiles, "tdpbusd")
#undef INGOT_TILES

struct Product {
  Rate Ceilings::*rate;
  std::vector<const char *> features;
  void (*run)();
  double operations; // of one thread's run
  const char *with;
};

// Operations of a vector of `bits` whose lanes of `lane` bits each hold `products` products.
constexpr double inVector(int bits, int lane, int products) {
  return 2.0 * bits / lane * products * kChains * double(kRounds);
}
// 16 by 16 sums over 64 bytes of K, four times a round.
constexpr double inTiles(int elementBytes) { return 2.0 * 16 * 16 * (64.0 / elementBytes) * 4 * double(kTileRounds); }

const Product kProducts[] = {
    {&Ceilings::f32, {"avx2", "fma"}, f32Wide8, inVector(256, 32, 1), "vfmadd231ps, 256 bits"},
    {&Ceilings::f32, {"avx512f"}, f32Wide16, inVector(512, 32, 1), "vfmadd231ps, 512 bits"},
    {&Ceilings::bf16, {"avx512f", "avx512bf16"}, bf16Wide16, inVector(512, 32, 2), "vdpbf16ps, 512 bits"},
    {&Ceilings::bf16, {"amx_tile", "amx_bf16"}, bf16Tiles, inTiles(2), "tdpbf16ps"},
    {&Ceilings::int8, {"avx2"}, int8Bytes8, inVector(256, 32, 4), "vpmaddubsw, 256 bits"},
    {&Ceilings::int8, {"avx512f", "avx512bw"}, int8Bytes16, inVector(512, 32, 4), "vpmaddubsw, 512 bits"},
    {&Ceilings::int8, {"avx2"}, int8Wide8, inVector(256, 32, 2), "vpmaddwd, 256 bits"},
    {&Ceilings::int8, {"avx512f", "avx512bw"}, int8Wide16, inVector(512, 32, 2), "vpmaddwd, 512 bits"},
    {&Ceilings::int8, {"avx2", "avxvnni"}, int8Vnni8, inVector(256, 32, 4), "vpdpbusd, 256 bits"},
    {&Ceilings::int8, {"avx512f", "avx512vnni"}, int8Vnni16, inVector(512, 32, 4), "vpdpbusd, 512 bits"},
    {&Ceilings::int8, {"amx_tile", "amx_int8"}, int8Tiles, inTiles(1), "tdpbusd"},
};

#endif

} // namespace

Ceilings measureCeilings(unsigned threads) {
  Ceilings result;
#if defined(__x86_64__)
  const auto isa = runtime::isaRestriction(); // one that is not known was refused before
  const runtime::CpuFeatures cpu = isa.ok() && *isa ? runtime::featuresOf(**isa, runtime::CpuFeatures::host())
                                                    : runtime::CpuFeatures::host();
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
  for (const Product &product : kProducts) {
    if (!std::all_of(product.features.begin(), product.features.end(), [&](const char *name) { return cpu.has(name); }))
      continue;
    double best = 1e9;
    for (int pass = 0; pass < 3; ++pass)
      best = std::min(best, together(threads, [&](unsigned) { product.run(); }));
    Rate &rate = result.*product.rate;
    if (double found = product.operations * threads / best; found > rate.opsPerSecond)
      rate = {found, product.with};
  }
  if (result.bf16.opsPerSecond < result.f32.opsPerSecond)
    result.bf16 = result.f32;
#endif
  return result;
}

int ceilings(const CeilingsOptions &o) {
  unsigned threads = o.threads ? o.threads : runtime::defaultThreads();
  if (auto isa = runtime::isaRestriction(); !isa)
    return report(isa.error());
  Ceilings found = measureCeilings(threads);
  Result<void> told;
  if (o.json) {
    nlohmann::ordered_json object;
    object["threads"] = threads;
    object["read_bytes_per_second"] = found.readBytesPerSecond;
    for (auto [name, rate] : {std::pair{"f32", found.f32}, {"bf16", found.bf16}, {"int8", found.int8}}) {
      object[std::string(name) + "_ops_per_second"] = rate.opsPerSecond;
      object[std::string(name) + "_with"] = rate.with;
    }
    told = print(object.dump() + "\n");
  } else {
    char text[400];
    int size = std::snprintf(text, sizeof text, "%u threads\nreading memory  %8.1f GB/s\n", threads,
                             found.readBytesPerSecond * 1e-9);
    for (auto [name, rate] : {std::pair{"f32", found.f32}, {"bf16", found.bf16}, {"int8", found.int8}})
      size += std::snprintf(text + size, sizeof text - size_t(size), "products, %-5s %8.1f Gop/s  (%s)\n", name,
                            rate.opsPerSecond * 1e-9, rate.with);
    told = print(text);
  }
  if (told)
    told = flush();
  return told ? 0 : report(told.error());
}

} // namespace ingot::tool
