// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// choose-precision: decides in which type each weight is stored, and to which type the operands of products are
// rounded. Sums are f32 always (the numeric contract). It only says so on each linear, before anything is fused, while
// weights still bear the names that rules speak of: pack-weights then casts and quantizes.
#include "dialects/ingot/IngotDialect.h"
#include "passes/Passes.h"
#include "passes/quantization/Schemes.h"

#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;

namespace ingot::passes {

#define GEN_PASS_DEF_CHOOSEPRECISIONPASS
#include "passes/Passes.h.inc"

namespace {

// Groups of at most this many products of 8-bit integers fit an i32 sum.
constexpr int64_t kLongestGroup = 65536;

Type elementOf(Value value) { return cast<RankedTensorType>(value.getType()).getElementType(); }

void collectTensors(Value recipe, llvm::SetVector<StringRef> &names) {
  if (auto weight = recipe.getDefiningOp<ir::WeightOp>())
    names.insert(weight.getTensor());
  for (Value operand : recipe.getDefiningOp()->getOperands())
    collectTensors(operand, names);
}

// A type as the report names it: "int4:g32", "bf16", and i8 of activations as "int8".
std::string nameOf(Type type) {
  if (auto quantized = dyn_cast<ir::QuantizedType>(type))
    return quantized.scheme();
  if (type.isInteger(8))
    return "int8";
  std::string text;
  llvm::raw_string_ostream(text) << type;
  return text;
}

struct ChoosePrecisionPass : public impl::ChoosePrecisionPassBase<ChoosePrecisionPass> {
  using Base::Base;

  void runOnOperation() override {
    if (failed(readOptions()))
      return signalPassFailure();
    SmallVector<ir::LinearOp> linears;
    getOperation().walk([&](ir::LinearOp linear) { linears.push_back(linear); });

    SmallVector<ir::LinearOp> floats; // those whose products are of floats as stored, with no compute of their own
    bool anyQuantized = false, allSourcesBf16 = !linears.empty();
    for (ir::LinearOp linear : linears) {
      if (isa<ir::QuantizedType>(elementOf(linear.getWeight()))) {
        if (failed(chooseProducts(linear)))
          return signalPassFailure();
        anyQuantized = true;
        continue;
      }
      allSourcesBf16 &= elementOf(linear.getWeight()).isBF16();
      if (linear.getComputeAttr())
        continue;
      if (failed(choose(linear)))
        return signalPassFailure();
      anyQuantized |= isa<ir::QuantizedType>(storedOf(linear));
      if (!linear.getComputeAttr())
        floats.push_back(linear);
    }
    bool allHeld = !linears.empty() && llvm::all_of(linears, [](ir::LinearOp linear) {
      return isa<ir::QuantizedType>(elementOf(linear.getWeight()));
    });
    if (scheme && allHeld) {
      getOperation().emitError("cannot store weights as '" + weights + "': those of all products are quantized in the model's file, and stay so");
      return signalPassFailure();
    }
    if (failed(checkUse(anyQuantized, !floats.empty())))
      return signalPassFailure();

    Builder builder(&getContext());
    bool allBf16 =
        !floats.empty() && llvm::all_of(floats, [](ir::LinearOp linear) { return storedOf(linear).isBF16(); });
    bool inBf16 = compute == "bf16" || (compute == "auto" && allBf16);
    Type type = inBf16 ? Type(builder.getBF16Type()) : Type(builder.getF32Type());
    for (ir::LinearOp linear : floats)
      linear.setComputeAttr(TypeAttr::get(type));
    // What else is rounded follows the model where its weights are quantized.
    bool roundsToBf16 = anyQuantized ? compute == "bf16" || allSourcesBf16 : inBf16;
    getOperation()->setAttr("ingot.compute", builder.getStringAttr(roundsToBf16 ? "bf16" : "f32"));
    getOperation()->setAttr("ingot.products", builder.getStringAttr(describe(linears, type)));
  }

private:
  // The type in which the weight will be stored.
  static Type storedOf(ir::LinearOp linear) {
    return linear.getWeightElement().value_or(elementOf(linear.getWeight()));
  }

  LogicalResult readOptions() {
    auto fail = [&](const Twine &message) { return getOperation().emitError(message); };
    if (compute != "auto" && compute != "f32" && compute != "bf16")
      return fail("cannot compute products in '" + compute + "': expected f32, bf16 or auto");
    if (!weights.empty() && !(scheme = parseScheme(weights)))
      return fail("cannot store weights as '" + weights + "': expected " + kSchemes);
    if (!activations.empty() && activations != "float" && activations != "int8")
      return fail("cannot round activations to '" + activations + "': expected float or int8");
    if (std::string error = readRules(rulesFile, rules); !error.empty())
      return fail(error);
    used.assign(rules.size(), false);
    return success();
  }

