// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What an If whose condition a run tells gives: one of two tensors, both of which are computed. Knows nothing of
// branches' graphs.
#ifndef INGOT_COMPILER_IMPORT_ONNX_CHOICE_H
#define INGOT_COMPILER_IMPORT_ONNX_CHOICE_H

#include "compiler/import/onnx/graph.h"

namespace ingot::onnx {

// `condition` is bool []; `yes` and `no` are of one type and rank. Where a dimension differs, that of the result is
// what a run chooses, and memory is planned for the larger. `sizes` keeps such dimensions, so that outputs of one If
// share them.
Tensor chosen(Graph &graph, Tensor condition, Tensor yes, Tensor no,
              std::map<std::pair<std::string, std::string>, Dimension> &sizes);

} // namespace ingot::onnx

#endif
