// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See check.h.
#include "compiler/target/templates/check.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/ADT/Twine.h"

namespace ingot::target {
namespace {

struct Field {
  const char *name;
  bool isReal;
};

bool isOptional(llvm::StringRef name, llvm::StringRef field) {
#define INGOT_OPTIONAL(template_name, param_name) (name == #template_name && field == #param_name) ||
  return INGOT_OPTIONAL_PARAMS(INGOT_OPTIONAL) false;
#undef INGOT_OPTIONAL
}

struct TemplateFields {
  const char *name;
  std::vector<Field> fields;
};

#define INGOT_FIELD_I(name) {#name, false},
#define INGOT_FIELD_F(name) {#name, true},
#define INGOT_TEMPLATE_FIELDS(name, list) {#name, {list(INGOT_FIELD_I, INGOT_FIELD_F)}},
const std::vector<TemplateFields> &templates() {
  static const std::vector<TemplateFields> table = {INGOT_TEMPLATES(INGOT_TEMPLATE_FIELDS)};
  return table;
}
#undef INGOT_TEMPLATE_FIELDS
#undef INGOT_FIELD_F
#undef INGOT_FIELD_I

// Collects what is wrong with one kernel's parameters: the first complaint stands.
class Checker {
public:
  Checker(const Kernel &kernel, std::string &error) : kernel(kernel), error(error) {}
  bool ok() const { return good; }
  void fail(const llvm::Twine &what) {
    if (good)
      error = ("kernel '" + kernel.name + "' (template '" + kernel.templateName + "'): " + what).str();
    good = false;
  }
  void require(bool holds, const char *name, int64_t found, const llvm::Twine &expected) {
    if (!holds)
      fail("parameter '" + llvm::Twine(name) + "' is " + llvm::Twine(found) + ", expected " + expected);
  }
  void positive(const char *name, int32_t value) { require(value >= 1, name, value, "at least 1"); }
  void type(const char *name, int32_t value) {
    require(value >= INGOT_F32 && value <= INGOT_BF16, name, value, "0 (f32), 1 (f16) or 2 (bf16)");
  }
  void flag(const char *name, int32_t value) { require(value == 0 || value == 1, name, value, "0 or 1"); }
  void symbol(const char *name, int32_t value) { require(value >= 0, name, value, "the number of a symbol"); }
  // Weights of floats, or quantized to u8 with scales (and zero points) beside them.
  template <class Params> void weight(const Params &p, bool rowMajorToo) {
    require((p.weight_type >= INGOT_F32 && p.weight_type <= INGOT_BF16) || p.weight_type == INGOT_U8, "weight_type",
            p.weight_type, "0 (f32), 1 (f16), 2 (bf16) or 5 (u8)");
    if (p.weight_type == INGOT_U8)
      return quantized(p);
    layout(p.layout, p.weight_type, rowMajorToo);
    for (auto [name, value] : {std::pair{"group", p.group}, {"scale_type", p.scale_type}, {"zeros", p.zeros}})
      require(value == 0, name, value, "0, as the weight is not quantized");
  }
  template <class Params> void quantized(const Params &p) {
    require(p.layout == INGOT_N16K4 || p.layout == INGOT_N16K8, "layout", p.layout,
            "3 (n16k4) or 4 (n16k8) for a quantized weight");
    bool blocks = p.group == 32 || p.group == 64 || p.group == 128;
    require(blocks || (p.layout == INGOT_N16K4 && p.group == p.k), "group", p.group,
            p.layout == INGOT_N16K4 ? "32, 64, 128 or k = " + llvm::Twine(p.k) : llvm::Twine("32, 64 or 128"));
    require(p.scale_type == INGOT_F32 || p.scale_type == INGOT_F16, "scale_type", p.scale_type, "0 (f32) or 1 (f16)");
    flag("zeros", p.zeros);
  }
  template <class Params> void epilogue(const Params &p) {
    flag("bias", p.bias);
    flag("residual", p.residual);
    flag("gated", p.gated);
    flag("stats", p.stats);
    type("out_type", p.out_type);
    require(p.act >= INGOT_ACT_NONE && p.act <= INGOT_ACT_QUICK_GELU, "act", p.act, "an activation of params.h");
    require(p.out_stride >= p.n, "out_stride", p.out_stride, "at least n = " + llvm::Twine(p.n));
    if (p.stats)
      require(p.out_type == INGOT_F32, "out_type", p.out_type, "0 (f32), as stats are of stored f32 values");
    symbol("rows_symbol", p.rows_symbol);
  }
  // Rows of quantize_rows.
  template <class Params> void quantizedRows(const Params &p) {
    positive("k", p.k);
    require(p.k_padded % 64 == 0 && p.k_padded >= p.k, "k_padded", p.k_padded,
            "a multiple of 64 from k = " + llvm::Twine(p.k));
    require(p.group == p.k || p.group == 32 || p.group == 64 || p.group == 128, "group", p.group,
            "32, 64, 128 or k = " + llvm::Twine(p.k));
  }

private:
  void layout(int32_t layout, int32_t weightType, bool rowMajorToo) {
    if (rowMajorToo && layout == INGOT_ROW_MAJOR)
      return;
    int32_t expected = weightType == INGOT_F32 ? INGOT_N16K : INGOT_N16K2;
    require(layout == expected, "layout", layout,
            llvm::Twine(expected) + " (" + (expected == INGOT_N16K ? "n16k" : "n16k2") + ") for this weight_type");
  }

