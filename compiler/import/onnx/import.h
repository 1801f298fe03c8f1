// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The entry of the ONNX importer: a file in, entry `main` in the builder. All that is wrong is collected, with the names of
// nodes, before anything is compiled. Nothing of targets, precisions or layouts is decided here.
#ifndef INGOT_COMPILER_IMPORT_ONNX_IMPORT_H
#define INGOT_COMPILER_IMPORT_ONNX_IMPORT_H

#include "compiler/import/builder.h"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace ingot::onnx {

class Model;

struct ImportResult {
  std::vector<std::string> problems; // sentences that name a node or tensor
  std::vector<std::string> notes;    // worth knowing, and not in the way

  std::string name;     // of the graph, for people
  std::string producer; // "pytorch 2.5.1"
  int64_t opset = 0;    // of ai.onnx
  uint64_t nodes = 0;
  uint64_t tensors = 0, parameters = 0, bytes = 0; // initializers
  ElementType weightType = ElementType::f32;       // in which most of these bytes are held
};

// Imports a file, which `model` holds open as long as the builder's constants are used. False where result.problems says why not.
bool importModel(const std::string &path, Model &model, GraphBuilder &builder, ImportResult &result);
// The same of a model that is read already.
bool importModel(Model &model, GraphBuilder &builder, ImportResult &result);
// Models that are read, as one graph: of two, results of the first (an encoder) are inputs of the second, found by their names or, where
// one way alone fits, by their types. The inputs are those of both; those of the second are called "decoder_..." where the first has
// one of that name.
bool importModels(const std::vector<Model *> &models, GraphBuilder &builder, ImportResult &result);

} // namespace ingot::onnx

#endif
