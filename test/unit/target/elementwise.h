// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The list of operations that element-wise functions are made of (elementwise.txt, which says what it lists), as MLIR
// for the targets to compile.
#ifndef INGOT_TEST_UNIT_TARGET_ELEMENTWISE_H
#define INGOT_TEST_UNIT_TARGET_ELEMENTWISE_H

#include <fstream>
#include <sstream>
#include <string>

namespace ingot::test {

// The functions over tensors that a list of operations stands for, as MLIR.
inline std::string elementwiseFunctions(const char *path) {
  std::string text = "module {\n  ingot.symbol @rows\n";
  std::ifstream list(path);
  for (std::string line; std::getline(list, line);) {
    if (line.empty() || line[0] == '#')
      continue;
    std::istringstream words(line);
    std::string op, element;
    int operands;
    words >> op >> operands;
    while (words >> element) {
      bool asks = op.starts_with("math.is");
      std::string result = asks ? "i8" : element, arguments, inputs, types, maps, scalars, block;
      auto tensor = [](const std::string &of) { return "tensor<?x40x" + of + ">"; };
      const std::string dims = " {ingot.dims = #ingot.dims<\"rows\", \"\">}";
      for (int i = 0; i < operands; ++i) {
        std::string number = std::to_string(i);
        arguments += "%t" + number + ": " + tensor(element) + dims + ", ";
        inputs += (i ? ", %t" : "%t") + number;
        types += (i ? ", " : "") + tensor(element);
        maps += "affine_map<(d0, d1) -> (d0, d1)>, ";
        block += "%x" + number + ": " + element + ", ";
        scalars += (i ? ", %x" : "%x") + number;
      }
      std::string computed = "%y = " + op + " " + scalars + " : " + element + "\n";
      if (asks)
        computed = "%b = " + op + " " + scalars + " : " + element + "\n    %y = arith.extui %b : i1 to i8\n";
      text += "  func.func private @\"" + op + "-" + element + "\"(" + arguments + "%out: " + tensor(result) + dims +
              ") -> " + tensor(result) + " {\n  %r = linalg.generic {indexing_maps = [" + maps +
              "affine_map<(d0, d1) -> (d0, d1)>], iterator_types = [\"parallel\", \"parallel\"]} ins(" + inputs +
              " : " + types + ") outs(%out : " + tensor(result) + ") {\n  ^bb0(" + block + "%o: " + result +
              "):\n    " + computed + "    linalg.yield %y : " + result + "\n  } -> " + tensor(result) +
              "\n  return %r : " + tensor(result) + "\n  }\n";
    }
  }
  return text + "}\n";
}
} // namespace ingot::test

#endif
