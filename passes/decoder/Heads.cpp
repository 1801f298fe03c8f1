// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See Heads.h. Rotary embeddings: Su et al., RoFormer, 2021 (arXiv:2104.09864).
#include "passes/decoder/Heads.h"

#include <cmath>

using namespace mlir;

namespace ingot::passes {

namespace {

bool near(double a, double b, double tolerance) { return std::fabs(a - b) <= tolerance * std::max(1.0, std::fabs(b)); }

class Reader {
public:
  Reader(DecoderGraph &graph, const HeadElement &element, int64_t heads, int64_t size, int64_t limit, Heads &result)
      : graph(graph), given(element), heads(heads), size(size), limit(limit), result(result) {}

  std::string read() {
    if (std::string why = readColumns(); !why.empty())
      return why;
    if (std::string why = findPairs(); !why.empty() || result.rotary.width == 0)
      return why;
    Turn turn{{}, result.factor * result.rotary.factor};
    if (std::string why = readFrequencies(0, turn); !why.empty())
      return why;
    result.rotary.inverse = rounded(turn);
    findEnd();
    return "";
  }

private:
  // Between products and attention lookups are of sines and cosines.
  struct At {
    std::unique_ptr<Elements> elements;
    int64_t past, position;
  };
  At at(int64_t position, int64_t before = 0, int64_t steps = 1) {
    auto elements = graph.step(1, steps, position - before);
    elements->readTables();
    return {std::move(elements), position - before, position};
  }

  // What pairs are turned by at each position, and multiplied by.
  struct Turn {
    SmallVector<double> frequencies;
    double scale = 1;
    int64_t farthest = 1; // distance by which frequencies were read
  };

  // With the columns of terms in place of their numbers, so that those of different positions compare.
  Form element(At &at, int64_t h, int64_t i) {
    Form form = given(*at.elements, at.past, at.position, h, i);
    for (Form::Term &term : form.terms)
      term.index = graph.placeOf(*at.elements, term.tensor, term.index).column;
    return form;
  }

  // Which column each element is of; at position 0 nothing is turned.
  std::string readColumns() {
    At first = at(0);
    for (int64_t h = 0; h < heads; ++h)
      for (int64_t i = 0; i < size; ++i) {
        Form form = element(first, h, i);
        if (!form.isElement())
          return "an element of a head is no multiple of one element that is computed before it";
        const Form::Term &term = form.terms[0];
        if (!result.source)
          result.source = term.tensor;
        if (result.source != term.tensor)
          return "its heads are computed by " + nodeOf(result.source) + " and " + nodeOf(term.tensor);
        result.columns.push_back(term.index);
        factors.push_back(term.factor);
      }
    return first.elements->readOutside() ? "something outside of a tensor is read" : "";
  }

  double ownFactor(const Form &form, int64_t h, int64_t i) const { return factorOf(form, result.columns[size_t(h * size + i)]); }
  double factorOf(const Form &form, int64_t column) const {
    for (const Form::Term &term : form.terms)
      if (term.tensor == result.source && term.index == column)
        return term.factor;
    return 0;
  }

