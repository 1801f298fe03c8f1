// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See rope.h. The formulas are those of transformers' ROPE_INIT_FUNCTIONS (5.x), in float64 and rounded to float32
// once; only the exponent 2i/d is rounded to float32 first, as there, so that long positions agree too.
#include "compiler/import/huggingface/rope.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

namespace ingot::huggingface {

namespace {

constexpr double kMaxFactor = 1e6;
constexpr int64_t kMaxContext = std::numeric_limits<int32_t>::max();

// What every type of scaling starts from.
struct Rope {
  Config &scaling; // the object with rope_type; empty where the config has none
  std::string type;
  double theta;
  int64_t dim;
  int64_t context;
  int64_t original; // llama3, yarn, longrope: positions before scaling

  // theta^(2i/dim)
  double period(int64_t i) const { return std::pow(theta, double(float(2 * i) / float(dim))); }
  int64_t half() const { return dim / 2; }

  double required(std::string_view key, double least) {
    if (!scaling.find(key)) {
      scaling.wrong(key, "a number, which rope_type " + inQuotes(type) + " needs");
      return 1;
    }
    return scaling.number(key, least, kMaxFactor).value_or(1);
  }
  // Where the factor is null, the ratio of the contexts.
  double factorOrRatio() {
    return scaling.find("factor") ? required("factor", 1e-6) : double(context) / double(original);
  }
};

void linear(Rope &rope, RopeSpec &spec) {
  double factor = rope.required("factor", 1e-6);
  for (int64_t i = 0; i < rope.half(); ++i)
    spec.inv_freq.push_back(float(1 / rope.period(i) / factor));
}

void unscaled(Rope &rope, RopeSpec &spec) {
  for (int64_t i = 0; i < rope.half(); ++i)
    spec.inv_freq.push_back(float(1 / rope.period(i)));
}

// Unscaled up to the original context; beyond it the base grows with the length, which the kernel computes.
void dynamic(Rope &rope, RopeSpec &spec) {
  spec.kind = RopeSpec::Kind::dynamic;
  spec.base = rope.theta;
  spec.factor = rope.required("factor", 1e-6);
  spec.original = rope.context;
  if (rope.dim <= 2)
    rope.scaling.problem("rope_type \"dynamic\" needs head_dim above 2, found " + std::to_string(rope.dim));
  unscaled(rope, spec);
}

void llama3(Rope &rope, RopeSpec &spec) {
  double factor = rope.required("factor", 1e-6);
  double low = rope.required("low_freq_factor", 1e-6), high = rope.required("high_freq_factor", 1e-6);
  if (rope.scaling.good() && high <= low)
    rope.scaling.wrong("high_freq_factor", "more than low_freq_factor");
  double original = double(rope.original);
  for (int64_t i = 0; i < rope.half(); ++i) {
    double frequency = 1 / rope.period(i), wavelength = 2 * std::numbers::pi / frequency;
    if (wavelength > original / low) {
      frequency /= factor;
    } else if (wavelength >= original / high) {
      double smooth = (original / wavelength - low) / (high - low);
      frequency = (1 - smooth) * frequency / factor + smooth * frequency;
    }
    spec.inv_freq.push_back(float(frequency));
  }
}

void yarn(Rope &rope, RopeSpec &spec) {
  Config &scaling = rope.scaling;
  if (!scaling.has("factor"))
    scaling.wrong("factor", "a number or null, which rope_type \"yarn\" needs");
  double factor = rope.factorOrRatio();
  double mscale = scaling.number("mscale", 0, kMaxFactor).value_or(0);
  double mscaleAllDim = scaling.number("mscale_all_dim", 0, kMaxFactor).value_or(0);
  double fast = scaling.number("beta_fast", 0, kMaxFactor).value_or(0);
  double slow = scaling.number("beta_slow", 0, kMaxFactor).value_or(0);
  fast = fast == 0 ? 32 : fast; // the reference takes 0 as absent
  slow = slow == 0 ? 1 : slow;
  if (fast < slow)
    scaling.wrong("beta_fast", "at least beta_slow");
  bool truncate = scaling.boolean("truncate").value_or(true);

  auto grown = [](double by, double weight) { return by <= 1 ? 1.0 : 0.1 * weight * std::log(by) + 1; };
  spec.attention_factor =
      mscale != 0 && mscaleAllDim != 0 ? grown(factor, mscale) / grown(factor, mscaleAllDim) : grown(factor, 1);
  spec.attention_factor = scaling.number("attention_factor", 0, kMaxFactor).value_or(spec.attention_factor);

  // The pair of columns that turns `rotations` times over the original context.
  auto column = [&](double rotations) {
    return double(rope.dim) * std::log(double(rope.original) / (rotations * 2 * std::numbers::pi)) /
           (2 * std::log(rope.theta));
  };
  double low = column(fast), high = column(slow);
  if (truncate) {
    low = std::floor(low);
    high = std::ceil(high);
  }
  low = std::max(low, 0.0);
  high = std::min(high, double(rope.dim - 1));
  if (low == high)
    high += 0.001;
  for (int64_t i = 0; i < rope.half(); ++i) {
    double interpolated = std::clamp((double(i) - low) / (high - low), 0.0, 1.0);
    double frequency = 1 / rope.period(i);
    spec.inv_freq.push_back(float(frequency / factor * interpolated + frequency * (1 - interpolated)));
  }
}

void longrope(Rope &rope, RopeSpec &spec) {
  Config &scaling = rope.scaling;
  spec.kind = RopeSpec::Kind::longrope;
  spec.original = rope.original;
  double factor = rope.factorOrRatio();
  if (rope.original < 2)
    scaling.wrong("original_max_position_embeddings", "at least 2");
  spec.attention_factor =
      factor <= 1 ? 1 : std::sqrt(1 + std::log(factor) / std::log(double(std::max<int64_t>(rope.original, 2))));
  spec.attention_factor = scaling.number("attention_factor", 0, kMaxFactor).value_or(spec.attention_factor);
  spec.long_attention_factor = spec.attention_factor;
  for (auto [key, out] : {std::pair("short_factor", &spec.inv_freq), std::pair("long_factor", &spec.long_inv_freq)}) {
    std::string expected = "a list of " + std::to_string(rope.half()) + " numbers, which rope_type \"longrope\" needs";
    std::optional<std::vector<double>> factors = scaling.numbers(key, 1e-6, kMaxFactor);
    if (!factors || factors->size() != size_t(rope.half())) {
      if (factors || !scaling.find(key))
        scaling.wrong(key, expected);
      continue;
    }
    // The reference keeps the factors in float32.
    for (int64_t i = 0; i < rope.half(); ++i)
      out->push_back(float(1 / (double(float((*factors)[i])) * rope.period(i))));
  }
}

struct Type {
  std::string_view name;
  void (*compute)(Rope &, RopeSpec &);
  bool usesOriginal;
};
constexpr Type kTypes[] = {{"default", unscaled, false}, {"linear", linear, false}, {"dynamic", dynamic, false},
                           {"llama3", llama3, true},     {"yarn", yarn, true},      {"longrope", longrope, true}};

// Keys that the reference knows for some type of scaling; a type that does not read one ignores it.
constexpr std::string_view kOtherTypesKeys[] = {"factor",           "original_max_position_embeddings",
                                                "attention_factor", "beta_fast",
                                                "beta_slow",        "short_factor",
                                                "long_factor",      "low_freq_factor",
                                                "high_freq_factor", "mscale",
                                                "mscale_all_dim",   "truncate"};

} // namespace

RopeSpec readRope(Config &config, int64_t headDim, int64_t context) {
  RopeSpec spec;
  static const Json none = Json::object();
  Config empty(none, "", *config.sink());
  std::optional<Config> v4 = config.object("rope_scaling"), v5 = config.object("rope_parameters");
  auto filled = [](const std::optional<Config> &c) { return c && !c->empty(); };
  if (filled(v4) && filled(v5))
    config.note("both rope_scaling and rope_parameters are there; rope_scaling counts, as in transformers");
  Config &scaling = filled(v4) ? *v4 : filled(v5) ? *v5 : empty;

  for (const char *layerType : {"full_attention", "sliding_attention", "chunked_attention", "linear_attention"})
    if (scaling.has(layerType)) {
      scaling.problem("rotary embeddings are given per layer type (" + std::string(layerType) +
                      "), which this model family does not define; expected one set of rope_type, rope_theta, ...");
      config.taint();
      return spec;
    }

  // rope_type, or the older spelling `type`; both may stand there.
  std::optional<std::string> type = scaling.text("rope_type"), older = scaling.text("type");
  std::optional<double> outer = config.number("rope_theta", 1.0001, 1e15);
  double theta = scaling.number("rope_theta", 1.0001, 1e15).value_or(outer.value_or(10000));
  Rope rope{scaling, type ? *type : older.value_or("default"), theta, headDim, context, context};

  std::optional<double> outerPart = config.number("partial_rotary_factor", 0, 1);
  double part = scaling.number("partial_rotary_factor", 0, 1).value_or(outerPart.value_or(1));
  if (int64_t(double(headDim) * part) != headDim)
    config.problem("partial_rotary_factor is " + Json(part).dump() +
                   ", which this model family does not honour; expected 1");

  const Type *found = nullptr;
  std::string names;
  for (const Type &candidate : kTypes) {
    names += (names.empty() ? "" : ", ") + std::string(candidate.name);
    if (candidate.name == rope.type)
      found = &candidate;
  }
  if (!found) {
    scaling.wrong(type ? "rope_type" : "type", "one of " + names);
    config.taint();
    return spec;
  }
  if (found->usesOriginal) {
    std::optional<int64_t> inner = scaling.integer("original_max_position_embeddings", 1, kMaxContext);
    // The top-level key counts before the inner one.
    rope.original =
        config.integer("original_max_position_embeddings", 1, kMaxContext).value_or(inner.value_or(context));
  } else {
    config.ignored("original_max_position_embeddings", "rope_type \"" + rope.type + "\" does not read it");
  }
  found->compute(rope, spec);
  for (std::string_view key : kOtherTypesKeys)
    if (!scaling.wasRead(key))
      scaling.ignored(key, "rope_type \"" + rope.type + "\" does not read it");
  scaling.reportUnknownKeys();
  if (!scaling.good())
    config.taint();
  return spec;
}

} // namespace ingot::huggingface
