// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// ingot-run infer: one run of an entry, its tensors in .npy files. Memory is placed for these shapes alone.
#include "runtime/executor/graph.h"
#include "tools/ingot-run/common.h"
#include "tools/ingot-run/tensor_files.h"

#include <algorithm>

namespace ingot::tool {
namespace {

// The output that each --output names; an error that lists all names that are none.
Result<std::vector<unsigned>> findOutputs(const format::Plan &plan, const format::Entry &entry,
                                          const NamedFiles &files) {
  std::vector<unsigned> found;
  std::string wrong;
  for (const auto &[name, path] : files) {
    unsigned i = 0;
    while (i < entry.outputs()->size() && entry.outputs()->Get(i)->name()->string_view() != name)
      ++i;
    if (i == entry.outputs()->size())
      wrong += (wrong.empty() ? "there is no output " : ", ") + runtime::quoted(name);
    found.push_back(i);
  }
  if (wrong.empty())
    return found;
  return makeError(ErrorCode::NotFound, "%s. Entry %s gives\n%s", wrong.c_str(),
                   runtime::quoted(entry.name()->string_view()).c_str(),
                   runtime::signatureText(plan, entry, "  ").c_str());
}

Result<int> run(const InferOptions &o) {
  INGOT_ASSIGN_OR_RETURN(runtime::DeviceName device, runtime::parseDevice(o.device));
  INGOT_ASSIGN_OR_RETURN(auto engine, runtime::EngineFile::open(o.engine));
  const format::Plan &plan = engine->plan();
  INGOT_ASSIGN_OR_RETURN(unsigned index, runtime::findEntry(plan, o.entry));
  const format::Entry &entry = *plan.entries()->Get(index);
  INGOT_ASSIGN_OR_RETURN(std::vector<unsigned> wanted, findOutputs(plan, entry, o.outputs));
  INGOT_ASSIGN_OR_RETURN(TensorFiles inputs, readTensors(entry, o.inputs));
  INGOT_ASSIGN_OR_RETURN(runtime::BoundInputs bound, runtime::bindInputs(plan, entry, inputs.tensors));

  runtime::GraphOptions how;
  how.threads = o.threads;
  how.device = device;
  INGOT_ASSIGN_OR_RETURN(auto graph, runtime::GraphRunner::create(engine, how));
  INGOT_ASSIGN_OR_RETURN(std::vector<runtime::Region> outputs, reserveOutputs(entry, bound.symbols));
  std::vector<void *> pointers;
  for (runtime::Region &region : outputs)
    pointers.push_back(region.data());
  INGOT_RETURN_IF_ERROR(graph->run(index, bound.symbols, bound.data, pointers));
  const std::span<const int64_t> symbols = graph->executor()->settled();

  for (size_t i = 0; i < wanted.size(); ++i) {
    const format::Argument &output = *entry.outputs()->Get(wanted[i]);
    INGOT_RETURN_IF_ERROR(
        writeTensor(o.outputs[i].second, output.type(), runtime::shapeOf(output, symbols), pointers[wanted[i]]));
  }
  for (unsigned i = 0; wanted.empty() && i < outputs.size(); ++i) {
    const format::Argument &output = *entry.outputs()->Get(i);
    const uint64_t count = runtime::bytesOf(output, symbols) / runtime::elementBytes(output.type());
    INGOT_RETURN_IF_ERROR(print(output.name()->str() + ": " +
                                runtime::typeText(output.type(), runtime::shapeOf(output, symbols)) + " = " +
                                valuesText(output.type(), pointers[i], count) + "\n"));
  }
  INGOT_RETURN_IF_ERROR(flush());
  return 0;
}

} // namespace

int infer(const InferOptions &options) {
  Result<int> status = run(options);
  return status ? *status : report(status.error());
}

} // namespace ingot::tool
