// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// make_linear_mistake LIST DEVICE OUT N: puts mistake N of linear_mistakes.h into a copy of its header under
// OUT/compiler/target/cuda/device, and writes OUT/kernel.cpp with the function that it concerns. DEVICE: the folder of
// headers.
#include "test/unit/cuda/linear_cases.h"
#include "test/unit/cuda/linear_mistakes.h"

#include <filesystem>

int main(int argc, char **argv) {
  if (argc != 5 || std::atoi(argv[4]) >= ingot::test::kLinearMistakesCount)
    return 2;
  const ingot::test::LinearMistake &mistake = ingot::test::kLinearMistakes[std::atoi(argv[4])];
  std::stringstream header;
  header << std::ifstream(std::string(argv[2]) + "/" + mistake.header).rdbuf();
  std::string text = header.str();
  const size_t at = text.find(mistake.from);
  if (at == std::string::npos) {
    std::fprintf(stderr, "%s no longer has: %s\n", mistake.header, mistake.from);
    return 1;
  }
  text.replace(at, std::strlen(mistake.from), mistake.to);
  const std::string folder = std::string(argv[3]) + "/compiler/target/cuda/device";
  std::filesystem::create_directories(folder);
  std::ofstream(folder + "/" + mistake.header) << text;
  std::ofstream out(std::string(argv[3]) + "/kernel.cpp");
  for (const ingot::test::LinearCase &c : ingot::test::linearCases(argv[1]))
    for (const ingot::target::cuda::Function &f : c.functions)
      if (c.kernel.name == mistake.product && f.suffix == mistake.function)
        out << "#include \"compiler/target/cuda/device/" << f.header
            << "\"\nusing namespace ingot::device;\nstruct P {\n"
            << "  static constexpr " << c.kernel.templateName << "_params p = {" << c.fields << "};\n};\nINGOT_KERNEL("
            << "mistaken, " << f.threads << ") { " << f.call << " }\n";
  return out ? 0 : 1;
}
