// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A program for tests: runs entry `main` of an engine once per thread count, on inputs from files, and writes the
// outputs; it fails when thread counts give different bits. Usage:
//   run_entry ENGINE --symbols VALUE... --inputs FILE... --outputs (FILE BYTES)... --threads COUNT... [--device DEVICE]
// Symbols, inputs and outputs stand in the plan's order; files are raw row-major bytes.
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

  std::vector<int64_t> symbols;
  for (const std::string &value : options["symbols"])
    symbols.push_back(std::atoll(value.c_str()));
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
    for (unsigned i = 0; i < (*engine)->plan().symbols()->size(); ++i)
      bounds.bounds.push_back({(*engine)->plan().symbols()->Get(i)->name()->str(), symbols.at(i) + 2});
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
