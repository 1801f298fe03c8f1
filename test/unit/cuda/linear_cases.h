// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reads linear.txt: the products that are tested, each with the functions that the compiler makes of it. For the
// program that writes their source (make_linear_kernels.cpp) and for the test that runs them.
#ifndef INGOT_TEST_UNIT_CUDA_LINEAR_CASES_H
#define INGOT_TEST_UNIT_CUDA_LINEAR_CASES_H

#include "compiler/target/cuda/launch.h"
#include "test/unit/target/images.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>

namespace ingot::test {

struct LinearCase {
  TestKernel kernel;
  std::string fields; // of its parameters, for the source
  target::cuda::Functions functions;
};

inline std::string linearSymbol(const std::string &name, const target::cuda::Function &function) {
  std::string text = "linear_" + name + "_" + function.suffix;
  std::replace(text.begin(), text.end(), '-', '_');
  return text;
}

inline std::vector<LinearCase> linearCases(const std::string &path) {
  std::ifstream file(path);
  std::vector<LinearCase> all;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line[0] == '#')
      continue;
    std::istringstream words(line);
    LinearCase c;
    words >> c.kernel.name >> c.kernel.templateName;
    std::map<std::string, int32_t> given;
    for (std::string word; words >> word;)
      given[word.substr(0, word.find('='))] = std::atoi(word.c_str() + word.find('=') + 1);
    auto make = [&](auto params, auto visit) {
      visit(params, [&](const char *key, auto &field) {
        if (auto at = given.find(key); at != given.end()) {
          field = at->second;
          given.erase(at);
        }
        c.kernel.parameters[key] = field;
        c.fields += (c.fields.empty() ? "." : ", .") + std::string(key) + " = " + std::to_string(field);
      });
      std::string error;
      c.functions = target::cuda::functionsOf(params, error);
    };
#define INGOT_VISIT(name) visit(#name, p.name);
    if (c.kernel.templateName == "linear")
      make(linear_params{}, [](linear_params &p, auto visit) { INGOT_LINEAR_PARAMS(INGOT_VISIT, INGOT_VISIT) });
    else
      make(linear_int_params{},
           [](linear_int_params &p, auto visit) { INGOT_LINEAR_INT_PARAMS(INGOT_VISIT, INGOT_VISIT) });
#undef INGOT_VISIT
    if (!given.empty() || c.functions.empty()) {
      std::fprintf(stderr, "%s: cannot use %s\n", path.c_str(), line.c_str());
      std::abort();
    }
    all.push_back(std::move(c));
  }
  return all;
}

} // namespace ingot::test

#endif
