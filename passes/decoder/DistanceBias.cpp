// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See DistanceBias.h. Biases by buckets of distances: Raffel et al., 2019 (arXiv:1910.10683); ALiBi: Press et al., 2021 (arXiv:2108.12409).
#include "passes/decoder/DistanceBias.h"

#include "passes/fusion/Match.h"

#include <cmath>

using namespace mlir;

namespace ingot::passes {

namespace {

// The most distances that are read one by one.
constexpr int64_t kMostDistances = 1 << 12;

// Slopes of 16-bit floats times positions are exact in f32; what graphs round beyond that is in f32.
bool near(double a, double b) { return std::fabs(a - b) <= 1e-6 + 1e-5 * std::fabs(b); }

} // namespace

double DistanceBias::at(int64_t head, int64_t distance) const {
  if (heads == 0 || distance < 0)
    return 0;
  if (!slopes.empty())
    return slopes[size_t(head)] * double(distance);
  return values[size_t(head * columns + std::min(distance, columns - 1))];
}

std::vector<float> DistanceBias::table(int64_t positions) const {
  const int64_t count = distances(positions);
  std::vector<float> table;
  for (int64_t h = 0; h < heads; ++h)
    for (int64_t d = 0; d < count; ++d)
      table.push_back(float(at(h, d)));
  return table;
}

std::optional<double> DistanceBias::read(Elements &elements, const ScoreAdded &added, int64_t head, int64_t distance, int64_t past) const {
  auto found = added(elements, 0, head, 0, past - distance, past);
  if (!found || !relative)
    return found;
  auto own = added(elements, 0, head, 0, past, past);
  return own ? std::optional(*found - *own) : std::nullopt;
}

bool DistanceBias::isLinear(Elements &elements, const ScoreAdded &added, int64_t farthest) {
  for (int64_t h = 0; h < heads; ++h) {
    auto first = read(elements, added, h, 1, farthest), zero = read(elements, added, h, 0, farthest);
    if (!first || !zero || *zero != 0)
      return false;
    // The farthest distance tells the slope most closely.
    double slope = *first;
    for (int64_t d : {int64_t(3), int64_t(7), std::min<int64_t>(farthest, 61), std::min<int64_t>(farthest, 509)}) {
      auto found = read(elements, added, h, d, farthest);
      if (!found || !near(*found, slope * double(d)))
        return false;
      slope = *found / double(d);
    }
    slopes.push_back(slope);
  }
  return true;
}

std::string DistanceBias::read(DecoderGraph &graph, const ScoreAdded &added, int64_t headCount, int64_t positions) {
  const std::string other = "its scores have something else added than a causal mask, or biases by distance";
  // As far as all can be read.
  int64_t past = std::min(positions, kMostDistances) - 1;
  std::unique_ptr<Elements> elements;
  for (;; past /= 2) {
    if (past < 8)
      return other;
    elements = graph.step(1, 1, past);
    if (!elements->runs())
      continue;
    auto first = added(*elements, 0, 0, 0, past, past), last = added(*elements, 0, 0, 0, 0, past);
    if (!elements->readOutside()) {
      if (!first || !last)
        return other;
      break;
    }
  }
  auto hidden = [](double value) { return value <= match::kHiddenScore; };
  bool any = false;
  for (int64_t h = 0; h < headCount; ++h)
    for (int64_t d : {0, 1, 3, 7}) {
      auto found = added(*elements, 0, h, 0, past - d, past);
      if (!found)
        return other;
      any |= !hidden(*found) && std::fabs(*found) > 1e-6;
    }
  if (!any)
    return "";
  heads = headCount;
  // Whether it is the distance alone that tells the bias: of a token at another position, and of one that is not the last of its step.
  const int64_t early = past / 2, steps = graph.fixedSteps.value_or(3);
  auto before = graph.step(1, 1, early), among = graph.step(1, steps, early);
  for (int64_t h = 0; h < heads && !relative; ++h)
    for (int64_t d : {0, 1, 3}) {
      auto a = added(*elements, 0, h, 0, past - d, past), b = added(*before, 0, h, 0, early - d, early),
           c = added(*among, 0, h, 0, early - d, early);
      if (!a || !b || !c)
        return other;
      relative |= !near(*a, *b) || !near(*a, *c);
    }
  if (isLinear(*elements, added, past))
    return "";
  slopes.clear();
  // From some distance on a table is constant: the last of what differs, by bisection, as buckets only get wider.
  SmallVector<double> last;
  // A window hides what is beyond it.
  int64_t farthest = past;
  auto seen = [&](int64_t d) {
    auto found = read(*elements, added, 0, d, past);
    return found && !hidden(*found);
  };
  if (!seen(farthest)) {
    int64_t good = 0;
    while (farthest - good > 1) {
      const int64_t middle = (good + farthest) / 2;
      (seen(middle) ? good : farthest) = middle;
    }
    farthest = good;
  }
  for (int64_t h = 0; h < heads; ++h) {
    auto found = read(*elements, added, h, farthest, past);
    if (!found)
      return other;
    last.push_back(*found);
  }
  auto ended = [&](int64_t d) {
    for (int64_t h = 0; h < heads; ++h)
      if (auto found = read(*elements, added, h, d, past); !found || *found != last[size_t(h)])
        return false;
    return true;
  };
  int64_t differs = -1, end = farthest;
  while (end - differs > 1) {
    const int64_t middle = (differs + end) / 2;
    (ended(middle) ? end : differs) = middle;
  }
  if (end == farthest && past < positions - 1 && farthest == past)
    return "its scores have biases added that still change after " + std::to_string(past) + " positions, and not by a slope";
  columns = end + 1;
  for (int64_t h = 0; h < heads; ++h)
    for (int64_t d = 0; d < columns; ++d) {
      auto found = read(*elements, added, h, d, past);
      if (!found || hidden(*found))
        return other;
      values.push_back(*found);
    }
  return elements->readOutside() ? "its biases read outside of a tensor" : "";
}

} // namespace ingot::passes
