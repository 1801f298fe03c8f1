// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Readable keys of kernels (see KernelKeys.h).
#include "passes/lowering/KernelKeys.h"
#include "compiler/target/templates/params.h"

#include "llvm/ADT/StringSwitch.h"

using namespace mlir;

namespace ingot::passes {

int32_t elementNumber(Type type) {
  return type.isF32() ? INGOT_F32 : type.isF16() ? INGOT_F16 : type.isBF16() ? INGOT_BF16 : -1;
}

KernelParams &KernelParams::set(StringRef param, int64_t value) {
  values.push_back(builder.getNamedAttr(param, builder.getI32IntegerAttr(static_cast<int32_t>(value))));
  return *this;
}

KernelParams &KernelParams::setFloat(StringRef param, double value) {
  values.push_back(builder.getNamedAttr(param, builder.getF32FloatAttr(static_cast<float>(value))));
  return *this;
}

KernelParams &KernelParams::set(StringRef param, int64_t value, int64_t plain) {
  if (value == plain)
    unspoken.push_back(param);
  return set(param, value);
}

KernelParams &KernelParams::setFloat(StringRef param, double value, double plain) {
  if (value == plain)
    unspoken.push_back(param);
  return setFloat(param, value);
}

DictionaryAttr KernelParams::attribute() const { return builder.getDictionaryAttr(values); }

static std::string spell(StringRef param, int64_t value, ArrayRef<StringRef> symbols) {
  static const char *const types[] = {"f32", "f16", "bf16", "f64", "i8", "u8"};
  static const char *const layouts[] = {"row_major", "n16k", "n16k2", "n16k4", "n16k8"};
  static const char *const activations[] = {"", "silu", "gelu", "gelu_tanh", "relu", "quick_gelu"};
  static const char *const ropeKinds[] = {"fixed", "dynamic", "longrope"};
  if (param.ends_with("_symbol"))
    return (param.drop_back(strlen("_symbol")) + "_" + symbols[value]).str();
  if (param.ends_with("type"))
    return (param == "type" ? "" : (param.drop_back(strlen("type"))).str()) + types[value];
  if (param == "layout")
    return layouts[value];
  if (param == "act")
    return activations[value];
  if (param == "kind")
    return ropeKinds[value];
  bool flag = llvm::StringSwitch<bool>(param)
                  .Cases({"bias", "residual", "gated", "stats", "qk_norm", "zeros", "causal", "lengths"}, true)
                  .Cases({"bias_batch", "bias_heads", "bias_queries", "bias_keys"}, true)
                  .Default(false);
  if (flag)
    return value ? param.str() : "";
  return (param + (llvm::isDigit(param.back()) ? "_" : "") + llvm::Twine(value)).str();
}

std::string KernelParams::key(ArrayRef<StringRef> symbols) const {
  std::string key = name.str();
  for (NamedAttribute value : values) {
    StringRef param = value.getName().getValue();
    if (llvm::is_contained(unspoken, param))
      continue;
    std::string text;
    if (auto integer = dyn_cast<IntegerAttr>(value.getValue())) {
      text = spell(param, integer.getInt(), symbols);
    } else {
      char number[32];
      snprintf(number, sizeof(number), "%.9g", cast<FloatAttr>(value.getValue()).getValueAsDouble());
      text = (param + llvm::Twine(number)).str();
    }
    if (!text.empty())
      key += "-" + text;
  }
  return key;
}

} // namespace ingot::passes
