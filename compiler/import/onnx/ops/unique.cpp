// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Unique, of tensors whose contents are known: how many elements its results have depends on them.
#include "compiler/import/onnx/op.h"

#include <algorithm>
#include <numeric>

namespace ingot::onnx {

namespace {

std::vector<Tensor> unique(Op &op) {
  Graph &graph = op.graph;
  Tensor x = op.input(0);
  if (!x->known || !x->known->isConstant())
    op.fail("its input must be a constant: the shapes of its results depend on it, and shapes that depend on data are not supported");
  const std::vector<int64_t> &shape = x->known->shape;
  const std::vector<Cell> &cells = x->known->cells;
  // Slices along the axis, or single elements: slice s has elements at (before, s, after).
  int64_t before = 1, count = int64_t(cells.size()), after = 1;
  const bool flat = !op.has("axis");
  size_t axis = 0;
  if (!flat) {
    axis = axisOf(op.integer("axis"), x->rank());
    for (size_t d = 0; d < axis; ++d)
      before *= shape[d];
    count = shape[axis];
    for (size_t d = axis + 1; d < shape.size(); ++d)
      after *= shape[d];
  }
  auto cell = [&](int64_t slice, int64_t at) -> const Cell & {
    return cells[size_t((at / after * count + slice) * after + at % after)];
  };
  auto below = [&](const Cell &a, const Cell &b) {
    if (x->type == ElementType::u64)
      return uint64_t(std::get<int64_t>(a)) < uint64_t(std::get<int64_t>(b));
    if (std::holds_alternative<double>(a))
      return std::get<double>(a) < std::get<double>(b);
    return std::get<int64_t>(a) < std::get<int64_t>(b);
  };
  auto order = [&](int64_t a, int64_t b) { // -1, 0 or 1
    for (int64_t at = 0; at < before * after; ++at) {
      if (below(cell(a, at), cell(b, at)))
        return -1;
      if (below(cell(b, at), cell(a, at)))
        return 1;
    }
    return 0;
  };
  std::vector<int64_t> sorted(static_cast<size_t>(count));
  std::iota(sorted.begin(), sorted.end(), 0);
  std::sort(sorted.begin(), sorted.end(), [&](int64_t a, int64_t b) {
    const int which = order(a, b);
    return which != 0 ? which < 0 : a < b;
  });
  struct Group {
    int64_t first, members; // the first slice of its kind, and how many there are
  };
  std::vector<Group> groups;
  std::vector<int64_t> groupOf(size_t(count), 0);
  for (int64_t slice : sorted) {
    if (groups.empty() || order(groups.back().first, slice) != 0)
      groups.push_back({slice, 0});
    ++groups.back().members;
    groupOf[size_t(slice)] = int64_t(groups.size()) - 1;
  }
  std::vector<int64_t> shown(groups.size());
  std::iota(shown.begin(), shown.end(), 0);
  if (op.integer("sorted", 1) == 0) // in the order in which they appear
    std::sort(shown.begin(), shown.end(), [&](int64_t a, int64_t b) { return groups[size_t(a)].first < groups[size_t(b)].first; });
  std::vector<int64_t> place(groups.size());
  for (size_t i = 0; i < shown.size(); ++i)
    place[size_t(shown[i])] = int64_t(i);

  Literal values{x->type, flat ? std::vector<int64_t>{int64_t(groups.size())} : shape, {}};
  if (!flat)
    values.shape[axis] = int64_t(groups.size());
  for (int64_t b = 0; b < before; ++b)
    for (int64_t group : shown)
      for (int64_t a = 0; a < after; ++a)
        values.cells.push_back(cell(groups[size_t(group)].first, b * after + a));
  auto list = [&](size_t size, const std::function<int64_t(size_t)> &at) {
    Literal made{ElementType::i64, {int64_t(size)}, {}};
    for (size_t i = 0; i < size; ++i)
      made.cells.push_back(at(i));
    return graph.literal(DataType::i64, std::move(made));
  };
  return {graph.literal(x->dataType, std::move(values)), list(shown.size(), [&](size_t i) { return groups[size_t(shown[i])].first; }),
          list(size_t(count), [&](size_t i) { return place[size_t(groupOf[i])]; }),
          list(shown.size(), [&](size_t i) { return groups[size_t(shown[i])].members; })};
}

constexpr Definition kOps[] = {
    {"", "Unique", 11, unique},
};

} // namespace

std::span<const Definition> uniqueOps() { return kOps; }

} // namespace ingot::onnx
