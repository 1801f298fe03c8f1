// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// pack-weights: how each weight is stored. It appends the last steps of each recipe; the engine writer runs them. The
// layouts are drawn in dialects/ingot/RecipeOps.td; all feature sets of the CPU read the same ones.
#include "passes/Linears.h"
#include "passes/Passes.h"

using namespace mlir;

namespace ingot::passes {

#define GEN_PASS_DEF_PACKWEIGHTSPASS
#include "passes/Passes.h.inc"

namespace {

using ir::tensorOf;

struct PackWeightsPass : public impl::PackWeightsPassBase<PackWeightsPass> {
  void runOnOperation() override {
    SmallVector<Operation *> ops;
    getOperation().walk([&](Operation *op) { ops.push_back(op); });
    DenseMap<Value, ir::LinearOp> packedFrom; // a stored table -> the linear that reads it packed
    for (Operation *op : ops) {
      if (isa<ir::LinearOp, ir::RopeAppendOp, ir::RmsNormOp, ir::LayerNormOp>(op))
        widenVectors(op);
      if (auto linear = dyn_cast<ir::LinearOp>(op); linear && !linear.getLayoutAttr()) {
        Value weight = linear.getWeight();
        if (failed(pack(linear)))
          return signalPassFailure();
        packedFrom.insert({canonical(weight), linear});
      }
    }
    for (Operation *op : ops)
      if (auto embedding = dyn_cast<ir::EmbeddingOp>(op); embedding && !embedding.getLayoutAttr())
        if (failed(shareTable(embedding, packedFrom)))
          return signalPassFailure();
  }

  // Ops that refer to one tensor are one: the first of them in the entry.
  Value canonical(Value value) {
    auto weight = value.getDefiningOp<ir::WeightOp>();
    if (!weight)
      return value;
    return firstReference.insert({{weight->getBlock(), weight.getTensorAttr()}, value}).first->second;
  }
  DenseMap<std::pair<Block *, Attribute>, Value> firstReference;

  // Stored vectors that a kernel reads beside its matrix are f32.
  void widenVectors(Operation *op) {
    OpBuilder builder(op);
    for (OpOperand &operand : op->getOpOperands()) {
      auto type = dyn_cast<RankedTensorType>(operand.get().getType());
      if (!type || type.getRank() != 1 || !isa<FloatType>(type.getElementType()) || type.getElementType().isF32() ||
          !ir::isRecipe(operand.get()))
        continue;
      operand.set(ir::CastOp::create(builder, operand.get().getLoc(), type.clone(builder.getF32Type()), operand.get()));
    }
  }

  LogicalResult pack(ir::LinearOp linear) {
    Value weight = linear.getWeight();
    if (!ir::isRecipe(weight))
      return linear.emitOpError() << "weight is computed by the graph; only a stored weight can be packed, and a "
                                     "product of two computed values has no kernel yet";
    OpBuilder builder(linear);
    builder.setInsertionPointAfterValue(weight);
    Location loc = weight.getLoc();
    Type compute = linear.getCompute().value_or(tensorOf(weight).getElementType());
    // Products in bf16 read bf16 weights; products in f32 read weights as they are stored.
    if (compute.isBF16() && !tensorOf(weight).getElementType().isBF16())
      weight = ir::CastOp::create(builder, loc, tensorOf(weight).clone(builder.getBF16Type()), weight);
    if (auto stored = linear.getWeightElementAttr()) {
      RankedTensorType type = tensorOf(weight).clone(stored.getValue());
      weight = isa<ir::QuantizedType>(stored.getValue()) ? Value(ir::QuantizeOp::create(builder, loc, type, weight))
                                                         : Value(ir::CastOp::create(builder, loc, type, weight));
      linear.removeWeightElementAttr();
    }
    Type element = tensorOf(weight).getElementType();
    auto quantized = dyn_cast<ir::QuantizedType>(element);
    StringRef layout;
    if (quantized)
      layout = layoutOf(quantized);
    else if (element.isF32())
      layout = "n16k";
    else if (element.isF16() || element.isBF16())
      layout = "n16k2";
    else
      return linear.emitOpError() << "weight's elements are " << element
                                  << "; expected f32, f16 or bf16: no packed layout takes others";
    int64_t n = linear.columns(), k = linear.depth(); // of the weight as it was
    StringAttr name = builder.getStringAttr(layout);
    linear.getWeightMutable().assign(ir::PackOp::create(builder, loc, weight, name).getResult());
    if (quantized)
      packGroups(linear, weight, quantized, builder, loc);
    if (linear.getInZero())
      linear.getSumsMutable().assign(
          ir::PackGroupsOp::create(builder, loc, weight, builder.getStringAttr("sums")).getResult());
    linear.setLayoutAttr(name);
    linear.setN(n);
    linear.setK(k);
    return success();
  }

  static StringRef layoutOf(ir::QuantizedType quantized) { return quantized.isFourBit() ? "n16k8" : "n16k4"; }

  // Scales and zero points of a linear or an embedding.
  template <typename Op>
  static void packGroups(Op op, Value weight, ir::QuantizedType quantized, OpBuilder &builder, Location loc) {
    op.getScalesMutable().assign(ir::PackGroupsOp::create(builder, loc, weight, builder.getStringAttr("scales")).getResult());
    if (quantized.getZero())
      op.getZerosMutable().assign(ir::PackGroupsOp::create(builder, loc, weight, builder.getStringAttr("zeros")).getResult());
  }

  // A table that is also a packed linear's weight is read from there; others stay row by row, but for quantized ones, which are
  // packed alike.
  LogicalResult shareTable(ir::EmbeddingOp embedding, const DenseMap<Value, ir::LinearOp> &packedFrom) {
    Value table = embedding.getTable();
    if (!ir::isRecipe(table))
      return embedding.emitOpError() << "table is computed by the graph; only a stored table can be looked up";
    ir::LinearOp linear = packedFrom.lookup(canonical(table));
    if (!linear || linear.getGated() || linear->getBlock() != embedding->getBlock()) {
      if (auto quantized = dyn_cast<ir::QuantizedType>(tensorOf(table).getElementType())) {
        OpBuilder builder(embedding);
        builder.setInsertionPointAfterValue(table);
        const int64_t n = embedding.tableRows(), k = embedding.tableColumns(); // of the table as it was
        StringAttr layout = builder.getStringAttr(layoutOf(quantized));
        embedding.getTableMutable().assign(ir::PackOp::create(builder, table.getLoc(), table, layout).getResult());
        packGroups(embedding, table, quantized, builder, table.getLoc());
        embedding.setLayoutAttr(layout);
        embedding.setN(n);
        embedding.setK(k);
      }
      return success();
    }
    hoistRecipe(linear.getWeight(), embedding);
    embedding.getTableMutable().assign(linear.getWeight());
    if (linear.getScales()) {
      hoistRecipe(linear.getScales(), embedding);
      embedding.getScalesMutable().assign(linear.getScales());
    }
    if (linear.getZeros()) {
      hoistRecipe(linear.getZeros(), embedding);
      embedding.getZerosMutable().assign(linear.getZeros());
    }
    embedding.setLayoutAttr(linear.getLayoutAttr());
    embedding.setNAttr(linear.getNAttr());
    embedding.setKAttr(linear.getKAttr());
    return success();
  }
};

} // namespace
} // namespace ingot::passes
