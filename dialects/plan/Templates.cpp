// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The kernel templates' parameters and operand counts: see Templates.h.
#include "dialects/plan/Templates.h"
#include "compiler/target/templates/params.h"
#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/StringSwitch.h"

using namespace mlir;

namespace ingot::plan {

static bool isOptional(StringRef name, StringRef param) {
#define INGOT_OPTIONAL(template_name, param_name) (name == #template_name && param == #param_name) ||
  return INGOT_OPTIONAL_PARAMS(INGOT_OPTIONAL) false;
}

#define INGOT_INTEGER(param) {#param, false, isOptional(name, #param)},
#define INGOT_FLOAT(param) {#param, true, isOptional(name, #param)},

ArrayRef<TemplateParam> templateParams(StringRef name) {
#define INGOT_CASE(template_name, PARAMS)                                                                              \
  if (name == #template_name) {                                                                                        \
    static const TemplateParam params[] = {PARAMS(INGOT_INTEGER, INGOT_FLOAT)};                                        \
    return params;                                                                                                     \
  }
  INGOT_TEMPLATES(INGOT_CASE)
  return {};
}

bool isTemplate(StringRef name) { return !templateParams(name).empty(); }

std::optional<unsigned> templateOperands(StringRef name, DictionaryAttr params) {
  auto value = [&](StringRef key) -> int64_t {
    auto attr = params ? params.getAs<IntegerAttr>(key) : IntegerAttr();
    return attr ? attr.getInt() : 0;
  };
  auto set = [&](StringRef key) -> unsigned { return value(key) != 0; };
  if (!isTemplate(name))
    return std::nullopt;
  constexpr int64_t kQuantized = INGOT_U8;
  const unsigned planes = (value("weight_type") == kQuantized) + set("zeros"); // scales, [zeros]
  if (name == "embedding") // tokens, previous_ids, table, [scales, [zeros]], out, [stats]
    return 4 + planes + set("stats");
  if (name == "rope_angles") // positions, sequence_starts, context_lengths, inv_freq, [long_inv_freq], out
    return 5 + (value("kind") == 2);
  if (name == "pack_rows") // in, [stats, gamma], out
    return 2 + 2 * set("partials");
  if (name == "quantize_rows") // in, [stats, gamma], out; or codes, in_scale, [in_zero], out
    return 2 + 2 * set("partials") + set("codes") + set("in_zeros");
  if (name == "linear") // in, weight, [scales, [zeros]], [bias], [residual], out, [stats]
    return 3 + planes + set("bias") + set("residual") + set("stats");
  if (name == "linear_int") // in, weight, scales, [zeros], [sums], [bias], [residual], out, [stats]
    return 4 + set("in_zeros") + set("zeros") + set("bias") + set("residual") + set("stats");
  unsigned cachePlanes = value("cache_type") == INGOT_I8 ? 4 : 2;
  if (name == "rope_append") // qkv, cos_sin, slots, sequence_starts, [k_norm], planes
    return 4 + set("qk_norm") + cachePlanes;
  if (name == "attention") // qkv, cos_sin, slots, [q_norm, k_norm], planes, positions, sequence_starts,
                           // context_lengths, block_table, [distance_bias], partials, out
    return 9 + 2 * set("qk_norm") + cachePlanes + set("distances");
  if (name == "attention_merge") // partials, positions, sequence_starts, out
    return 4;
  if (name == "sdpa") // query, key, value, [bias], [lengths], [starts], [places], out
    return 4 + set("bias") + set("lengths") + set("starts") + set("places");
  if (name == "convolution") // in, weight, [scale], [bias], [residual], out
    return 3 + set("scale") + set("bias") + set("residual");
  if (name == "sample") // logits, 14 parameters, ids, log_probabilities
    return 17;
  return std::nullopt; // a template that is new to this list: launches of it are not counted
}

} // namespace ingot::plan
