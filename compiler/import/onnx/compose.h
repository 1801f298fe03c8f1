// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Operators in terms of others: what com.microsoft's fused operators are made of. The other operator's definition is looked
// up by name, so a fused one is what its parts are.
#ifndef INGOT_COMPILER_IMPORT_ONNX_COMPOSE_H
#define INGOT_COMPILER_IMPORT_ONNX_COMPOSE_H

#include "compiler/import/onnx/op.h"

#include <variant>

namespace ingot::onnx {

using AttributeValue = std::variant<int64_t, double, std::string, std::vector<int64_t>>;
using AttributeValues = std::vector<std::pair<std::string, AttributeValue>>;

// The outputs of ai.onnx's operator `name` of that version on these inputs (null: left out), with these attributes alone.
std::vector<Tensor> composed(Op &op, std::string_view name, int64_t version, std::vector<Tensor> inputs,
                             const AttributeValues &attributes = {});
// The same with the node's own attributes too, but for those given.
std::vector<Tensor> composedAlike(Op &op, std::string_view name, int64_t version, std::vector<Tensor> inputs,
                                  const AttributeValues &attributes = {});

// x with the activation that a fused node names: "" for none; alpha, beta and gamma are its parameters in order.
Tensor activated(Op &op, Tensor x, const std::string &activation, const std::vector<double> &parameters);

} // namespace ingot::onnx

#endif
