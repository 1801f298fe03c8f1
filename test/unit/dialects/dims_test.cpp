// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Named dimensions, packed shapes and affine sizes: the small arithmetic on which types and plans stand.
#include "dialects/ingot/Dims.h"
#include "dialects/plan/PlanDialect.h"
#include "dialects/plan/Templates.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/MLIRContext.h"

#include <gtest/gtest.h>

using namespace mlir;
using namespace ingot;

namespace {

struct Dims : testing::Test {
  Dims() { context.loadDialect<ir::IngotDialect, plan::PlanDialect>(); }
  ir::Dim named(StringRef name) { return ir::Dim(ShapedType::kDynamic, StringAttr::get(&context, name)); }
  MLIRContext context;
  Type f32 = Float32Type::get(&context);
};

TEST_F(Dims, ExpressionsAreASymbolAndAConstant) {
  EXPECT_EQ(ir::parseDim("tokens")->symbol, "tokens");
  EXPECT_EQ(ir::parseDim("tokens")->constant, 0);
  EXPECT_EQ(ir::parseDim("sequences+1")->symbol, "sequences");
  EXPECT_EQ(ir::parseDim("sequences+1")->constant, 1);
  EXPECT_EQ(ir::parseDim("x_2-12")->constant, -12);
  for (StringRef wrong :
       {"", "1", "+1", "a+", "a+b", "a+1+1", "2*a", "a b", "a+-1", "a+99999999999999999999", "_a", "a.b"})
    EXPECT_FALSE(ir::parseDim(wrong)) << wrong.str();
}

TEST_F(Dims, TypesCarryNamesWhereAllAreKnown) {
  RankedTensorType type = ir::tensorType({named("tokens"), 8}, f32);
  EXPECT_EQ(type.getShape(), (ArrayRef<int64_t>{ShapedType::kDynamic, 8}));
  EXPECT_EQ(ir::dimOf(type, 0).name, "tokens");
  EXPECT_EQ(ir::dimOf(type, 1).size, 8);
  EXPECT_FALSE(ir::tensorType({2, 8}, f32).getEncoding());
  EXPECT_FALSE(ir::tensorType({named("tokens"), ir::Dim()}, f32).getEncoding());
}

TEST_F(Dims, WhatIsNotKnownAgreesWithAnything) {
  ir::Dim tokens = named("tokens"), rows = named("rows"), unknown, eight(8), nine(9);
  EXPECT_TRUE(tokens.agrees(tokens));
  EXPECT_FALSE(tokens.agrees(rows));
  EXPECT_TRUE(tokens.agrees(unknown));
  EXPECT_TRUE(unknown.agrees(eight));
  EXPECT_FALSE(tokens.agrees(eight)); // a name is never known to be a number
  EXPECT_FALSE(eight.agrees(nine));
  EXPECT_TRUE(ir::typesAgree(ir::tensorType({tokens, 8}, f32), RankedTensorType::get({ShapedType::kDynamic, 8}, f32)));
  EXPECT_FALSE(ir::typesAgree(ir::tensorType({tokens, 8}, f32), ir::tensorType({tokens}, f32)));
}

TEST_F(Dims, PackedShapesRoundUp) {
  EXPECT_EQ(*ir::packedShape("n16k", 40, 9), (SmallVector<int64_t>{3, 9, 16}));
  EXPECT_EQ(*ir::packedShape("n16k2", 40, 33), (SmallVector<int64_t>{3, 32, 16, 2}));
  EXPECT_EQ(*ir::packedShape("n16k2", 16, 32), (SmallVector<int64_t>{1, 16, 16, 2}));
  EXPECT_FALSE(ir::packedShape("k16n", 16, 32));
}

TEST_F(Dims, SizesAreSortedSums) {
  auto a = plan::SizeAttr::get(&context, "tokens", 4, 16), b = plan::SizeAttr::get(&context, "rows", 2);
  plan::SizeAttr sum = a.plus(b).plus(a);
  EXPECT_EQ(sum.getConstant(), 32);
  EXPECT_EQ(sum.coefficient("tokens"), 8);
  EXPECT_EQ(sum.coefficient("rows"), 2);
  EXPECT_EQ(sum.coefficient("masks"), 0);
  EXPECT_EQ(sum.getSymbols().front(), "rows");
  EXPECT_EQ(a.plus(a.times(-1)), plan::SizeAttr::get(&context, 0));
  EXPECT_TRUE(a.times(0).isConstant());
  EXPECT_EQ(plan::sizeOf(&context, named("sequences+1")), plan::SizeAttr::get(&context, "sequences", 1, 1));
  EXPECT_EQ(plan::sizeOf(&context, 7), plan::SizeAttr::get(&context, 7));
  EXPECT_FALSE(plan::sizeOf(&context, ir::Dim()));
}

// Operand counts against the lists in compiler/target/templates/params.h, counted by hand.
TEST_F(Dims, TemplatesCountTheirOperands) {
  Builder builder(&context);
  auto count = [&](StringRef name, std::initializer_list<StringRef> set, int32_t value = 1) {
    SmallVector<NamedAttribute> params;
    for (StringRef key : set)
      params.push_back(builder.getNamedAttr(key, builder.getI32IntegerAttr(value)));
    return plan::templateOperands(name, builder.getDictionaryAttr(params));
  };
  EXPECT_EQ(count("embedding", {}), 4u);
  EXPECT_EQ(count("embedding", {"stats"}), 5u);
  EXPECT_EQ(count("rope_angles", {"kind"}, 1), 5u);
  EXPECT_EQ(count("rope_angles", {"kind"}, 2), 6u);
  EXPECT_EQ(count("pack_rows", {}), 2u);
  EXPECT_EQ(count("pack_rows", {"partials"}, 40), 4u);
  EXPECT_EQ(count("linear", {}), 3u);
  EXPECT_EQ(count("linear", {"bias", "residual", "stats"}), 6u);
  EXPECT_EQ(count("linear", {"weight_type"}, 5), 4u); // quantized: scales beside it
  EXPECT_EQ(count("embedding", {"weight_type"}, 5), 5u);
  EXPECT_EQ(count("quantize_rows", {}), 2u);
  EXPECT_EQ(count("quantize_rows", {"partials"}, 40), 4u);
  EXPECT_EQ(count("linear_int", {}), 4u);
  EXPECT_EQ(count("linear_int", {"zeros", "bias", "residual", "stats"}), 8u);
  EXPECT_EQ(count("rope_append", {}), 6u);
  EXPECT_EQ(count("rope_append", {"qk_norm"}), 7u);
  EXPECT_EQ(count("rope_append", {"cache_type"}, 4), 8u); // i8: planes of scales too
  EXPECT_EQ(count("attention", {}), 11u);
  EXPECT_EQ(count("attention", {"qk_norm"}), 13u);
  EXPECT_EQ(count("attention_merge", {}), 4u);
  EXPECT_EQ(count("sdpa", {}), 4u);
  EXPECT_EQ(count("sdpa", {"bias", "lengths"}), 6u);
  EXPECT_EQ(count("sample", {}), 17u);
  EXPECT_FALSE(count("convolve", {}));
  EXPECT_TRUE(plan::templateParams("convolve").empty());
  EXPECT_EQ(plan::templateParams("pack_rows").back().name, "eps");
  EXPECT_TRUE(plan::templateParams("pack_rows").back().isFloat);
}

} // namespace
