// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// linear and linear_int on the simulated device, every function of every product of linear.txt, by the checks that the
// CPU's have (test/unit/target/linear_checks.h, linear_int_checks.h).
#include "test/unit/cuda/cuda_run.h"
#include "test/unit/cuda/linear_cases.h"
#include "test/unit/cuda/linear_mistakes.h"
#include "test/unit/target/linear_int_checks.h"

#include <dlfcn.h>
#include <gtest/gtest-spi.h>

using namespace ingot::test;
using ingot::target::cuda::Function;

namespace {

const std::vector<LinearCase> &cases() {
  static const std::vector<LinearCase> all = [] {
    const char *list = std::getenv("INGOT_LINEAR_LIST"); // where the tests run elsewhere than where they were built
    return linearCases(list ? list : INGOT_LINEAR_LIST);
  }();
  return all;
}

// Runs one function of a product.
Run onFunction(const LinearCase &c, const Function &f, uint64_t seed, void (*code)(ingot_cuda_args) = nullptr) {
  CudaCase one;
  one.kernel = c.kernel;
  one.kernel.name += " by " + f.suffix;
  one.functions = {f};
  one.code = {CudaKernel(linearSymbol(c.kernel.name, f), code)};
  return [one, seed](const TestKernel &, const std::vector<Operand> &operands, const std::vector<int64_t> &symbols,
                     uint32_t tiles, uint32_t pieces) {
    CudaOptions options;
    options.seed = seed;
    options.multiprocessors = pieces;
    return runCuda(one, operands, symbols, tiles, options);
  };
}

// What a product may be wrong by, of its size: linear_operands.h.
double productError(const TestKernel &kernel) {
  const int in = kernel.integer("in_type"), weight = kernel.integer("weight_type");
  return in == kF32 && weight == kF32                                       ? 0x1p-26
         : (in == kF32 && weight == kF16) || (in == kF16 && weight == kF32) ? 0x1p-27
                                                                            : 0.0;
}

// Some rows that a function serves, up to all of its tiles' edges.
std::vector<int> rowsFor(const Function &f, const TestKernel &kernel) {
  std::vector<int> rows;
  const bool large = kernel.integer("n") * kernel.integer("k") > 40000;
  for (int count : {1, 7, 8, 9, 16, 17, 33, 64, 65, 130, 300})
    if (count <= f.rowsMost && (!large || count != 300) && (f.rowsMost > 1000 || count * 4 > f.rowsMost))
      rows.push_back(count);
  return rows;
}

void check(const LinearCase &c, const Function &f, const std::vector<int> &rows, uint64_t seed, uint32_t multiprocessors,
           void (*code)(ingot_cuda_args) = nullptr) {
  const Run run = onFunction(c, f, seed, code);
  if (c.kernel.templateName == "linear")
    checkLinear(c.kernel, run, rows, seed, multiprocessors, productError(c.kernel));
  else
    checkLinearInt(c.kernel, run, rows, seed, multiprocessors, 8);
}

TEST(CudaLinearTest, SharedMemoryFitsEveryArchitecture) {
  for (const LinearCase &c : cases())
    for (const Function &f : c.functions)
      EXPECT_LE(f.sharedBytes, 99u * 1024) << c.kernel.name << " " << f.suffix;
}

#ifdef INGOT_LINEAR_MISTAKES // on the simulated device alone
bool says(const std::string &text, const std::string &words) {
  for (size_t from = 0; from <= words.size();) {
    const size_t to = std::min(words.find('|', from), words.size());
    if (text.find(words.substr(from, to - from)) != std::string::npos)
      return true;
    from = to + 1;
  }
  return false;
}

// Each mistake that is put into the device source fails these tests, with every seed.
TEST(CudaLinearTest, MistakesAreNoticed) {
  for (int i = 0; i < kLinearMistakesCount; ++i) {
    const LinearMistake &mistake = kLinearMistakes[i];
    const std::string path = std::string(INGOT_LINEAR_MISTAKES) + std::to_string(i) + ".so";
    void *library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    ASSERT_NE(library, nullptr) << dlerror();
    const auto code = reinterpret_cast<void (*)(ingot_cuda_args)>(dlsym(library, "mistaken"));
    int tried = 0;
    for (const LinearCase &c : cases())
      for (const Function &f : c.functions) {
        if (c.kernel.name != mistake.product || f.suffix != mistake.function)
          continue;
        for (uint64_t seed : {1, 2, 3}) {
          ++tried;
          testing::TestPartResultArray failures;
          {
            testing::ScopedFakeTestPartResultReporter reporter(
                testing::ScopedFakeTestPartResultReporter::INTERCEPT_ONLY_CURRENT_THREAD, &failures);
            check(c, f, {mistake.rows}, seed, 1, code);
          }
          std::string all;
          for (int j = 0; j < failures.size(); ++j)
            all += std::string(failures.GetTestPartResult(j).message()) + "\n";
          EXPECT_TRUE(says(all, mistake.words))
              << "mistake " << i << " of " << mistake.header << " with seed " << seed << ": " << all;
        }
      }
    EXPECT_EQ(tried, 3) << mistake.product << " by " << mistake.function;
    dlclose(library);
  }
}

#endif

class CudaProductTest : public testing::TestWithParam<size_t> {};

TEST_P(CudaProductTest, AgreesWithSumsInF64) {
  const LinearCase &c = cases()[GetParam()];
  for (const Function &f : c.functions)
    check(c, f, rowsFor(f, c.kernel), GetParam() + 1, static_cast<uint32_t>(GetParam() % 7 + 1));
}

// Sums of one sign, whose truncated parts would add up. Rounded to nearest once in 16 k, errors of 188 additions wander by
// some 14 halves of 2^-23, and one truncation within 16 k adds 2^-24 on average: 2^-19 is twice what that makes at worst; 1,128
// truncations of the whole sum would make 2^-15.
TEST(CudaLinearTest, SumsOfOneSignStayNear) {
  for (const LinearCase &c : cases()) {
    if (c.kernel.name != "f32-f32-n20-k3000")
      continue;
    for (const Function &f : c.functions) {
      LinearProblem p(c.kernel, static_cast<int>(std::min<int64_t>(f.rowsMost, 9)), 1);
      for (std::vector<double> *values : {&p.input, &p.weights})
        for (double &x : *values)
          x = std::fabs(x);
      const LinearResult result = runLinear(c.kernel, onFunction(c, f, 1), p, 2);
      for (int r = 0; r < p.rows; ++r)
        for (int i = 0; i < p.s.n; ++i) {
          double sum = 0;
          for (int k = 0; k < p.s.k; ++k)
            sum += p.input[static_cast<size_t>(r * p.s.k + k)] * p.weights[static_cast<size_t>(i * p.s.k + k)];
          EXPECT_NEAR(result.out.as<float>()[r * p.s.stride + i], sum, 0x1p-19 * sum) << f.suffix;
        }
    }
  }
}

// Only the order of threads and blocks differs: no bit may.
TEST_P(CudaProductTest, OrderChangesNoBit) {
  const LinearCase &c = cases()[GetParam()];
  for (const Function &f : c.functions) {
    const int rows = static_cast<int>(std::min<int64_t>(f.rowsMost, 9));
    auto result = [&](uint64_t seed) {
      const auto run = onFunction(c, f, seed);
      const auto pieces = static_cast<uint32_t>(seed);
      return c.kernel.templateName == "linear" ? runLinear(c.kernel, run, LinearProblem(c.kernel, rows, 3), pieces)
                                               : runLinearInt(c.kernel, run, IntProblem(c.kernel, rows, 3), pieces);
    };
    const LinearResult first = result(1);
    for (uint64_t seed : {2, 5}) {
      const LinearResult again = result(seed);
      EXPECT_TRUE(again.out == first.out && again.stats == first.stats) << c.kernel.name << " by " << f.suffix;
    }
  }
}

TEST_P(CudaProductTest, OutMayBeTheBufferOfResidual) {
  const LinearCase &c = cases()[GetParam()];
  if (!c.kernel.integer("residual") || c.kernel.integer("out_type") != kF32 ||
      c.kernel.integer("out_stride") != c.kernel.integer("n"))
    GTEST_SKIP() << "it has no such buffers";
  for (const Function &f : c.functions) {
    const auto run = onFunction(c, f, 4);
    const int rows = static_cast<int>(std::min<int64_t>(f.rowsMost, 70));
    if (c.kernel.templateName == "linear") {
      const LinearProblem p(c.kernel, rows, 3);
      EXPECT_TRUE(runLinear(c.kernel, run, p, 2).out == runLinear(c.kernel, run, p, 2, true).out) << c.kernel.name;
    } else {
      const IntProblem p(c.kernel, rows, 3);
      EXPECT_TRUE(runLinearInt(c.kernel, run, p, 2).out == runLinearInt(c.kernel, run, p, 2, true).out)
          << c.kernel.name;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Products, CudaProductTest, testing::Range<size_t>(0, cases().size()), [](const auto &info) {
  std::string name = cases()[info.param].kernel.name;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

} // namespace
