// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// make_linear_kernels LIST OUT N: writes OUT_0.cpp .. OUT_<N-1>.cpp with the functions of the products of a list, as
// the compiler writes them into a program.
#include "test/unit/cuda/linear_cases.h"

int main(int argc, char **argv) {
  if (argc != 4)
    return 2;
  const std::vector<ingot::test::LinearCase> cases = ingot::test::linearCases(argv[1]);
  const size_t files = static_cast<size_t>(std::atoi(argv[3]));
  for (size_t file = 0; file < files; ++file) {
    std::ofstream out(std::string(argv[2]) + "_" + std::to_string(file) + ".cpp");
    out << "#include \"compiler/target/cuda/device/linear_rows.h\"\n#include "
           "\"compiler/target/cuda/device/linear_tiles.h\"\n"
           "using namespace ingot::device;\n";
    for (size_t i = file; i < cases.size(); i += files) {
      out << "namespace of_" << i << " {\nstruct P {\n  static constexpr " << cases[i].kernel.templateName
          << "_params p = {" << cases[i].fields << "};\n};\n";
      for (const ingot::target::cuda::Function &f : cases[i].functions)
        out << "INGOT_KERNEL(" << ingot::test::linearSymbol(cases[i].kernel.name, f) << ", " << f.threads << ") { "
            << f.call << " }\n";
      out << "}\n";
    }
    if (!out)
      return 1;
  }
  return 0;
}
