// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Inputs that only choose between branches of a graph (Optimum's `use_cache_branch`), and models for which one is a
// constant. Nothing is imported here.
#ifndef INGOT_COMPILER_IMPORT_ONNX_SPECIALIZE_H
#define INGOT_COMPILER_IMPORT_ONNX_SPECIALIZE_H

#include "compiler/import/onnx/import.h"
#include "compiler/import/onnx/model.h"

namespace ingot::onnx {

// An input of one bool, which operators `If` read as their condition.
struct Choice {
  std::string input;
  // Inputs that one side alone reads, directly or in graphs inside it; sorted.
  std::vector<std::string> onlyThen, onlyElse;
};

// In the order of inputs. An input that anything but conditions reads is none.
std::vector<Choice> choicesOf(const Model &model);

// Makes an input a constant, so that it is no input any more. Returns "" or an error sentence: expected an input of
// bool with one element.
std::string assume(Model &model, const std::string &input, bool value);

// As importModel of import.h; where that refuses the model, and one input chooses between branches of which one reads
// all inputs that the other does and more (a past), the model is imported with this branch, and a note says so.
bool importChoosing(Model &model, GraphBuilder &builder, ImportResult &result);

// An encoder and a decoder as one graph, as importModels of import.h. Where an input of the decoder chooses between branches, it is that which
// reads the encoder's result itself; a note says so.
bool importPair(Model &encoder, Model &decoder, GraphBuilder &builder, ImportResult &result);

} // namespace ingot::onnx

#endif
