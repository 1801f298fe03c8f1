// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/driver/inspect.h"

#include "runtime/device/cuda/device.h"
#include "runtime/chat/section.h"
#include "runtime/executor/cache_pool.h"
#include "runtime/executor/engine_file.h"
#include "runtime/executor/sizes.h"
#include "runtime/executor/tensors.h"

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>

namespace ingot::driver {

namespace {

using nlohmann::ordered_json;
namespace fmt = ingot::format;

std::string bytesForPeople(uint64_t bytes) {
  const char *units[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
  double value = double(bytes);
  int unit = 0;
  while (value >= 1024 && unit < 4) {
    value /= 1024;
    ++unit;
  }
  char text[32];
  std::snprintf(text, sizeof(text), unit ? "%.1f %s" : "%.0f %s", value, units[unit]);
  return text;
}

ordered_json describe(const runtime::EngineFile &engine) {
  const fmt::Head &head = engine.head();
  const fmt::Plan &plan = engine.plan();
  ordered_json json;
  json["file"] = {{"bytes", engine.file().size()}, {"format", fmt::kVersion}};
  json["model"] = {{"name", head.model()->str()},
                   {"family", head.family()->str()},
                   {"parameters", head.parameters()},
                   {"context", head.context()},
                   {"vocabulary", plan.vocabulary()}};
  json["producer"] = head.producer()->str();
  json["compute"] = head.compute()->str();
  ordered_json sections = ordered_json::array();
  for (unsigned kind = 1; kind <= runtime::kSectionKinds; ++kind)
    if (auto section = fmt::Section(kind); engine.sections().has(section)) {
      const fmt::SectionEntry &entry = engine.sections()[section];
      char checksum[20];
      std::snprintf(checksum, sizeof(checksum), "%016" PRIx64, entry.checksum);
      sections.push_back({{"name", runtime::sectionName(section)},
                          {"offset", entry.offset},
                          {"bytes", entry.size},
                          {"xxh3", checksum}});
    }
  json["sections"] = sections;
  ordered_json variants = ordered_json::array();
  for (const fmt::Variant *variant : *head.variants()) {
    ordered_json features = ordered_json::array();
    for (const auto *feature : *variant->features())
      features.push_back(feature->str());
    variants.push_back({{"target", variant->target()->str()},
                        {"name", variant->name()->str()},
                        {"score", variant->score()},
                        {"partial", variant->partial()},
                        {"features", features},
                        {"code_bytes", variant->code_size()}});
    if (variant->target()->string_view() == "cuda") {
      variants.back()["capability"] = variant->capability();
      variants.back()["driver"] = variant->driver();
    }
  }
  json["variants"] = variants;
  ordered_json memory = {{"weights", head.weight_bytes()}, {"arena_constant", head.arena_bytes_constant()}};
  if (head.arena_symbols() && head.arena_bytes())
    for (unsigned i = 0; i < head.arena_symbols()->size(); ++i)
      memory["arena_per_" + head.arena_symbols()->Get(i)->str()] = head.arena_bytes()->Get(i);
  memory["cache_per_token"] = head.cache_bytes_per_token();
  json["memory"] = memory;
  ordered_json groups = ordered_json::array();
  for (const fmt::CacheGroup *group : *plan.cache_groups()) {
    ordered_json planes = ordered_json::array();
    for (const fmt::CachePlane *plane : *group->planes())
      planes.push_back({{"name", plane->name()->str()},
                        {"type", runtime::elementName(plane->type())},
                        {"layout", plane->layout()->str()},
                        {"page_bytes", plane->page_bytes()}});
    groups.push_back({{"name", group->name()->str()},
                      {"layers", group->layers()},
                      {"page_tokens", group->page_tokens()},
                      {"retention", fmt::EnumNameRetention(group->retention())},
                      {"window", group->window()},
                      {"planes", planes}});
  }
  json["cache_groups"] = groups;
  ordered_json symbols = ordered_json::array();
  const runtime::SymbolTable table(plan);
  for (unsigned i = 0; i < table.size(); ++i) {
    symbols.push_back({{"name", table.name(i)}});
    if (table.derived(i))
      symbols.back()[table.dependsOnData(i) ? "data" : "value"] = table.expression(i);
  }
  json["symbols"] = symbols;
  ordered_json entries = ordered_json::array();
  for (const fmt::Entry *entry : *plan.entries()) {
    auto arguments = [&](const auto *list) {
      ordered_json result = ordered_json::array();
      for (const fmt::Argument *argument : *list) {
        ordered_json shape = ordered_json::array();
        for (const fmt::Size *size : *argument->shape())
          shape.push_back(runtime::dimensionText(plan, *size));
        result.push_back(
            {{"name", argument->name()->str()}, {"type", runtime::elementName(argument->type())}, {"shape", shape}});
      }
      return result;
    };
    ordered_json launches = ordered_json::array();
    for (const fmt::Launch *launch : *entry->launches())
      launches.push_back({{"kernel", plan.kernels()->Get(launch->kernel())->name()->str()},
                          {"node", launch->node() ? launch->node()->str() : ""},
                          {"tiles", runtime::dimensionText(plan, *launch->tiles())}});
    entries.push_back({{"name", entry->name()->str()},
                       {"inputs", arguments(entry->inputs())},
                       {"outputs", arguments(entry->outputs())},
                       {"launches", launches}});
  }
  json["entries"] = entries;
  ordered_json weights = ordered_json::array();
  for (const fmt::Weight *weight : *plan.weights()) {
    ordered_json shape = ordered_json::array();
    for (uint64_t extent : *weight->shape())
      shape.push_back(extent);
    weights.push_back({{"name", weight->name()->str()},
                       {"type", runtime::elementName(weight->type())},
                       {"shape", shape},
                       {"layout", weight->layout() ? weight->layout()->str() : ""},
                       {"offset", weight->offset()},
                       {"bytes", weight->size()}});
  }
  json["weights"] = weights;
  if (!engine.chat().empty()) {
    auto chat = chat::ChatSection::load(engine.chat());
    if (chat) {
      ordered_json templates = ordered_json::object(), tokens = ordered_json::object();
      for (const auto &[name, source] : (*chat)->source().templates)
        templates[name] = source;
      for (const auto &[name, token] : (*chat)->source().specialTokens)
        tokens[name] = token;
      json["chat"] = {{"templates", templates}, {"special_tokens", tokens}};
    } else {
      json["chat"] = {{"problem", chat.error().message()}};
    }
  }
  ordered_json report = ordered_json::parse(engine.report(), nullptr, false);
  json["report"] = report.is_discarded() ? ordered_json() : report;
  return json;
}

void print(const ordered_json &json, const InspectOptions &options, std::string &out) {
  auto line = [&](const std::string &name, const std::string &value) {
    out += name + std::string(name.size() < 14 ? 14 - name.size() : 1, ' ') + value + "\n";
  };
  auto text = [](const ordered_json &value) { return value.is_string() ? value.get<std::string>() : value.dump(); };
  const ordered_json &model = json["model"];
  line("model", text(model["name"]) + " (" + text(model["family"]) + ", " + text(model["parameters"]) +
                    " parameters, context " + text(model["context"]) + ", vocabulary " + text(model["vocabulary"]) +
                    ")");
  line("made by", text(json["producer"]));
  line("products in", text(json["compute"]));
  line("file", bytesForPeople(json["file"]["bytes"]) + ", format " + text(json["file"]["format"]));
  for (const auto &section : json["sections"])
    line("  " + text(section["name"]), bytesForPeople(section["bytes"]));
  auto needsOfGpu = [](const ordered_json &variant) {
    return "compute capability " + runtime::cuda::capabilityName(variant["capability"]) + ", driver of CUDA " +
           runtime::cuda::versionName(variant["driver"]);
  };
  for (const auto &variant : json["variants"]) {
    std::string features;
    for (const auto &feature : variant["features"])
      features += (features.empty() ? "" : ", ") + text(feature);
    line("variant", text(variant["target"]) + "/" + text(variant["name"]) + ", code " +
                        bytesForPeople(variant["code_bytes"]) +
                        (variant["partial"].get<bool>() ? ", only kernels that gain" : "") + ", needs " +
                        (variant.contains("driver") ? needsOfGpu(variant) : features));
  }
  for (const auto &group : json["cache_groups"]) {
    std::string planes;
    for (const auto &plane : group["planes"])
      planes += (planes.empty() ? "" : ", ") + text(plane["name"]) + " " + text(plane["type"]);
    line("cache", text(group["name"]) + ": " + text(group["layers"]) + " layers, pages of " +
                      text(group["page_tokens"]) + " tokens, " + planes + ", " +
                      bytesForPeople(json["memory"]["cache_per_token"]) + " a token");
  }
  if (json.contains("chat")) {
    const ordered_json &chat = json["chat"];
    if (chat.contains("problem")) {
      line("chat", text(chat["problem"]));
    } else {
      std::string templates, tokens;
      for (const auto &[name, source] : chat["templates"].items())
        templates += (templates.empty() ? "" : ", ") + name + " (" +
                     bytesForPeople(source.get_ref<const std::string &>().size()) + ")";
      for (const auto &[name, token] : chat["special_tokens"].items())
        tokens += (tokens.empty() ? "" : ", ") + name + " " + token.dump();
      line("chat", "templates " + templates);
      if (!tokens.empty())
        line("special", tokens);
    }
  }
  for (const auto &[name, bytes] : json["memory"].items())
    if (name.rfind("arena", 0) == 0 && bytes != 0)
      line("arena", bytesForPeople(bytes) + (name == "arena_constant" ? "" : " a unit of " + name.substr(10)));
  for (const auto &symbol : json["symbols"])
    if (symbol.contains("value"))
      line("symbol", text(symbol["name"]) + " = " + text(symbol["value"]));
    else if (symbol.contains("data"))
      line("symbol", text(symbol["name"]) + " <= " + text(symbol["data"]) + ", as the data has it");
  for (const auto &entry : json["entries"]) {
    auto names = [&](const ordered_json &list) {
      std::string result;
      for (const auto &argument : list) {
        std::string shape;
        for (const auto &extent : argument["shape"])
          shape += (shape.empty() ? "" : ", ") + text(extent);
        result += "\n    " + text(argument["name"]) + " " + text(argument["type"]) + " [" + shape + "]";
      }
      return result;
    };
    line("entry", text(entry["name"]) + ", " + std::to_string(entry["launches"].size()) + " launches");
    out += "  inputs" + names(entry["inputs"]) + "\n  outputs" + names(entry["outputs"]) + "\n";
    if (options.launches)
      for (const auto &launch : entry["launches"])
        out += "  launch " + text(launch["kernel"]) + " tiles " + text(launch["tiles"]) + "  # " +
               text(launch["node"]) + "\n";
  }
  std::map<std::string, std::pair<size_t, uint64_t>> kinds; // by type and layout
  for (const auto &weight : json["weights"]) {
    auto &[count, bytes] = kinds[text(weight["type"]) + " " + text(weight["layout"])];
    ++count;
    bytes += uint64_t(weight["bytes"]);
    if (options.weights)
      out += "weight " + text(weight["name"]) + " " + text(weight["type"]) + " " + weight["shape"].dump() + " " +
             text(weight["layout"]) + "\n";
  }
  for (const auto &[kind, sum] : kinds)
    line("weights", std::to_string(sum.first) + " of " + kind + ", " + bytesForPeople(sum.second));
  // What quantizing cost, scheme by scheme.
  struct Loss {
    size_t count = 0;
    double least = 1e300, most = 0;
    std::string worst;
  };
  std::map<std::string, Loss> losses;
  if (json["report"].contains("weights"))
    for (const auto &weight : json["report"]["weights"])
      if (weight.contains("quantized")) {
        Loss &loss = losses[text(weight["quantized"]["scheme"])];
        double error = weight["quantized"]["relative_rms_error"];
        ++loss.count;
        loss.least = std::min(loss.least, error);
        if (error >= loss.most)
          loss.worst = text(weight["name"]);
        loss.most = std::max(loss.most, error);
        if (options.weights)
          out += "loss " + text(weight["name"]) + " " + text(weight["quantized"]["scheme"]) + " relative error " +
                 text(weight["quantized"]["relative_rms_error"]) + ", largest " +
                 text(weight["quantized"]["largest_error"]) + "\n";
      }
  for (const auto &[scheme, loss] : losses) {
    char range[80];
    std::snprintf(range, sizeof(range), "%zu of %s, relative error %.3g to %.3g", loss.count, scheme.c_str(),
                  loss.least, loss.most);
    line("quantized", std::string(range) + " (" + loss.worst + ")");
  }
  if (json["report"].contains("notes"))
    for (const auto &note : json["report"]["notes"])
      line("note", text(note));
}

} // namespace

std::string inspectEngine(const std::string &path, const InspectOptions &options, std::string &out) {
  auto engine = runtime::EngineFile::open(path);
  if (!engine)
    return engine.error().message();
  ordered_json json = describe(**engine);
  if (options.json)
    out += json.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
  else
    print(json, options, out);
  return "";
}

} // namespace ingot::driver
