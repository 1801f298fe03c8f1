// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A program for tests: runs entry `main` of an engine once per thread count, on inputs from files, and writes the
// outputs; it fails when thread counts give different bits. Usage:
//   run_entry ENGINE --symbols VALUE... --inputs FILE... --outputs (FILE BYTES)... --threads COUNT... [--device DEVICE]
// Symbols (those that are not derived), inputs and outputs stand in the plan's order; files are raw row-major bytes.
#include "runtime/executor/executor.h"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>

using namespace ingot::runtime;

namespace {

int fail(const std::string &message) {
  std::fprintf(stderr, "run_entry: %s\n", message.c_str());
  return 1;
}

std::vector<char> readFile(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

} // namespace

int main(int argc, char **argv) {
  std::map<std::string, std::vector<std::string>> options;
  std::string option = "engine";
  for (int i = 1; i < argc; ++i) {
    std::string word = argv[i];
    if (word.rfind("--", 0) == 0)
      option = word.substr(2);
    else
      options[option].push_back(word);
  }
  if (options["engine"].size() != 1 || options["outputs"].size() % 2 != 0)
    return fail("expected one engine, and a size for each output");
  auto engine = EngineFile::open(options["engine"][0]);
  if (!engine)
    return fail(engine.error().message());

  const SymbolTable table((*engine)->plan());
  std::vector<int64_t> symbols(table.size(), 0);
  std::vector<std::pair<std::string, int64_t>> most;
  for (unsigned i = 0, given = 0; i < table.size(); ++i)
    if (!table.derived(i)) {
      symbols[i] = std::atoll(options["symbols"].at(given++).c_str());
      most.push_back({std::string(table.name(i)), symbols[i] + 2});
    }
  for (const auto *entry : *(*engine)->plan().entries())
    if (auto done = table.complete(*entry, symbols); entry->name()->string_view() == "main" && !done)
      return fail(done.error().message());
  std::vector<std::vector<char>> inputs, first;
  for (const std::string &path : options["inputs"])
    inputs.push_back(readFile(path));
  for (const std::string &count : options["threads"]) {
    ExecutorOptions bounds;
    bounds.threads = static_cast<unsigned>(std::atoi(count.c_str()));
    if (!options["device"].empty()) {
      auto device = parseDevice(options["device"][0]);
      if (!device)
        return fail(device.error().message());
      bounds.device = *device;
    }
    bounds.bounds = most;
    auto executor = Executor::create(*engine, bounds);
    if (!executor)
      return fail(executor.error().message());
    std::vector<std::vector<char>> outputs;
    std::vector<const void *> from;
    std::vector<void *> to;
    for (const auto &input : inputs)
      from.push_back(input.data());
    for (size_t i = 1; i < options["outputs"].size(); i += 2)
      outputs.emplace_back(std::atoll(options["outputs"][i].c_str()));
    for (auto &output : outputs)
      to.push_back(output.data());
    // Twice: what a run leaves in the arenas must not show in the next.
    for (int run = 0; run < 2; ++run)
      if (auto done = (*executor)->run("main", symbols, from, to); !done)
        return fail(done.error().message());
    if (first.empty())
      first = outputs;
    if (outputs != first)
      return fail("outputs differ with " + count + " threads");
  }
  for (size_t i = 0; i < first.size(); ++i) {
    std::ofstream file(options["outputs"][2 * i], std::ios::binary);
    file.write(first[i].data(), static_cast<std::streamsize>(first[i].size()));
  }
  return 0;
}
