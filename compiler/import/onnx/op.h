// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What an operator's import sees: its inputs, attributes and the graph, and the registry in which it stands. An operator
// is one function in compiler/import/onnx/ops and one line in that file's table; a version of the operator set that changes it is
// another line.
#ifndef INGOT_COMPILER_IMPORT_ONNX_OP_H
#define INGOT_COMPILER_IMPORT_ONNX_OP_H

#include "compiler/import/onnx/graph.h"

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ingot::onnx {

// Attributes by name, with those that a function's call gives in place of references.
using Attributes = std::map<std::string, const proto::AttributeProto *, std::less<>>;

class Op {
public:
  Op(Graph &graph, const Model &model, const proto::NodeProto &node, Attributes attributes, int64_t version,
     std::vector<Tensor> inputs)
      : graph(graph), model(model), node(node), attributes(std::move(attributes)), version(version),
        tensors(std::move(inputs)) {}

  Graph &graph;
  const Model &model;
  const proto::NodeProto &node;
  Attributes attributes;
  const int64_t version; // of the operator set that the node belongs to
  // What a graph that is an attribute gives for these inputs; it sees what the node sees.
  std::function<std::vector<Tensor>(const proto::GraphProto &, const std::vector<Tensor> &)> runGraph;

  // --- Inputs.
  size_t inputs() const { return tensors.size(); }
  Tensor input(size_t index) const;    // throws where it is left out
  Tensor optional(size_t index) const; // null where it is
  const std::vector<Tensor> &all() const { return tensors; }
  std::vector<std::optional<DataType>> types() const; // nothing where an input is left out
  // The input's elements, which must be known while importing.
  std::vector<Dimension> integers(size_t index) const;
  std::vector<Dimension> integersOf(Tensor tensor, const std::string &what) const; // of any tensor, which `what` names in errors
  std::vector<int64_t> constants(size_t index) const; // that do not depend on dimensions
  std::vector<double> reals(size_t index) const;
  // A number that becomes a size or a count, without its fraction: of less than 2^31, else the op fails and names `what`.
  int64_t whole(double value, const std::string &what) const;

  // --- Outputs that the node has a name for.
  size_t outputs() const { return size_t(node.output_size()); }
  bool wants(size_t index) const { return index < outputs() && !node.output(int(index)).empty(); }

  // --- Attributes.
  bool has(std::string_view name) const { return attributes.find(name) != attributes.end(); }
  int64_t integer(std::string_view name, std::optional<int64_t> otherwise = std::nullopt) const; // throws where it is absent and needed
  double real(std::string_view name, std::optional<double> otherwise = std::nullopt) const;
  std::string string(std::string_view name, std::optional<std::string> otherwise = std::nullopt) const;
  std::vector<int64_t> integerList(std::string_view name, std::optional<std::vector<int64_t>> otherwise = std::nullopt) const;
  std::vector<double> realList(std::string_view name, std::optional<std::vector<double>> otherwise = std::nullopt) const;
  std::vector<std::string> stringList(std::string_view name, std::optional<std::vector<std::string>> otherwise = std::nullopt) const;
  Tensor tensor(std::string_view name) const;
  const proto::AttributeProto *attribute(std::string_view name) const;

  // Axes: an attribute `axes`, or input `index` from the version on that made it one. Sorted; nothing where neither is given.
  std::optional<std::vector<size_t>> axes(size_t index, size_t rank) const;

  [[noreturn]] void fail(const std::string &what) const { throw ImportError(what); }
  // Fails where a parameter does not repeat to the shape (ONNX, "unidirectional broadcasting").
  void repeats(Tensor parameter, const Shape &shape, const char *name) const;

private:
  std::vector<Tensor> tensors;
};

// Gives the outputs in order; fewer where the rest is never wanted.
using Import = std::vector<Tensor> (*)(Op &);

struct Definition {
  std::string_view domain; // "" for ai.onnx
  std::string_view name;
  int64_t since; // version of the operator set
  Import import;
};

// The definition that holds at this version; null where there is none.
const Definition *findDefinition(std::string_view domain, std::string_view name, int64_t version);
// The first version that there is a definition for.
std::optional<int64_t> firstVersion(std::string_view domain, std::string_view name);
// Which operators of a domain there are definitions for, as a sentence tells it.
std::string supportedOf(std::string_view domain);

// One table for each file of ops/.
std::span<const Definition> elementwiseOps();
std::span<const Definition> shapeOps();
std::span<const Definition> constantOps();
std::span<const Definition> indexOps();
std::span<const Definition> reductionOps();
std::span<const Definition> matrixOps();
std::span<const Definition> normalizationOps();
std::span<const Definition> convolutionOps();
std::span<const Definition> poolingOps();
std::span<const Definition> regionPoolingOps();
std::span<const Definition> resizeOps();
std::span<const Definition> gridOps();
std::span<const Definition> quantizationOps();
std::span<const Definition> attentionOps();
std::span<const Definition> linearAttentionOps();
std::span<const Definition> contribOps();
std::span<const Definition> contribAttentionOps();
std::span<const Definition> contribCacheOps();
std::span<const Definition> contribPackedOps();
std::span<const Definition> contribQuantizedOps();
std::span<const Definition> activationOps();
std::span<const Definition> selectionOps();
std::span<const Definition> scatterOps();
std::span<const Definition> paddingOps();
std::span<const Definition> conversionOps();
std::span<const Definition> uniqueOps();
std::span<const Definition> einsumOps();
std::span<const Definition> lossOps();
std::span<const Definition> signalOps();
std::span<const Definition> quantizedConvolutionOps();

} // namespace ingot::onnx

#endif
