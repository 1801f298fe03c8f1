// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See quantized_weights.h.
#include "compiler/driver/quantized_weights.h"
#include "dialects/ingot/IngotDialect.h"

#include "llvm/ADT/STLExtras.h"

using namespace mlir;

namespace ingot::driver {

namespace {

Type elementOf(Value value) { return cast<RankedTensorType>(value.getType()).getElementType(); }

// Why no layout holds the codes.
std::string reasonFor(ir::AssembleOp weight) {
  const auto block = static_cast<int64_t>(weight.getBlock());
  if (weight.getZeros() && isa<FloatType>(elementOf(weight.getZeros())))
    return "its zero points are floats";
  if (block == 1)
    return "it has a scale for each column of a product's sum";
  if (block && block % 32)
    return "its scales are of " + std::to_string(block) +
           " columns each: expected groups that 32 divides, or whole rows";
  return "it is read otherwise than as the weight of a product";
}

} // namespace

QuantizedWeights quantizedWeightsIn(ModuleOp module) {
  QuantizedWeights weights;
  std::vector<std::pair<std::string, size_t>> counts;
  size_t all = 0, held = 0;
  module.walk([&](ir::LinearOp linear) {
    ++all;
    auto type = dyn_cast<ir::QuantizedType>(elementOf(linear.getWeight()));
    if (!type)
      return;
    ++held;
    std::string kind = type.scheme() +
                       (linear.getCompute() && linear.getCompute()->isInteger(8) ? " times integers" : " times floats");
    auto known = llvm::find_if(counts, [&](const auto &count) { return count.first == kind; });
    if (known == counts.end())
      counts.emplace_back(kind, 1);
    else
      ++known->second;
  });
  if (held)
    weights.held = std::to_string(held) + " of " + std::to_string(all) + " linear:";
  for (auto [index, count] : llvm::enumerate(counts))
    weights.held += (index ? ", " : " ") + std::to_string(count.second) + " " + count.first;
  module.walk([&](ir::AssembleOp weight) {
    if (!isa<FloatType>(elementOf(weight.getResult())) || weight.use_empty())
      return;
    auto loc = dyn_cast<NameLoc>(weight.getLoc());
    weights.dequantized.push_back((loc ? loc.getName().str() : "a weight") + ": stored in f32, as " +
                                  reasonFor(weight));
  });
  return weights;
}

} // namespace ingot::driver
