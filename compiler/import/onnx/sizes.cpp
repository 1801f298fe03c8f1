// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sizes that depend on data: which dimension an integer of a tensor is. Formulas are followed back to numbers that a run
// measures, so that all that is made of one of these is arithmetic over one symbol; the same formulas tell what the numbers
// can be at most, for which memory is planned.
#include "compiler/import/onnx/evaluate.h"
#include "compiler/import/onnx/graph.h"

#include <unordered_map>

namespace ingot::onnx {

namespace {

// Formulas that are followed, one through the other.
constexpr int kDeepest = 64;

bool isNatural(const std::optional<Dimension> &value) { return value && value->least().value_or(-1) >= 0; }

// Bounds of a formula's scalars.
class Bounding {
public:
  Bounding(Graph &graph, const TensorData &of, const Formula &formula) : graph(graph), formula(formula) {
    sizes = of.shape;
    sizes.insert(sizes.end(), formula.extents.begin(), formula.extents.end());
  }

  Bounds all() {
    Bounds term = of(formula.body);
    const Dimension count = elementsOf(formula.extents);
    if (formula.extents.empty() || formula.kind == Reduction::max || formula.kind == Reduction::min)
      return term; // of nothing they are the type's own least and largest: no more than a size that is refused
    if (formula.kind == Reduction::sum && isNatural(term.least) && term.most)
      return {Dimension(0), *term.most * count};
    return {};
  }

private:
  Bounds of(const Scalar &scalar) {
    auto [at, isNew] = seen.emplace(scalar.get(), Bounds());
    if (isNew)
      at->second = find(*scalar.get());
    return seen[scalar.get()];
  }

  Bounds find(const ScalarNode &node) {
    if (node.type == ElementType::i1)
      return {Dimension(0), Dimension(1)};
    switch (node.op) {
    case ScalarOp::constant: {
      const double real = node.real;
      if (isFloat(node.type))
        return real == double(int64_t(real)) && real < 1e9 && real > -1e9 ? exactly(int64_t(real)) : Bounds();
      return exactly(node.integer);
    }
    case ScalarOp::index:
      return {Dimension(0), sizes[size_t(node.integer)] - 1};
    case ScalarOp::size:
      return exactly(node.size);
    case ScalarOp::element:
      return elementOf(node);
    case ScalarOp::select: {
      const Bounds a = of(node.operands[1]), b = of(node.operands[2]);
      return {both(a.least, b.least, Dimension::min), both(a.most, b.most, Dimension::max)};
    }
    case ScalarOp::cast:
    case ScalarOp::floor:
    case ScalarOp::ceil:
    case ScalarOp::trunc:
    case ScalarOp::round_even:
      return of(node.operands[0]); // bounds are whole numbers
    case ScalarOp::rem:
    case ScalarOp::mod: {
      const Bounds a = of(node.operands[0]), b = of(node.operands[1]);
      if (!isNatural(a.least) || !b.most || !isNatural(b.least))
        return {};
      return {Dimension(0), a.most ? Dimension::min(*a.most, *b.most) : *b.most};
    }
    case ScalarOp::add: {
      const Bounds a = of(node.operands[0]), b = of(node.operands[1]);
      auto sum = [](const Dimension &x, const Dimension &y) { return x + y; };
      return {both(a.least, b.least, sum), both(a.most, b.most, sum)};
    }
    case ScalarOp::sub: {
      const Bounds a = of(node.operands[0]), b = of(node.operands[1]);
      auto difference = [](const Dimension &x, const Dimension &y) { return x - y; };
      return {both(a.least, b.most, difference), both(a.most, b.least, difference)};
    }
    case ScalarOp::mul: {
      const Bounds a = of(node.operands[0]), b = of(node.operands[1]);
      if (!isNatural(a.least) || !isNatural(b.least))
        return {};
      return {Dimension(0), both(a.most, b.most, [](const Dimension &x, const Dimension &y) { return x * y; })};
    }
    case ScalarOp::div: {
      const Bounds a = of(node.operands[0]), b = of(node.operands[1]);
      auto divisor = b.least ? b.least->constant() : std::nullopt;
      if (!isNatural(a.least) || !a.most || !divisor || *divisor < 1)
        return {};
      return {Dimension(0), Dimension::ceilDiv(*a.most, *divisor)};
    }
    case ScalarOp::min: {
      const Bounds a = of(node.operands[0]), b = of(node.operands[1]);
      return {both(a.least, b.least, Dimension::min), either(a.most, b.most, Dimension::min)};
    }
    case ScalarOp::max: {
      const Bounds a = of(node.operands[0]), b = of(node.operands[1]);
      return {either(a.least, b.least, Dimension::max), both(a.most, b.most, Dimension::max)};
    }
    default:
      return {};
    }
  }

