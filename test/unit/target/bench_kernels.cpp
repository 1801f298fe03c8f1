// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How fast kernels run on this machine, beside its ceilings: memory read and f32 arithmetic, measured there and then.
// Built for AVX2 itself. Of `sample` one row is measured on one thread.
//   bench_kernels [THREADS [PART OF A NAME [SET [ROWS OF PRODUCTS...]]]]
// Reads the images of bench.txt ($INGOT_TEST_IMAGES); every set that the machine has is measured.
#include "compiler/target/cpu/kernels/scratch.h"
#include "runtime/core/machine.h"
#include "test/unit/target/images.h"
#include "test/unit/target/reference.h"
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <thread>

using namespace ingot::test;

namespace {

using Clock = std::chrono::steady_clock;

// Of this machine.
ingot::runtime::CacheSizes caches() {
  static const ingot::runtime::CacheSizes sizes = ingot::runtime::cacheSizes();
  return sizes;
}

// Best of several runs of `work(thread)` on all threads at once, in seconds.
template <class Work> double best(unsigned threads, int repeats, Work work) {
  double least = 1e30;
  for (int i = 0; i < repeats; ++i) {
    auto start = Clock::now();
    std::vector<std::thread> others;
    for (unsigned t = 1; t < threads; ++t)
      others.emplace_back([&, t] { work(t); });
    work(0);
    for (std::thread &other : others)
      other.join();
    least = std::min(least, std::chrono::duration<double>(Clock::now() - start).count());
  }
  return least;
}

// Reads 512 MB in vectors, several streams of neighbouring lines a thread.
double readBandwidth(unsigned threads) {
  typedef float Vector __attribute__((vector_size(32)));
  size_t bytes = size_t(512) << 20;
  Buffer memory(bytes);
  std::vector<Vector> sums(threads * 4);
  double seconds = best(threads, 7, [&](unsigned t) {
    const Vector *p = memory.as<Vector>() + bytes / 32 * t / threads,
                 *end = memory.as<Vector>() + bytes / 32 * (t + 1) / threads;
    Vector a = {}, b = {}, c = {}, d = {};
    for (; p + 4 <= end; p += 4) {
      __builtin_prefetch(p + 64);
      __builtin_prefetch(p + 66);
      a += p[0];
      b += p[1];
      c += p[2];
      d += p[3];
    }
    sums[t * 4] = a + b + c + d;
  });
  volatile float keep = sums[0][0];
  (void)keep;
  return static_cast<double>(bytes) / seconds / 1e9;
}

// Multiply-adds in registers: what the instructions of AVX2 could do (wider sets do more).
double arithmetic(unsigned threads) {
  typedef float Vector __attribute__((vector_size(32)));
  constexpr int kSteps = 20'000'000;
  std::vector<Vector> sums(threads * 4);
  double seconds = best(threads, 5, [&](unsigned t) {
    Vector acc[10] = {};
    Vector x = {1, 2, 3, 4, 5, 6, 7, 8};
    for (int i = 0; i < kSteps; ++i) {
      for (Vector &v : acc)
        v = __builtin_elementwise_fma(x, x, v);
      asm volatile("" : "+x"(x));
    }
    for (Vector &v : acc)
      sums[t * 4] += v;
  });
  volatile float keep = sums[0][0];
  (void)keep;
  return threads * double(kSteps) * 10 * 16 / seconds / 1e9;
}

// What one product reads and does.
struct Product {
  const TestKernel &kernel;
  bool integers = kernel.templateName == "linear_int";
  bool quantized = integers || kernel.integer("weight_type") == 5;
  int n = kernel.integer("n"), k = kernel.integer("k"), kPadded = kernel.integer("k_padded");
  int outputs = kernel.integer("gated") ? 2 * n : n;
  int groups = quantized ? (k + kernel.integer("group") - 1) / kernel.integer("group") : 0;
  size_t values() const { // bytes
    size_t elements = static_cast<size_t>(outputs) * kPadded;
    if (quantized)
      return kernel.integer("layout") == 3 ? elements : elements / 2;
    return elements * static_cast<size_t>(bytesOf(kernel.integer("weight_type")));
  }
  size_t scales() const {
    return quantized
               ? static_cast<size_t>(outputs) * groups * static_cast<size_t>(bytesOf(kernel.integer("scale_type")))
               : 0;
  }
  size_t zeros() const {
    return quantized && kernel.integer("zeros") ? static_cast<size_t>(outputs) * static_cast<size_t>(groups) : 0;
  }
  size_t weightBytes() const { return values() + scales() + zeros(); }
  size_t rowBytes() const {
    return integers ? static_cast<size_t>(kPadded) + static_cast<size_t>(roundUp(4 + 4 * groups, 64))
                    : static_cast<size_t>(kPadded * bytesOf(kernel.integer("in_type")));
  }
};

double run(const Product &product, const TestSet &set, int rows, unsigned threads) {
  const TestKernel &kernel = product.kernel;
  const int out = kernel.integer("out_type"), stride = kernel.integer("out_stride");
  Buffer input(static_cast<size_t>(rows) * product.rowBytes()), weights(product.values()), scales(product.scales()),
      zeros(product.zeros()), result(static_cast<size_t>(rows) * stride * bytesOf(out));
  if (product.integers) {
    std::memset(input.get(), 1, input.size);
    for (int r = 0; r < rows; ++r) // the row's scale: results that are no subnormal numbers, which take their own time
      input.as<float>()[(static_cast<size_t>(r) * product.rowBytes() + static_cast<size_t>(product.kPadded)) / 4] = 1;
  }
  else
    for (size_t i = 0; i < input.size / static_cast<size_t>(bytesOf(kernel.integer("in_type"))); ++i)
      put(input.get(), kernel.integer("in_type"), i, 0.5);
  const int weight = product.quantized ? -1 : kernel.integer("weight_type");
  for (size_t i = 0; i < weights.size / 4; ++i)
    weights.as<uint32_t>()[i] = weight == kF32    ? 0x3c000000u
                                : weight == kBF16 ? 0x3c003c00u
                                : weight == kF16  ? 0x20002000u
                                                  : 0x51627384u;
  std::memset(scales.get(), 0x3c, scales.size);
  std::memset(zeros.get(), 7, zeros.size);
  std::vector<void *> buffers = {input.get(), weights.get()};
  if (product.quantized)
    buffers.push_back(scales.get());
  if (product.zeros())
    buffers.push_back(zeros.get());
  buffers.push_back(result.get());
  int64_t symbols[1] = {rows};
  auto function = reinterpret_cast<ingot_kernel>(reinterpret_cast<uintptr_t>(set.code) + kernel.at.at(set.name));
  uint32_t tiles = static_cast<uint32_t>((product.n + 15) / 16);
  tiles *= ingot_row_parts(rows, tiles, threads);
  std::vector<std::unique_ptr<Buffer>> scratch;
  for (unsigned t = 0; t < threads; ++t)
    scratch.push_back(std::make_unique<Buffer>(kernel.scratch));
  double work = 2.0 * rows * product.outputs * product.k;
  return best(threads, work > 2e10 ? 4 : 12, [&](unsigned t) {
    ingot_env env = {INGOT_KERNEL_ABI, t, threads, 0, caches().l1, caches().l2, caches().l3};
    function(&env, buffers.data(), symbols, tiles * t / threads, tiles * (t + 1) / threads, scratch[t]->get());
  });
}

// One row of logits as models make them: most of them far below a few (sums of uniforms, then a handful of peaks), or,
// flat, all of them near each other.
std::vector<float> logitsOf(int vocabulary, bool flat) {
  Numbers numbers(1);
  std::vector<float> logits(static_cast<size_t>(vocabulary));
  for (float &x : logits) {
    double sum = 0;
    for (int i = 0; i < 6; ++i)
      sum += numbers.next();
    x = static_cast<float>(sum * (flat ? 0.1 : 1.8));
  }
  for (int i = 0; i < 20 && !flat; ++i)
    logits[static_cast<size_t>(numbers.below(vocabulary))] = static_cast<float>(16 - 0.3 * i);
  return logits;
}

struct Sampling {
  const char *name;
  float temperature, topP, minP;
  int32_t topK;
  bool penalized;
};

// Seconds of one row of `sample`.
double run(const TestKernel &kernel, const TestSet &set, const Sampling &how, bool flat) {
  const int vocabulary = kernel.integer("vocabulary");
  std::vector<float> logits = logitsOf(vocabulary, flat);
  float temperature = how.temperature, topP = how.topP, minP = how.minP, repetition = how.penalized ? 1.1f : 1.0f,
        presence = 0, frequency = 0, logProbability;
  int32_t topK = how.topK, starts[2] = {0, how.penalized ? 1000 : 0}, maskRow = -1, id;
  int64_t seed = 1, counter = 2;
  uint32_t mask = 0;
  std::vector<int32_t> ids(1000), counts(1000, 1);
  for (size_t i = 0; i < ids.size(); ++i)
    ids[i] = static_cast<int32_t>(i) * 31;
  std::vector<void *> buffers = {logits.data(), &temperature, &topK, &topP,    &minP,          &repetition,
                                 &presence,     &frequency,   &seed, &counter, starts,         ids.data(),
                                 counts.data(), &maskRow,     &mask, &id,      &logProbability};
  auto function = reinterpret_cast<ingot_kernel>(reinterpret_cast<uintptr_t>(set.code) + kernel.at.at(set.name));
  Buffer scratch(kernel.scratch);
  ingot_env env = {INGOT_KERNEL_ABI, 0, 1, 0, caches().l1, caches().l2, caches().l3};
  int64_t symbols[1] = {1};
  return best(1, 200, [&](unsigned) { function(&env, buffers.data(), symbols, 0, 1, scratch.get()); });
}

// `tokens` tokens at the end of a context of one sequence, keys and values of several layers in turn so that none of
// them lies in a cache from the run before.
struct Attending {
  const TestKernel &kernel;
  int context, tokens;
  int heads = kernel.integer("kv_heads"), queries = kernel.integer("q_per_kv"), hd = kernel.integer("head_dim");
  int page = kernel.integer("page_tokens"), cache = kernel.integer("cache_type");
  int blocks = (context + page - 1) / page;
  size_t positions() const { return static_cast<size_t>(blocks) * static_cast<size_t>(page * heads); }
  size_t planeBytes() const { return positions() * static_cast<size_t>(hd * (cache == INGOT_I8 ? 1 : bytesOf(cache))); }
  double bytes() const { return 2.0 * static_cast<double>(planeBytes() + (cache == INGOT_I8 ? positions() * 4 : 0)); }
  double operations() const {
    double seen = 0;
    for (int t = 0; t < tokens; ++t)
      seen += context - tokens + t + 1;
    return 4.0 * seen * heads * queries * hd;
  }
};

// Seconds of one layer.
double run(const Attending &a, const TestSet &set, unsigned threads) {
  const size_t layers = std::max<size_t>(1, (size_t(64) << 20) / (2 * a.planeBytes()));
  std::vector<Buffer> keys, values;
  for (size_t l = 0; l < layers; ++l)
    for (std::vector<Buffer> *planes : {&keys, &values}) {
      Buffer &plane = planes->emplace_back(a.planeBytes());
      std::memset(plane.get(), 0x22, plane.size); // small and finite in every type
    }
  Buffer scales(a.positions() * 4);
  std::memset(scales.get(), 0x3c, scales.size);
  const size_t tokens = static_cast<size_t>(a.tokens), width = static_cast<size_t>(a.heads * (a.queries + 2) * a.hd);
  std::vector<float> qkv(tokens * width, 0.25f), angles(tokens * static_cast<size_t>(a.hd), 1.0f),
      partials(ingot::kernels::partialBytes({roundUp(a.hd, 16), a.queries}, a.page) * static_cast<size_t>(a.blocks) /
               4),
      out(tokens * static_cast<size_t>(a.kernel.integer("out_stride")));
  std::vector<int32_t> slots(tokens), positions(tokens), starts = {0, a.tokens}, lengths = {a.context},
                                                         table(static_cast<size_t>(a.blocks));
  for (int t = 0; t < a.tokens; ++t)
    slots[static_cast<size_t>(t)] = positions[static_cast<size_t>(t)] = a.context - a.tokens + t;
  for (int i = 0; i < a.blocks; ++i)
    table[static_cast<size_t>(i)] = i;
  const int64_t symbols[3] = {a.tokens, 1, a.blocks};
  std::vector<std::vector<void *>> operands;
  for (size_t l = 0; l < layers; ++l) {
    std::vector<void *> &buffers = operands.emplace_back(
        std::vector<void *>{qkv.data(), angles.data(), slots.data(), keys[l].get(), values[l].get()});
    if (a.cache == INGOT_I8)
      buffers.insert(buffers.end(), 2, scales.get());
    for (void *rest : {static_cast<void *>(positions.data()), static_cast<void *>(starts.data()),
                       static_cast<void *>(lengths.data()), static_cast<void *>(table.data()),
                       static_cast<void *>(partials.data()), static_cast<void *>(out.data())})
      buffers.push_back(rest);
  }
  auto function = reinterpret_cast<ingot_kernel>(reinterpret_cast<uintptr_t>(set.code) + a.kernel.at.at(set.name));
  std::vector<std::unique_ptr<Buffer>> scratch;
  for (unsigned t = 0; t < threads; ++t)
    scratch.push_back(std::make_unique<Buffer>(a.kernel.scratch));
  const uint32_t tiles = ingot::kernels::kAttentionTiles;
  return best(threads, a.operations() > 1e10 ? 3 : 12,
              [&](unsigned t) {
                ingot_env env = {INGOT_KERNEL_ABI, t, threads, 0, caches().l1, caches().l2, caches().l3};
                for (const std::vector<void *> &buffers : operands)
                  function(&env, buffers.data(), symbols, tiles * t / threads, tiles * (t + 1) / threads,
                           scratch[t]->get());
              }) /
         static_cast<double>(layers);
}

// Attention over given keys and values: as many keys as queries.
double run(const TestKernel &kernel, const TestSet &set, int batch, int tokens, unsigned threads) {
  const int kvHeads = kernel.integer("kv_heads"), heads = kvHeads * kernel.integer("q_per_kv"),
            depth = kernel.integer("head_dim"), width = kernel.integer("value_dim");
  const size_t rows = static_cast<size_t>(batch * tokens);
  std::vector<float> query(rows * static_cast<size_t>(heads * depth)), key(rows * static_cast<size_t>(kvHeads * depth)),
      value(rows * static_cast<size_t>(kvHeads * width)), bias(rows, 0.0f),
      out(rows * static_cast<size_t>(heads * width));
  Numbers numbers(1);
  for (std::vector<float> *values : {&query, &key, &value})
    for (float &x : *values)
      x = static_cast<float>(numbers.next());
  std::vector<void *> buffers = {query.data(), key.data(), value.data()};
  if (kernel.integer("bias"))
    buffers.push_back(bias.data());
  buffers.push_back(out.data());
  const int64_t symbols[3] = {batch, tokens, tokens};
  auto function = reinterpret_cast<ingot_kernel>(reinterpret_cast<uintptr_t>(set.code) + kernel.at.at(set.name));
  std::vector<std::unique_ptr<Buffer>> scratch;
  for (unsigned t = 0; t < threads; ++t)
    scratch.push_back(std::make_unique<Buffer>(kernel.scratch));
  const uint32_t tiles = static_cast<uint32_t>(batch * tokens * heads);
  return best(threads, 60, [&](unsigned t) {
    ingot_env env = {INGOT_KERNEL_ABI, t, threads, 0, caches().l1, caches().l2, caches().l3};
    function(&env, buffers.data(), symbols, tiles * t / threads, tiles * (t + 1) / threads, scratch[t]->get());
  });
}

} // namespace

