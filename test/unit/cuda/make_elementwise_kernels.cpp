// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// make_elementwise_kernels LIST OUT: writes OUT with the program that the CUDA target makes of the operations of a list
// (test/unit/target/elementwise.txt), and the table of elementwise_kernels.h.
// make_elementwise_kernels LIST --compile ARCH: compiles the program with NVRTC, and says how many functions it has.
#include "compiler/target/cuda/target.h"
#include "dialects/ingot/IngotDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Parser/Parser.h"
#include "test/unit/target/elementwise.h"
#include <iostream>

using namespace ingot::target;

int main(int argc, char **argv) {
  const bool compiles = argc == 4 && std::string(argv[2]) == "--compile";
  if (argc != 3 && !compiles) {
    std::cerr << "usage: make_elementwise_kernels LIST OUT | LIST --compile ARCH\n";
    return 2;
  }
  mlir::MLIRContext context;
  context.loadDialect<ingot::ir::IngotDialect, mlir::arith::ArithDialect, mlir::func::FuncDialect,
                      mlir::linalg::LinalgDialect, mlir::math::MathDialect, mlir::tensor::TensorDialect>();
  mlir::OwningOpRef<mlir::ModuleOp> module =
      mlir::parseSourceString<mlir::ModuleOp>(ingot::test::elementwiseFunctions(argv[1]), &context, "operations");
  if (!module)
    return 1;
  std::vector<Kernel> kernels;
  for (auto function : module->getOps<mlir::func::FuncOp>()) {
    kernels.emplace_back();
    kernels.back().name = function.getSymName().str();
    kernels.back().body = function;
  }
  cuda::Program program;
  std::string error;
  if (!cuda::makeProgram(kernels, {}, program, error)) {
    std::cerr << error << "\n";
    return 1;
  }
  if (compiles) {
    cuda::Architecture architecture;
    std::vector<cuda::Image> images;
    if (!cuda::findArchitecture(argv[3], architecture, error) ||
        !cuda::compileProgram(program, {architecture}, {}, images, error)) {
      std::cerr << error << "\n";
      return 1;
    }
    std::cout << "compiled " << kernels.size() << " functions for " << argv[3] << "\n";
    return 0;
  }
  std::ofstream out(argv[2]);
  out << program.source << "#include \"test/unit/cuda/elementwise_kernels.h\"\n"
      << "const ingot::test::ElementwiseKernel ingot::test::kElementwiseKernels[] = {\n";
  for (size_t i = 0; i < kernels.size(); ++i)
    for (const cuda::NamedFunction &function : program.functions[i])
      out << "    {\"" << kernels[i].name << "\", " << function.name << ", " << function.threads << ", "
          << function.sharedBytes << "},\n";
  out << "    {nullptr, nullptr, 0, 0}};\n";
  return out ? 0 : 1;
}