  Bounds elementOf(const ScalarNode &node) {
    auto *tensor = static_cast<TensorData *>(const_cast<void *>(node.tensor));
    if (formula.kind == Reduction::sum && !formula.extents.empty() && isMask(tensor))
      return {Dimension(0), Dimension(1)};
    return graph.boundsOf(tensor);
  }

  // Integers [batch, length] that a caller gives.
  static bool isMask(const TensorData *tensor) {
    for (int depth = 0; depth < 4 && tensor && !tensor->given && tensor->formula; ++depth) {
      const ScalarNode *node = tensor->formula->body.get();
      while (node->op == ScalarOp::cast)
        node = node->operands[0].get();
      if (node->op != ScalarOp::element || !tensor->formula->extents.empty())
        return false;
      tensor = static_cast<const TensorData *>(node->tensor);
    }
    return tensor && tensor->given && tensor->rank() == 2 && !isFloat(tensor->type);
  }

  static Bounds exactly(const Dimension &value) { return {value, value}; }
  template <typename Combine>
  static std::optional<Dimension> both(const std::optional<Dimension> &a, const std::optional<Dimension> &b, Combine combine) {
    return a && b ? std::optional<Dimension>(combine(*a, *b)) : std::nullopt;
  }
  template <typename Combine>
  static std::optional<Dimension> either(const std::optional<Dimension> &a, const std::optional<Dimension> &b, Combine combine) {
    return a && b ? std::optional<Dimension>(combine(*a, *b)) : a ? a : b;
  }

