// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From what the command line names (a checkpoint's directory, an ONNX file, a module in the ingot dialect) to a module, with the
// facts that the engine keeps beside it. All that is wrong with a model is printed here.
#ifndef INGOT_COMPILER_DRIVER_IMPORT_MODEL_H
#define INGOT_COMPILER_DRIVER_IMPORT_MODEL_H

#include "compiler/import/huggingface/import.h"
#include "compiler/import/module.h"
#include "llvm/ADT/Twine.h"

namespace ingot::driver {

// What a model is before its weights are looked at.
struct Imported {
  GraphBuilder builder; // owns the context
  mlir::OwningOpRef<mlir::ModuleOp> module;
  huggingface::ImportResult facts;
  std::vector<uint8_t> tokenizer;
};

struct ModelSource {
  std::string model;
  std::string encoder; // of an ONNX decoder that attends to its results; "": none
  std::optional<uint64_t> dummySeed;
  std::string chatTemplate, tokenizer;
};

bool isOnnx(llvm::StringRef model);
// In place of a directory that holds no checkpoint but graphs of exporters (model.onnx, or encoder_model.onnx and decoder_model.onnx; also
// in "onnx" below it) the graphs. Others stay as they are.
void findGraphs(ModelSource &source);
bool isModule(llvm::StringRef model);

// Imports a model; gives an exit status.
int importAny(const ModelSource &source, Imported &imported);
// Reads tokenizer, chat template and defaults of sampling beside an exporter's graph that passes made a decoder of. Does nothing for other models.
int readTextOfGraph(const ModelSource &source, Imported &imported);

// Whether the module has the entries of a decoder.
bool isDecoder(mlir::ModuleOp module);

int fail(int status, const llvm::Twine &message);
int bug(const llvm::Twine &message);

} // namespace ingot::driver

#endif
