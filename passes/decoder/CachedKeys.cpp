// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See CachedKeys.h.
#include "passes/decoder/CachedKeys.h"

using namespace mlir;

namespace ingot::passes {

namespace {

// Of a cache with room for more, the fewest positions: what steps are asked about must fit.
constexpr int64_t kLeastRoom = 24;
constexpr int64_t kPast = 7;

using ir::tensorOf;

class Reader {
public:
  Reader(DecoderGraph &graph, Value operand, CachedKeys &cached)
      : graph(graph), operand(operand), cached(cached), elements(graph.step(2, 3, kPast)),
        batch(graph.fixedBatch.value_or(2)), steps(graph.fixedSteps.value_or(3)),
        heads(tensorOf(operand).getDimSize(2)), size(tensorOf(operand).getDimSize(3)) {}

  std::string read(int64_t &kvHeads) {
    const int64_t keys = elements->shapeOf(operand)[1];
    // Those of a cache with room for more are more, and masks hide them.
    if (keys < kPast + steps)
      return counted(keys);
    if (std::string why = findLayout(kvHeads); !why.empty())
      return why;
    if (std::string why = findResult(kvHeads); !why.empty())
      return why;
    if (cached.growth != CacheGrowth::Written && keys != kPast + steps)
      return counted(keys);
    return compare(kvHeads);
  }

private:
  std::string counted(int64_t keys) const {
    return "there are " + std::to_string(keys) + " in a step of " + std::to_string(steps) + " tokens after " +
           std::to_string(kPast) + " positions";
  }

  // The element of an input that attention reads.
  bool locate(int64_t b, int64_t t, int64_t g, int64_t i, SmallVector<int64_t> &indices, double &factor) {
    Form form = elements->at(operand, {b, t, g, i});
    if (!form.isElement())
      return false;
    auto argument = dyn_cast<BlockArgument>(form.terms[0].tensor);
    if (!argument || !graph.roles.count(argument) || graph.roles.lookup(argument) != Role::Past ||
        (cached.past && cached.past != argument))
      return false;
    cached.past = argument;
    indices = elements->indicesOf(argument, form.terms[0].index);
    factor = form.terms[0].factor;
    return true;
  }

  // The one dimension in which a step in one direction shows, and how far; -1: none.
  bool direction(int64_t b, int64_t t, int64_t g, int64_t i, int64_t &dim, int64_t &by) {
    SmallVector<int64_t> other;
    double factor;
    if (!locate(b, t, g, i, other, factor))
      return false;
    dim = -1;
    for (size_t d = 0; d < other.size(); ++d)
      if (other[d] != cached.first[d]) {
        if (dim >= 0)
          return false;
        dim = int64_t(d);
        by = other[d] - cached.first[d];
      }
    return true;
  }

  std::string findLayout(int64_t &kvHeads) {
    if (!locate(0, 0, 0, 0, cached.first, cached.factor))
      return "those of earlier positions are not read from one input as they are";
    int64_t by = 1;
    const char *unlike = "they do not lie by batch, head, position and element in their input";
    if (!direction(0, 1, 0, 0, cached.positionDim, by) || cached.positionDim < 0 || by != 1)
      return unlike;
    if (size > 1 && (!direction(0, 0, 0, 1, cached.elementDim, by) || cached.elementDim < 0 || by != 1))
      return unlike;
    if (batch > 1 && (!direction(1, 0, 0, 0, cached.batchDim, by) || cached.batchDim < 0 || by != 1))
      return unlike;
    // Heads that share keys read the same.
    int64_t group = 1;
    for (; group < heads; ++group) {
      if (!direction(0, 0, group, 0, cached.headDim, cached.headStep))
        return unlike;
      if (cached.headDim >= 0)
        break;
    }
    if (heads % group)
      return unlike;
    kvHeads = heads / group;
    return "";
  }

  Value resultOf(unsigned number) { return graph.entry.getBody().front().getTerminator()->getOperand(number); }

