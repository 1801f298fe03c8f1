// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See graph.h: where tensors come from, and definitions by elements.
#include "compiler/import/onnx/graph.h"
#include "compiler/import/onnx/evaluate.h"

#include <algorithm>
#include <limits>
#include <set>

namespace ingot::onnx {

size_t axisOf(int64_t axis, size_t rank) {
  const auto size = int64_t(rank);
  if (axis < -size || axis >= size)
    throw ImportError("axis " + std::to_string(axis) + " is none of a tensor of " + std::to_string(rank) + " dimensions");
  return size_t(axis < 0 ? axis + size : axis);
}

Indices loopsOf(size_t count, size_t first) {
  Indices loops;
  for (size_t i = 0; i < count; ++i)
    loops.push_back(Scalar::loop(int64_t(first + i)));
  return loops;
}

TensorData *Graph::make(DataType type, Shape shape) {
  auto held = storage(type);
  if (!held && type != DataType::string)
    throw ImportError("element type " + nameOf(type) + " is not supported");
  for (const Dimension &dimension : shape)
    if (auto constant = dimension.constant(); constant && *constant < 0)
      throw ImportError("a tensor of shape " + textOf(shape) +
                        " would have a dimension less than 0: the sizes it follows from do not fit each other, or leave 64 bits");
  TensorData &data = tensors.emplace_back();
  data.dataType = type;
  data.type = held.value_or(ElementType::u8);
  data.shape = std::move(shape);
  return &data;
}

static Shape shapeOf(const std::vector<int64_t> &sizes) { return Shape(sizes.begin(), sizes.end()); }

static std::optional<std::vector<int64_t>> constantShape(const Shape &shape) {
  std::vector<int64_t> sizes;
  for (const Dimension &dimension : shape) {
    auto constant = dimension.constant();
    if (!constant)
      return std::nullopt;
    sizes.push_back(*constant);
  }
  return sizes;
}

// What has no elements is known, and nothing computes it.
static bool setEmpty(TensorData *data) {
  auto sizes = constantShape(data->shape);
  if (!sizes || std::find(sizes->begin(), sizes->end(), 0) == sizes->end())
    return false;
  data->known = std::make_shared<const Literal>(Literal{data->type, *sizes, {}});
  return true;
}

Tensor Graph::argument(DataType type, Shape shape, Value value) {
  Tensor made = computed(type, std::move(shape), value);
  made->given = true;
  return made;
}

Tensor Graph::computed(DataType type, Shape shape, Value value) {
  TensorData *data = make(type, std::move(shape));
  if (!setEmpty(data))
    data->value = value;
  return data;
}

Tensor Graph::literal(DataType type, Literal literal) {
  TensorData *data = make(type, shapeOf(literal.shape));
  data->known = std::make_shared<const Literal>(std::move(literal));
  return data;
}

// Functions, branches and files have names of their own: what another tensor is called gets a number. Of bytes that are stored already it is theirs.
std::string Graph::storedName(const TensorBytes &bytes, const std::string &name) {
  const bool inFile = !bytes.file.empty();
  const auto place = std::tuple(bytes.file, bytes.offset, bytes.type, bytes.shape);
  if (auto known = storedNames.find(place); inFile && known != storedNames.end())
    return known->second;
  std::string result = name.empty() ? "constant" : name;
  for (int number = 2; !takenNames.insert(result).second; ++number)
    result = name + "#" + std::to_string(number);
  if (inFile)
    storedNames[place] = result;
  return result;
}

Tensor Graph::stored(const TensorBytes &bytes, const std::string &name) {
  TensorData *data = make(bytes.type, shapeOf(bytes.shape));
  data->name = storedName(bytes, name);
  if (bytes.type == DataType::string) {
    data->strings = *bytes.strings;
    return data;
  }
  const unsigned bits = storedBits(bytes.type);
  TensorBytes held = bytes;
  if (bits < 8 && !isSmallFloat(bytes.type) && !bytes.file.empty() && bytes.elements() > uint64_t(kLargestLiteral) &&
      !bytes.shape.empty() && bytes.shape.back() % (8 / bits) == 0) {
    data->packed = bytes;
    return data;
  }
  if (bits < 8) {
    // A byte for each element, the first in the lowest bits (ONNX IR, "packed 4bit and 2bit data").
    auto unpacked = std::make_shared<std::string>();
    const bool sign = bytes.type == DataType::i4 || bytes.type == DataType::i2;
    for (uint64_t i = 0, count = bytes.elements(); i < count; ++i) {
      const auto byte = uint8_t(bytes.data[i * bits / 8]);
      int value = (byte >> (i * bits % 8)) & ((1 << bits) - 1);
      if (sign && (value >> (bits - 1)))
        value -= 1 << bits;
      *unpacked += char(value);
    }
    held.data = unpacked->data();
    held.bytes = unpacked->size();
    held.file.clear();
    held.owned = unpacked;
  }
  if (held.elements() <= uint64_t(kLargestLiteral))
    data->known = std::make_shared<const Literal>(Literal::fromBytes(data->type, bytes.shape, held.data));
  data->stored = std::move(held);
  return data;
}

Tensor Graph::integers(const std::vector<Dimension> &values, DataType type) {
  Literal made{*storage(type), {int64_t(values.size())}, {}};
  for (const Dimension &value : values) {
    if (auto constant = value.constant())
      made.cells.push_back(*constant);
    else
      made.cells.push_back(value);
  }
  return literal(type, std::move(made));
}

Tensor Graph::scalar(DataType type, double value, std::vector<int64_t> shape) {
  const ElementType held = *storage(type);
  int64_t count = 1;
  for (int64_t size : shape)
    count *= size;
  Cell cell = isFloat(held) ? Cell(roundTo(held, value)) : Cell(wrapTo(held, int64_t(value)));
  return literal(type, {held, std::move(shape), std::vector<Cell>(size_t(count), cell)});
}

// Of a mask that says the same everywhere, as an export without padding has it.
static bool isOneTruth(const TensorBytes &bytes) {
  const std::string_view held(bytes.data, bytes.bytes);
  return bytes.type == DataType::boolean && !held.empty() && held.find_first_not_of(held[0]) == held.npos;
}

Value Graph::value(Tensor tensor) {
  if (tensor->value)
    return tensor->value;
  if (tensor->dataType == DataType::string)
    throw ImportError("strings cannot be computed with");
  if (tensor->later && !(tensor->known && tensor->known->cells.size() <= 1024)) {
    tensor->value = tensor->later();
    return tensor->value;
  }
  if (tensor->packed) { // rows of whole bytes
    const TensorBytes &packed = *tensor->packed;
    const int64_t bits = storedBits(packed.type), columns = packed.shape.back();
    TensorSource source;
    source.name = tensor->name;
    source.type = ElementType::u8;
    source.shape = {int64_t(packed.elements()) / columns, columns * bits / 8};
    source.file = packed.file;
    source.offset = packed.offset;
    source.bytes = packed.bytes;
    Value matrix = builder.unpackBits(builder.weight(source), bits, columns, tensor->type == ElementType::i8);
    tensor->value = packed.shape.size() == 2 ? matrix : builder.reshape(matrix, tensor->shape);
    return tensor->value;
  }
  // What is known and small is part of the graph, and so is one truth, since what it chooses folds; the rest stays where it lies.
  if (tensor->known && tensor->known->isConstant() && (!tensor->stored || tensor->known->cells.size() <= 1024)) {
    tensor->value = builder.constant(tensor->type, tensor->known->shape, tensor->known->bytes());
  } else if (tensor->stored && !tensor->stored->file.empty() && !isOneTruth(*tensor->stored)) {
    TensorSource source;
    source.name = tensor->name;
    source.type = tensor->type;
    source.shape = tensor->stored->shape;
    source.file = tensor->stored->file;
    source.offset = tensor->stored->offset;
    source.bytes = tensor->stored->bytes;
    tensor->value = builder.weight(source);
  } else if (tensor->stored) {
    tensor->value = builder.constant(tensor->type, tensor->stored->shape,
                                     std::string_view(tensor->stored->data, tensor->stored->bytes));
  } else {
    // A known tensor that depends on dimensions: each element by a choice of its index.
    const Literal &known = *tensor->known;
    if (known.cells.size() > 64)
      throw ImportError("a tensor of " + std::to_string(known.cells.size()) + " elements depends on dynamic dimensions");
    Scalar linear = 0;
    for (size_t i = 0; i < known.shape.size(); ++i)
      linear = linear * Scalar(known.shape[i]) + Scalar::loop(int64_t(i));
    Scalar body;
    for (size_t i = known.cells.size(); i-- > 0;) {
      const Cell &cell = known.cells[i];
      Scalar element;
      if (const Dimension *size = std::get_if<Dimension>(&cell))
        element = ingot::cast(Scalar(*size), tensor->type);
      else if (const Ratio *ratio = std::get_if<Ratio>(&cell))
        element = ingot::cast(Scalar(ratio->top), tensor->type) / Scalar::real(tensor->type, double(ratio->bottom));
      else if (const double *real = std::get_if<double>(&cell))
        element = Scalar::real(tensor->type, *real);
      else
        element = Scalar::integer(tensor->type, std::get<int64_t>(cell));
      body = body ? select(equal(linear, Scalar(int64_t(i))), element, body) : element;
    }
    tensor->value = emit(tensor->type, tensor->shape, {}, Reduction::sum, body);
  }
  return tensor->value;
}

std::optional<std::vector<Dimension>> Graph::knownIntegers(Tensor tensor) const {
  if (!tensor->known || isFloat(tensor->type))
    return std::nullopt;
  std::vector<Dimension> values;
  for (const Cell &cell : tensor->known->cells)
    values.push_back(std::holds_alternative<Dimension>(cell) ? std::get<Dimension>(cell)
                                                             : Dimension(std::get<int64_t>(cell)));
  return values;
}

std::optional<std::vector<double>> Graph::knownReals(Tensor tensor) const {
  if (!tensor->known)
    return std::nullopt;
  std::vector<double> values;
  for (const Cell &cell : tensor->known->cells) {
    if (dependsOnDimensions(cell))
      return std::nullopt;
    values.push_back(std::holds_alternative<double>(cell) ? std::get<double>(cell) : double(std::get<int64_t>(cell)));
  }
  return values;
}

// --- Definitions by elements.

static void collectTensors(const Scalar &scalar, std::set<const ScalarNode *> &seen, std::vector<const void *> &tensors) {
  if (!seen.insert(scalar.get()).second)
    return;
  if (scalar->op == ScalarOp::element && std::find(tensors.begin(), tensors.end(), scalar->tensor) == tensors.end())
    tensors.push_back(scalar->tensor);
  for (const Scalar &operand : scalar->operands)
    collectTensors(operand, seen, tensors);
}

static std::vector<const void *> tensorsOf(const Scalar &body) {
  std::set<const ScalarNode *> seen;
  std::vector<const void *> tensors;
  collectTensors(body, seen, tensors);
  return tensors;
}

static const Literal *literalOf(const void *tensor) { return static_cast<const TensorData *>(tensor)->known.get(); }

// Goes to the next indices; false after the last.
static bool advance(std::vector<int64_t> &indices, const std::vector<int64_t> &sizes) {
  for (size_t i = sizes.size(); i-- > 0;) {
    if (++indices[i] < sizes[i])
      return true;
    indices[i] = 0;
  }
  return false;
}

// What a reduction of nothing gives.
static Cell neutral(Reduction kind, ElementType type) {
  if (kind == Reduction::sum || kind == Reduction::product) {
    const int number = kind == Reduction::product;
    return isFloat(type) ? Cell(double(number)) : Cell(int64_t(number));
  }
  const bool least = kind == Reduction::max;
  if (isFloat(type))
    return Cell(least ? -std::numeric_limits<double>::infinity() : std::numeric_limits<double>::infinity());
  const unsigned bits = unsigned(elementBytes(type) * 8);
  if (isUnsigned(type))
    return Cell(wrapTo(type, least ? 0 : -1));
  const auto lowest = int64_t(uint64_t(1) << (bits - 1)) | (bits < 64 ? -(int64_t(1) << (bits - 1)) : 0);
  return Cell(wrapTo(type, least ? lowest : ~lowest));
}

std::optional<Literal> Graph::evaluateAll(ElementType type, const Shape &shape, const Shape &extents, Reduction kind,
                                          const Scalar &body) {
  for (const void *tensor : tensorsOf(body))
    if (!literalOf(tensor))
      return std::nullopt;
  auto sizes = constantShape(shape), inner = constantShape(extents);
  if (!sizes || !inner)
    return std::nullopt;
  int64_t count = 1, steps = 1;
  for (int64_t size : *sizes)
    if (size < 0 || __builtin_mul_overflow(count, size, &count))
      return std::nullopt;
  for (int64_t size : *inner)
    if (size < 0 || __builtin_mul_overflow(steps, size, &steps))
      return std::nullopt;
  if (count > kLargestLiteral || steps > 4096 || count * steps > 2 * kLargestLiteral)
    return std::nullopt;
  Literal result{type, *sizes, {}};
  result.cells.reserve(size_t(count));
  std::vector<int64_t> indices(sizes->size() + inner->size());
  std::vector<int64_t> outer(sizes->size());
  if (count == 0)
    return result;
  if (steps == 0) {
    result.cells.assign(size_t(count), neutral(kind, type));
    return result;
  }
  do {
    std::copy(outer.begin(), outer.end(), indices.begin());
    if (inner->empty()) {
      auto cell = evaluate(body, indices, literalOf);
      // Sizes as floats are followed where shapes may be made of them again, not through tables.
      if (!cell || (std::holds_alternative<Ratio>(*cell) && count > 16))
        return std::nullopt;
      result.cells.push_back(*cell);
      continue;
    }
    std::optional<Cell> sum;
    std::vector<int64_t> here(inner->size());
    do {
      std::copy(here.begin(), here.end(), indices.begin() + int64_t(outer.size()));
      auto cell = evaluate(body, indices, literalOf);
      if (!cell)
        return std::nullopt;
      if (!sum) {
        sum = cell;
        continue;
      }
      sum = combined(kind, type, *sum, *cell);
      if (!sum)
        return std::nullopt;
    } while (advance(here, *inner));
    result.cells.push_back(*sum);
  } while (advance(outer, *sizes));
  return result;
}

Value Graph::emit(ElementType type, const Shape &shape, const Shape &extents, Reduction kind, const Scalar &body) {
  ComputeSpec spec;
  spec.type = type;
  spec.shape = shape;
  spec.extents = extents;
  spec.reduce = kind;
  spec.body = body;
  for (const void *tensor : tensorsOf(body))
    spec.tensors.emplace_back(tensor, value(static_cast<TensorData *>(const_cast<void *>(tensor))));
  return builder.compute(spec);
}

Tensor Graph::compute(DataType type, Shape shape, const Element &body) {
  TensorData *data = make(type, std::move(shape));
  if (setEmpty(data))
    return data;
  Scalar element = body(loopsOf(data->shape.size()));
  if (element.type() != data->type)
    throw std::logic_error("a body gives " + std::string(elementName(element.type())) + " for " + nameOf(type));
  if (auto literal = evaluateAll(data->type, data->shape, {}, Reduction::sum, element))
    data->known = std::make_shared<const Literal>(std::move(*literal));
  else
    data->value = emit(data->type, data->shape, {}, Reduction::sum, element);
  if (!data->known)
    data->formula = std::make_shared<const Formula>(Formula{element, {}, Reduction::sum});
  return data;
}

Tensor Graph::described(Tensor tensor, const Element &body) {
  if (!tensor->known && !tensor->formula)
    tensor->formula = std::make_shared<const Formula>(Formula{body(loopsOf(tensor->rank())), {}, Reduction::sum});
  return tensor;
}

Tensor Graph::reduce(DataType type, Shape shape, Shape extents, Reduction kind, const Term &body) {
  if (extents.empty()) // nothing is combined
    return compute(type, std::move(shape), [&](const Indices &i) { return body(i, {}); });
  const ElementType held = *storage(type);
  if (held == ElementType::f16 || held == ElementType::bf16) {
    Tensor wide = reduce(DataType::f32, std::move(shape), std::move(extents), kind,
                         [&](const Indices &i, const Indices &k) { return ingot::cast(body(i, k), ElementType::f32); });
    return cast(wide, type);
  }
  TensorData *data = make(type, std::move(shape));
  if (setEmpty(data))
    return data;
  Scalar term = body(loopsOf(data->shape.size()), loopsOf(extents.size(), data->shape.size()));
  if (term.type() != data->type)
    throw std::logic_error("a term gives " + std::string(elementName(term.type())) + " for " + nameOf(type));
  if (auto literal = evaluateAll(data->type, data->shape, extents, kind, term))
    data->known = std::make_shared<const Literal>(std::move(*literal));
  else
    data->value = emit(data->type, data->shape, extents, kind, term);
  if (!data->known)
    data->formula = std::make_shared<const Formula>(Formula{term, extents, kind});
  return data;
}

Scalar Graph::at(Tensor tensor, Indices indices) {
  if (tensor->dataType == DataType::string)
    throw ImportError("strings cannot be computed with");
  if (indices.size() != tensor->rank())
    throw std::logic_error("an element of " + textOf(tensor->shape) + " at " + std::to_string(indices.size()) + " indices");
  return Scalar::element(tensor, tensor->type, std::move(indices));
}

Scalar Graph::atBroadcast(Tensor tensor, const Indices &indices) {
  Indices own;
  const size_t lead = indices.size() - tensor->rank();
  for (size_t i = 0; i < tensor->rank(); ++i) {
    if (tensor->shape[i] == Dimension(1))
      own.push_back(Scalar(0));
    else if (tensor->shape[i].isConstant())
      own.push_back(indices[lead + i]);
    else // it may turn out to be 1
      own.push_back(smaller(indices[lead + i], Scalar(tensor->shape[i] - 1)));
  }
  return at(tensor, std::move(own));
}

Indices Graph::broadcastIndices(Tensor tensor, const Shape &shape, const Indices &indices) {
  Indices own;
  const size_t lead = shape.size() - tensor->rank();
  for (size_t i = 0; i < tensor->rank(); ++i)
    own.push_back(tensor->shape[i] == shape[lead + i] ? indices[lead + i]
                  : tensor->shape[i] == Dimension(1) ? Scalar(0)
                                                     : smaller(indices[lead + i], Scalar(tensor->shape[i] - 1)));
  return own;
}

static bool isNarrow(ElementType type) { return type == ElementType::f16 || type == ElementType::bf16; }

Tensor Graph::map(DataType type, const std::vector<Tensor> &inputs, const Map &body) {
  Shape shape = broadcastShape(inputs);
  return compute(type, shape, [&](const Indices &indices) {
    std::vector<Scalar> scalars;
    for (Tensor input : inputs) {
      Scalar element = at(input, broadcastIndices(input, shape, indices));
      scalars.push_back(isNarrow(input->type) ? ingot::cast(element, ElementType::f32) : element);
    }
    Scalar result = body(scalars);
    const ElementType held = *storage(type);
    return isNarrow(held) ? ingot::cast(result, held) : result;
  });
}

// Of two symbols and more.
static bool isSum(const Dimension &dimension) {
  std::vector<std::string> names;
  dimension.collectSymbols(names);
  return names.size() > 1;
}

Dimension Graph::measured(Tensor value, const Dimension &most) {
  if (auto known = knownIntegers(value); known && known->size() == 1)
    return Dimension::min(Dimension::max((*known)[0], 0), most);
  const std::string name = builder.measure(this->value(reshape(value, {})), most);
  measuredSymbols.insert(name);
  return Dimension::symbol(name);
}

void Graph::equate(const Dimension &a, const Dimension &b) {
  // What a run measures is no name for a dimension of an input.
  std::vector<std::string> all;
  a.collectSymbols(all);
  b.collectSymbols(all);
  if (std::any_of(all.begin(), all.end(), [&](const std::string &name) { return measuredSymbols.count(name) != 0; }))
    return;
  for (auto [symbol, other] : {std::pair(a, b), std::pair(b, a)}) {
    const std::string name = symbol.symbolName();
    std::vector<std::string> names;
    other.collectSymbols(names);
    if (name.empty() || std::find(names.begin(), names.end(), name) != names.end())
      continue;
    // Of two symbols the later name goes, so that no two go for each other.
    if (const std::string same = other.symbolName(); !same.empty()) {
      equals.emplace(std::max(name, same), std::vector<Dimension>{Dimension::symbol(std::min(name, same))});
      return;
    }
    std::vector<Dimension> parts;
    Dimension sum = 0;
    for (const std::string &part : names) {
      parts.push_back(Dimension::symbol(part));
      sum = sum + parts.back();
    }
    const Dimension rest = other - sum;
    if (!rest.isConstant() || *rest.constant() < 0)
      continue;
    if (!(rest == Dimension(0)) || parts.empty())
      parts.push_back(rest);
    equals.emplace(name, parts);
    return;
  }
  // Multiples of two symbols by one number.
  std::vector<std::string> ofA, ofB;
  a.collectSymbols(ofA);
  b.collectSymbols(ofB);
  if (ofA.size() == 1 && ofB.size() == 1 && ofA != ofB) {
    const Dimension first = Dimension::symbol(ofA[0]), second = Dimension::symbol(ofB[0]);
    const auto times = Dimension::exactQuotient(a, first), again = Dimension::exactQuotient(b, second);
    if (times && again && times->isConstant() && *times == *again)
      return equate(first, second);
  }
  // Sums that differ in one symbol.
  std::vector<std::string> names;
  (a - b).collectSymbols(names);
  if (names.size() == 2) {
    const Dimension first = Dimension::symbol(names[0]), second = Dimension::symbol(names[1]);
    if (a - b == first - second || a - b == second - first)
      equate(first, second);
  }
}

Shape Graph::broadcastShape(const std::vector<Tensor> &inputs) {
  size_t rank = 0;
  for (Tensor input : inputs)
    rank = std::max(rank, input->rank());
  Shape shape(rank, Dimension(1));
  for (Tensor input : inputs)
    for (size_t i = 0; i < input->rank(); ++i) {
      Dimension &to = shape[rank - input->rank() + i];
      const Dimension &from = input->shape[i];
      if (from == to || from == Dimension(1))
        continue;
      if (to == Dimension(1)) {
        to = from;
        continue;
      }
      if (to.isConstant() && from.isConstant())
        throw ImportError("shapes " + textOf(inputs[0]->shape) + " and " + textOf(input->shape) +
                          " do not go together: a dimension is " + to.text() + " and " + from.text());
      // What is never more than 1 (a slice of one row by a length) counts as 1 beside what may be.
      auto atMostOne = [](const Dimension &of) { return of.most() && *of.most() <= 1; };
      if (atMostOne(from) != atMostOne(to)) {
        const Dimension one = atMostOne(from) ? from : to;
        builder.require(GraphBuilder::Relation::equal, one, Dimension(1),
                        "that shapes " + textOf(inputs[0]->shape) + " and " + textOf(input->shape) + " go together: " + one.text() + " = 1");
        if (atMostOne(to))
          to = from;
        continue;
      }
      // Neither is meant to be 1.
      const bool mask = maskLengths.count(to.symbolName()) || maskLengths.count(from.symbolName());
      if ((isSum(to) || mask) && (isSum(from) || mask) && (isSum(to) || isSum(from)))
        equate(to, from);
      else if (auto one = tokenAxes.find(to.symbolName()), other = tokenAxes.find(from.symbolName());
               one != tokenAxes.end() && other != tokenAxes.end() && one->second.axis == other->second.axis && !(one->second.vectors && other->second.vectors))
        equate(to, from);
      // A table that was cut to the length counts as one that is long enough.
      const bool cut = Dimension::isCutOf(from, to), cuts = Dimension::isCutOf(to, from);
      builder.require(cut || cuts ? GraphBuilder::Relation::equal : GraphBuilder::Relation::broadcasts, to, from,
                      "that shapes " + textOf(inputs[0]->shape) + " and " + textOf(input->shape) + " go together: " + to.text() +
                          " = " + from.text() + (cut || cuts ? "" : ", or one of them is 1"));
      if (cuts || (from.isConstant() && !cut))
        to = from;
      else if (!cut && !to.isConstant())
        to = Dimension::max(to, from);
    }
  return shape;
}

bool Graph::differ(const Dimension &a, const Dimension &b, const std::string &words) {
  if (a == b)
    return false;
  if (a.isConstant() && b.isConstant())
    return true;
  equate(a, b);
  builder.require(GraphBuilder::Relation::equal, a, b, words + ": " + a.text() + " = " + b.text());
  return false;
}

bool Graph::exceeds(const Dimension &a, const Dimension &b, const std::string &words) {
  if (a == b)
    return false;
  if (a.isConstant() && b.isConstant())
    return *a.constant() > *b.constant();
  builder.require(GraphBuilder::Relation::most, a, b, words + ": " + a.text() + " <= " + b.text());
  return false;
}

// Whether some dimension is neither a number nor a product or shifted symbol: what its product with others is nobody sees.
static bool isOpaque(const Shape &shape) {
  return std::any_of(shape.begin(), shape.end(), [](const Dimension &dimension) {
    const std::string text = dimension.text();
    const auto sums = std::count_if(text.begin(), text.end(), [](char c) { return c == '+' || c == '-'; });
    return !dimension.isConstant() && (text.find_first_of(" (") != std::string::npos || sums > 1 ||
                                       (sums == 1 && text.find('*') != std::string::npos));
  });
}

Tensor Graph::reshapeUnproven(Tensor x, const Shape &shape) {
  if (differ(elementsOf(x->shape), elementsOf(shape), "as many elements in " + textOf(shape) + " as in " + textOf(x->shape)))
    throw ImportError("a tensor of shape " + textOf(x->shape) + " cannot have shape " + textOf(shape));
  if (isOpaque(shape) && !isOpaque(x->shape) && !elementsOf(x->shape).isConstant())
    return computed(x->dataType, shape, builder.reshape(value(x), shape));
  // IR holds reshapes whose counts it sees to be different for wrong, and joins neighbouring ones: so these elements are moved.
  return compute(x->dataType, shape, [&](const Indices &i) {
    return at(x, sameElement(i, shape, x->shape));
  });
}

Indices sameElement(const Indices &indices, const Shape &shape, const Shape &other) {
  Scalar place = 0;
  for (size_t d = 0; d < indices.size(); ++d)
    place = place * Scalar(shape[d]) + indices[d];
  Indices own(other.size(), Scalar(0));
  for (size_t d = other.size(); d-- > 0;) {
    own[d] = d ? place % Scalar(other[d]) : place;
    place = place / Scalar(other[d]);
  }
  return own;
}

} // namespace ingot::onnx
