// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Functions that came through linalg (functions.mlir) against their formulas in f64, with any number of rows and any
// split of the tiles.
#include "test/unit/target/images.h"
#include "test/unit/target/reference.h"
#include <cstring>
#include <functional>
#include <gtest/gtest.h>
#include <limits>

using namespace ingot::test;

namespace {

constexpr int64_t kRows = 37, kPicked = 11, kJoined = 3 * 35, kJoinedMore = 3 * 35 * 9;

struct Case {
  const char *kernel;
  std::vector<size_t> inputs; // elements
  size_t outputs;
  int64_t tiles;
  int type;     // of inputs and output
  double error; // relative to 1 + the size of the value
  // Element i of the output.
  std::function<double(const std::vector<std::vector<double>> &, size_t)> formula;
};

double softmaxOf(const std::vector<double> &x, size_t first, size_t stride, size_t count, size_t at) {
  double most = -INFINITY, sum = 0;
  for (size_t i = 0; i < count; ++i)
    most = std::max(most, x[first + i * stride]);
  for (size_t i = 0; i < count; ++i)
    sum += std::exp(x[first + i * stride] - most);
  return std::exp(x[at] - most) / sum;
}

double gelu(double x) { return 0.5 * x * (1 + std::erf(x / std::sqrt(2.0))); }

// Errors: a few units in the last place of f32 (6e-8) per step; sums over a row add up to sqrt(length) of them.
const std::vector<Case> &cases() {
  using Inputs = const std::vector<std::vector<double>> &;
  static const std::vector<Case> all = {
      {"softmax-f32-rowsx1000",
       {kRows * 1000},
       kRows * 1000,
       kRows,
       kF32,
       1e-6,
       [](Inputs in, size_t i) { return softmaxOf(in[0], i / 1000 * 1000, 1, 1000, i); }},
      {"softmax-f32-rowsx3x7",
       {kRows * 21},
       kRows * 21,
       kRows,
       kF32,
       1e-6,
       [](Inputs in, size_t i) { return softmaxOf(in[0], i / 7 * 7, 1, 7, i); }},
      {"softmax-f32-rowsx9x37",
       {kRows * 333},
       kRows * 333,
       kRows,
       kF32,
       1e-6,
       [](Inputs in, size_t i) { return softmaxOf(in[0], i / 333 * 333 + i % 37, 37, 9, i); }},
      {"layer_norm-f32-rowsx200",
       {kRows * 200, 200, 200},
       kRows * 200,
       kRows,
       kF32,
       3e-6,
       [](Inputs in, size_t i) {
         double mean = 0, squares = 0;
         for (size_t k = 0; k < 200; ++k)
           mean += in[0][i / 200 * 200 + k] / 200;
         for (size_t k = 0; k < 200; ++k)
           squares += std::pow(in[0][i / 200 * 200 + k] - mean, 2) / 200;
         return (in[0][i] - mean) / std::sqrt(squares + 1e-5) * in[1][i % 200] + in[2][i % 200];
       }},
      {"transpose-f32-40xrows",
       {kRows * 40},
       kRows * 40,
       40,
       kF32,
       0,
       [](Inputs in, size_t i) { return in[0][i % kRows * 40 + i / kRows]; }},
      {"transpose-f32-rowsx33x5",
       {kRows * 165},
       kRows * 165,
       kRows,
       kF32,
       0,
       [](Inputs in, size_t i) { return in[0][i / 165 * 165 + i % 5 * 33 + i % 165 / 5]; }},
      {"gelu-tanh-mul-silu-f32-rowsx100",
       {kRows * 100, kRows * 100},
       kRows * 100,
       kRows,
       kF32,
       1e-6,
       [](Inputs in, size_t i) {
         double x = gelu(in[0][i]) * std::tanh(in[1][i]);
         return x / (1 + std::exp(-x));
       }},
      // Each step rounds to bf16, and so does the last.
      {"neg-exp-bf16-rowsx50",
       {kRows * 50},
       kRows * 50,
       kRows,
       kBF16,
       0x1p-8,
       [](Inputs in, size_t i) { return std::exp(-in[0][i]); }},
      {"reduce-f32-1x24",
       {kRows * 24},
       24,
       1,
       kF32,
       0,
       [](Inputs in, size_t i) {
         double most = -INFINITY;
         for (size_t r = 0; r < kRows; ++r)
           most = std::max(most, in[0][r * 24 + i]);
         return most;
       }},
      {"reduce-f32-rows",
       {kRows * 77},
       kRows,
       kRows,
       kF32,
       1e-6,
       [](Inputs in, size_t i) {
         double sum = 0;
         for (size_t k = 0; k < 77; ++k)
           sum += in[0][i * 77 + k];
         return sum / 77;
       }},
      // An elementary function of the one number that is left of a row.
      {"pow-f32-rows",
       {kRows * 77},
       kRows,
       kRows,
       kF32,
       1e-6,
       [](Inputs in, size_t i) {
         double sum = 0;
         for (size_t k = 0; k < 77; ++k)
           sum += in[0][i * 77 + k];
         return std::fabs(sum / 77);
       }},
      {"rope-f32-rowsx2x40",
       {kRows * 80, kRows * 24},
       kRows * 80,
       kRows,
       kF32,
       1e-6,
       [](Inputs in, size_t i) {
         size_t d = i % 40, row = i / 80;
         if (d >= 24)
           return in[0][i];
         double c = in[1][row * 24 + d % 12], s = in[1][row * 24 + 12 + d % 12];
         return d < 12 ? in[0][i] * c - in[0][i + 12] * s : in[0][i] * c + in[0][i - 12] * s;
       }},
      // Products, of each row's matrices (ragged in all dimensions, k longer than a panel) and of rows by one matrix: products are up to 16, so that
      // sums near 100 are rounded by 4e-6, 300 and 70 times, of which the square root adds up.
      {"matmul-f32-rowsx29x37",
       {kRows * 29 * 300, kRows * 300 * 37},
       kRows * 29 * 37,
       kRows,
       kF32,
       1e-4,
       [](Inputs in, size_t i) {
         const size_t row = i / (29 * 37), m = i / 37 % 29, n = i % 37;
         double sum = 0;
         for (size_t k = 0; k < 300; ++k)
           sum += in[0][(row * 29 + m) * 300 + k] * in[1][(row * 300 + k) * 37 + n];
         return sum;
       }},
      {"matmul-f32-rowsx50",
       {kRows * 70, 70 * 50},
       kRows * 50,
       kRows,
       kF32,
       4e-5,
       [](Inputs in, size_t i) {
         double sum = 0;
         for (size_t k = 0; k < 70; ++k)
           sum += in[0][i / 50 * 70 + k] * in[1][k * 50 + i % 50];
         return sum;
       }},
      {"split-f32-rowsx50",
       {kRows * 90},
       kRows * 50,
       kRows,
       kF32,
       0,
       [](Inputs in, size_t i) { return in[0][i / 50 * 90 + 40 + i % 50]; }},
  };
  return all;
}

class FunctionTest : public testing::TestWithParam<const TestSet *> {
protected:
  void SetUp() override {
    if (!GetParam()->runs)
      GTEST_SKIP() << "this machine lacks " << GetParam()->name;
  }
};

TEST_P(FunctionTest, AgreesWithItsFormulaInF64) {
  for (const Case &c : cases()) {
    const TestKernel &kernel = Images::get().kernel(c.kernel);
    Numbers numbers(6);
    std::vector<std::vector<double>> inputs;
    std::vector<Buffer> stored;
    std::vector<void *> buffers;
    for (size_t elements : c.inputs) {
      inputs.emplace_back();
      for (size_t i = 0; i < elements; ++i)
        inputs.back().push_back(rounded(c.type, numbers.next() * 4));
      stored.emplace_back(elements * static_cast<size_t>(bytesOf(c.type)));
      for (size_t i = 0; i < elements; ++i)
        put(stored.back().get(), c.type, i, inputs.back()[i]);
    }
    for (Buffer &buffer : stored)
      buffers.push_back(buffer.get());
    Buffer out(c.outputs * static_cast<size_t>(bytesOf(c.type))),
        again(c.outputs * static_cast<size_t>(bytesOf(c.type)));
    buffers.push_back(out.get());
    ASSERT_EQ(runKernel(kernel, *GetParam(), buffers, {kRows, kPicked}, static_cast<uint32_t>(c.tiles)), 0);
    for (size_t i = 0; i < c.outputs; ++i) {
      double want = c.formula(inputs, i);
      ASSERT_NEAR(get(out.get(), c.type, i), want, c.error * (1 + std::fabs(want))) << c.kernel << " element " << i;
    }
    EXPECT_TRUE(out.fenceHolds()) << c.kernel;
    buffers.back() = again.get();
    ASSERT_EQ(runKernel(kernel, *GetParam(), buffers, {kRows, kPicked}, static_cast<uint32_t>(c.tiles), 5), 0);
    EXPECT_TRUE(out == again) << c.kernel << ": the split of tiles changes a bit";
  }
}

TEST_P(FunctionTest, GathersRowsAndNormalizesThem) {
  const TestKernel &kernel = Images::get().kernel("gather_rows-rms_norm-f32-pickedx250");
  Numbers numbers(6);
  std::vector<float> x(kRows * 250), gamma(250), out(kPicked * 250);
  std::vector<int32_t> picked;
  for (float &v : x)
    v = static_cast<float>(numbers.next());
  for (float &v : gamma)
    v = static_cast<float>(numbers.next());
  for (int i = 0; i < kPicked; ++i)
    picked.push_back(numbers.below(kRows));
  ASSERT_EQ(
      runKernel(kernel, *GetParam(), {x.data(), picked.data(), gamma.data(), out.data()}, {kRows, kPicked}, kPicked, 3),
      0);
  for (int r = 0; r < kPicked; ++r) {
    const float *row = &x[static_cast<size_t>(picked[r]) * 250];
    double squares = 0;
    for (int k = 0; k < 250; ++k)
      squares += double(row[k]) * row[k];
    for (int k = 0; k < 250; ++k) {
      double want = row[k] / std::sqrt(squares / 250 + 1e-5) * gamma[k];
      ASSERT_NEAR(out[static_cast<size_t>(r) * 250 + k], want, 1e-6 * (1 + std::fabs(want)));
    }
  }
}

// Copies that change the order of dimensions, of elements of any size, in any pieces.
TEST_P(FunctionTest, ChangesTheOrderOfDimensions) {
  struct Order {
    std::string kernel;
    size_t bytes, elements;
    int64_t tiles;
    std::function<size_t(size_t)> from; // which element of the input is element i of the output
  };
  std::vector<Order> orders;
  for (auto [name, bytes] : {std::pair{"f32", 4}, {"f16", 2}, {"i8", 1}, {"i64", 8}}) {
    const auto size = static_cast<size_t>(bytes);
    const std::string start = std::string("compute-permute-") + name;
    orders.push_back({start + "-rowsx9x40x35", size, kRows * 12600, kRows, [](size_t i) {
                        return i / 12600 * 12600 + i % 35 * 360 + i / 35 % 360;
                      }});
    orders.push_back({start + "-joinedx9x40", size, kJoined * 360, kJoined, [](size_t i) {
                        return (i / 12600 * 360 + i % 360) * 35 + i / 360 % 35;
                      }});
  }
  orders.push_back({"compute-permute-f32-joined_morex40", 4, kJoinedMore * 40, kJoinedMore, [](size_t i) {
                      return ((i / 12600 * 9 + i / 40 % 9) * 40 + i % 40) * 35 + i / 360 % 35;
                    }});
  orders.push_back({"compute-permute-f32-rowsx5x1x2x3", 4, kRows * 30, kRows, [](size_t i) {
                      return ((i % 3 * kRows + i / 30) * 2 + i / 3 % 2) * 5 + i / 6 % 5;
                    }});
  orders.push_back(
      {"compute-permute-f32-rowsx6", 4, kRows * 6, kRows, [](size_t i) { return i % 6 * kRows + i / 6; }});
  for (const Order &order : orders) {
    const TestKernel &kernel = Images::get().kernel(order.kernel);
    Buffer in(order.elements * order.bytes);
    Numbers numbers(4);
    for (size_t i = 0; i < in.size; ++i)
      in.as<uint8_t>()[i] = static_cast<uint8_t>(numbers.below(256));
    for (uint32_t pieces : {1u, 3u, 16u}) {
      Buffer out(order.elements * order.bytes);
      ASSERT_EQ(runKernel(kernel, *GetParam(), {in.get(), out.get()}, {kRows, kPicked, kJoined, kJoinedMore},
                          static_cast<uint32_t>(order.tiles), pieces),
                0);
      for (size_t i = 0; i < order.elements; ++i)
        ASSERT_EQ(std::memcmp(out.as<uint8_t>() + i * order.bytes, in.as<uint8_t>() + order.from(i) * order.bytes,
                              order.bytes),
                  0)
            << order.kernel << " in " << pieces << " pieces, element " << i;
      EXPECT_TRUE(out.fenceHolds()) << order.kernel;
    }
  }
}

// Units in the last place between a result and the exact value.
double unitsOff(float got, double want) {
  if (static_cast<float>(want) == got)
    return 0;
  double ulp = std::fabs(std::nextafter(static_cast<float>(want), INFINITY) - static_cast<float>(want));
  return std::fabs(got - want) / ulp;
}

// What kernels/math.h states of its functions, over a million values of all sizes.
TEST_P(FunctionTest, ElementaryFunctionsAreAsCloseAsStated) {
  struct Function {
    const char *kernel;
    double (*exact)(double);
    double units, range;
  };
  for (Function f :
       {Function{"exp-f32-rowsx64", std::exp, 1.0, 90.0}, Function{"tanh-f32-rowsx64", std::tanh, 2.0, 12.0},
        Function{"erf-f32-rowsx64", std::erf, 1.1, 5.0}}) {
    constexpr int64_t kMany = 1 << 14;
    Numbers numbers(8);
    std::vector<float> x(kMany * 64), y(kMany * 64);
    for (size_t i = 0; i < x.size(); ++i) // half spread evenly, half over all magnitudes
      x[i] = static_cast<float>(i % 2 ? numbers.next() * f.range
                                      : std::ldexp(numbers.next(), -numbers.below(20)) * f.range);
    x[0] = 0.0f;
    ASSERT_EQ(runKernel(Images::get().kernel(f.kernel), *GetParam(), {x.data(), y.data()}, {kMany}, kMany), 0);
    double worst = 0;
    for (size_t i = 0; i < x.size(); ++i) {
      double want = f.exact(x[i]);
      if (want < std::numeric_limits<float>::max() && std::fabs(want) > std::numeric_limits<float>::min())
        worst = std::max(worst, unitsOff(y[i], want));
    }
    EXPECT_LE(worst, f.units) << f.kernel;
    RecordProperty(f.kernel, std::to_string(worst));
    std::vector<float> edges(64, 0.0f), at(64);
    edges[0] = INFINITY;
    edges[1] = -INFINITY;
    edges[2] = NAN;
    edges[3] = 1000.0f;
    edges[4] = -1000.0f;
    ASSERT_EQ(runKernel(Images::get().kernel(f.kernel), *GetParam(), {edges.data(), at.data()}, {1}, 1), 0);
    for (int i : {0, 1, 3, 4})
      EXPECT_EQ(at[i], static_cast<float>(f.exact(edges[i]))) << f.kernel << " of " << edges[i];
    EXPECT_TRUE(std::isnan(at[2])) << f.kernel;
    EXPECT_EQ(at[5], static_cast<float>(f.exact(0.0))) << f.kernel;
  }
}

INSTANTIATE_TEST_SUITE_P(Sets, FunctionTest, testing::ValuesIn(Images::get().setsOf("function")),
                         [](const auto &info) { return info.param->name; });

} // namespace