  Graph &graph;
  const Formula &formula;
  Shape sizes;
  std::unordered_map<const ScalarNode *, Bounds> seen;
};

} // namespace

Bounds Graph::boundsOf(Tensor tensor) {
  if (tensor->bounds)
    return *tensor->bounds;
  tensor->bounds = std::make_shared<const Bounds>(); // where formulas go in a circle, which none should
  Bounds bounds;
  if (tensor->dataType == DataType::boolean) {
    bounds = {Dimension(0), Dimension(1)};
  } else if (tensor->known && tensor->known->cells.size() <= 64) {
    for (const Cell &cell : tensor->known->cells) {
      const double *real = std::get_if<double>(&cell);
      if (std::holds_alternative<Ratio>(cell) || (real && !(*real == double(int64_t(*real)) && *real < 1e9 && *real > -1e9))) {
        bounds = {};
        break;
      }
      const Dimension value = real                                        ? Dimension(int64_t(*real))
                              : std::holds_alternative<Dimension>(cell) ? std::get<Dimension>(cell)
                                                                          : Dimension(std::get<int64_t>(cell));
      bounds.least = bounds.least ? Dimension::min(*bounds.least, value) : value;
      bounds.most = bounds.most ? Dimension::max(*bounds.most, value) : value;
    }
  } else if (tensor->formula && nesting < kDeepest) {
    ++nesting;
    bounds = Bounding(*this, *tensor, *tensor->formula).all();
    --nesting;
  }
  tensor->bounds = std::make_shared<const Bounds>(bounds);
  return bounds;
}

// A cell that follows from what is known and from sizes that are measured.
std::optional<Cell> Graph::cellAt(Tensor tensor, const std::vector<int64_t> &indices, int depth) {
  int64_t place = 0;
  for (size_t d = 0; d < tensor->rank(); ++d) {
    auto size = tensor->shape[d].constant();
    if (!size || indices[d] < 0 || indices[d] >= *size)
      return std::nullopt;
    place = place * *size + indices[d];
  }
  if (tensor->known)
    return tensor->known->cells[size_t(place)];
  if (auto found = tensor->sizes.find(place); found != tensor->sizes.end())
    return found->second.isConstant() ? Cell(*found->second.constant()) : Cell(found->second);
  if (depth > kDeepest || !elementsOf(tensor->shape).isConstant() || *elementsOf(tensor->shape).constant() > 16)
    return std::nullopt;
  if (tensor->formula)
    if (auto cell = sumAt(tensor, indices, depth))
      return cell;
  const Bounds bounds = boundsOf(tensor);
  if (isFloat(tensor->type) || tensor->dataType == DataType::boolean || !isNatural(bounds.least) || !bounds.most)
    return std::nullopt;
  const Dimension size = *sizeAt(tensor, place, bounds.most);
  return size.isConstant() ? Cell(*size.constant()) : Cell(size);
}

std::optional<Cell> Graph::sumAt(Tensor tensor, const std::vector<int64_t> &indices, int depth) {
  const Formula &formula = *tensor->formula;
  auto literals = [](const void *of) { return static_cast<const TensorData *>(of)->known.get(); };
  auto elements = [&](const void *of, const std::vector<int64_t> &at) {
    return cellAt(static_cast<TensorData *>(const_cast<void *>(of)), at, depth + 1);
  };
  const auto steps = elementsOf(formula.extents).constant();
  if (!steps || *steps < 1 || *steps > 16)
    return std::nullopt;
  std::optional<Cell> result;
  for (int64_t step = 0; step < *steps; ++step) {
    std::vector<int64_t> loops = indices;
    for (int64_t rest = step, d = int64_t(formula.extents.size()); d-- > 0;) {
      loops.insert(loops.begin() + int64_t(indices.size()), rest % *formula.extents[size_t(d)].constant());
      rest /= *formula.extents[size_t(d)].constant();
    }
    auto cell = evaluate(formula.body, loops, literals, elements);
    if (!cell)
      return std::nullopt;
    result = result ? combined(formula.kind, tensor->type, *result, *cell) : cell;
    if (!result)
      return std::nullopt;
  }
  return result;
}

std::optional<Dimension> Graph::sizeAt(Tensor tensor, int64_t place, const std::optional<Dimension> &most) {
  if (isFloat(tensor->type))
    return std::nullopt;
  std::vector<int64_t> indices(tensor->rank());
  for (int64_t rest = place, d = int64_t(tensor->rank()); d-- > 0;) {
    auto size = tensor->shape[size_t(d)].constant();
    if (!size || *size < 1)
      return std::nullopt;
    indices[size_t(d)] = rest % *size;
    rest /= *size;
  }
  std::optional<Dimension> bound = most;
  if (!most) {
    if (auto cell = cellAt(tensor, indices, 0)) {
      if (const int64_t *number = std::get_if<int64_t>(&*cell))
        return Dimension(*number);
      if (const Dimension *size = std::get_if<Dimension>(&*cell))
        return *size;
      return std::nullopt;
    }
    bound = boundsOf(tensor).most;
    if (!bound)
      return std::nullopt;
  }
  // Sizes are natural: of what may be negative, how far it lies above the least that it can be is measured.
  const auto least = boundsOf(tensor).least;
  const Dimension base = least && !isNatural(least) ? *least : Dimension(0);
  // Computed, as what a run measures stands in memory of its own: below 0 all is refused alike.
  Indices at;
  for (int64_t index : indices)
    at.push_back(Scalar(index));
  Tensor number = compute(DataType::i64, {}, [&](const Indices &) {
    Scalar value = ingot::cast(this->at(tensor, at), ElementType::i64) - ingot::cast(Scalar(base), ElementType::i64);
    return larger(value, like(value, -1));
  });
  const Dimension size = measured(number, Dimension::max(*bound - base, 0)) + base;
  tensor->sizes[place] = size;
  return size;
}

} // namespace ingot::onnx
