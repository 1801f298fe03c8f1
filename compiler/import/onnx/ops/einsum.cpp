// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Einsum, and the determinant of square matrices.
#include "compiler/import/onnx/op.h"

#include <algorithm>
#include <cctype>
#include <numeric>

namespace ingot::onnx {

namespace {

// Labels of a tensor's dimensions. Those that an ellipsis stands for are numbered from the last one on: -1, -2, ...
using Labels = std::vector<int>;

Labels labelsOf(Op &op, const std::string &term, std::optional<size_t> rank, size_t ellipsis) {
  Labels labels;
  size_t letters = 0, dots = 0;
  for (char c : term) {
    letters += std::isalpha(static_cast<unsigned char>(c)) != 0;
    dots += c == '.';
  }
  if ((dots != 0 && dots != 3) || letters + dots != term.size())
    op.fail("'" + term + "' of the equation is no list of letters with at most one ellipsis");
  if (rank) {
    if (letters > *rank || (dots == 0 && letters != *rank))
      op.fail("'" + term + "' of the equation does not name the dimensions of a tensor of " + std::to_string(*rank));
    ellipsis = *rank - letters;
  }
  for (size_t i = 0; i < term.size(); ++i) {
    if (term[i] != '.') {
      labels.push_back(term[i]);
      continue;
    }
    if (term.compare(i, 3, "...") != 0)
      op.fail("'" + term + "' of the equation is no list of letters with at most one ellipsis");
    for (size_t e = ellipsis; e > 0; --e)
      labels.push_back(-int(e));
    i += 2;
  }
  return labels;
}

// The tensor's dimensions in this order; those that it does not have are 1.
Tensor arranged(Graph &graph, Tensor x, const Labels &own, const Labels &order) {
  std::vector<int64_t> permutation;
  Shape shape;
  for (int label : order) {
    auto at = std::find(own.begin(), own.end(), label);
    shape.push_back(at == own.end() ? Dimension(1) : x->shape[size_t(at - own.begin())]);
    if (at != own.end())
      permutation.push_back(at - own.begin());
  }
  return graph.reshape(graph.transpose(x, permutation), shape);
}

// The dimensions from `first` on, as one.
Tensor merged(Graph &graph, Tensor x, size_t first, size_t count) {
  Shape shape(x->shape.begin(), x->shape.begin() + std::ptrdiff_t(first));
  shape.push_back(elementsOf(Shape(x->shape.begin() + std::ptrdiff_t(first), x->shape.begin() + std::ptrdiff_t(first + count))));
  shape.insert(shape.end(), x->shape.begin() + std::ptrdiff_t(first + count), x->shape.end());
  return graph.reshape(x, shape);
}

// What passes see through: a transpose, a product element by element, a product of matrices. Null where the equation is another.
Tensor named(Op &op, const std::vector<Labels> &labels, const Labels &result, const std::map<int, Dimension> &sizes) {
  Graph &graph = op.graph;
  auto has = [](const Labels &in, int label) { return std::find(in.begin(), in.end(), label) != in.end(); };
  if (labels.size() > 2)
    return nullptr;
  for (size_t n = 0; n < labels.size(); ++n)
    for (size_t d = 0; d < labels[n].size(); ++d) {
      const int label = labels[n][d];
      if (std::count(labels[n].begin(), labels[n].end(), label) != 1 || !(op.input(n)->shape[d] == sizes.at(label)))
        return nullptr; // diagonals, and dimensions that are repeated
      if (!has(result, label) && (labels.size() == 1 || !has(labels[1 - n], label)))
        return nullptr; // summed in one operand alone
    }
  if (labels.size() == 1)
    return arranged(graph, op.input(0), labels[0], result);
  if (!isFloat(op.input(0)->type))
    return nullptr;
  Labels batch, summed;
  for (int label : result)
    if (has(labels[0], label) && has(labels[1], label))
      batch.push_back(label);
  // In the order of the operand that is stored.
  for (int label : labels[Graph::isConstant(op.input(1)) ? 1 : 0])
    if (!has(result, label))
      summed.push_back(label);
  if (summed.empty())
    return graph.elementwise(ScalarOp::mul, {arranged(graph, op.input(0), labels[0], result), arranged(graph, op.input(1), labels[1], result)});
  // Rows are those of the operand whose dimensions come first in the result, so that attention has queries by keys.
  auto firstOwn = [&](size_t n) {
    return std::find_if(result.begin(), result.end(), [&](int label) { return has(labels[n], label) && !has(labels[1 - n], label); });
  };
  const size_t left = firstOwn(1) < firstOwn(0) ? 1 : 0, right = 1 - left;
  Labels rows, columns, order = batch;
  for (int label : result)
    if (!has(batch, label))
      (has(labels[left], label) ? rows : columns).push_back(label);
  auto joined = [](const Labels &a, const Labels &b, const Labels &c) {
    Labels all = a;
    all.insert(all.end(), b.begin(), b.end());
    all.insert(all.end(), c.begin(), c.end());
    return all;
  };
  order = joined(batch, rows, columns);
  Tensor a = arranged(graph, op.input(left), labels[left], joined(batch, rows, summed));
  a = merged(graph, merged(graph, a, batch.size() + rows.size(), summed.size()), batch.size(), rows.size());
  // The right side as a matrix in the order that it has, so that stored weights of several dimensions are matrices without a copy.
  auto first = [&](const Labels &of) {
    return std::find_if(labels[right].begin(), labels[right].end(), [&](int label) { return has(of, label); });
  };
  const bool turned = first(columns) < first(summed);
  const Labels &upper = turned ? columns : summed, &lower = turned ? summed : columns;
  Tensor b = arranged(graph, op.input(right), labels[right], joined(batch, upper, lower));
  b = merged(graph, merged(graph, b, batch.size() + upper.size(), lower.size()), batch.size(), upper.size());
  if (turned) {
    std::vector<int64_t> permutation(b->rank());
    std::iota(permutation.begin(), permutation.end(), 0);
    std::swap(permutation[batch.size()], permutation[batch.size() + 1]);
    b = graph.transpose(b, permutation);
  }
  Tensor product = graph.matmul(a, b);
  Shape shape;
  for (int label : order)
    shape.push_back(sizes.at(label));
  return arranged(graph, graph.reshape(product, shape), order, result);
}

std::vector<Tensor> einsum(Op &op) {
  Graph &graph = op.graph;
  std::string equation = op.string("equation");
  equation.erase(std::remove(equation.begin(), equation.end(), ' '), equation.end());
  const size_t arrow = equation.find("->");
  std::string left = equation.substr(0, arrow);
  std::vector<std::string> terms;
  for (size_t start = 0;;) {
    const size_t comma = left.find(',', start);
    terms.push_back(left.substr(start, comma == std::string::npos ? comma : comma - start));
    if (comma == std::string::npos)
      break;
    start = comma + 1;
  }
  if (terms.size() != op.inputs())
    op.fail("the equation names " + std::to_string(terms.size()) + " tensors; there are " + std::to_string(op.inputs()));
  std::vector<Labels> labels;
  std::map<int, Dimension> sizes;
  std::map<int, int> times;
  size_t ellipsis = 0;
  for (size_t n = 0; n < terms.size(); ++n) {
    Tensor x = op.input(n);
    if (x->dataType != op.input(0)->dataType || x->dataType == DataType::boolean || isSmallFloat(x->dataType))
      op.fail("operands are of " + nameOf(op.input(0)->dataType) + " and of " + nameOf(x->dataType) + "; expected numbers of one type");
    labels.push_back(labelsOf(op, terms[n], x->rank(), 0));
    size_t own = 0;
    for (size_t d = 0; d < x->rank(); ++d) {
      const int label = labels[n][d];
      own += label < 0;
      ++times[label];
      auto [found, made] = sizes.emplace(label, x->shape[d]);
      if (made || found->second == x->shape[d] || x->shape[d] == Dimension(1))
        continue;
      if (found->second == Dimension(1))
        found->second = x->shape[d];
      else if (op.graph.differ(found->second, x->shape[d], "that dimensions of one letter are equal"))
        op.fail("a dimension of the equation is " + found->second.text() + " and " + x->shape[d].text());
    }
    ellipsis = std::max(ellipsis, own);
  }
  Labels result;
  if (arrow != std::string::npos) {
    result = labelsOf(op, equation.substr(arrow + 2), std::nullopt, ellipsis);
  } else { // the ellipsis, then all letters that stand once, sorted
    for (size_t e = ellipsis; e > 0; --e)
      result.push_back(-int(e));
    for (auto [label, count] : times)
      if (label > 0 && count == 1)
        result.push_back(label);
  }
  Shape shape, extents;
  std::map<int, size_t> place;
  for (int label : result) {
    if (!sizes.count(label) || !place.emplace(label, place.size()).second)
      op.fail("the result of equation '" + equation + "' names a dimension twice, or one that no operand has");
    shape.push_back(sizes[label]);
  }
  std::map<int, size_t> summed;
  for (auto &[label, size] : sizes)
    if (!place.count(label)) {
      summed.emplace(label, extents.size());
      extents.push_back(size);
    }
  if (Tensor made = named(op, labels, result, sizes))
    return {made};
  const ElementType held = op.input(0)->type;
  const ElementType wide = held == ElementType::f16 || held == ElementType::bf16 ? ElementType::f32 : held;
  Tensor sum = graph.reduce(dataTypeOf(wide), shape, extents, Reduction::sum, [&](const Indices &i, const Indices &k) {
    Scalar product;
    for (size_t n = 0; n < labels.size(); ++n) {
      Tensor x = op.input(n);
      Indices own;
      for (size_t d = 0; d < x->rank(); ++d) {
        const int label = labels[n][d];
        own.push_back(x->shape[d] == Dimension(1) ? Scalar(0) : place.count(label) ? i[place[label]] : k[summed[label]]);
      }
      Scalar element = cast(graph.at(x, own), wide);
      product = product ? product * element : element;
    }
    return product;
  });
  return {graph.cast(sum, op.input(0)->dataType)};
}

// By elimination with the largest pivot of each column: every step takes a row and a column away.
std::vector<Tensor> determinant(Op &op) {
  Graph &graph = op.graph;
  Tensor x = op.input(0);
  auto size = x->rank() < 2 ? std::nullopt : x->shape.back().constant();
  if (!size || !(x->shape[x->rank() - 2] == x->shape.back()) || *size > 64 || !isFloat(x->type))
    op.fail("the input is " + nameOf(x->dataType) + " " + textOf(x->shape) + "; expected square matrices of floats, of at most 64 rows");
  Tensor a = x->type == ElementType::f64 ? x : graph.cast(x, DataType::f32);
  const DataType type = a->dataType;
  const ElementType held = a->type;
  const size_t lead = x->rank() - 2;
  const Shape batch(x->shape.begin(), x->shape.end() - 2);
  auto at = [&](const Indices &i, Scalar row, Scalar column) {
    Indices own(i.begin(), i.begin() + std::ptrdiff_t(lead));
    own.push_back(row);
    own.push_back(column);
    return graph.at(a, own);
  };
  Tensor result = graph.broadcast(graph.scalar(type, 1), batch);
  for (int64_t n = *size; n > 0; --n) {
    Tensor largest = graph.reduce(type, batch, {Dimension(n)}, Reduction::max, [&](const Indices &i, const Indices &k) {
      return apply(ScalarOp::abs, at(i, k[0], Scalar(0)));
    });
    Tensor pivot = graph.reduce(DataType::i64, batch, {Dimension(n)}, Reduction::min, [&](const Indices &i, const Indices &k) {
      return select(equal(apply(ScalarOp::abs, at(i, k[0], Scalar(0))), graph.at(largest, Indices(i.begin(), i.begin() + std::ptrdiff_t(lead)))),
                    cast(k[0], ElementType::i64), Scalar::integer(ElementType::i64, n - 1)); // a NaN is found nowhere
    });
    auto row = [&](const Indices &i) { return cast(graph.at(pivot, Indices(i.begin(), i.begin() + std::ptrdiff_t(lead))), ElementType::index); };
    result = graph.compute(type, batch, [&](const Indices &i) {
      Scalar taken = at(i, row(i), Scalar(0));
      return graph.at(result, i) * select(equal(row(i), Scalar(0)), taken, -taken);
    });
    if (n == 1)
      break;
    Shape rest = batch;
    rest.push_back(Dimension(n - 1));
    rest.push_back(Dimension(n - 1));
    a = graph.compute(type, rest, [&](const Indices &i) {
      const Scalar p = row(i), from = i[lead] + Scalar(1), column = i[lead + 1] + Scalar(1);
      const Scalar own = select(equal(from, p), Scalar(0), from); // the first row stands where the pivot's was
      Scalar first = at(i, p, Scalar(0));
      first = select(equal(first, Scalar::real(held, 0)), Scalar::real(held, 1), first);
      return at(i, own, column) - at(i, own, Scalar(0)) / first * at(i, p, column);
    });
  }
  return {graph.cast(result, x->dataType)};
}

constexpr Definition kOps[] = {
    {"", "Einsum", 12, einsum},
    {"", "Det", 11, determinant},
};

} // namespace

std::span<const Definition> einsumOps() { return kOps; }

} // namespace ingot::onnx