  // Sets weight_element, and compute where the weight will be quantized.
  LogicalResult choose(ir::LinearOp linear) {
    Value weight = linear.getWeight();
    if (!ir::isRecipe(weight))
      return success(); // pack-weights tells
    llvm::SetVector<StringRef> names;
    collectTensors(weight, names);
    std::optional<Scheme> chosen = scheme;
    StringRef rows = activations;
    for (auto [index, rule] : llvm::enumerate(rules))
      if (llvm::any_of(names, [&](StringRef name) { return matches(rule.pattern, name); })) {
        used[index] = true;
        chosen = rule.scheme;
        if (!rule.activations.empty())
          rows = rule.activations;
        break;
      }
    if (!chosen)
      return success();
    Type type = typeOf(*chosen, &getContext());
    if (!chosen->isQuantized()) {
      if (compute == "bf16" && !type.isBF16())
        return linear.emitError() << "the weight is to be stored as " << type
                                  << ", but products in bf16 take weights in bf16; leave one of the two out";
      if (type != elementOf(weight))
        linear.setWeightElementAttr(TypeAttr::get(type));
      return success();
    }
    bool integers = rows != "float";
    if (integers && chosen->group == 0 && linear.depth() > kLongestGroup)
      return linear.emitError() << "rows of " << linear.depth() << " columns are too long for one scale each: sums of "
                                << "int8 products are exact for at most " << kLongestGroup
                                << "; expected a scheme with groups, such as int8:g128, or float activations";
    linear.setWeightElementAttr(TypeAttr::get(type));
    Builder builder(&getContext());
    linear.setComputeAttr(TypeAttr::get(integers ? Type(builder.getI8Type()) : Type(builder.getF32Type())));
    return success();
  }

  // Of a weight that the model itself quantized only the products are to be chosen: as the model says, or as is asked
  // for.
  LogicalResult chooseProducts(ir::LinearOp linear) {
    auto type = cast<ir::QuantizedType>(elementOf(linear.getWeight()));
    llvm::SetVector<StringRef> names;
    collectTensors(linear.getWeight(), names);
    StringRef rows = activations;
    for (auto [index, rule] : llvm::enumerate(rules))
      if (llvm::any_of(names, [&](StringRef name) { return matches(rule.pattern, name); })) {
        used[index] = true;
        if (rule.activations.empty())
          return linear.emitError()
                 << "the weight is stored as the model's file has it, in " << type.scheme() << "; rule '"
                 << rule.pattern << "' can only choose its activations: expected activations=float or activations=int8";
        rows = rule.activations;
        break;
      }
    if (linear.getInScale()) {
      linear.setComputeAttr(TypeAttr::get(IntegerType::get(&getContext(), 8)));
      return success();
    }
    Type compute = linear.getCompute().value_or(Float32Type::get(&getContext()));
    if (!rows.empty())
      compute = rows == "int8" ? Type(IntegerType::get(&getContext(), 8)) : Type(Float32Type::get(&getContext()));
    if (compute.isInteger(8) && type.getGroup() == 0 && linear.depth() > kLongestGroup)
      compute = Float32Type::get(&getContext());
    linear.setComputeAttr(TypeAttr::get(compute));
    return success();
  }

  // Nothing that was asked for may be without effect.
  LogicalResult checkUse(bool anyQuantized, bool anyFloat) {
    auto fail = [&](const Twine &message) { return getOperation().emitError(message); };
    for (auto [rule, wasUsed] : llvm::zip(rules, used))
      if (!wasUsed)
        return fail(rulesFile + ":" + Twine(rule.line) + ": '" + rule.pattern +
                    "' names no weight of a product that an earlier line leaves to it");
    if (activations == "int8" && !anyQuantized)
      return fail("int8 activations need weights in int8 or int4, and there are none");
    if (compute != "auto" && anyQuantized && !anyFloat)
      return fail("products in '" + compute + "' need weights in f32, f16 or bf16, and there are none");
    return success();
  }

  // "bf16", "int8, weights int4:g32", "int8 and f32, weights int4:g32 and f16".
  static std::string describe(ArrayRef<ir::LinearOp> linears, Type plain) {
    llvm::SetVector<Type> products, stored;
    bool stated = false;
    for (ir::LinearOp linear : linears) {
      products.insert(linear.getCompute().value_or(plain));
      stored.insert(storedOf(linear));
      stated |= linear.getWeightElement().has_value() || isa<ir::QuantizedType>(storedOf(linear));
    }
    if (!stated)
      return nameOf(plain);
    auto list = [](const llvm::SetVector<Type> &types) {
      std::string text;
      for (auto [index, type] : llvm::enumerate(types))
        text += (index == 0 ? "" : index + 1 == types.size() ? " and " : ", ") + nameOf(type);
      return text;
    };
    std::string computed = list(products), kept = list(stored);
    return computed == kept ? computed : computed + ", weights " + kept;
  }

  std::optional<Scheme> scheme;
  std::vector<PrecisionRule> rules;
  std::vector<bool> used;
};

} // namespace
} // namespace ingot::passes
