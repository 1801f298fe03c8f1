// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What NVRTC's assembler says that kernels take of a multiprocessor: registers, shared memory, spilled bytes.
//   kernel_resources                        says whether NVRTC can be found
//   kernel_resources LIST ARCH              prints a table of the kernels of LIST (test/target/cuda/kernels.txt)
//   kernel_resources LIST ARCH TABLE        compares it with a table: registers within an eighth and 8 (compilers
//   differ),
//                                           shared memory to the byte, spilled bytes within 64
#include "compiler/target/cuda/codegen/Internal.h"
#include "compiler/target/templates/params.h"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <map>
#include <sstream>

using namespace ingot::target;

namespace {

struct Field {
  const char *name;
  bool isReal;
};
#define FIELD_I(name) {#name, false},
#define FIELD_F(name) {#name, true},
#define TEMPLATE(name, list) {#name, {list(FIELD_I, FIELD_F)}},
const std::map<std::string, std::vector<Field>> kTemplates = {INGOT_TEMPLATES(TEMPLATE)};

bool read(const char *path, std::vector<Kernel> &kernels) {
  std::ifstream list(path);
  for (std::string line; std::getline(list, line);) {
    if (line.empty() || line[0] == '#')
      continue;
    std::istringstream words(line);
    Kernel kernel;
    words >> kernel.name >> kernel.templateName;
    std::map<std::string, std::string> given;
    for (std::string word; words >> word;)
      given[word.substr(0, word.find('='))] = word.substr(word.find('=') + 1);
    const auto fields = kTemplates.find(kernel.templateName);
    if (fields == kTemplates.end()) {
      std::cerr << path << ": no template '" << kernel.templateName << "'\n";
      return false;
    }
    for (const Field &field : fields->second) {
      const std::string value = given.count(field.name) ? given[field.name] : "0";
      given.erase(field.name);
      Parameter parameter;
      parameter.name = field.name;
      parameter.isReal = field.isReal;
      if (field.isReal)
        parameter.real = std::strtof(value.c_str(), nullptr);
      else
        parameter.integer = std::atoi(value.c_str());
      kernel.parameters.push_back(parameter);
    }
    if (!given.empty()) {
      std::cerr << path << ": " << kernel.templateName << " has no '" << given.begin()->first << "'\n";
      return false;
    }
    kernels.push_back(kernel);
  }
  return !kernels.empty();
}

struct Use {
  int registers = 0, spilled = 0;
};

// Of "-v" of ptxas: a line names the function, those that follow tell of it.
std::map<std::string, Use> usesOf(const std::string &log) {
  std::map<std::string, Use> uses;
  std::istringstream lines(log);
  std::string now;
  for (std::string line; std::getline(lines, line);) {
    if (const size_t at = line.find("Compiling entry function '"); at != std::string::npos) {
      const size_t from = at + std::string("Compiling entry function '").size();
      now = line.substr(from, line.find('\'', from) - from);
    } else if (const size_t stores = line.find(" bytes spill stores"); stores != std::string::npos) {
      uses[now].spilled = std::atoi(line.c_str() + line.rfind(' ', stores - 1));
    } else if (const size_t used = line.find("Used "); used != std::string::npos) {
      uses[now].registers = std::atoi(line.c_str() + used + 5);
    }
  }
  return uses;
}

} // namespace

int main(int argc, char **argv) {
  std::string error;
  if (argc < 2) {
    if (!cuda::findNvrtc(error)) {
      std::cout << error << "\n";
      return 1;
    }
    std::cout << "found\n";
    return 0;
  }
  if (argc > 4 || argc < 3) {
    std::cerr << "usage: kernel_resources [LIST ARCH [TABLE]]\n";
    return 2;
  }
  std::vector<Kernel> kernels;
  cuda::Program program;
  cuda::Architecture architecture;
  std::vector<cuda::Image> images;
  if (!read(argv[1], kernels) || !cuda::findArchitecture(argv[2], architecture, error) ||
      !cuda::makeProgram(kernels, {}, program, error) ||
      !cuda::compileProgram(program, {architecture}, cuda::CompileOptions{}, images, error)) {
    std::cerr << error << "\n";
    return 1;
  }
  std::map<std::string, Use> uses = usesOf(images[0].log);
  std::map<std::string, std::vector<int>> table;
  if (argc == 4) {
    std::ifstream file(argv[3]);
    for (std::string line; std::getline(file, line);) {
      std::istringstream words(line);
      std::string name;
      std::vector<int> numbers(4);
      if (line[0] != '#' && words >> name >> numbers[0] >> numbers[1] >> numbers[2] >> numbers[3])
        table[name] = numbers;
    }
  } else {
    std::printf(
        "# Kernels of kernels.txt on %s, by kernel_resources and NVRTC %u.%u.\n# function threads registers shared "
        "spilled\n",
        argv[2], cuda::versionOf(*cuda::findNvrtc(error)) / 1000, cuda::versionOf(*cuda::findNvrtc(error)) % 1000 / 10);
  }
  int wrong = 0;
  for (const auto &functions : program.functions)
    for (const cuda::NamedFunction &f : functions) {
      const Use use = uses[f.name];
      if (use.registers == 0) {
        std::printf("%s: the log says nothing of it\n", f.name.c_str());
        ++wrong;
      } else if (argc == 3) {
        std::printf("%-36s %4u %4d %6u %5d\n", f.name.c_str(), f.threads, use.registers, f.sharedBytes, use.spilled);
      } else if (!table.count(f.name)) {
        std::printf("%s: it is not in the table\n", f.name.c_str());
        ++wrong;
      } else {
        const std::vector<int> &want = table[f.name];
        if (static_cast<int>(f.threads) != want[0] || std::abs(use.registers - want[1]) > want[1] / 8 + 8 ||
            static_cast<int>(f.sharedBytes) != want[2] || use.spilled > want[3] + 64) {
          std::printf("%s: %u threads, %d registers, %u bytes shared, %d spilled; the table has %d, %d, %d, %d\n",
                      f.name.c_str(), f.threads, use.registers, f.sharedBytes, use.spilled, want[0], want[1], want[2],
                      want[3]);
          ++wrong;
        }
      }
    }
  return wrong ? 1 : 0;
}
