// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How many inputs, which attributes and which types operators take by the schemas of ONNX and ONNX Runtime, so that a node which asks for
// something else is refused and not half understood. What their values mean is the operators' own matter.
#ifndef INGOT_COMPILER_IMPORT_ONNX_SCHEMA_H
#define INGOT_COMPILER_IMPORT_ONNX_SCHEMA_H

#include "compiler/import/onnx/model.h"
#include "compiler/import/onnx/types.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ingot::onnx {

// The last version of operator set ai.onnx that the tables of operators were written for.
inline constexpr int64_t kNewestOperatorSet = 28;

// What a node has that no version of its operator takes; empty: nothing, or the operator has no schema. version: of the operator set. Before 17
// LayerNormalization is ONNX Runtime's own operator, which passes over attributes that it does not know; so it is here.
std::vector<std::string> schemaProblems(std::string_view domain, const proto::NodeProto &node, int64_t version);

// What is wrong with the types of a node's inputs, of which some may be absent; empty where nothing is. A type is right that any version takes.
std::string typeProblem(std::string_view domain, const proto::NodeProto &node, const std::vector<std::optional<DataType>> &inputs);

} // namespace ingot::onnx

#endif
