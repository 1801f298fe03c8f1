// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See bench_graph.h.
#include "tools/ingot-run/bench_graph.h"

#include "runtime/executor/graph.h"
#include "tools/ingot-run/common.h"
#include "tools/ingot-run/profile.h"
#include "tools/ingot-run/tensor_files.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>

namespace ingot::tool {
namespace {

using format::ElementType;

constexpr int kWarmUp = 2;

// `steps` / 1024, for at most 1024 of them: exact as binary16.
uint16_t halfBits(int steps) {
  if (steps == 0)
    return 0;
  int exponent;
  const double mantissa = std::frexp(std::abs(steps) / 1024.0, &exponent);
  return uint16_t((steps < 0 ? 0x8000 : 0) | (exponent + 14) << 10 | (int(mantissa * 2048) - 1024));
}

template <class T> void put(std::vector<uint8_t> &data, uint64_t index, T value) {
  std::memcpy(data.data() + index * sizeof(T), &value, sizeof(T));
}

// Floats from -1 to 1 in steps of 1/1024, the same in every run; zeros of all else, which indices always may be.
std::vector<uint8_t> randomTensor(ElementType type, uint64_t count) {
  std::vector<uint8_t> data(count * runtime::elementBytes(type));
  std::mt19937 random(1);
  for (uint64_t i = 0; i < count; ++i) {
    const int steps = int(random() % 2049) - 1024;
    const float value = float(steps) / 1024;
    if (type == ElementType::f32)
      put(data, i, value);
    else if (type == ElementType::f64)
      put(data, i, double(value));
    else if (type == ElementType::f16)
      put(data, i, halfBits(steps));
    else if (type == ElementType::bf16) {
      uint32_t bits;
      std::memcpy(&bits, &value, 4);
      put(data, i, uint16_t(bits >> 16));
    } else
      break;
  }
  return data;
}

// Adds a random tensor of each shape, and of each other input whose shape does not vary.
Result<void> addRandom(const format::Plan &plan, const format::Entry &entry, const BenchOptions &o, TensorFiles &inputs,
                       std::vector<std::vector<uint8_t>> &drawn) {
  auto shapes = o.shapes;
  for (const format::Argument *input : *entry.inputs()) {
    const std::string name = input->name()->str();
    const bool fixed = std::all_of(input->shape()->begin(), input->shape()->end(), [](const format::Size *size) {
      const auto *coefficients = size->coefficients();
      return !coefficients || std::all_of(coefficients->begin(), coefficients->end(), [](int64_t c) { return c == 0; });
    });
    auto isOfName = [&](const auto &given) { return given.first == name; };
    if (!fixed || std::any_of(shapes.begin(), shapes.end(), isOfName) ||
        std::any_of(o.inputs.begin(), o.inputs.end(), isOfName))
      continue;
    shapes.emplace_back(name, runtime::shapeOf(*input, std::vector<int64_t>(plan.symbols()->size(), 0)));
  }
  for (const auto &[name, shape] : shapes) {
    ElementType type = ElementType::f32; // of a name that is no input, which is refused with all else
    for (const format::Argument *input : *entry.inputs())
      if (input->name()->string_view() == name)
        type = input->type();
    uint64_t count = 1;
    for (int64_t extent : shape)
      if (__builtin_mul_overflow(count, uint64_t(extent), &count) || count > (1ull << 40))
        return makeError(ErrorCode::ResourceExhausted, "input %s: a tensor of this shape has more than 2^40 elements",
                         runtime::quoted(name).c_str());
    drawn.push_back(randomTensor(type, count));
    inputs.tensors.push_back({name, type, shape, drawn.back().data()});
  }
  return {};
}

} // namespace

Result<int> benchGraph(const BenchOptions &o) {
  INGOT_ASSIGN_OR_RETURN(runtime::DeviceName device, runtime::parseDevice(o.run.device));
  INGOT_ASSIGN_OR_RETURN(auto engine, runtime::EngineFile::open(o.run.engine));
  const format::Plan &plan = engine->plan();
  INGOT_ASSIGN_OR_RETURN(unsigned index, runtime::findEntry(plan, o.entry));
  const format::Entry &entry = *plan.entries()->Get(index);
  INGOT_ASSIGN_OR_RETURN(TensorFiles inputs, readTensors(entry, o.inputs));
  std::vector<std::vector<uint8_t>> drawn;
  INGOT_RETURN_IF_ERROR(addRandom(plan, entry, o, inputs, drawn));
  INGOT_ASSIGN_OR_RETURN(runtime::BoundInputs bound, runtime::bindInputs(plan, entry, inputs.tensors));

  runtime::GraphOptions how;
  how.threads = o.run.threads;
  how.device = device;
  INGOT_ASSIGN_OR_RETURN(auto graph, runtime::GraphRunner::create(engine, how));
  INGOT_ASSIGN_OR_RETURN(std::vector<runtime::Region> outputs, reserveOutputs(entry, bound.symbols));
  std::vector<void *> pointers;
  for (runtime::Region &region : outputs)
    pointers.push_back(region.data());

  // The first runs pay for reading the file and for touching memory.
  for (int i = 0; i < kWarmUp; ++i)
    INGOT_RETURN_IF_ERROR(graph->run(index, bound.symbols, bound.data, pointers));
  runtime::Executor &executor = *graph->executor();
  INGOT_ASSIGN_OR_RETURN(std::unique_ptr<Profile> profile, Profile::start(executor, o.run));
  Progress progress("bench", o.repeat);
  std::vector<double> seconds;
  for (int64_t i = 0; i < o.repeat; ++i) {
    if (interrupted())
      return makeError(ErrorCode::Io, "interrupted");
    const auto start = std::chrono::steady_clock::now();
    INGOT_RETURN_IF_ERROR(graph->run(index, bound.symbols, bound.data, pointers));
    seconds.push_back(secondsSince(start));
    profile->ran(index, bound.symbols);
    progress.update(i + 1);
  }

  const runtime::VariantChoice &choice = executor.choice();
  const std::string variant = choice.taken ? choice.verdicts[*choice.taken].name : "";
  const double median = percentile(seconds, 50), low = percentile(seconds, 5), high = percentile(seconds, 95);
  if (o.json) {
    nlohmann::ordered_json object;
    object["model"] = engine->head().model()->str();
    object["entry"] = entry.name()->str();
    object["variant"] = variant;
    object["compute"] = engine->head().compute()->str();
    object["threads"] = executor.threads();
    for (const format::Argument *input : *entry.inputs())
      object["inputs"][input->name()->str()] = runtime::shapeOf(*input, bound.symbols);
    object["repeat"] = o.repeat;
    object["median_seconds"] = median;
    object["p5_seconds"] = low;
    object["p95_seconds"] = high;
    object["arena_bytes"] = executor.memory().arenas;
    INGOT_RETURN_IF_ERROR(print(object.dump() + "\n"));
  } else {
    std::string text = "model      " + engine->head().model()->str() + (device.cuda ? "" : ", " + variant) +
                       ", products in " + engine->head().compute()->str() + ", " + executor.device() + "\n";
    for (const format::Argument *input : *entry.inputs())
      text += "input      " + input->name()->str() + ": " +
              runtime::typeText(input->type(), runtime::shapeOf(*input, bound.symbols)) + "\n";
    char line[200];
    std::snprintf(line, sizeof line, "run        %.3f ms   (median of %lld; 9 in 10 of them took %.3f to %.3f ms)\n",
                  median * 1e3, (long long)o.repeat, low * 1e3, high * 1e3);
    text += line;
    text += "arenas     " + runtime::humanBytes(executor.memory().arenas) + "\n";
    INGOT_RETURN_IF_ERROR(print(text));
  }
  INGOT_RETURN_IF_ERROR(profile->finish());
  INGOT_RETURN_IF_ERROR(flush());
  return 0;
}

} // namespace ingot::tool
