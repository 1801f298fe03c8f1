// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The part of the C API that runs graphs: entries as functions of named tensors, over runtime/executor/graph.h.
#include "runtime/executor/graph.h"
#include "runtime/capi/status.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

using namespace ingot;
using namespace ingot::capi;
using runtime::ErrorCode;
using runtime::makeError;
using runtime::Result;

namespace {

// Of an argument, as ingot_tensor_info shows it.
struct Told {
  std::vector<std::string> texts;
  std::vector<const char *> dims;
};

static_assert(INGOT_BOOL == int(format::ElementType::i1) && INGOT_U64 == int(format::ElementType::u64) &&
              INGOT_F64 == int(format::ElementType::f64));

} // namespace

struct ingot_graph {
  std::unique_ptr<runtime::GraphRunner> runner;
  std::vector<std::vector<Told>> inputs, outputs; // of each entry
  std::vector<std::vector<int64_t>> results;      // shapes of the last run's outputs

  const format::Plan &plan() const { return runner->plan(); }
  // Null where there is none.
  const format::Entry *entry(size_t index) const {
    return index < plan().entries()->size() ? plan().entries()->Get(unsigned(index)) : nullptr;
  }
};

namespace {

using Arguments = flatbuffers::Vector<flatbuffers::Offset<format::Argument>>;

std::vector<Told> tell(const format::Plan &plan, const Arguments &arguments) {
  std::vector<Told> all;
  for (const format::Argument *argument : arguments) {
    Told told;
    for (const format::Size *size : *argument->shape())
      told.texts.push_back(runtime::dimensionText(plan, *size));
    all.push_back(std::move(told));
  }
  for (Told &told : all)
    for (const std::string &text : told.texts)
      told.dims.push_back(text.c_str());
  return all;
}

ingot_status noEntry(const char *function, const ingot_graph &graph, size_t entry) {
  return fail(INGOT_NOT_FOUND, std::string(function) + ": there is no entry " + std::to_string(entry) +
                                   ", the engine has " + std::to_string(graph.plan().entries()->size()));
}

ingot_status describe(const char *function, const ingot_graph *graph, size_t entry, size_t index, bool output,
                      ingot_tensor_info *info) {
  if (!graph)
    return nullArgument(function, "graph");
  if (!info)
    return nullArgument(function, "info");
  const format::Entry *found = graph->entry(entry);
  if (!found)
    return noEntry(function, *graph, entry);
  const Arguments &arguments = output ? *found->outputs() : *found->inputs();
  if (index >= arguments.size())
    return fail(INGOT_NOT_FOUND, std::string(function) + ": there is no " + (output ? "output " : "input ") +
                                     std::to_string(index) + ", the entry has " + std::to_string(arguments.size()));
  ingot_tensor_info full{};
  if (ingot_status status = readStruct(info, full, "ingot_tensor_info"))
    return status;
  const Told &told = (output ? graph->outputs : graph->inputs)[entry][index];
  full.struct_size = info->struct_size;
  full.name = arguments.Get(unsigned(index))->name()->c_str();
  full.type = ingot_type(arguments.Get(unsigned(index))->type());
  full.rank = told.dims.size();
  full.dims = told.dims.data();
  std::memcpy(static_cast<void *>(info), &full, info->struct_size);
  return INGOT_OK;
}

// The bytes of a tensor, saturating.
uint64_t bytesOf(const ingot_tensor &tensor) {
  uint64_t bytes = ingot_type_bytes(tensor.type);
  for (size_t d = 0; d < tensor.rank; ++d) {
    if (tensor.shape[d] <= 0)
      return 0;
    if (__builtin_mul_overflow(bytes, uint64_t(tensor.shape[d]), &bytes))
      bytes = UINT64_MAX / 2;
  }
  return bytes;
}

// What no tensor may lack, before its shape is read.
ingot_status checkTensors(const char *function, const char *what, const ingot_tensor *tensors, size_t count,
                          bool withData) {
  if (!tensors && count)
    return nullArgument(function, what);
  for (size_t i = 0; i < count; ++i) {
    const ingot_tensor &tensor = tensors[i];
    auto refuse = [&](const std::string &text) {
      return fail(INGOT_INVALID_ARGUMENT, std::string(function) + ": " + what + "[" + std::to_string(i) + "] " + text);
    };
    if (!tensor.name)
      return refuse("has no name");
    // A caller in C may have put any number here.
    int type;
    static_assert(sizeof(type) == sizeof(tensor.type));
    std::memcpy(&type, &tensor.type, sizeof(type));
    if (type < 0 || type > int(format::ElementType::MAX))
      return refuse("has a type " + std::to_string(type) + ", which is none");
    if (!tensor.shape && tensor.rank)
      return refuse("has no shape");
    if (!withData)
      continue;
    if (tensor.bytes < bytesOf(tensor))
      return refuse("has " + std::to_string(tensor.bytes) + " bytes; its type and shape take " +
                    std::to_string(bytesOf(tensor)));
    if (!tensor.data && bytesOf(tensor))
      return refuse("has no data");
  }
  return INGOT_OK;
}

Result<runtime::BoundInputs> bind(const ingot_graph &graph, const format::Entry &entry, const ingot_tensor *inputs,
                                  size_t count) {
  std::vector<runtime::NamedTensor> tensors;
  for (size_t i = 0; i < count; ++i)
    tensors.push_back({inputs[i].name,
                       format::ElementType(inputs[i].type),
                       {inputs[i].shape, inputs[i].shape + inputs[i].rank},
                       inputs[i].data});
  return runtime::bindInputs(graph.plan(), entry, tensors);
}

} // namespace

