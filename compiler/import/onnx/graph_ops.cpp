// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See graph.h: operations that have ops of their own in IR, which passes see through; where contents are known, or a type has no
// such op, they fall back on definitions by elements.
#include "compiler/import/onnx/graph.h"

#include <algorithm>
#include <cmath>

namespace ingot::onnx {

// Whether IR can broadcast it by a named op: every dimension is 1 or the same.
static bool broadcastsPlainly(const Shape &from, const Shape &to) {
  const size_t lead = to.size() - from.size();
  for (size_t i = 0; i < from.size(); ++i)
    if (!(from[i] == Dimension(1)) && !(from[i] == to[lead + i]))
      return false;
  return true;
}

Value Graph::broadcastValue(Tensor tensor, const Shape &shape) {
  if (tensor->shape == shape)
    return value(tensor);
  if (broadcastsPlainly(tensor->shape, shape))
    return builder.broadcast(value(tensor), shape);
  return value(broadcast(tensor, shape));
}

Tensor Graph::broadcast(Tensor x, const Shape &shape) {
  if (x->shape == shape)
    return x;
  if (!x->known && broadcastsPlainly(x->shape, shape))
    return described(computed(x->dataType, shape, builder.broadcast(value(x), shape)),
                     [&](const Indices &i) { return at(x, broadcastIndices(x, shape, i)); });
  Tensor repeated = compute(x->dataType, shape, [&](const Indices &i) { return at(x, broadcastIndices(x, shape, i)); });
  if (x->known)
    repeated->repeats = x;
  return repeated;
}

static bool areKnown(const std::vector<Tensor> &inputs) {
  return std::all_of(inputs.begin(), inputs.end(), [](Tensor input) { return input->known != nullptr; });
}

// Whether all elements are this number.
static bool isAll(Tensor tensor, double number) {
  if (!tensor->known)
    return false;
  for (const Cell &cell : tensor->known->cells)
    if (!std::holds_alternative<double>(cell) || std::get<double>(cell) != number || std::signbit(std::get<double>(cell)))
      return false;
  return !tensor->known->cells.empty();
}

Tensor Graph::elementwise(ScalarOp op, const std::vector<Tensor> &inputs) {
  const DataType type = inputs[0]->dataType;
  if (isSmallFloat(type) || isSmallInteger(type))
    throw ImportError("operands are of " + nameOf(type) + ", which is converted and not computed with");
  for (Tensor input : inputs)
    if (input->dataType != type)
      throw ImportError("operands are of " + nameOf(type) + " and of " + nameOf(input->dataType) + "; they must be alike");
  if (!isFloat(inputs[0]->type) || !GraphBuilder::hasElementwise(op) || areKnown(inputs))
    return map(type, inputs, [&](const std::vector<Scalar> &x) { return x.size() == 1 ? apply(op, x[0]) : apply(op, x[0], x[1]); });
  Shape shape = broadcastShape(inputs);
  if (op == ScalarOp::mul)
    for (auto [sums, factor] : {std::pair(inputs[0], inputs[1]), std::pair(inputs[1], inputs[0])})
      if (sums->product && sums->shape == shape)
        if (Tensor made = factor->factors      ? scaledSums(sums, factor->factors->number, factor->factors->constants)
                          : isConstant(factor) ? scaledSums(sums, nullptr, factor)
                                               : scaledSums(sums, factor, nullptr))
          return made;
  // What changes nothing is left out.
  if (op == ScalarOp::mul || op == ScalarOp::div) {
    if (isAll(inputs[1], 1) && inputs[0]->shape == shape)
      return inputs[0];
    if (op == ScalarOp::mul && isAll(inputs[0], 1) && inputs[1]->shape == shape)
      return inputs[1];
  }
  std::vector<Value> values;
  for (Tensor input : inputs)
    values.push_back(broadcastValue(input, shape));
  Tensor made = described(computed(type, shape, builder.elementwise(op, values)), [&](const Indices &i) {
    Scalar first = at(inputs[0], broadcastIndices(inputs[0], shape, i));
    return inputs.size() == 1 ? apply(op, first) : apply(op, first, at(inputs[1], broadcastIndices(inputs[1], shape, i)));
  });
  return op == ScalarOp::mul ? scaledAlike(made, inputs[0], inputs[1]) : made;
}

Tensor Graph::compare(ScalarOp op, Tensor a, Tensor b) {
  if (a->dataType != b->dataType)
    throw ImportError("operands are of " + nameOf(a->dataType) + " and of " + nameOf(b->dataType) + "; they must be alike");
  if (a->known && b->known)
    return map(DataType::boolean, {a, b}, [&](const std::vector<Scalar> &x) { return apply(op, x[0], x[1]); });
  Shape shape = broadcastShape({a, b});
  return computed(DataType::boolean, shape, builder.compare(op, broadcastValue(a, shape), broadcastValue(b, shape)));
}

Tensor Graph::where(Tensor condition, Tensor a, Tensor b) {
  if (condition->dataType != DataType::boolean)
    throw ImportError("the condition is of " + nameOf(condition->dataType) + "; expected bool");
  if (a->dataType != b->dataType)
    throw ImportError("operands are of " + nameOf(a->dataType) + " and of " + nameOf(b->dataType) + "; they must be alike");
  Shape shape = broadcastShape({condition, a, b});
  // Evaluated where the condition tells, though only one side may be known.
  if (condition->known && (a->known || b->known)) {
    Tensor made = compute(a->dataType, shape, [&](const Indices &i) {
      return select(atBroadcast(condition, i), atBroadcast(a, i), atBroadcast(b, i));
    });
    if (made->known)
      return made;
  }
  return described(
      computed(a->dataType, shape, builder.select(broadcastValue(condition, shape), broadcastValue(a, shape), broadcastValue(b, shape))),
      [&](const Indices &i) {
        auto own = [&](Tensor x) { return at(x, broadcastIndices(x, shape, i)); };
        return select(own(condition), own(a), own(b));
      });
}

Tensor Graph::reshape(Tensor x, Shape shape) {
  if (x->shape == shape)
    return x;
  if (!(elementsOf(x->shape) == elementsOf(shape)))
    throw ImportError("a tensor of shape " + textOf(x->shape) + " cannot have shape " + textOf(shape));
  if (x->known) {
    Literal made = *x->known;
    made.shape.clear();
    bool constant = true;
    for (const Dimension &dimension : shape) {
      constant &= dimension.isConstant();
      made.shape.push_back(dimension.constant().value_or(0));
    }
    if (constant) {
      Tensor result = literal(x->dataType, std::move(made));
      if (x->stored) { // the same bytes
        result->stored = x->stored;
        result->stored->shape = result->known->shape;
        result->name = x->name + ".reshaped" + textOf(shape);
      }
      return reshapedAlike(x, result);
    }
  }
  if (auto &packed = x->packed; packed && shape.size() > 0 && shape.back().isConstant() &&
                                *shape.back().constant() % (8 / int64_t(storedBits(x->dataType))) == 0) {
    Tensor result = make(x->dataType, shape);
    result->packed = packed;
    result->packed->shape.clear();
    for (const Dimension &dimension : shape)
      result->packed->shape.push_back(*dimension.constant());
    result->name = x->name + ".reshaped" + textOf(shape);
    return result;
  }
  if (x->stored && !x->known) {
    Tensor result = make(x->dataType, shape);
    result->stored = x->stored;
    result->stored->shape.clear();
    for (const Dimension &dimension : shape)
      result->stored->shape.push_back(*dimension.constant());
    result->name = x->name + ".reshaped" + textOf(shape);
    return result;
  }
  if (x->later && x->dequantized) {
    Tensor result = reshapedAlike(x, make(x->dataType, shape));
    result->later = [this, x, result] {
      auto floats = result->dequantized ? floatsOf(result) : std::nullopt;
      return floats ? *floats : builder.reshape(value(x), result->shape);
    };
    return result;
  }
  Tensor made = described(computed(x->dataType, shape, builder.reshape(value(x), shape)), [&](const Indices &i) {
    return at(x, sameElement(i, shape, x->shape));
  });
  return reshapedAlike(x, made);
}

Tensor Graph::transpose(Tensor x, std::vector<int64_t> permutation) {
  Shape shape;
  bool sorted = std::is_sorted(permutation.begin(), permutation.end());
  if (sorted)
    return x;
  for (int64_t from : permutation)
    shape.push_back(x->shape[size_t(from)]);
  if (x->known && !x->stored)
    return transposedAlike(x,
                           compute(x->dataType, shape,
                                   [&](const Indices &i) {
                                     Indices own(i.size());
                                     for (size_t d = 0; d < i.size(); ++d)
                                       own[size_t(permutation[d])] = i[d];
                                     return at(x, own);
                                   }),
                           permutation);
  if (x->later && x->dequantized) {
    Tensor result = transposedAlike(x, make(x->dataType, shape), permutation);
    result->later = [this, x, result, permutation] {
      auto floats = result->dequantized ? floatsOf(result) : std::nullopt;
      return floats ? *floats : builder.transpose(value(x), permutation);
    };
    return result;
  }
  Tensor made = described(computed(x->dataType, shape, builder.transpose(value(x), permutation)), [&](const Indices &i) {
    Indices own(i.size());
    for (size_t d = 0; d < i.size(); ++d)
      own[size_t(permutation[d])] = i[d];
    return at(x, own);
  });
  return transposedAlike(x, made, permutation);
}

Tensor Graph::concat(const std::vector<Tensor> &inputs, size_t axis) {
  Shape shape = inputs[0]->shape;
  for (size_t n = 1; n < inputs.size(); ++n) {
    if (inputs[n]->dataType != inputs[0]->dataType)
      throw ImportError("input " + std::to_string(n) + " is of " + nameOf(inputs[n]->dataType) + "; the first is of " +
                        nameOf(inputs[0]->dataType));
    if (inputs[n]->rank() != shape.size())
      throw ImportError("input " + std::to_string(n) + " has shape " + textOf(inputs[n]->shape) + "; the first has " +
                        textOf(inputs[0]->shape));
    for (size_t i = 0; i < shape.size(); ++i) {
      if (i == axis)
        shape[i] = shape[i] + inputs[n]->shape[i];
      else if (differ(shape[i], inputs[n]->shape[i],
                      "inputs " + textOf(inputs[0]->shape) + " and " + textOf(inputs[n]->shape) + " that are alike beside axis " +
                          std::to_string(axis)))
        throw ImportError("input " + std::to_string(n) + " has shape " + textOf(inputs[n]->shape) + "; the first has " +
                          textOf(inputs[0]->shape) + ", which differs beside axis " + std::to_string(axis));
    }
  }
  if (inputs.size() == 1)
    return inputs[0];
  bool plain = !areKnown(inputs);
  for (Tensor input : inputs) {
    plain &= input->shape[axis].isConstant() && !(input->shape[axis] == Dimension(0));
    for (size_t i = 0; i < shape.size(); ++i)
      plain &= i == axis || input->shape[i] == shape[i];
  }
  auto elementOf = [&](const Indices &i) {
    Scalar result;
    Dimension start = 0;
    std::vector<Dimension> starts;
    for (Tensor input : inputs) {
      starts.push_back(start);
      start = start + input->shape[axis];
    }
    for (size_t n = inputs.size(); n-- > 0;) {
      Tensor input = inputs[n];
      if (input->shape[axis] == Dimension(0))
        continue;
      Indices own = i;
      // Outside its part an input is read at its nearest element, and not taken; one without elements is not read.
      own[axis] = larger(smaller(i[axis] - Scalar(starts[n]), Scalar(input->shape[axis] - 1)), Scalar(0));
      Scalar element = at(input, own);
      result = result ? select(i[axis] < Scalar(starts[n] + input->shape[axis]), element, result) : element;
    }
    return result ? result : like(Scalar::integer(inputs[0]->type, 0), 0);
  };
  if (plain) {
    std::vector<Value> values;
    for (Tensor input : inputs)
      values.push_back(value(input));
    return described(computed(inputs[0]->dataType, shape, builder.concat(values, int64_t(axis))), elementOf);
  }
  return compute(inputs[0]->dataType, shape, elementOf);
}

Tensor Graph::slice(Tensor x, const std::vector<Dimension> &first, const std::vector<int64_t> &step, Shape extents) {
  return compute(x->dataType, std::move(extents), [&](const Indices &i) {
    Indices own;
    for (size_t d = 0; d < i.size(); ++d)
      own.push_back(Scalar(first[d]) + i[d] * Scalar(step[d]));
    return at(x, own);
  });
}

Tensor Graph::softmax(Tensor x, size_t axis) {
  if (x->type == ElementType::f16 || x->type == ElementType::bf16) // exponentials and their sum in f32, rounded once
    return cast(softmax(cast(x, DataType::f32), axis), x->dataType);
  return computed(x->dataType, x->shape, builder.softmax(value(x), int64_t(axis)));
}

Tensor Graph::reduceAxes(Reduction kind, Tensor x, std::vector<size_t> axes, bool keep) {
  std::sort(axes.begin(), axes.end());
  Shape kept, shape, extents;
  for (size_t i = 0; i < x->rank(); ++i) {
    const bool reduced = std::find(axes.begin(), axes.end(), i) != axes.end();
    if (!reduced) {
      kept.push_back(x->shape[i]);
      shape.push_back(x->shape[i]);
    } else {
      extents.push_back(x->shape[i]);
      if (keep)
        shape.push_back(Dimension(1));
    }
  }
  if (extents.empty())
    return x;
  // One axis of f32 has an op of its own, which keeps a result for all that lies behind the axis: that must be known.
  const bool named = axes.size() == 1 && x->type == ElementType::f32 && !x->known &&
                     std::all_of(x->shape.begin() + std::ptrdiff_t(axes[0]) + 1, x->shape.end(),
                                 [](const Dimension &size) { return size.isConstant(); });
  auto reduced = [&](Tensor made) {
    const size_t axis = axes[0];
    const Indices loops = loopsOf(shape.size() + 1);
    Indices own(loops.begin(), loops.begin() + int64_t(shape.size()));
    if (keep)
      own.erase(own.begin() + int64_t(axis));
    own.insert(own.begin() + int64_t(axis), loops.back());
    made->formula = std::make_shared<const Formula>(Formula{at(x, own), extents, kind});
    return made;
  };
  if (named && kind != Reduction::mean)
    return reduced(computed(x->dataType, shape, builder.reduce(kind, value(x), int64_t(axes[0]), keep)));
  if (kind == Reduction::mean) {
    if (x->type == ElementType::f16 || x->type == ElementType::bf16)
      return cast(reduceAxes(kind, cast(x, DataType::f32), axes, keep), x->dataType);
    if (named)
      return computed(x->dataType, shape, builder.reduce(kind, value(x), int64_t(axes[0]), keep));
    const ElementType wide = isFloat(x->type) && x->type != ElementType::f64 ? ElementType::f32 : x->type;
    const DataType wideType = isFloat(x->type) ? dataTypeOf(wide) : x->dataType;
    Tensor sum = reduceAxes(Reduction::sum, cast(x, wideType), axes, keep);
    Dimension count = elementsOf(extents);
    Tensor mean = map(wideType, {sum}, [&](const std::vector<Scalar> &s) {
      return s[0] / ingot::cast(Scalar(count), wide);
    });
    return cast(mean, x->dataType);
  }
  Tensor flat = reduce(x->dataType, kept, extents, kind, [&](const Indices &i, const Indices &k) {
    Indices own;
    size_t ni = 0, nk = 0;
    for (size_t d = 0; d < x->rank(); ++d)
      own.push_back(std::find(axes.begin(), axes.end(), d) != axes.end() ? k[nk++] : i[ni++]);
    return at(x, own);
  });
  return reshape(flat, shape);
}

Tensor Graph::matmul(Tensor a, Tensor b) {
  if (a->dataType != b->dataType)
    throw ImportError("operands are of " + nameOf(a->dataType) + " and of " + nameOf(b->dataType) + "; they must be alike");
  if (a->rank() == 0 || b->rank() == 0)
    throw ImportError("an operand has no dimensions");
  // Vectors become matrices of one row or column, which is taken away again.
  if (a->rank() == 1 || b->rank() == 1) {
    const bool row = a->rank() == 1, column = b->rank() == 1;
    Shape as = a->shape, bs = b->shape;
    if (row)
      as.insert(as.begin(), Dimension(1));
    if (column)
      bs.push_back(Dimension(1));
    Tensor product = matmul(reshape(a, as), reshape(b, bs));
    Shape shape = product->shape;
    if (column)
      shape.pop_back();
    if (row)
      shape.erase(shape.end() - (column ? 1 : 2));
    return reshape(product, shape);
  }
  const Dimension m = a->shape[a->rank() - 2], k = a->shape.back(), n = b->shape.back();
  const Dimension other = b->shape[b->rank() - 2];
  if (differ(k, other, "as many columns in " + textOf(a->shape) + " as rows in " + textOf(b->shape)))
    throw ImportError("a matrix of shape " + textOf(a->shape) + " cannot be multiplied by one of " + textOf(b->shape));
  Shape lead(a->shape.begin(), a->shape.end() - 2);
  if (Tensor made = quantizedMatmul(a, b))
    return made;
  // Stored weights: rows of all leading dimensions together.
  if (b->rank() == 2 && (b->stored || b->known) && isFloat(a->type) && a->type != ElementType::f64 && !a->known &&
      k.isConstant() && n.isConstant()) {
    Dimension rows = elementsOf(lead) * m;
    Value weight = builder.transpose(value(b), {1, 0});
    Value product = builder.linear(builder.reshape(value(cast(a, DataType::f32)), {rows, k}), weight);
    Shape shape = lead;
    shape.push_back(m);
    shape.push_back(n);
    // Products are f32.
    Tensor flat = computed(DataType::f32, {rows, n}, product);
    return reshape(cast(flat, a->dataType), shape);
  }
  Tensor leadA = computed(a->dataType, lead, Value()), leadB = computed(b->dataType, Shape(b->shape.begin(), b->shape.end() - 2), Value());
  // Batches of two tensors that are computed are the same ones, whatever they are called.
  for (size_t i = 1; i <= std::min(leadA->rank(), leadB->rank()); ++i) {
    const Dimension &one = leadA->shape[leadA->rank() - i], &another = leadB->shape[leadB->rank() - i];
    if (!one.isConstant() && !another.isConstant() && !(one == another))
      equate(one, another);
  }
  Shape batch = broadcastShape({leadA, leadB});
  Shape shape = batch;
  shape.push_back(m);
  shape.push_back(n);
  if ((a->type == ElementType::f16 || a->type == ElementType::bf16) && !(a->known && b->known) && k == other)
    return cast(matmul(cast(a, DataType::f32), cast(b, DataType::f32)), a->dataType); // sums in f32, rounded once
  if ((a->type == ElementType::f32 || a->type == ElementType::f64) && !(a->known && b->known) && k == other) {
    auto batched = [&](Tensor of) {
      Shape wanted = batch;
      wanted.insert(wanted.end(), of->shape.end() - 2, of->shape.end());
      return broadcastValue(of, wanted);
    };
    return computed(a->dataType, shape, builder.matmul(batched(a), batched(b)));
  }
  return reduce(a->dataType, shape, {k}, Reduction::sum, [&](const Indices &i, const Indices &kk) {
    auto element = [&](Tensor of, Scalar row, Scalar column) {
      Indices own;
      const size_t skip = i.size() - of->rank();
      for (size_t d = 0; d + 2 < of->rank(); ++d)
        own.push_back(of->shape[d] == Dimension(1)        ? Scalar(0)
                      : of->shape[d] == shape[skip + d] ? i[skip + d]
                                                        : smaller(i[skip + d], Scalar(of->shape[d] - 1)));
      own.push_back(row);
      own.push_back(column);
      Scalar value = at(of, own);
      return value.type() == ElementType::f16 || value.type() == ElementType::bf16 ? ingot::cast(value, ElementType::f32) : value;
    };
    Scalar product = element(a, i[i.size() - 2], kk[0]) * element(b, kk[0], i.back());
    return ingot::cast(product, a->type == ElementType::f16 || a->type == ElementType::bf16 ? ElementType::f32 : a->type);
  });
}

} // namespace ingot::onnx