  std::string findPairs() {
    SmallVector<int64_t> partner(size_t(size), -1);
    for (int64_t position : {1, 7, 61}) {
      if (position >= limit)
        break;
      At there = at(position);
      for (int64_t h = 0; h < heads; ++h)
        for (int64_t i = 0; i < size; ++i) {
          Form form = element(there, h, i);
          if (form.constant != 0 || form.terms.size() > 2)
            return "an element of a head is no rotation of two elements";
          for (const Form::Term &term : form.terms) {
            if (term.tensor != result.source)
              return "a head is of " + nodeOf(term.tensor) + " at one position and of " + nodeOf(result.source) + " at another";
            if (term.index == result.columns[size_t(h * size + i)])
              continue;
            int64_t other = -1;
            for (int64_t j = 0; j < size; ++j)
              if (result.columns[size_t(h * size + j)] == term.index)
                other = j;
            if (other < 0 || (partner[size_t(i)] >= 0 && partner[size_t(i)] != other))
              return "elements of different heads are mixed";
            partner[size_t(i)] = other;
          }
        }
    }
    Rotary &rotary = result.rotary;
    for (int64_t i = 0; i < size; ++i)
      if (partner[size_t(i)] >= 0)
        rotary.width = i + 1;
    const int64_t half = rotary.width / 2;
    if (rotary.width % 2)
      return "an odd number of a head's elements is turned";
    bool halves = true, neighbours = true;
    for (int64_t i = 0; i < rotary.width; ++i) {
      if (partner[size_t(i)] < 0)
        return "of a head's elements some that are not the last are not turned";
      halves &= partner[size_t(i)] == (i < half ? i + half : i - half);
      neighbours &= partner[size_t(i)] == (i ^ 1);
    }
    if (rotary.width && !halves && !neighbours)
      return "a head's elements are turned in pairs that are neither neighbours nor of its halves";
    rotary.interleaved = rotary.width > 0 && !halves;
    // Elements that are not turned have one factor, and those that are another one.
    result.factor = rotary.width < size ? factors[size_t(rotary.width)] : factors[0];
    rotary.factor = rotary.width < size ? factors[0] / result.factor : 1;
    for (int64_t h = 0; h < heads; ++h)
      for (int64_t i = 0; i < size; ++i)
        if (!near(factors[size_t(h * size + i)], i < rotary.width ? result.factor * rotary.factor : result.factor, 1e-6))
          return "elements of its heads are multiplied by different numbers";
    return "";
  }

  std::pair<int64_t, int64_t> pair(int64_t i) const {
    return result.rotary.interleaved ? std::pair(2 * i, 2 * i + 1) : std::pair(i, i + result.rotary.width / 2);
  }

  // The angle of pair i of a head; nothing where it is no rotation.
  std::optional<double> angle(At &there, int64_t h, int64_t i, double scale) {
    auto [a, b] = pair(i);
    Form first = element(there, h, a), second = element(there, h, b);
    const double cosine = ownFactor(first, h, a) / scale, sine = factorOf(second, result.columns[size_t(h * size + a)]) / scale;
    const double cosine2 = ownFactor(second, h, b) / scale, sine2 = -factorOf(first, result.columns[size_t(h * size + b)]) / scale;
    // Tables may be of 16-bit floats.
    if (!near(cosine, cosine2, 2e-2) || !near(sine, sine2, 2e-2) || !near(cosine * cosine + sine * sine, 1, 2e-2))
      return std::nullopt;
    return std::atan2(sine, cosine);
  }

  static double distance(double a, double b) { return std::fabs(std::remainder(a - b, 2 * M_PI)); }
  // How far an angle may be from position times frequency: both are rounded to floats somewhere.
  static double tolerance(int64_t position) { return 0.02 + 3e-7 * double(position); }

  // By how much angles differ from those at a position.
  std::string readFrequencies(int64_t origin, Turn &turn) {
    SmallVector<double> start;
    At first = at(origin + 1), from = at(origin);
    for (int64_t i = 0; i < result.rotary.width / 2; ++i) {
      auto before = angle(from, 0, i, turn.scale), turned = angle(first, 0, i, turn.scale);
      if (!before || !turned)
        return "what is done to pairs of a head's elements is no rotation";
      start.push_back(*before);
      turn.frequencies.push_back(std::remainder(*turned - *before, 2 * M_PI));
    }
    // Closer by positions that are further away, as long as the turn before it is known.
    for (int64_t far = 4; far < std::min<int64_t>(limit - origin, 4096); far *= 4) {
      At there = at(origin + far);
      for (auto [i, frequency] : llvm::enumerate(turn.frequencies)) {
        auto turned = angle(there, 0, int64_t(i), turn.scale);
        const double full = frequency * double(far);
        if (!turned || distance(*turned - start[i], full) > tolerance(origin + far))
          return far <= 4 ? "what is done to pairs of a head's elements is no rotation by a multiple of the position" : "";
        frequency = (full + std::remainder(*turned - start[i] - full, 2 * M_PI)) / double(far);
      }
      turn.farthest = far;
    }
    return "";
  }