  // The result that gives earlier positions as the input does and the step's behind them, or else the step's alone.
  std::string findResult(int64_t kvHeads) {
    const unsigned count = unsigned(graph.entry.getResultTypes().size());
    const SmallVector<int64_t> before = elements->shapeOf(cached.past);
    const size_t dim = size_t(cached.positionDim);
    for (CacheGrowth growth : {CacheGrowth::Longer, CacheGrowth::Written, CacheGrowth::New})
      for (unsigned n = 0; n < count; ++n) {
        Value result = resultOf(n);
        SmallVector<int64_t> after = before;
        after[dim] = growth == CacheGrowth::Longer ? before[dim] + steps
                     : growth == CacheGrowth::New  ? steps
                                                   : before[dim];
        if (tensorOf(result).getElementType() != tensorOf(cached.past).getElementType() ||
            elements->shapeOf(result) != after)
          continue;
        cached.growth = growth;
        cached.result = n;
        if (growth == CacheGrowth::New) {
          if (isMultiple(elements->at(operand, {0, kPast, 0, 0}),
                         elements->at(result, cached.inResult(0, kPast, 0, 0, kPast)), cached.factor))
            return "";
          continue;
        }
        Form form = elements->at(result, cached.at(0, kPast - 1, kvHeads - 1, 0));
        if (!form.isElement() || form.terms[0].tensor != cached.past)
          continue;
        if (growth == CacheGrowth::Longer)
          return "";
        if (before[dim] < kLeastRoom)
          return nodeOf(cached.past) + " has room for " + std::to_string(before[dim]) + " positions; expected " +
                 std::to_string(kLeastRoom) + " or more";
        if (!tensorOf(cached.past).isDynamicDim(unsigned(dim)))
          cached.room = before[dim];
        return "";
      }
    return "no result gives " + nodeOf(cached.past) + " with those of the new tokens";
  }

  std::string compare(int64_t kvHeads) {
    Value result = resultOf(cached.result);
    const int64_t group = heads / kvHeads;
    for (int64_t b = 0; b < batch; ++b)
      for (int64_t t = 0; t < kPast + steps; ++t)
        for (int64_t g = 0; g < heads; ++g)
          for (int64_t i = 0; i < size; i += (t + g) % 3 == 0 ? 1 : std::max<int64_t>(1, size - 1)) {
            SmallVector<int64_t> at = cached.at(b, t, g / group, i);
            auto isPast = [&](const Form &form, double factor) {
              return form.isElement() && form.terms[0].factor == factor && form.terms[0].tensor == cached.past &&
                     ArrayRef<int64_t>(elements->indicesOf(cached.past, form.terms[0].index)) == ArrayRef<int64_t>(at);
            };
            Form read = elements->at(operand, {b, t, g, i});
            if (t < kPast && cached.growth == CacheGrowth::New) {
              if (!isPast(read, cached.factor))
                return "attention does not read " + nodeOf(cached.past) + " as it is";
              continue;
            }
            Form whole = elements->at(result, cached.inResult(b, t, g / group, i, kPast));
            if (t < kPast && !isPast(whole, 1))
              return nodeOf(result) + " does not give earlier positions as they were";
            if (!isMultiple(read, whole, cached.factor))
              return "attention does not read what " + nodeOf(result) + " gives";
          }
    return elements->readOutside() ? "something outside of a tensor is read" : "";
  }

  DecoderGraph &graph;
  Value operand;
  CachedKeys &cached;
  std::unique_ptr<Elements> elements;
  const int64_t batch, steps, heads, size;
};

} // namespace

SmallVector<int64_t> CachedKeys::at(int64_t batch, int64_t position, int64_t head, int64_t i) const {
  SmallVector<int64_t> indices(first);
  if (batchDim >= 0)
    indices[size_t(batchDim)] = batch;
  indices[size_t(positionDim)] = position;
  if (headDim >= 0)
    indices[size_t(headDim)] += head * headStep;
  indices[size_t(elementDim)] += i;
  return indices;
}

SmallVector<int64_t> CachedKeys::inResult(int64_t batch, int64_t position, int64_t head, int64_t i,
                                          int64_t past) const {
  return at(batch, growth == CacheGrowth::New ? position - past : position, head, i);
}

std::string readCachedKeys(DecoderGraph &graph, Value operand, CachedKeys &cached, int64_t &kvHeads) {
  return Reader(graph, operand, cached).read(kvHeads);
}

} // namespace ingot::passes
