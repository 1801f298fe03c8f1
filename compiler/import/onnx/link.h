// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// An encoder's file and its decoder's, as exporters write them, are one graph: which of the decoder's inputs are which of the encoder's
// results. By name, where keys and values go from one to the other; else the one result that fits the one input.
#ifndef INGOT_COMPILER_IMPORT_ONNX_LINK_H
#define INGOT_COMPILER_IMPORT_ONNX_LINK_H

#include "compiler/import/onnx/model.h"

#include <map>
#include <string>

namespace ingot::onnx {

// Inputs of the decoder, and the encoder's results that they are.
using Links = std::map<std::string, std::string>;

// What stands in the way, or "".
std::string findLinks(const Model &encoder, const Model &decoder, Links &links);

} // namespace ingot::onnx

#endif