int main(int argc, char **argv) {
  unsigned threads = argc > 1 ? static_cast<unsigned>(std::atoi(argv[1])) : 1;
  const std::string part = argc > 2 ? argv[2] : "", only = argc > 3 ? argv[3] : "";
  std::vector<int> rowCounts = {1, 2, 4, 8, 16, 128, 512, 1024};
  if (argc > 4) {
    rowCounts.clear();
    for (int i = 4; i < argc; ++i)
      rowCounts.push_back(std::atoi(argv[i]));
  }
  double bandwidth = readBandwidth(threads);
  std::printf("%u threads, memory read %.1f GB/s, AVX2 multiply-adds %.1f GFLOP/s\n", threads, bandwidth,
              arithmetic(threads));
  for (const TestSet &set : Images::get().sets()) {
    if (!set.runs || set.native || (!only.empty() && set.name != only))
      continue;
    std::vector<const TestKernel *> kernels = Images::get().kernels("linear", &set);
    for (const TestKernel *kernel : Images::get().kernels("linear_int", &set))
      kernels.push_back(kernel);
    for (const TestKernel *kernel : kernels) {
      if (kernel->name.rfind("bench-", 0) != 0 || kernel->name.find(part) == std::string::npos)
        continue;
      const Product product{*kernel};
      std::printf("%-10s %-28s", set.name.c_str(), kernel->name.c_str());
      for (int rows : rowCounts) {
        double seconds = run(product, set, rows, threads);
        double bytes = static_cast<double>(product.weightBytes()),
               operations = 2.0 * product.outputs * product.k * rows;
        std::printf("  %3d: %5.1f GB/s (%3.0f%%) %6.1f GOP/s", rows, bytes / seconds / 1e9,
                    bytes / seconds / 1e7 / bandwidth, operations / seconds / 1e9);
        std::fflush(stdout);
      }
      std::printf("\n");
    }
    for (const TestKernel *kernel : Images::get().kernels("attention", &set)) {
      if (kernel->name.rfind("bench-", 0) != 0 || kernel->name.find(part) == std::string::npos)
        continue;
      std::printf("%-10s %-28s", set.name.c_str(), kernel->name.c_str());
      for (auto [context, tokens] : {std::pair{1024, 1}, {8192, 1}, {32768, 1}, {512, 512}, {2048, 512}}) {
        const Attending attending{*kernel, context, tokens};
        double seconds = run(attending, set, threads);
        std::printf("  %d of %d: %5.1f GB/s (%3.0f%%) %6.1f GFLOP/s", tokens, context,
                    attending.bytes() / seconds / 1e9, attending.bytes() / seconds / 1e7 / bandwidth,
                    attending.operations() / seconds / 1e9);
        std::fflush(stdout);
      }
      std::printf("\n");
    }
    for (const TestKernel *kernel : Images::get().kernels("sdpa", &set)) {
      if (kernel->name.rfind("bench-", 0) != 0 || kernel->name.find(part) == std::string::npos)
        continue;
      std::printf("%-10s %-28s", set.name.c_str(), kernel->name.c_str());
      for (auto [batch, tokens] : {std::pair{1, 16}, {1, 128}, {8, 128}, {1, 512}, {1, 2048}}) {
        double seconds = run(*kernel, set, batch, tokens, threads);
        const double seen = kernel->integer("causal") ? (tokens + 1) / 2.0 : tokens; // keys of a query
        const double operations = 2.0 * batch * tokens * seen * kernel->integer("kv_heads") *
                                  kernel->integer("q_per_kv") *
                                  (kernel->integer("head_dim") + kernel->integer("value_dim"));
        std::printf("  %d x %d: %7.1f us %6.1f GFLOP/s", batch, tokens, seconds * 1e6, operations / seconds / 1e9);
        std::fflush(stdout);
      }
      std::printf("\n");
    }
    for (const TestKernel *kernel : Images::get().kernels("sample", &set)) {
      if (kernel->name.rfind("bench-", 0) != 0 || kernel->name.find(part) == std::string::npos)
        continue;
      for (const Sampling &how :
           {Sampling{"greedy", 0, 1, 0, 0, false}, Sampling{"temperature", 0.8f, 1, 0, 0, false},
            Sampling{"top-p", 0.8f, 0.95f, 0, 0, false}, Sampling{"min-p", 0.8f, 1, 0.05f, 0, false},
            Sampling{"top-k, top-p, min-p", 0.8f, 0.95f, 0.05f, 40, false},
            Sampling{"the same, penalized", 0.8f, 0.95f, 0.05f, 40, true}})
        std::printf("%-10s %-20s  %-20s  %6.1f us, flat logits %6.1f us\n", set.name.c_str(), kernel->name.c_str(),
                    how.name, run(*kernel, set, how, false) * 1e6, run(*kernel, set, how, true) * 1e6);
    }
  }
}