void ingot_graph_options_init(ingot_graph_options *options) {
  if (!options)
    return;
  *options = {};
  options->struct_size = sizeof *options;
}

ingot_status ingot_graph_open(const char *path, const ingot_graph_options *options, ingot_graph **graph) {
  if (!graph)
    return nullArgument("ingot_graph_open", "graph");
  *graph = nullptr;
  if (!path)
    return nullArgument("ingot_graph_open", "path");
  return guarded([&] {
    ingot_graph_options full;
    ingot_graph_options_init(&full);
    if (ingot_status status = readStruct(options, full, "ingot_graph_options"))
      return status;
    runtime::GraphOptions how;
    how.threads = full.threads;
    if (full.threads > 4096)
      return fail(INGOT_INVALID_ARGUMENT, std::to_string(full.threads) + " threads, expected at most 4096");
    if (full.device) {
      Result<runtime::DeviceName> device = runtime::parseDevice(full.device);
      if (!device)
        return fail(device.error());
      how.device = *device;
    }
    auto file = runtime::EngineFile::open(path);
    if (!file)
      return fail(file.error());
    auto runner = runtime::GraphRunner::create(*file, how);
    if (!runner)
      return fail(runner.error());
    auto made = std::make_unique<ingot_graph>();
    made->runner = std::move(*runner);
    for (const format::Entry *entry : *made->plan().entries()) {
      made->inputs.push_back(tell(made->plan(), *entry->inputs()));
      made->outputs.push_back(tell(made->plan(), *entry->outputs()));
    }
    *graph = made.release();
    return INGOT_OK;
  });
}

void ingot_graph_free(ingot_graph *graph) { delete graph; }

size_t ingot_graph_entry_count(const ingot_graph *graph) { return graph ? graph->plan().entries()->size() : 0; }

const char *ingot_graph_entry_name(const ingot_graph *graph, size_t entry) {
  const format::Entry *found = graph ? graph->entry(entry) : nullptr;
  return found ? found->name()->c_str() : nullptr;
}

ingot_status ingot_graph_find_entry(const ingot_graph *graph, const char *name, size_t *entry) {
  if (!graph)
    return nullArgument("ingot_graph_find_entry", "graph");
  if (!entry)
    return nullArgument("ingot_graph_find_entry", "entry");
  return guarded([&] {
    Result<unsigned> found = runtime::findEntry(graph->plan(), name ? name : "");
    if (!found)
      return fail(found.error());
    *entry = *found;
    return INGOT_OK;
  });
}

size_t ingot_graph_input_count(const ingot_graph *graph, size_t entry) {
  const format::Entry *found = graph ? graph->entry(entry) : nullptr;
  return found ? found->inputs()->size() : 0;
}

size_t ingot_graph_output_count(const ingot_graph *graph, size_t entry) {
  const format::Entry *found = graph ? graph->entry(entry) : nullptr;
  return found ? found->outputs()->size() : 0;
}

size_t ingot_type_bytes(ingot_type type) {
  return unsigned(type) <= INGOT_BOOL ? runtime::elementBytes(format::ElementType(type)) : 0;
}

void ingot_tensor_info_init(ingot_tensor_info *info) {
  if (!info)
    return;
  *info = {};
  info->struct_size = sizeof *info;
}

ingot_status ingot_graph_get_input(const ingot_graph *graph, size_t entry, size_t input, ingot_tensor_info *info) {
  return describe("ingot_graph_get_input", graph, entry, input, false, info);
}

ingot_status ingot_graph_get_output(const ingot_graph *graph, size_t entry, size_t output, ingot_tensor_info *info) {
  return describe("ingot_graph_get_output", graph, entry, output, true, info);
}

