// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See EncodeEntry.h.
#include "passes/decoder/EncodeEntry.h"

#include "dialects/ingot/StepContract.h"
#include "passes/shapes/Dimensions.h"

#include "mlir/IR/IRMapping.h"

#include <cmath>

using namespace mlir;

namespace ingot::passes {

namespace {

using ir::tensorOf;

// Whether a bias is a mask alone, which hides nothing where nothing is padded; near and far.
bool addsNothing(DecoderGraph &graph, ir::ScaledDotProductAttentionOp attention) {
  for (int64_t positions : {101, 8191}) {
    auto elements = graph.step(2, 3, graph.samplePast(), positions);
    elements->readTables();
    SmallVector<int64_t> shape = elements->shapeOf(attention.getBias());
    for (int64_t h : {int64_t(0), shape[1] - 1})
      for (int64_t s : {int64_t(0), shape[2] / 2, shape[2] - 1})
        for (int64_t t : {int64_t(0), int64_t(1), shape[3] / 2, shape[3] - 1}) {
          Form form = elements->at(attention.getBias(), {shape[0] - 1, h, s, std::min(t, shape[3] - 1)});
          if (!form.isNumber() || !(std::fabs(form.constant) <= 1e-6))
            return false;
        }
  }
  return true;
}

void cloneInto(DecoderGraph &graph, OpBuilder &b, Value value, IRMapping &mapping) {
  if (mapping.contains(value))
    return;
  if (auto argument = dyn_cast<BlockArgument>(value)) { // a mask: nothing is padded
    auto type = tensorOf(argument);
    Type element = type.getElementType();
    auto one = ir::tensorType(SmallVector<ir::Dim>(size_t(type.getRank()), ir::Dim(1)), element);
    Attribute number = isa<FloatType>(element) ? Attribute(b.getFloatAttr(element, 1)) : Attribute(b.getIntegerAttr(element, 1));
    Value constant = ir::ConstantOp::create(b, value.getLoc(), one, DenseElementsAttr::get(one, number));
    mapping.map(value, ir::BroadcastOp::create(b, value.getLoc(), type, constant).getResult());
    return;
  }
  Operation *op = value.getDefiningOp();
  auto attention = dyn_cast<ir::ScaledDotProductAttentionOp>(op);
  const bool unmasked = attention && attention.getBias() && addsNothing(graph, attention);
  for (Value operand : op->getOperands())
    if (!unmasked || operand != attention.getBias())
      cloneInto(graph, b, operand, mapping);
  if (unmasked) {
    auto made = ir::ScaledDotProductAttentionOp::create(b, op->getLoc(), mapping.lookup(attention.getQuery()), mapping.lookup(attention.getKey()),
                                                        mapping.lookup(attention.getValue()), Value(), mapping.lookupOrNull(attention.getLengths()),
                                                        attention.getScaleAttr(), attention.getCausalAttr(), attention.getWindowAttr(),
                                                        attention.getSoftCapAttr());
    mapping.map(value, made.getResult());
    return;
  }
  b.clone(*op, mapping);
}

// Whether an expression is made of dimensions of the source alone.
bool isOfSource(ModuleOp module, ir::EntryOp encode, StringRef expression) {
  SmallVector<std::string> open{expression.str()};
  while (!open.empty()) {
    std::string why;
    auto parsed = ir::SymbolExpr::parse(open.pop_back_val(), why);
    if (!parsed)
      return false;
    for (const std::string &name : parsed->names()) {
      auto symbol = module.lookupSymbol<ir::SymbolOp>(name);
      if (symbol && symbol.getValue())
        open.push_back(symbol.getValue()->str());
      else if (llvm::none_of(ir::dimsOf(tensorOf(encode.getBody().getArgument(0))),
                             [&](const ir::Dim &dim) { return dim.isDynamic() && dim.name && dim.name.getValue() == name; }))
        return false;
    }
  }
  return true;
}

} // namespace

void makeEncode(DecoderGraph &graph, OpBuilder &b, Location loc) {
  auto module = graph.entry->getParentOfType<ModuleOp>();
  SmallVector<Value> wanted;
  for (auto attention : graph.attentions)
    if (graph.attendsToSource(attention))
      llvm::append_values(wanted, attention.getKey(), attention.getValue());
  auto type = tensorOf(graph.source);
  IRMapping mapping;
  auto key = tensorOf(wanted[0]);
  const ir::Dim positions = productOf(graph.entry, {ir::dimOf(key, 0), ir::dimOf(key, 1)});
  ir::EntryOp entry = ir::openEncode(b, module, loc, type, positions);
  mapping.map(graph.source, entry.getBody().getArgument(0));
  for (Value value : wanted)
    cloneInto(graph, b, value, mapping);
  ir::SourceLayers layers;
  for (size_t i = 0; i < wanted.size(); i += 2)
    layers.push_back({mapping.lookup(wanted[i]), mapping.lookup(wanted[i + 1])});
  ir::closeEncode(b, loc, entry, layers);
}

bool encodeNeeds(ModuleOp module, ir::SymbolOp symbol) {
  StringRef name = symbol.getSymName();
  auto isOf = [&](StringRef text) {
    std::string why;
    auto expression = ir::SymbolExpr::parse(text, why);
    return expression && llvm::is_contained(expression->names(), name.str());
  };
  auto encode = module.lookupSymbol<ir::EntryOp>("encode");
  if (symbol.getRequirement())
    return isOfSource(module, encode, *symbol.getValue());
  for (auto other : module.getOps<ir::SymbolOp>())
    if (other != symbol && ((other.getValue() && isOf(*other.getValue())) || (other.getData() && isOf(*other.getData()))))
      return true;
  auto names = [&](Type type) {
    auto tensor = dyn_cast<RankedTensorType>(type);
    return tensor && llvm::any_of(ir::dimsOf(tensor), [&](const ir::Dim &dim) { return dim.isDynamic() && dim.name && isOf(dim.name.getValue()); });
  };
  return encode
      ->walk([&](Operation *op) {
        bool needed = llvm::any_of(op->getResultTypes(), names) || llvm::any_of(op->getOperandTypes(), names);
        for (NamedAttribute attribute : op->getAttrs())
          attribute.getValue().walk([&](StringAttr text) { needed |= isOf(text.getValue()); });
        return needed ? WalkResult::interrupt() : WalkResult::advance();
      })
      .wasInterrupted();
}

} // namespace ingot::passes
