// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Compiles the kernels that a list names (kernels.txt) and writes one image per feature set and a manifest, so that the
// tests of kernels link nothing of LLVM and run on any machine the folder is carried to.
//   dump_kernels LIST FUNCTIONS OPERATIONS FOLDER
// A line of LIST: NAME TEMPLATE KEY=VALUE ...; parameters that are left out are 0. FUNCTIONS: functions over tensors in
// MLIR, each a kernel of its name. OPERATIONS: elementwise.txt, which says what it lists.
#include "compiler/target/cpu/target.h"
#include "compiler/target/templates/params.h"
#include "dialects/ingot/IngotDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Parser/Parser.h"
#include "test/unit/target/elementwise.h"
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <map>
#include <sstream>

using namespace ingot::target::cpu;

namespace {
struct Field {
  const char *name;
  bool isReal;
};
#define FIELD_I(name) {#name, false},
#define FIELD_F(name) {#name, true},
#define TEMPLATE(name, list) {#name, {list(FIELD_I, FIELD_F)}},
const std::map<std::string, std::vector<Field>> kTemplates = {INGOT_TEMPLATES(TEMPLATE)};
} // namespace

int main(int argc, char **argv) {
  if (argc != 5) {
    std::cerr << "usage: dump_kernels LIST FUNCTIONS OPERATIONS FOLDER\n";
    return 2;
  }
  std::ifstream list(argv[1]);
  std::vector<Kernel> kernels;
  std::vector<std::string> descriptions;
  for (std::string line; std::getline(list, line);) {
    if (line.empty() || line[0] == '#')
      continue;
    std::istringstream words(line);
    Kernel kernel;
    words >> kernel.name >> kernel.templateName;
    std::map<std::string, std::string> given;
    for (std::string word; words >> word;)
      given[word.substr(0, word.find('='))] = word.substr(word.find('=') + 1);
    auto fields = kTemplates.find(kernel.templateName);
    if (fields == kTemplates.end()) {
      std::cerr << argv[1] << ": no template '" << kernel.templateName << "'\n";
      return 1;
    }
    std::string description;
    for (const Field &field : fields->second) {
      Parameter parameter;
      parameter.name = field.name;
      parameter.isReal = field.isReal;
      std::string value = given.count(field.name) ? given[field.name] : "0";
      given.erase(field.name);
      if (field.isReal)
        parameter.real = std::strtof(value.c_str(), nullptr);
      else
        parameter.integer = std::atoi(value.c_str());
      description += " " + parameter.name + "=" + value;
      kernel.parameters.push_back(parameter);
    }
    if (!given.empty()) {
      std::cerr << argv[1] << ": template '" << kernel.templateName << "' has no parameter '" << given.begin()->first
                << "'\n";
      return 1;
    }
    kernels.push_back(kernel);
    descriptions.push_back(description);
  }
  mlir::MLIRContext context;
  context.loadDialect<ingot::ir::IngotDialect, mlir::arith::ArithDialect, mlir::func::FuncDialect,
                      mlir::linalg::LinalgDialect, mlir::math::MathDialect, mlir::tensor::TensorDialect>();
  mlir::OwningOpRef<mlir::ModuleOp> functions = mlir::parseSourceFile<mlir::ModuleOp>(argv[2], &context);
  mlir::OwningOpRef<mlir::ModuleOp> operations =
      mlir::parseSourceString<mlir::ModuleOp>(ingot::test::elementwiseFunctions(argv[3]), &context, "operations");
  if (!functions || !operations)
    return 1;
  for (mlir::ModuleOp module : {*functions, *operations})
    for (auto function : module.getOps<mlir::func::FuncOp>()) {
      Kernel kernel;
      kernel.name = function.getSymName().str();
      kernel.body = function;
      kernels.push_back(kernel);
      descriptions.push_back("");
    }
  CompiledKernels compiled;
  std::string error;
  if (!compileKernels(kernels, {}, compiled, error)) {
    std::cerr << error << "\n";
    return 1;
  }
  std::string folder = argv[4];
  std::ofstream manifest(folder + "/manifest.txt");
  for (const Image &image : compiled.images) {
    manifest << "set " << image.set.name;
    for (const std::string &feature : image.set.features)
      manifest << " " << feature;
    manifest << "\n";
    std::ofstream out(folder + "/" + image.set.name + ".bin", std::ios::binary);
    out.write(reinterpret_cast<const char *>(image.bytes.data()), static_cast<std::streamsize>(image.bytes.size()));
  }
  for (size_t i = 0; i < kernels.size(); ++i) {
    manifest << "kernel " << kernels[i].name << " " << (kernels[i].body ? "function" : kernels[i].templateName)
             << " scratch=" << compiled.scratchBytes[i];
    for (const Image &image : compiled.images)
      manifest << " at_" << image.set.name << "=" << image.functions[i];
    manifest << descriptions[i] << "\n";
  }
  manifest.close();
  return manifest ? 0 : 1;
}
