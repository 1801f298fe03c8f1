// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/engine/report.h"

#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>

namespace ingot::engine {

namespace {

using nlohmann::ordered_json;

std::string baseName(const std::string &path) { return path.substr(path.rfind('/') + 1); }

// Whether every value of `from` is a value of `to`.
bool widens(ElementType from, ElementType to) {
  return from == to || (to == ElementType::f32 && from != ElementType::f64);
}

const char *layoutName(Recipe::Layout layout) {
  static const char *const names[] = {"row_major", "n16k", "n16k2", "n16k4", "n16k8", "n16tc", "tn"};
  return names[size_t(layout)];
}

// Four digits tell enough.
double shortened(double value) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.3e", value);
  return std::strtod(text, nullptr);
}

// Appends the steps of a recipe, innermost first, and the casts that round.
void collect(const Recipe &recipe, ordered_json &steps, ordered_json &rounding) {
  for (const auto &operand : recipe.operands)
    collect(*operand, steps, rounding);
  auto add = [](ordered_json &list, const std::string &text) {
    for (const auto &present : list)
      if (present == text)
        return;
    list.push_back(text);
  };
  switch (recipe.kind) {
  case Recipe::Kind::tensor:
  case Recipe::Kind::constant:
    break;
  case Recipe::Kind::cast: {
    ElementType from = recipe.operands[0]->type;
    std::string change = std::string(elementName(from)) + " to " + std::string(elementName(recipe.type));
    add(steps, "cast " + change);
    if (!widens(from, recipe.type))
      add(rounding, change + ", to nearest even");
    break;
  }
  case Recipe::Kind::transpose:
    add(steps, "transpose");
    break;
  case Recipe::Kind::concat:
    add(steps, "concat");
    break;
  case Recipe::Kind::interleave:
    add(steps, "interleave " + std::to_string(recipe.block));
    break;
  case Recipe::Kind::pack:
    add(steps, std::string("pack ") + layoutName(recipe.layout));
    break;
  case Recipe::Kind::unpack_bits:
    add(steps, "unpack " + std::to_string(recipe.bits) + " bits");
    break;
  case Recipe::Kind::assemble:
    add(steps, recipe.quantized ? "as quantized in the model: " + recipe.quantization.scheme() : "dequantize");
    break;
  case Recipe::Kind::quantize:
    add(steps, "quantize " + recipe.quantization.scheme());
    add(rounding, std::string(elementName(recipe.operands[0]->type)) + " to " + recipe.quantization.scheme() +
                      ", to nearest even");
    break;
  case Recipe::Kind::pack_groups:
    add(steps, recipe.plane == GroupPlane::scales  ? "pack scales n16g"
               : recipe.plane == GroupPlane::zeros ? "pack zero points n16g"
                                                   : "pack sums n16g");
    break;
  }
}

} // namespace

std::string makeReport(const ReportFacts &facts, const std::vector<StoredWeight> &weights,
                       const std::vector<QuantizationError> *lost) {
  ordered_json json;
  json["report"] = 1;
  json["producer"] = facts.producer;
  json["model"] = {{"name", facts.model}, {"family", facts.family}, {"parameters", facts.parameters}};
  json["options"] = {{"target", facts.target}, {"compute", facts.compute}, {"compute_because", facts.computeReason}};
  json["options"]["weights"] = facts.weights.empty() ? "as in the checkpoint" : facts.weights;
  json["options"]["activations"] = facts.activations.empty() ? "int8 with int8 and int4 weights" : facts.activations;
  json["options"]["dummy_weights"] = facts.dummySeed ? ordered_json(*facts.dummySeed) : ordered_json();
  json["notes"] = facts.notes;
  ordered_json list = ordered_json::array();
  for (size_t i = 0; i < weights.size(); ++i) {
    const StoredWeight &weight = weights[i];
    ordered_json from = ordered_json::array(), steps = ordered_json::array(), rounding = ordered_json::array();
    weight.recipe->forEachSource([&](const TensorSource &source) {
      from.push_back({{"tensor", source.name},
                      {"type", elementName(source.type)},
                      {"shape", source.shape},
                      {"file", source.file.empty() ? "dummy" : baseName(source.file)}});
    });
    collect(*weight.recipe, steps, rounding);
    list.push_back({{"name", weight.name},
                    {"type", elementName(weight.recipe->type)},
                    {"rows", weight.recipe->rows},
                    {"columns", weight.recipe->columns},
                    {"bytes", weight.recipe->storedBytes()},
                    {"from", from},
                    {"steps", steps},
                    {"rounding", rounding}});
    const Recipe &recipe = *weight.recipe;
    if (recipe.kind != Recipe::Kind::pack || recipe.operands[0]->kind != Recipe::Kind::quantize)
      continue;
    // Longer than any number of four digits.
    constexpr double kLongest = -1.2345678901234567e-300;
    list.back()["quantized"] = {{"scheme", recipe.operands[0]->quantization.scheme()},
                                {"relative_rms_error", lost ? shortened((*lost)[i].relative()) : kLongest},
                                {"largest_error", lost ? shortened((*lost)[i].most) : kLongest}};
  }
  json["weights"] = list;
  return json.dump(1, ' ', false, ordered_json::error_handler_t::replace);
}

} // namespace ingot::engine
