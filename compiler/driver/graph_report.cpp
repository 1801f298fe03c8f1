// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See graph_report.h.
#include "compiler/driver/graph_report.h"
#include "dialects/ingot/IngotDialect.h"

#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;

namespace ingot::driver {

GraphReport reportGraph(ModuleOp module) {
  static constexpr std::pair<StringRef, const char *> names[] = {
      {"ingot.attention", "attention"}, {"ingot.scaled_dot_product_attention", "attention"}, {"ingot.rope", "rotary embedding"},
      {"ingot.layer_norm", "layer norm"}, {"ingot.rms_norm", "RMS norm"}, {"ingot.gelu", "GELU"}, {"ingot.gelu_tanh", "GELU (tanh)"}, {"ingot.quick_gelu", "GELU (sigmoid)"},
      {"ingot.silu", "SiLU"}, {"ingot.softmax", "softmax"}, {"ingot.embedding", "embedding"}, {"ingot.linear", "linear"}, {"ingot.convolution", "convolution"}};
  llvm::StringMap<size_t> counts; // by what they are called
  module.walk([&](Operation *op) {
    for (auto [kind, name] : names)
      counts[name] += op->getName().getStringRef() == kind;
  });
  GraphReport report;
  for (auto [kind, name] : names)
    if (size_t count = std::exchange(counts[name], 0))
      report.made += (report.made.empty() ? "" : ", ") + std::to_string(count) + " " + name;
  if (auto left = module->getAttrOfType<ArrayAttr>("ingot.not_fused"))
    for (auto text : left.getAsRange<StringAttr>())
      report.left.push_back(text.str());
  report.quantized = quantizedWeightsIn(module);
  for (auto [name, what] : {std::pair("ingot.padding_dropped", "dropped "), std::pair("ingot.padding_kept", "kept: ")})
    if (auto texts = module->getAttrOfType<ArrayAttr>(name))
      for (auto text : texts.getAsRange<StringAttr>())
        report.padding.push_back(what + text.str());
  if (auto why = module->getAttrOfType<StringAttr>("ingot.not_decoder"))
    report.notDecoder = why.str();
  for (auto entry : module.getOps<ir::EntryOp>()) {
    auto say = [&](const char *kind, StringRef name, Type type) {
      std::string text = std::string(kind) + name.str() + ": ";
      auto tensor = cast<RankedTensorType>(type);
      llvm::raw_string_ostream(text) << tensor.getElementType();
      for (auto [i, dim] : llvm::enumerate(ir::dimsOf(tensor)))
        text += (i ? ", " : " [") + dim.text();
      report.signature.push_back(text + (tensor.getRank() ? "]" : ""));
    };
    for (auto [i, type] : llvm::enumerate(entry.getArgumentTypes()))
      say("input       ", entry.getArgName(static_cast<unsigned>(i)), type);
    for (auto [i, type] : llvm::enumerate(entry.getResultTypes()))
      say("output      ", entry.getResName(static_cast<unsigned>(i)), type);
    // Dimensions of results that a run counts.
    llvm::StringSet<> told;
    for (Type type : entry.getResultTypes())
      for (const ir::Dim &dim : ir::dimsOf(cast<RankedTensorType>(type)))
        if (auto symbol = dim.name ? module.lookupSymbol<ir::SymbolOp>(dim.name) : nullptr; symbol && symbol.getData() && told.insert(dim.name).second)
          report.signature.push_back("dimension   " + symbol.getSymName().str() + ": depends on data, at most " + symbol.getData()->str());
  }
  return report;
}

} // namespace ingot::driver
