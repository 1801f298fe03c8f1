// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See choice.h.
#include "compiler/import/onnx/choice.h"

namespace ingot::onnx {

Tensor chosen(Graph &graph, Tensor condition, Tensor yes, Tensor no,
              std::map<std::pair<std::string, std::string>, Dimension> &sizes) {
  if (yes->shape == no->shape)
    return graph.where(condition, yes, no);
  if (yes->rank() != no->rank() || yes->dataType != no->dataType)
    throw ImportError("its condition is not known when the model is compiled, and an output is " +
                      nameOf(yes->dataType) + " " + textOf(yes->shape) + " in one branch and " + nameOf(no->dataType) +
                      " " + textOf(no->shape) + " in the other; expected one type and number of dimensions");
  Shape shape;
  for (size_t d = 0; d < yes->rank(); ++d) {
    const Dimension a = yes->shape[d], b = no->shape[d];
    if (a == b) {
      shape.push_back(a);
      continue;
    }
    auto key = std::pair(a.text(), b.text());
    if (auto known = sizes.find(key); known != sizes.end()) {
      shape.push_back(known->second);
      continue;
    }
    Tensor size = graph.compute(DataType::i64, {}, [&](const Indices &) {
      return cast(select(graph.at(condition, {}), Scalar(a), Scalar(b)), ElementType::i64);
    });
    shape.push_back(sizes.emplace(key, graph.measured(size, Dimension::max(a, b))).first->second);
  }
  return graph.compute(yes->dataType, shape, [&](const Indices &i) {
    auto at = [&](Tensor of) {
      Indices own;
      for (size_t d = 0; d < i.size(); ++d)
        own.push_back(of->shape[d] == shape[d] ? i[d] : larger(smaller(i[d], Scalar(of->shape[d] - 1)), Scalar(0)));
      return graph.at(of, own);
    };
    return select(graph.at(condition, {}), at(yes), at(no));
  });
}

} // namespace ingot::onnx