  // base ^ (-2 i / width) where that is what they are, else as they were read.
  static SmallVector<float> rounded(const Turn &turn) {
    ArrayRef<double> frequencies(turn.frequencies);
    SmallVector<double> exact;
    const double count = double(frequencies.size());
    auto fits = [&](double base) {
      exact.clear();
      for (size_t i = 0; i < frequencies.size(); ++i) {
        exact.push_back(std::pow(base, -double(i) / count));
        // Sines of 16-bit floats are off by up to 2^-11.
        if (std::fabs(exact.back() - frequencies[i]) > 3e-6 * frequencies[i] + 5e-4 / double(turn.farthest))
          return false;
      }
      return true;
    };
    bool found = false;
    if (frequencies.size() > 1 && frequencies.back() > 0 && frequencies[1] < 1) {
      // Of slow pairs' frequencies the base is read most closely, of fast pairs' where tables are coarse.
      const double slow = std::pow(frequencies.back(), -count / (count - 1)), fast = std::pow(frequencies[1], -count);
      const double digits = std::pow(10, std::floor(std::log10(fast)) - 2); // three of them
      for (double base : {std::round(slow), std::round(fast / digits) * digits, slow})
        if (!found && base > 1)
          found = fits(base);
    }
    if (!found)
      exact.clear();
    SmallVector<float> inverse;
    for (auto [i, frequency] : llvm::enumerate(frequencies))
      inverse.push_back(float(exact.empty() ? frequency : exact[i]));
    return inverse;
  }

  bool holds(At there, ArrayRef<float> inverse, double scale) {
    for (int64_t i : {int64_t(0), result.rotary.width / 4, result.rotary.width / 2 - 1}) {
      auto turned = angle(there, heads - 1, i, scale);
      if (!turned || distance(*turned, double(inverse[size_t(i)]) * double(there.position)) > tolerance(there.position))
        return false;
    }
    return !there.elements->readOutside();
  }

  // How many positions a rotation holds for that does so at one; `limit` where it does for all that are asked about.
  int64_t endOf(int64_t good, ArrayRef<float> inverse, double scale) {
    int64_t bad = limit;
    for (int64_t position = std::max<int64_t>(16, good + 1); bad == limit; position *= 2) {
      const int64_t asked = std::min(position, limit - 1);
      if (asked <= good)
        return limit;
      (holds(at(asked), inverse, scale) ? good : bad) = asked;
    }
    while (bad - good > 1) {
      const int64_t middle = (good + bad) / 2;
      (holds(at(middle), inverse, scale) ? good : bad) = middle;
    }
    return bad;
  }

  // Tables end somewhere, or other angles follow for sequences that are longer.
  void findEnd() {
    Rotary &rotary = result.rotary;
    int64_t end = endOf(1, rotary.inverse, result.factor * rotary.factor);
    if (end < limit && readLong(end)) {
      rotary.original = end;
      end = endOf(end, rotary.longInverse, result.factor * rotary.longFactor);
    }
    rotary.positions = end < limit ? end : 0;
  }

  bool readLong(int64_t original) {
    // That it is the length which tells, and not the position, shows in a step of several tokens.
    if (graph.fixedSteps || original < 8 || original + 8 >= limit)
      return false;
    At there = at(original);
    auto [a, b] = pair(0);
    Turn turn{{}, std::hypot(ownFactor(element(there, 0, a), 0, a), factorOf(element(there, 0, b), result.columns[size_t(a)]))};
    if (!(turn.scale > 0) || !readFrequencies(original, turn).empty())
      return false;
    Rotary &rotary = result.rotary;
    rotary.longInverse = rounded(turn);
    rotary.longFactor = turn.scale / result.factor;
    return turn.frequencies[0] != 0 && holds(at(original), rotary.longInverse, turn.scale) &&
           holds(at(original - 2, /*before=*/0, /*steps=*/5), rotary.longInverse, turn.scale) &&
           holds(at(original + 2, /*before=*/4, /*steps=*/6), rotary.longInverse, turn.scale);
  }

  DecoderGraph &graph;
  const HeadElement &given;
  const int64_t heads, size, limit;
  Heads &result;
  SmallVector<double> factors;
};

} // namespace

std::string readHeads(DecoderGraph &graph, const HeadElement &element, int64_t heads, int64_t size, int64_t limit, Heads &result) {
  return Reader(graph, element, heads, size, limit, result).read();
}

} // namespace ingot::passes