ingot_status ingot_graph_output_shape(const ingot_graph *graph, size_t entry, const ingot_tensor *inputs,
                                      size_t input_count, size_t output, int64_t *shape, size_t capacity,
                                      size_t *rank) {
  constexpr const char *kName = "ingot_graph_output_shape";
  if (!graph)
    return nullArgument(kName, "graph");
  if (!shape && capacity)
    return nullArgument(kName, "shape");
  if (!rank)
    return nullArgument(kName, "rank");
  return guarded([&] {
    const format::Entry *found = graph->entry(entry);
    if (!found)
      return noEntry(kName, *graph, entry);
    if (output >= found->outputs()->size())
      return fail(INGOT_NOT_FOUND, std::string(kName) + ": there is no output " + std::to_string(output) +
                                       ", the entry has " + std::to_string(found->outputs()->size()));
    if (ingot_status status = checkTensors(kName, "inputs", inputs, input_count, false))
      return status;
    Result<runtime::BoundInputs> bound = bind(*graph, *found, inputs, input_count);
    if (!bound)
      return fail(bound.error());
    std::vector<int64_t> all = runtime::shapeOf(*found->outputs()->Get(unsigned(output)), bound->symbols);
    std::copy_n(all.begin(), std::min(capacity, all.size()), shape);
    *rank = all.size();
    return INGOT_OK;
  });
}

ingot_status ingot_graph_run(ingot_graph *graph, size_t entry, const ingot_tensor *inputs, size_t input_count,
                             const ingot_tensor *outputs, size_t output_count) {
  constexpr const char *kName = "ingot_graph_run";
  if (!graph)
    return nullArgument(kName, "graph");
  return guarded([&] {
    const format::Entry *found = graph->entry(entry);
    if (!found)
      return noEntry(kName, *graph, entry);
    if (ingot_status status = checkTensors(kName, "inputs", inputs, input_count, true))
      return status;
    if (ingot_status status = checkTensors(kName, "outputs", outputs, output_count, true))
      return status;
    Result<runtime::BoundInputs> bound = bind(*graph, *found, inputs, input_count);
    if (!bound)
      return fail(bound.error());
    std::vector<void *> pointers(found->outputs()->size(), nullptr);
    std::vector<bool> given(pointers.size(), false);
    std::string wrong;
    for (size_t o = 0; o < output_count; ++o) {
      const ingot_tensor &output = outputs[o];
      const std::string name = "output " + runtime::quoted(output.name);
      unsigned i = 0;
      while (i < pointers.size() && found->outputs()->Get(i)->name()->string_view() != output.name)
        ++i;
      std::string problem;
      if (i == pointers.size()) {
        problem = "there is no " + name;
      } else if (given[i]) {
        problem = name + " is given twice";
      } else {
        const format::Argument &argument = *found->outputs()->Get(i);
        const std::vector<int64_t> shape = runtime::shapeOf(argument, bound->symbols);
        const std::span<const int64_t> theirs(output.shape, output.rank);
        if (format::ElementType(output.type) != argument.type() || !std::ranges::equal(shape, theirs))
          problem = name + " is given as " + runtime::typeText(format::ElementType(output.type), theirs) +
                    ", but for these inputs it is " + runtime::typeText(argument.type(), shape);
        given[i] = true;
        pointers[i] = output.data;
      }
      if (!problem.empty())
        wrong += (wrong.empty() ? "" : "; ") + problem;
    }
    if (!wrong.empty())
      return fail(INGOT_INVALID_ARGUMENT, std::string(kName) + ": " + wrong);
    if (Result<void> ran = graph->runner->run(unsigned(entry), bound->symbols, bound->data, pointers); !ran)
      return fail(ran.error());
    graph->results.clear();
    for (const format::Argument *output : *found->outputs())
      graph->results.push_back(runtime::shapeOf(*output, graph->runner->executor()->settled()));
    return INGOT_OK;
  });
}

ingot_status ingot_graph_result_shape(const ingot_graph *graph, size_t output, int64_t *shape, size_t capacity,
                                      size_t *rank) {
  constexpr const char *kName = "ingot_graph_result_shape";
  if (!graph)
    return nullArgument(kName, "graph");
  if (!shape && capacity)
    return nullArgument(kName, "shape");
  if (!rank)
    return nullArgument(kName, "rank");
  if (output >= graph->results.size())
    return fail(INGOT_NOT_FOUND, std::string(kName) + ": there is no output " + std::to_string(output) +
                                     ", the last run had " + std::to_string(graph->results.size()));
  const std::vector<int64_t> &all = graph->results[output];
  std::copy_n(all.begin(), std::min(capacity, all.size()), shape);
  *rank = all.size();
  return INGOT_OK;
}
