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
    if (std::string why = readFrequencies(); !why.empty())
      return why;
    findEnd();
    return "";
  }

private:
  // Between products and attention lookups are of sines and cosines.
  struct At {
    std::unique_ptr<Elements> elements;
    int64_t position;
  };
  At at(int64_t position) {
    auto elements = graph.step(1, 1, position);
    elements->readTables();
    return {std::move(elements), position};
  }

  // With the columns of terms in place of their numbers, so that those of different positions compare.
  Form element(At &at, int64_t h, int64_t i) {
    Form form = given(*at.elements, at.position, h, i);
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
  std::optional<double> angle(At &there, int64_t h, int64_t i) {
    auto [a, b] = pair(i);
    Form first = element(there, h, a), second = element(there, h, b);
    const double scale = result.factor * result.rotary.factor;
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

  std::string readFrequencies() {
    Rotary &rotary = result.rotary;
    SmallVector<double> frequencies;
    At first = at(1);
    for (int64_t i = 0; i < rotary.width / 2; ++i) {
      auto turned = angle(first, 0, i);
      if (!turned)
        return "what is done to pairs of a head's elements is no rotation";
      frequencies.push_back(*turned);
    }
    // Closer by positions that are further away, as long as the turn before it is known.
    for (int64_t position = 4; position < std::min<int64_t>(limit, 4096); position *= 4) {
      At there = at(position);
      for (auto [i, frequency] : llvm::enumerate(frequencies)) {
        auto turned = angle(there, 0, int64_t(i));
        if (!turned || distance(*turned, frequency * double(position)) > tolerance(position))
          return position <= 4 ? "what is done to pairs of a head's elements is no rotation by a multiple of the position" : close(frequencies);
        const double full = frequency * double(position);
        frequency = (full + std::remainder(*turned - full, 2 * M_PI)) / double(position);
      }
      farthest = position;
    }
    return close(frequencies);
  }

  // base ^ (-2 i / width) where that is what they are, else as they were read.
  std::string close(ArrayRef<double> frequencies) {
    Rotary &rotary = result.rotary;
    SmallVector<double> exact;
    const double count = double(frequencies.size());
    auto fits = [&](double base) {
      exact.clear();
      for (size_t i = 0; i < frequencies.size(); ++i) {
        exact.push_back(std::pow(base, -double(i) / count));
        // Sines of 16-bit floats are off by up to 2^-11.
        if (std::fabs(exact.back() - frequencies[i]) > 3e-6 * frequencies[i] + 5e-4 / double(farthest))
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
    for (auto [i, frequency] : llvm::enumerate(frequencies))
      rotary.inverse.push_back(float(exact.empty() ? frequency : exact[i]));
    return "";
  }

  bool holdsAt(int64_t position) {
    At there = at(position);
    for (int64_t i : {int64_t(0), result.rotary.width / 4, result.rotary.width / 2 - 1}) {
      auto turned = angle(there, heads - 1, i);
      if (!turned || distance(*turned, double(result.rotary.inverse[size_t(i)]) * double(position)) > tolerance(position))
        return false;
    }
    return !there.elements->readOutside();
  }

  // Tables end somewhere.
  void findEnd() {
    int64_t good = 1, bad = 0;
    for (int64_t position = 16; position < limit && !bad; position *= 2)
      (holdsAt(position) ? good : bad) = position;
    if (!bad && limit > 1) {
      if (holdsAt(limit - 1))
        return;
      bad = limit - 1;
    }
    if (!bad)
      return;
    while (bad - good > 1) {
      const int64_t middle = (good + bad) / 2;
      (holdsAt(middle) ? good : bad) = middle;
    }
    result.rotary.positions = good + 1;
  }

  DecoderGraph &graph;
  const HeadElement &given;
  const int64_t heads, size, limit;
  Heads &result;
  SmallVector<double> factors;
  int64_t farthest = 1; // position by which frequencies were read
};

} // namespace

std::string readHeads(DecoderGraph &graph, const HeadElement &element, int64_t heads, int64_t size, int64_t limit, Heads &result) {
  return Reader(graph, element, heads, size, limit, result).read();
}

} // namespace ingot::passes
