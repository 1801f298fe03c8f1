// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Each operation that element-wise functions are made of (elementwise.txt) as a kernel of every feature set: elementary
// functions against the C library in long double, by units in the last place over all magnitudes and as Annex F of C
// has special values; integers against arithmetic in 128 bits, with what would stop a program or has no meaning giving
// 0.
#ifndef INGOT_TEST_UNIT_TARGET_ELEMENTWISE_CHECKS_H
#define INGOT_TEST_UNIT_TARGET_ELEMENTWISE_CHECKS_H

#include <bit>
#include <cmath>
#include <cstdint>
#include <functional>
#include <gtest/gtest.h>
#include <limits>
#include <random>
#include <string>
#include <vector>

namespace ingot::test {

inline constexpr size_t kColumns = 40;

template <class T> std::string typeName() {
  return (std::is_floating_point_v<T> ? "f" : "i") + std::to_string(8 * sizeof(T));
}

// Runs a kernel of elementwise.txt by name on buffers (inputs, then the result) of so many rows.
struct ElementwiseBuffer {
  void *data;
  size_t bytes;
};
using ElementwiseRun = std::function<void(const std::string &, const std::vector<ElementwiseBuffer> &, int64_t rows)>;

template <class T, class R = T>
std::vector<R> runElementwise(const ElementwiseRun &run, const std::string &op, std::vector<std::vector<T>> inputs) {
  std::vector<R> result(inputs[0].size());
  std::vector<ElementwiseBuffer> buffers;
  for (std::vector<T> &input : inputs)
    buffers.push_back({input.data(), input.size() * sizeof(T)});
  buffers.push_back({result.data(), result.size() * sizeof(R)});
  run(op + "-" + typeName<T>(), buffers, static_cast<int64_t>(result.size() / kColumns));
  return result;
}

struct ElementwiseChecks {
  ElementwiseRun run;
  int count; // of values per function, or near it
};

struct ElementaryFunction {
  const char *name;
  long double (*exact)(long double);
};
inline const ElementaryFunction kFunctions[] = {{"math.exp", expl},     {"math.expm1", expm1l}, {"math.log", logl},
                                                {"math.log1p", log1pl}, {"math.sin", sinl},     {"math.cos", cosl},
                                                {"math.tan", tanl},     {"math.asin", asinl},   {"math.acos", acosl},
                                                {"math.atan", atanl},   {"math.sinh", sinhl},   {"math.cosh", coshl},
                                                {"math.tanh", tanhl},   {"math.asinh", asinhl}, {"math.acosh", acoshl},
                                                {"math.atanh", atanhl}, {"math.erf", erfl}};
inline const ElementaryFunction kRoundings[] = {
    {"math.floor", floorl},         {"math.ceil", ceill}, {"math.trunc", truncl}, {"math.round", roundl},
    {"math.roundeven", roundevenl}, {"math.absf", fabsl}, {"math.sqrt", sqrtl}};

template <class T> T wild(std::mt19937_64 &random) { // any bits: all magnitudes, denormal numbers too
  if constexpr (sizeof(T) == 4)
    return std::bit_cast<float>(static_cast<uint32_t>(random()));
  else
    return std::bit_cast<double>(random());
}

// Units in the last place of T between a result and the exact value; 0 where they agree in being special.
template <class T> double unitsOff(T got, long double want) {
  T rounded = static_cast<T>(want);
  if (std::isnan(want) || std::isnan(got))
    return std::isnan(want) && std::isnan(got) ? 0 : INFINITY;
  if (rounded == got)
    return std::signbit(rounded) == std::signbit(got) ? 0 : INFINITY;
  if (std::isinf(got)) { // as good as the number that would follow the largest
    got = std::copysign(std::numeric_limits<T>::max(), got);
    if (std::signbit(got) != std::signbit(rounded))
      return INFINITY;
  }
  int exponent = std::max(std::ilogb(rounded == 0 ? std::numeric_limits<T>::denorm_min() : rounded),
                          std::numeric_limits<T>::min_exponent - 1);
  long double unit = std::ldexp(1.0L, exponent - std::numeric_limits<T>::digits + 1);
  long double off =
      std::fabs(static_cast<long double>(got) - (std::isinf(want) ? static_cast<long double>(got) + 2 * unit : want));
  return static_cast<double>(off / unit);
}

// `count` values of several distributions and the special ones.
template <class T> std::vector<T> values(int count) {
  std::mt19937_64 random(7);
  std::uniform_real_distribution<double> uniform(-1, 1);
  const double spans[] = {1, 3, 20, 100, 800, 1e5, 1e9};
  std::vector<T> x = {T(0),
                      T(-0.0),
                      T(INFINITY),
                      T(-INFINITY),
                      T(NAN),
                      T(1),
                      T(-1),
                      T(0.5),
                      T(-0.5),
                      T(2),
                      std::numeric_limits<T>::min(),
                      std::numeric_limits<T>::denorm_min(),
                      -std::numeric_limits<T>::denorm_min(),
                      std::numeric_limits<T>::max(),
                      std::numeric_limits<T>::lowest()};
  for (int k = 1; k < count / 150; ++k) // where a circular function is near 0
    x.push_back(static_cast<T>(k * 1.57079632679489661923));
  for (int i = 0; i < count / 2; ++i) {
    double span = spans[i % std::size(spans)];
    x.push_back(static_cast<T>(uniform(random) * span));
    x.push_back(wild<T>(random));
  }
  for (int i = 0; i < count / 8; ++i) { // about 1
    x.push_back(static_cast<T>(1 + std::ldexp(uniform(random), -static_cast<int>(random() % 50))));
    x.push_back(static_cast<T>(-1 + std::ldexp(uniform(random), -static_cast<int>(random() % 50))));
  }
  while (x.size() % kColumns)
    x.push_back(T(0.25));
  return x;
}

template <class T>
void checkFunction(const ElementwiseChecks &checks, const std::string &op, long double (*exact)(long double),
                   double units) {
  std::vector<T> x = values<T>(checks.count), y = runElementwise<T>(checks.run, op, {x});
  double worst = 0;
  T at = 0;
  for (size_t i = 0; i < y.size(); ++i) {
    double off = unitsOff(y[i], exact(static_cast<long double>(x[i])));
    if (!(off <= worst)) {
      worst = off;
      at = x[i];
    }
  }
  EXPECT_LE(worst, units) << op << " of " << typeName<T>() << " at " << std::hexfloat << at;
  testing::Test::RecordProperty(op.substr(5) + "_" + typeName<T>(), std::to_string(worst));
}

inline void checkFunctionsOfF32(const ElementwiseChecks &checks) {
  for (const ElementaryFunction &f : kFunctions)
    checkFunction<float>(checks, f.name, f.exact, 2.0);
}

inline void checkFunctionsOfF64(const ElementwiseChecks &checks) {
  for (const ElementaryFunction &f : kFunctions)
    checkFunction<double>(checks, f.name, f.exact, 4.0);
}

inline void checkRounding(const ElementwiseChecks &checks) {
  for (const ElementaryFunction &f : kRoundings) {
    checkFunction<float>(checks, f.name, f.exact, 0.5);
    checkFunction<double>(checks, f.name, f.exact, 0.5);
  }
  auto inverse = [](long double x) { return 1.0L / sqrtl(x); };
  checkFunction<float>(checks, "math.rsqrt", inverse, 1.5);
  checkFunction<double>(checks, "math.rsqrt", inverse, 1.5);
}

template <class T>
void checkFunctionOfTwo(const ElementwiseChecks &checks, const std::string &op,
                        long double (*exact)(long double, long double), double units) {
  std::mt19937_64 random(11);
  std::uniform_real_distribution<double> uniform(-1, 1);
  const T special[] = {T(0),
                       T(-0.0),
                       T(1),
                       T(-1),
                       T(2),
                       T(-2),
                       T(3),
                       T(-3),
                       T(0.5),
                       T(-0.5),
                       T(1.5),
                       T(-1.5),
                       T(INFINITY),
                       T(-INFINITY),
                       T(NAN),
                       std::numeric_limits<T>::max(),
                       std::numeric_limits<T>::lowest(),
                       std::numeric_limits<T>::min(),
                       std::numeric_limits<T>::denorm_min(),
                       -std::numeric_limits<T>::denorm_min(),
                       std::ldexp(T(1), std::numeric_limits<T>::digits) - 1,
                       1 - std::ldexp(T(1), -std::numeric_limits<T>::digits),
                       1 + std::numeric_limits<T>::epsilon()};
  std::vector<T> x, y;
  for (T a : special)
    for (T b : special) {
      x.push_back(a);
      y.push_back(b);
    }
  const int count = checks.count;
  for (int i = 0; i < count / 4; ++i) {
    x.push_back(wild<T>(random)); // all over
    y.push_back(wild<T>(random));
    x.push_back(static_cast<T>(std::fabs(uniform(random)) * 10)); // moderate
    y.push_back(static_cast<T>(uniform(random) * 30));
    T base = std::fabs(wild<T>(random)); // results of every size
    T most = std::isfinite(base) && base > 0 && base != 1
                 ? static_cast<T>(std::numeric_limits<T>::max_exponent * 0.6931 / std::log(static_cast<double>(base)))
                 : T(1);
    x.push_back(base);
    y.push_back(static_cast<T>(uniform(random) * most * 1.05));
    x.push_back(static_cast<T>(static_cast<int>(random() % 41) - 20)); // whole numbers
    y.push_back(static_cast<T>(static_cast<int>(random() % 41) - 20));
    x.push_back(static_cast<T>(1 + std::ldexp(uniform(random), -static_cast<int>(random() % 40)))); // about 1
    y.push_back(static_cast<T>(std::ldexp(uniform(random), static_cast<int>(random() % 45))));
  }
  while (x.size() % kColumns) {
    x.push_back(T(3));
    y.push_back(T(2));
  }
  std::vector<T> z = runElementwise<T>(checks.run, op, {x, y});
  double worst = 0;
  size_t at = 0;
  for (size_t i = 0; i < z.size(); ++i) {
    double off = unitsOff(z[i], exact(x[i], y[i]));
    if (!(off <= worst)) {
      worst = off;
      at = i;
    }
  }
  EXPECT_LE(worst, units) << op << " of " << typeName<T>() << std::hexfloat << " " << x[at] << ", " << y[at]
                          << " gives " << z[at];
  testing::Test::RecordProperty(op.substr(op.find('.') + 1) + "_" + typeName<T>(), std::to_string(worst));
}

inline void checkPowers(const ElementwiseChecks &checks) {
  checkFunctionOfTwo<float>(checks, "math.powf", powl, 4.0);
  checkFunctionOfTwo<double>(checks, "math.powf", powl, 4.0);
}

inline void checkRemaindersAndSigns(const ElementwiseChecks &checks) {
  checkFunctionOfTwo<float>(checks, "arith.remf", fmodl, 0.0);
  checkFunctionOfTwo<double>(checks, "arith.remf", fmodl, 0.0);
  checkFunctionOfTwo<float>(checks, "math.copysign", copysignl, 0.0);
  checkFunctionOfTwo<double>(checks, "math.copysign", copysignl, 0.0);
}

template <class T> void checkAnswer(const ElementwiseChecks &checks, const std::string &op, bool (*answer)(T)) {
  std::vector<T> x = values<T>(checks.count);
  std::vector<uint8_t> y = runElementwise<T, uint8_t>(checks.run, op, {x});
  for (size_t i = 0; i < x.size(); ++i)
    ASSERT_EQ(y[i], answer(x[i])) << op << " of " << x[i];
}

inline void checkKindsOfNumbers(const ElementwiseChecks &checks) {
  checkAnswer<float>(checks, "math.isnan", [](float x) { return std::isnan(x); });
  checkAnswer<double>(checks, "math.isnan", [](double x) { return std::isnan(x); });
  checkAnswer<float>(checks, "math.isinf", [](float x) { return std::isinf(x); });
  checkAnswer<double>(checks, "math.isinf", [](double x) { return std::isinf(x); });
  checkAnswer<float>(checks, "math.isfinite", [](float x) { return std::isfinite(x); });
  checkAnswer<double>(checks, "math.isfinite", [](double x) { return std::isfinite(x); });
}

__extension__ typedef __int128 Wide;

inline uint64_t power(uint64_t base, uint64_t exponent) { // wraps
  return exponent == 0 ? 1 : exponent % 2 ? base * power(base, exponent - 1) : power(base * base, exponent / 2);
}

template <class T> void checkIntegersOf(const ElementwiseChecks &checks) {
  using U = std::make_unsigned_t<T>;
  constexpr T least = std::numeric_limits<T>::min(), most = std::numeric_limits<T>::max();
  constexpr int bits = 8 * sizeof(T);
  std::vector<T> special = {0,    1,           -1,      2,           -2,         3, 7, least, T(least + 1),
                            most, T(most - 1), T(bits), T(bits - 1), T(bits + 1)};
  std::vector<T> x, y;
  for (T a : special)
    for (T b : special) {
      x.push_back(a);
      y.push_back(b);
    }
  std::mt19937_64 random(5);
  while (x.size() < 2000 || x.size() % kColumns) {
    x.push_back(static_cast<T>(random()));
    y.push_back(static_cast<T>(static_cast<T>(random()) >> random() % bits)); // of all sizes
  }
  auto check = [&](const char *op, Wide (*exact)(Wide, Wide), bool isUnsigned) {
    std::vector<T> z = runElementwise<T>(checks.run, op, {x, y});
    for (size_t i = 0; i < x.size(); ++i) {
      Wide want = isUnsigned ? exact(U(x[i]), U(y[i])) : exact(x[i], y[i]);
      ASSERT_EQ(z[i], static_cast<T>(want)) << op << " of " << typeName<T>() << " " << +x[i] << ", " << +y[i];
    }
  };
  static constexpr auto stops = [](Wide a, Wide b) { return b == 0 || (a == least && b == -1); };
  check(
      "arith.divsi", [](Wide a, Wide b) { return stops(a, b) ? 0 : a / b; }, false);
  check(
      "arith.remsi", [](Wide a, Wide b) { return stops(a, b) ? 0 : a % b; }, false);
  check(
      "arith.floordivsi", [](Wide a, Wide b) { return stops(a, b) ? 0 : a / b - (a % b != 0 && (a < 0) != (b < 0)); },
      false);
  check(
      "arith.divui", [](Wide a, Wide b) { return b == 0 ? 0 : a / b; }, true);
  check(
      "arith.remui", [](Wide a, Wide b) { return b == 0 ? 0 : a % b; }, true);
  // The number of places counts without sign: a negative one is large.
  check(
      "arith.shli", [](Wide a, Wide b) { return b >= bits ? 0 : static_cast<Wide>(static_cast<U>(a << b)); }, true);
  check(
      "arith.shrui", [](Wide a, Wide b) { return b >= bits ? 0 : a >> b; }, true);
  check(
      "arith.shrsi", [](Wide a, Wide b) { return b < 0 || b >= bits ? 0 : a >> b; }, false);
  check(
      "math.ipowi",
      [](Wide a, Wide b) -> Wide {
        if (b < 0)
          return a == 1 || (a == -1 && b % 2 == 0) ? 1 : a == -1 ? -1 : 0;
        return power(static_cast<uint64_t>(a), static_cast<uint64_t>(b));
      },
      false);
  std::vector<T> counts = runElementwise<T>(checks.run, "math.ctpop", {x});
  for (size_t i = 0; i < x.size(); ++i)
    ASSERT_EQ(counts[i], std::popcount(static_cast<U>(x[i]))) << +x[i];
}

inline void checkIntegers(const ElementwiseChecks &checks) {
  checkIntegersOf<int8_t>(checks);
  checkIntegersOf<int16_t>(checks);
  checkIntegersOf<int32_t>(checks);
  checkIntegersOf<int64_t>(checks);
}

} // namespace ingot::test

#endif
