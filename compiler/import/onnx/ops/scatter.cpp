// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Operators that write elements at indices: ScatterElements, ScatterND, TensorScatter. Each element of the result looks for the
// updates that are meant for it, so that elements are independent of each other.
#include "compiler/import/onnx/ops/indices.h"

namespace ingot::onnx {

namespace {

// How updates meet what is there.
struct Combination {
  bool replaces = true;
  Reduction kind = Reduction::sum;
  ScalarOp op = ScalarOp::add;
};

Combination combinationOf(Op &op) {
  const std::string name = op.string("reduction", "none");
  if (name == "none")
    return {};
  if (name == "add")
    return {false, Reduction::sum, ScalarOp::add};
  if (name == "mul")
    return {false, Reduction::product, ScalarOp::mul};
  if (name == "max")
    return {false, Reduction::max, ScalarOp::max};
  if (name == "min")
    return {false, Reduction::min, ScalarOp::min};
  op.fail("reduction is '" + name + "'; expected none, add, mul, max or min");
}

// result[i] = data[i], combined with update(i, k) of each k below `count` for which meant(i, k) holds. Where updates replace, the last wins.
Tensor scatter(Op &op, Tensor data, const Dimension &count, const std::function<Scalar(const Indices &, Scalar)> &meant,
               const std::function<Scalar(const Indices &, Scalar)> &update) {
  Graph &graph = op.graph;
  const Combination combination = combinationOf(op);
  if (combination.replaces) {
    Tensor last = graph.reduce(DataType::i64, data->shape, {count}, Reduction::max, [&](const Indices &i, const Indices &k) {
      Scalar at = cast(k[0], ElementType::i64);
      return select(meant(i, k[0]), at, like(at, -1));
    });
    return graph.compute(data->dataType, data->shape, [&](const Indices &i) {
      Scalar at = cast(graph.at(last, i), ElementType::index);
      return select(at >= Scalar(0), update(i, clampedTo(at, count)), graph.at(data, i));
    });
  }
  Tensor all = graph.reduce(data->dataType, data->shape, {count}, combination.kind, [&](const Indices &i, const Indices &k) {
    Scalar value = update(i, k[0]);
    // What changes nothing: 0 and 1, and for the largest and smallest what is there already.
    Scalar nothing = combination.kind == Reduction::sum       ? like(value, 0)
                     : combination.kind == Reduction::product ? like(value, 1)
                                                              : graph.at(data, i);
    return select(meant(i, k[0]), value, nothing);
  });
  return graph.elementwise(combination.op, {data, all});
}

std::vector<Tensor> scatterElements(Op &op) {
  Tensor data = op.input(0), ids = op.input(1), updates = op.input(2);
  if (ids->rank() != data->rank() || updates->rank() != data->rank())
    op.fail("indices have shape " + textOf(ids->shape) + " and updates " + textOf(updates->shape) +
            "; expected as many dimensions as " + textOf(data->shape));
  for (size_t d = 0; d < ids->rank(); ++d)
    if (op.graph.differ(ids->shape[d], updates->shape[d], "as many updates in " + textOf(updates->shape) + " as indices in " + textOf(ids->shape)))
      op.fail("indices have shape " + textOf(ids->shape) + " and updates " + textOf(updates->shape) + "; expected equal shapes");
  if (updates->dataType != data->dataType)
    op.fail("updates are of " + nameOf(updates->dataType) + "; the data is of " + nameOf(data->dataType));
  const size_t axis = axisOf(op.integer("axis", 0), data->rank());
  checkIndices(op, 1, data->shape[axis]);
  if (elementsOf(ids->shape) == Dimension(0))
    return {data};
  auto place = [&](const Indices &i, Scalar k) {
    Indices own;
    for (size_t d = 0; d < i.size(); ++d)
      own.push_back(d == axis ? k : data->shape[d] == ids->shape[d] ? i[d] : clampedTo(i[d], ids->shape[d]));
    return own;
  };
  return {scatter(
      op, data, ids->shape[axis],
      [&](const Indices &i, Scalar k) {
        Scalar meant = equal(positionOf(op.graph.at(ids, place(i, k)), data->shape[axis]), i[axis]);
        for (size_t d = 0; d < i.size(); ++d)
          if (d != axis && !(data->shape[d] == ids->shape[d]))
            meant = both(meant, i[d] < Scalar(ids->shape[d]));
        return meant;
      },
      [&](const Indices &i, Scalar k) { return op.graph.at(updates, place(i, k)); })};
}

std::vector<Tensor> scatterNd(Op &op) {
  Tensor data = op.input(0), ids = op.input(1), updates = op.input(2);
  if (ids->rank() == 0)
    op.fail("indices have no dimensions");
  auto length = ids->shape.back().constant();
  if (!length || *length > int64_t(data->rank()))
    op.fail("the last dimension of the indices is " + ids->shape.back().text() + "; expected at most " + std::to_string(data->rank()));
  if (updates->dataType != data->dataType)
    op.fail("updates are of " + nameOf(updates->dataType) + "; the data is of " + nameOf(data->dataType));
  Shape lead(ids->shape.begin(), ids->shape.end() - 1), expected = lead;
  expected.insert(expected.end(), data->shape.begin() + *length, data->shape.end());
  if (expected.size() != updates->rank())
    op.fail("updates have shape " + textOf(updates->shape) + "; expected " + textOf(expected));
  for (size_t d = 0; d < expected.size(); ++d)
    if (op.graph.differ(expected[d], updates->shape[d], "updates for the indices and rows that they are written to"))
      op.fail("updates have shape " + textOf(updates->shape) + "; expected " + textOf(expected));
  // What one of both says in numbers holds for both.
  for (size_t d = 0; d < lead.size(); ++d)
    if (updates->shape[d].isConstant())
      lead[d] = updates->shape[d];
  const Dimension count = elementsOf(lead);
  if (count == Dimension(0))
    return {data};
  auto flat = [&](Tensor x, const Shape &shape) {
    if (!(elementsOf(x->shape) == elementsOf(shape)))
      return op.graph.reshapeUnproven(x, shape);
    return op.graph.computed(x->dataType, shape, op.graph.ir().reshape(op.graph.value(x), shape));
  };
  ids = flat(ids, {count, Dimension(*length)});
  Shape rows = {count};
  rows.insert(rows.end(), updates->shape.begin() + std::ptrdiff_t(lead.size()), updates->shape.end());
  updates = flat(updates, rows);
  return {scatter(
      op, data, count,
      [&](const Indices &i, Scalar k) {
        Scalar meant = Scalar::integer(ElementType::i1, 1);
        for (int64_t n = 0; n < *length; ++n)
          meant = both(meant, equal(positionOf(op.graph.at(ids, {k, Scalar(n)}), data->shape[size_t(n)]), i[size_t(n)]));
        return meant;
      },
      [&](const Indices &i, Scalar k) {
        Indices own = {k};
        own.insert(own.end(), i.begin() + *length, i.end());
        return op.graph.at(updates, own);
      })};
}

// present = past, with the update written along an axis from where each of the batch says.
std::vector<Tensor> tensorScatter(Op &op) {
  Tensor past = op.input(0), update = op.input(1), from = op.optional(2);
  if (past->rank() != update->rank() || past->rank() < 2 || past->dataType != update->dataType)
    op.fail("the cache is " + nameOf(past->dataType) + " " + textOf(past->shape) + " and the update " + nameOf(update->dataType) + " " +
            textOf(update->shape) + "; expected the same type and number of dimensions, at least 2");
  const size_t axis = axisOf(op.integer("axis", -2), past->rank());
  const std::string mode = op.string("mode", "linear");
  if (mode != "linear" && mode != "circular")
    op.fail("mode is '" + mode + "'; expected linear or circular");
  if (axis == 0 || (from && from->rank() != 1))
    op.fail("it writes along axis " + std::to_string(axis) + " from indices of shape " + (from ? textOf(from->shape) : "[]") +
            "; expected an index for each of axis 0, and another axis");
  const std::string shapes = "the update " + textOf(update->shape) + " to fit into the cache " + textOf(past->shape);
  bool fits = !from || !op.graph.differ(from->shape[0], past->shape[0], "an index for each of axis 0");
  for (size_t d = 0; fits && d < past->rank(); ++d)
    fits = d == axis ? !op.graph.exceeds(update->shape[d], past->shape[d], shapes) : !op.graph.differ(update->shape[d], past->shape[d], shapes);
  if (!fits)
    op.fail("the update has shape " + textOf(update->shape) + (from ? " and its indices " + textOf(from->shape) : "") + ", the cache " + textOf(past->shape) +
            "; expected equal dimensions but for axis " + std::to_string(axis) + ", and an index for each of axis 0");
  return {op.graph.compute(past->dataType, past->shape, [&](const Indices &i) {
    Scalar start = from ? cast(op.graph.at(from, {i[0]}), ElementType::index) : Scalar(0);
    Scalar at = i[axis] - start;
    if (mode == "circular")
      at = apply(ScalarOp::mod, at, Scalar(past->shape[axis]));
    Indices own = i;
    own[axis] = clampedTo(at, update->shape[axis]);
    return select(both(at >= Scalar(0), at < Scalar(update->shape[axis])), op.graph.at(update, own), op.graph.at(past, i));
  })};
}

constexpr Definition kOps[] = {
    {"", "Scatter", 9, scatterElements},
    {"", "ScatterElements", 11, scatterElements},
    {"", "ScatterND", 11, scatterNd},
    {"", "TensorScatter", 24, tensorScatter},
};

} // namespace

std::span<const Definition> scatterOps() { return kOps; }

} // namespace ingot::onnx