  const Kernel &kernel;
  std::string &error;
  bool good = true;
};

void check(Checker &c, const embedding_params &p) {
  c.positive("n", p.n);
  c.positive("k", p.k);
  c.weight(p, /*rowMajorToo=*/true);
  c.flag("stats", p.stats);
}

void check(Checker &c, const rope_angles_params &p) {
  c.positive("half", p.half);
  c.require(p.kind >= 0 && p.kind <= 2, "kind", p.kind, "0 (fixed), 1 (dynamic) or 2 (longrope)");
  if (p.kind != 0)
    c.positive("original", p.original);
  if (p.kind == 1 && !(p.base > 0.0f && p.factor > 0.0f))
    c.fail("base and factor must be positive for kind 1 (dynamic)");
  c.symbol("sequences_symbol", p.sequences_symbol);
}

void check(Checker &c, const pack_rows_params &p) {
  c.positive("k", p.k);
  c.require(p.k_padded >= p.k, "k_padded", p.k_padded, "at least k = " + llvm::Twine(p.k));
  c.type("type", p.type);
  c.require(p.partials >= 0, "partials", p.partials, "at least 0");
}

void check(Checker &c, const linear_params &p) {
  c.positive("n", p.n);
  c.positive("k", p.k);
  c.type("in_type", p.in_type);
  c.weight(p, /*rowMajorToo=*/false);
  if (p.weight_type == INGOT_U8)
    c.require(p.in_type == INGOT_F32, "in_type", p.in_type, "0 (f32), as quantized weights are multiplied as f32");
  // Weights of 16 bits are read by pairs of k: so are the inputs, whose padding must be there. bf16 by bf16 is read by
  // tiles of 32.
  bool pairs = p.weight_type == INGOT_F16 || p.weight_type == INGOT_BF16;
  bool tiles = p.weight_type == INGOT_BF16 && p.in_type == INGOT_BF16;
  int32_t needed = tiles ? (p.k + 31) / 32 * 32 : pairs ? p.k + (p.k & 1) : p.k;
  c.require(p.k_padded >= needed, "k_padded", p.k_padded, "at least " + llvm::Twine(needed));
  if (tiles)
    c.require(p.k_padded % 2 == 0, "k_padded", p.k_padded, "an even number, as bf16 is multiplied by pairs");
  c.epilogue(p);
}

void check(Checker &c, const quantize_rows_params &p) {
  c.quantizedRows(p);
  c.require(p.partials >= 0, "partials", p.partials, "at least 0");
  c.require(p.codes == 0 || p.codes == INGOT_I8 || p.codes == INGOT_U8, "codes", p.codes,
            "0 (rows of f32), 4 (i8) or 5 (u8)");
  c.flag("in_zeros", p.in_zeros);
  c.require(!p.in_zeros || p.codes, "in_zeros", p.in_zeros, "0 for rows of f32");
  c.require(!p.codes || !p.partials, "partials", p.partials, "0, as codes are not normalized");
}

// 255 * 127 * 65,536 is below 2^31: no sum of products of one group passes 32 bits.
constexpr int32_t kLargestIntegerGroup = 65536;

void check(Checker &c, const linear_int_params &p) {
  c.positive("n", p.n);
  c.quantizedRows(p);
  c.quantized(p);
  c.require(p.group <= kLargestIntegerGroup, "group", p.group,
            "at most " + llvm::Twine(kLargestIntegerGroup) + ", so that sums of a group fit 32 bits");
  c.flag("in_zeros", p.in_zeros);
  c.require(!p.in_zeros || (p.layout == INGOT_N16K4 && p.group >= p.k), "in_zeros", p.in_zeros,
            "0, as only 8-bit weights with one group take rows with a zero point");
  c.epilogue(p);
}

template <class Params> void checkCache(Checker &c, const Params &p) {
  c.positive("kv_heads", p.kv_heads);
  c.positive("head_dim", p.head_dim);
  c.require(p.rotary_dim >= 0 && p.rotary_dim <= p.head_dim && p.rotary_dim % 2 == 0, "rotary_dim", p.rotary_dim,
            "an even number up to head_dim = " + llvm::Twine(p.head_dim));
  c.require(p.page_tokens >= 16 && p.page_tokens % 16 == 0, "page_tokens", p.page_tokens, "a multiple of 16");
  if (p.cache_type != INGOT_I8)
    c.type("cache_type", p.cache_type);
  c.flag("qk_norm", p.qk_norm);
  c.require(p.group >= 0, "group", p.group, "at least 0");
  c.symbol("tokens_symbol", p.tokens_symbol);
  c.symbol("sequences_symbol", p.sequences_symbol);
}

void check(Checker &c, const rope_append_params &p) {
  checkCache(c, p);
  c.flag("all_tokens", p.all_tokens);
  c.require(p.q_per_kv >= (p.all_tokens ? 0 : 1), "q_per_kv", p.q_per_kv, "positive, or 0 with all_tokens");
}

template <class Params> void checkResult(Checker &c, const Params &p) {
  c.require(p.window >= 0, "window", p.window, "at least 0 (0: none)");
  c.type("out_type", p.out_type);
  int64_t width = int64_t(p.kv_heads) * p.q_per_kv * p.head_dim;
  c.require(p.out_stride >= width, "out_stride", p.out_stride, "at least " + llvm::Twine(width));
  c.symbol("blocks_symbol", p.blocks_symbol);
}

void check(Checker &c, const attention_params &p) {
  checkCache(c, p);
  c.positive("q_per_kv", p.q_per_kv);
  c.flag("queries_only", p.queries_only);
  c.require(!p.queries_only || !p.window, "window", p.window, "0 with queries_only");
  checkResult(c, p);
  c.require(p.distances >= 0, "distances", p.distances, "at least 0 (0: no biases by distance)");
  if (!(p.soft_cap >= 0.0f))
    c.fail("soft_cap must not be negative (0: none)");
}

void check(Checker &c, const attention_merge_params &p) {
  c.positive("kv_heads", p.kv_heads);
  c.positive("q_per_kv", p.q_per_kv);
  c.positive("head_dim", p.head_dim);
  c.require(p.page_tokens >= 16 && p.page_tokens % 16 == 0, "page_tokens", p.page_tokens, "a multiple of 16");
  checkResult(c, p);
  c.symbol("tokens_symbol", p.tokens_symbol);
  c.symbol("sequences_symbol", p.sequences_symbol);
}

void check(Checker &c, const sdpa_params &p) {
  c.positive("kv_heads", p.kv_heads);
  c.positive("q_per_kv", p.q_per_kv);
  c.positive("head_dim", p.head_dim);
  c.positive("value_dim", p.value_dim);
  c.require(p.window >= 0, "window", p.window, "at least 0 (0: none)");
  if (!(p.soft_cap >= 0.0f))
    c.fail("soft_cap must not be negative (0: none)");
  c.flag("causal", p.causal);
  c.flag("bias", p.bias);
  c.flag("lengths", p.lengths);
  for (auto [name, value] : {std::pair{"bias_batch", p.bias_batch},
                             {"bias_heads", p.bias_heads},
                             {"bias_queries", p.bias_queries},
                             {"bias_keys", p.bias_keys}}) {
    c.flag(name, value);
    c.require(!value || p.bias, name, value, "0, as there is no bias");
  }
  c.symbol("batch_symbol", p.batch_symbol);
  c.symbol("queries_symbol", p.queries_symbol);
  c.symbol("keys_symbol", p.keys_symbol);
  c.flag("starts", p.starts);
  c.flag("places", p.places);
  c.require(p.places == (p.starts && p.bias), "places", p.places, "1 exactly with starts and bias");
  for (auto [name, value] : {std::pair{"lengths", p.lengths}, {"window", p.window}, {"bias_batch", p.bias_batch}})
    c.require(!p.starts || value == 0, name, value, "0, as there are starts");
}

void check(Checker &c, const convolution_params &p) {
  for (auto [name, value] : {std::pair{"channels", p.channels},
                             {"outputs", p.outputs},
                             {"groups", p.groups},
                             {"kernel_d", p.kernel_d},
                             {"kernel_h", p.kernel_h},
                             {"kernel_w", p.kernel_w},
                             {"stride_d", p.stride_d},
                             {"stride_h", p.stride_h},
                             {"stride_w", p.stride_w},
                             {"dilation_d", p.dilation_d},
                             {"dilation_h", p.dilation_h},
                             {"dilation_w", p.dilation_w}})
    c.positive(name, value);
  for (auto [name, value] : {std::pair{"pad_d", p.pad_d}, {"pad_h", p.pad_h}, {"pad_w", p.pad_w}})
    c.require(value >= 0, name, value, "at least 0");
  if (c.ok() && (p.channels % p.groups || p.outputs % p.groups))
    c.fail("groups must divide channels and outputs");
  for (auto [name, value] :
       {std::pair{"scale", p.scale}, {"bias", p.bias}, {"residual", p.residual}, {"channels_last", p.channels_last}})
    c.flag(name, value);
  if (c.ok() && p.channels_last && p.groups != 1 && p.outputs / p.groups % 16 &&
      (p.channels != p.groups || p.outputs != p.groups))
    c.fail(
        "with channels_last, the outputs of a group must be a multiple of 16, or channels and outputs be the groups");
  c.require(p.act >= INGOT_ACT_NONE && p.act <= INGOT_ACT_QUICK_GELU, "act", p.act, "an activation");
  c.require(p.clamp >= 0 && p.clamp <= 3, "clamp", p.clamp, "0 to 3");
  for (auto [name, value] : {std::pair{"batch_symbol", p.batch_symbol},
                             {"in_d_symbol", p.in_d_symbol},
                             {"in_h_symbol", p.in_h_symbol},
                             {"in_w_symbol", p.in_w_symbol},
                             {"out_d_symbol", p.out_d_symbol},
                             {"out_h_symbol", p.out_h_symbol},
                             {"out_w_symbol", p.out_w_symbol}})
    c.symbol(name, value);
}

void check(Checker &c, const sample_params &p) { c.positive("vocabulary", p.vocabulary); }

} // namespace

bool checkTemplate(const Kernel &kernel, std::vector<uint32_t> &words, std::string &error) {
  words.clear();
  Checker c(kernel, error);
  const TemplateFields *found = nullptr;
  for (const TemplateFields &candidate : templates())
    if (kernel.templateName == candidate.name)
      found = &candidate;
  if (!found) {
    std::string known;
    for (const TemplateFields &candidate : templates())
      known += (known.empty() ? "" : ", ") + std::string(candidate.name);
    c.fail("no such template; there are " + known);
    return false;
  }
  for (const Parameter &parameter : kernel.parameters) {
    bool known = false;
    for (const Field &field : found->fields)
      known |= parameter.name == field.name;
    if (!known)
      c.fail("has no parameter '" + parameter.name + "'");
  }
  for (const Field &field : found->fields) {
    const Parameter *given = nullptr;
    for (const Parameter &parameter : kernel.parameters) {
      if (parameter.name != field.name)
        continue;
      if (given)
        c.fail("parameter '" + parameter.name + "' is given twice");
      given = &parameter;
    }
    if (!given && isOptional(found->name, field.name)) {
      words.push_back(0);
      continue;
    }
    if (!given) {
      c.fail(llvm::Twine("parameter '") + field.name + "' is missing");
      continue;
    }
    if (given->isReal != field.isReal)
      c.fail(llvm::Twine("parameter '") + field.name + "' must be " + (field.isReal ? "a float" : "an integer"));
    uint32_t word;
    if (field.isReal)
      std::memcpy(&word, &given->real, 4);
    else
      std::memcpy(&word, &given->integer, 4);
    words.push_back(word);
  }
  if (!c.ok())
    return false;
  visitTemplate(kernel.templateName, words, [&](const auto &params) { check(c, params); });
  return c.ok();
}

} // namespace ingot::target
