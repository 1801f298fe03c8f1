// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See op.h.
#include "compiler/import/onnx/op.h"

#include <algorithm>
#include <cmath>
#include <set>

namespace ingot::onnx {

Tensor Op::optional(size_t index) const { return index < tensors.size() ? tensors[index] : nullptr; }

Tensor Op::input(size_t index) const {
  Tensor tensor = optional(index);
  if (!tensor)
    fail("input " + std::to_string(index) + " is missing");
  return tensor;
}

std::vector<Dimension> Op::integers(size_t index) const { return integersOf(input(index), "input " + std::to_string(index)); }

std::vector<Dimension> Op::integersOf(Tensor tensor, const std::string &what) const {
  if (auto values = graph.knownIntegers(tensor))
    return *values;
  // Few numbers may be sizes that a run measures.
  const auto count = elementsOf(tensor->shape).constant();
  std::vector<Dimension> values;
  for (int64_t i = 0; count && *count <= 16 && i < *count; ++i) {
    auto size = graph.sizeAt(tensor, i);
    if (!size)
      break;
    values.push_back(*size);
  }
  if (isFloat(tensor->type) || !count || int64_t(values.size()) != *count)
    fail(what + " must be known when the model is compiled, or have a bound: integers that follow from "
         "constants and shapes, or from counts such as a mask's sum");
  return values;
}

std::vector<int64_t> Op::constants(size_t index) const {
  std::vector<int64_t> result;
  auto values = graph.knownIntegers(input(index));
  if (!values)
    fail("input " + std::to_string(index) + " must be known when the model is compiled: integers that follow from constants and shapes alone");
  for (const Dimension &value : *values) {
    auto constant = value.constant();
    if (!constant)
      fail("input " + std::to_string(index) + " holds " + value.text() + "; expected a constant");
    result.push_back(*constant);
  }
  return result;
}

std::vector<double> Op::reals(size_t index) const {
  auto values = graph.knownReals(input(index));
  if (!values)
    fail("input " + std::to_string(index) + " must be a constant");
  return *values;
}

int64_t Op::whole(double value, const std::string &what) const {
  if (!(std::fabs(value) < double(INT32_MAX))) // nor where it is no number
    fail(what + " is " + std::to_string(value) + "; expected less than 2^31");
  return int64_t(value);
}

const proto::AttributeProto *Op::attribute(std::string_view name) const {
  auto found = attributes.find(name);
  return found == attributes.end() ? nullptr : found->second;
}

static std::string missing(std::string_view name) { return "attribute '" + std::string(name) + "' is missing"; }

// Types of attributes (AttributeProto.AttributeType): 1 float, 2 int, 3 string, 4 tensor, 6 floats, 7 ints, 8 strings.
static void checkKind(std::string_view name, const proto::AttributeProto &attribute, int kind, const char *what) {
  if (attribute.has_type() && attribute.type() != kind && attribute.type() != 0)
    throw ImportError("attribute '" + std::string(name) + "' is no " + what);
}

// Sizes, counts and axes are multiplied and added with each other. Constants are any numbers, and ends of slices stand for what is there.
static void checkRange(std::string_view name, int64_t value) {
  constexpr int64_t most = int64_t(1) << 31;
  if ((value > most || value < -most) && name != "value_int" && name != "value_ints" && name != "starts" && name != "ends")
    throw ImportError("attribute '" + std::string(name) + "' is " + std::to_string(value) + "; expected a number between -2^31 and 2^31");
}

std::vector<std::optional<DataType>> Op::types() const {
  std::vector<std::optional<DataType>> types;
  for (Tensor input : tensors)
    types.push_back(input ? std::optional(input->dataType) : std::nullopt);
  return types;
}

void Op::repeats(Tensor parameter, const Shape &shape, const char *name) const {
  if (!parameter)
    return;
  const std::string words = std::string(name) + " of shape " + textOf(parameter->shape) + " that repeats to " + textOf(shape);
  bool fits = parameter->rank() <= shape.size();
  for (size_t d = 0; fits && d < parameter->rank(); ++d)
    if (const Dimension &own = parameter->shape[d]; !(own == Dimension(1)))
      fits = !graph.differ(own, shape[shape.size() - parameter->rank() + d], words);
  if (!fits)
    fail(std::string(name) + " has shape " + textOf(parameter->shape) + "; expected one that repeats to " + textOf(shape));
}

int64_t Op::integer(std::string_view name, std::optional<int64_t> otherwise) const {
  const proto::AttributeProto *found = attribute(name);
  if (!found && !otherwise)
    fail(missing(name));
  if (!found)
    return *otherwise;
  checkKind(name, *found, 2, "integer");
  checkRange(name, found->i());
  return found->i();
}

double Op::real(std::string_view name, std::optional<double> otherwise) const {
  const proto::AttributeProto *found = attribute(name);
  if (!found && !otherwise)
    fail(missing(name));
  if (!found)
    return *otherwise;
  checkKind(name, *found, 1, "float");
  return found->f();
}

std::string Op::string(std::string_view name, std::optional<std::string> otherwise) const {
  const proto::AttributeProto *found = attribute(name);
  if (!found && !otherwise)
    fail(missing(name));
  if (!found)
    return *otherwise;
  checkKind(name, *found, 3, "string");
  return found->s();
}

std::vector<int64_t> Op::integerList(std::string_view name, std::optional<std::vector<int64_t>> otherwise) const {
  const proto::AttributeProto *found = attribute(name);
  if (!found && !otherwise)
    fail(missing(name));
  if (!found)
    return *otherwise;
  checkKind(name, *found, 7, "list of integers");
  for (int64_t value : found->ints())
    checkRange(name, value);
  return {found->ints().begin(), found->ints().end()};
}

std::vector<double> Op::realList(std::string_view name, std::optional<std::vector<double>> otherwise) const {
  const proto::AttributeProto *found = attribute(name);
  if (!found && !otherwise)
    fail(missing(name));
  if (!found)
    return *otherwise;
  checkKind(name, *found, 6, "list of floats");
  return {found->floats().begin(), found->floats().end()};
}

std::vector<std::string> Op::stringList(std::string_view name, std::optional<std::vector<std::string>> otherwise) const {
  const proto::AttributeProto *found = attribute(name);
  if (!found && !otherwise)
    fail(missing(name));
  if (!found)
    return *otherwise;
  checkKind(name, *found, 8, "list of strings");
  return {found->strings().begin(), found->strings().end()};
}

Tensor Op::tensor(std::string_view name) const {
  const proto::AttributeProto *found = attribute(name);
  if (!found)
    fail(missing(name));
  checkKind(name, *found, 4, "tensor");
  TensorBytes bytes;
  if (std::string error = model.tensor(found->t(), bytes); !error.empty())
    fail("attribute '" + std::string(name) + "': " + error);
  return graph.stored(bytes, (node.output_size() ? node.output(0) : node.name()) + "." + std::string(name));
}

std::optional<std::vector<size_t>> Op::axes(size_t index, size_t rank) const {
  std::vector<int64_t> given;
  if (has("axes"))
    given = integerList("axes");
  else if (optional(index))
    given = constants(index);
  else
    return std::nullopt;
  std::vector<size_t> result;
  for (int64_t axis : given)
    result.push_back(axisOf(axis, rank));
  std::sort(result.begin(), result.end());
  if (std::adjacent_find(result.begin(), result.end()) != result.end())
    fail("an axis is given twice");
  return result;
}

static const std::vector<std::span<const Definition>> &tables() {
  static const std::vector<std::span<const Definition>> all = {
      elementwiseOps(),
      shapeOps(),
      constantOps(),
      conversionOps(),
      indexOps(),
      scatterOps(),
      paddingOps(),
      reductionOps(),
      selectionOps(),
      uniqueOps(),
      activationOps(),
      normalizationOps(),
      matrixOps(),
      einsumOps(),
      lossOps(),
      signalOps(),
      convolutionOps(),
      poolingOps(),
      regionPoolingOps(),
      resizeOps(),
      gridOps(),
      quantizationOps(),
      quantizedConvolutionOps(),
      attentionOps(),
      linearAttentionOps(),
      contribOps(),
      contribAttentionOps(),
      contribCacheOps(),
      contribPackedOps(),
      contribQuantizedOps(),
  };
  return all;
}

const Definition *findDefinition(std::string_view domain, std::string_view name, int64_t version) {
  const Definition *found = nullptr;
  for (auto table : tables())
    for (const Definition &definition : table)
      if (definition.name == name && definition.domain == domain && definition.since <= version &&
          (!found || definition.since > found->since))
        found = &definition;
  return found;
}

std::optional<int64_t> firstVersion(std::string_view domain, std::string_view name) {
  std::optional<int64_t> first;
  for (auto table : tables())
    for (const Definition &definition : table)
      if (definition.name == name && definition.domain == domain && (!first || definition.since < *first))
        first = definition.since;
  return first;
}

std::string supportedOf(std::string_view domain) {
  if (domain.empty())
    return "of ai.onnx all are but loops (Loop, Scan), recurrent networks (LSTM, GRU, RNN), Fourier transforms, random numbers, sequences, "
           "optional values, strings, image files and NonMaxSuppression";
  std::set<std::string_view> names;
  for (auto table : tables())
    for (const Definition &definition : table)
      if (definition.domain == domain)
        names.insert(definition.name);
  if (names.empty())
    return "those of " + std::string(domain) + " need a function in the model's file that says what they compute";
  std::string text = "of " + std::string(domain) + " these are:";
  for (std::string_view known : names)
    text += (known == *names.begin() ? " " : ", ") + std::string(known);
  return text;
}

} // namespace ingot::onnx
