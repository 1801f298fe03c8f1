// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The order in which a graph's nodes can be imported: which reads whose results.
#ifndef INGOT_COMPILER_IMPORT_ONNX_ORDER_H
#define INGOT_COMPILER_IMPORT_ONNX_ORDER_H

#include "compiler/import/onnx/model.h"

#include <string>
#include <vector>

namespace ingot::onnx {

using Nodes = google::protobuf::RepeatedPtrField<proto::NodeProto>;

// Nodes so that each stands after those that it reads, otherwise in the order of the file: exporters and tools do not always
// sort as the specification asks. Those of a cycle, and those that read from one, come last.
std::vector<const proto::NodeProto *> sorted(const Nodes &nodes);

// The nodes through which a node reads its own results, itself first; empty where it does not.
std::vector<const proto::NodeProto *> cycleThrough(const Nodes &nodes, const proto::NodeProto &node);

} // namespace ingot::onnx

#endif
