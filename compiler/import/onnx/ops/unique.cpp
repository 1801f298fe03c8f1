// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Unique: how many elements its results have depends on what its input holds. That is counted while importing where it is
// known, and in the run otherwise.
#include "compiler/import/onnx/kept.h"
#include "compiler/import/onnx/ops/indices.h"

#include <algorithm>
#include <numeric>

namespace ingot::onnx {

namespace {

Scalar truth(bool value) { return Scalar::integer(ElementType::i64, value); }

// Of a tensor that a run gives. Slices are compared with all others, so that their number counts twice.
std::vector<Tensor> uniqueInRun(Op &op) {
  Graph &graph = op.graph;
  Tensor x = op.input(0);
  if (isSmallFloat(x->dataType))
    op.fail("elements of " + nameOf(x->dataType) + " are compared while importing alone; expected another type");
  const bool flat = !op.has("axis");
  const size_t axis = flat ? 0 : axisOf(op.integer("axis"), x->rank());
  // [slices, elements of a slice]
  std::vector<int64_t> order{int64_t(axis)};
  for (size_t d = 0; d < x->rank(); ++d)
    if (d != axis)
      order.push_back(int64_t(d));
  const Dimension count = flat ? elementsOf(x->shape) : x->shape[axis];
  Shape rest;
  for (size_t d = 0; d < x->rank(); ++d)
    if (!flat && d != axis)
      rest.push_back(x->shape[d]);
  const Dimension width = elementsOf(rest);
  Tensor rows = graph.reshape(flat || axis == 0 ? x : graph.transpose(x, order), {count, width});
  // Where two slices first differ; as many elements as they have where they are alike.
  Tensor differ = graph.reduce(DataType::i64, {count, count}, {width}, Reduction::min, [&](const Indices &i, const Indices &k) {
    return select(equal(graph.at(rows, {i[0], k[0]}), graph.at(rows, {i[1], k[0]})), cast(Scalar(width), ElementType::i64),
                  cast(k[0], ElementType::i64));
  });
  auto alike = [&](Scalar a, Scalar b) { return graph.at(differ, {a, b}) >= cast(Scalar(width), ElementType::i64); };
  auto below = [&](Scalar a, Scalar b) {
    Scalar at = clampedTo(cast(graph.at(differ, {a, b}), ElementType::index), width);
    return graph.at(rows, {a, at}) < graph.at(rows, {b, at});
  };
  // Of each slice the first of its kind, and where its kind stands among the kinds.
  Tensor first = graph.reduce(DataType::i64, {count}, {count}, Reduction::min, [&](const Indices &i, const Indices &k) {
    return select(alike(i[0], k[0]), cast(k[0], ElementType::i64), cast(Scalar(count), ElementType::i64));
  });
  auto leads = [&](Scalar place) { return equal(graph.at(first, {place}), cast(place, ElementType::i64)); };
  const bool sorted = op.integer("sorted", 1) != 0;
  Tensor place = graph.reduce(DataType::i64, {count}, {count}, Reduction::sum, [&](const Indices &i, const Indices &k) {
    Scalar before = sorted ? below(k[0], i[0]) : cast(k[0], ElementType::i64) < graph.at(first, {i[0]});
    return select(both(leads(k[0]), before), truth(true), truth(false));
  });
  Kept kept = keptWhere(graph, count, leads);
  Tensor shown = kept.places;
  if (sorted)
    shown = graph.reduce(DataType::i64, {kept.count}, {count}, Reduction::max, [&](const Indices &i, const Indices &k) {
      return select(both(leads(k[0]), equal(graph.at(place, {k[0]}), cast(i[0], ElementType::i64))), cast(k[0], ElementType::i64),
                    truth(false));
    });
  auto sliceOf = [&](Scalar group) { return clampedTo(cast(graph.at(shown, {group}), ElementType::index), count); };
  Shape shape = flat ? Shape{kept.count} : x->shape;
  shape[axis] = kept.count;
  Tensor values = graph.compute(x->dataType, shape, [&](const Indices &i) {
    Indices own = i;
    own[axis] = sliceOf(i[axis]);
    return flat ? graph.at(rows, {own[0], Scalar(0)}) : graph.at(x, own);
  });
  Tensor members = graph.reduce(DataType::i64, {kept.count}, {count}, Reduction::sum, [&](const Indices &i, const Indices &k) {
    return select(alike(sliceOf(i[0]), k[0]), truth(true), truth(false));
  });
  return {values, shown, place, members};
}

std::vector<Tensor> unique(Op &op) {
  Graph &graph = op.graph;
  Tensor x = op.input(0);
  if (!x->known || !x->known->isConstant())
    return uniqueInRun(op);
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
