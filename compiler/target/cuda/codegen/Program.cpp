// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The kernels of a plan as one program of CUDA C++: the device source that they need, each file once, then every kernel with
// its parameters. Kernels of the same template and parameters share their functions.
#include "compiler/target/cuda/codegen/Internal.h"
#include "compiler/target/templates/check.h"

#include <cctype>
#include <cmath>
#include <cstring>
#include <map>
#include <set>
#include <type_traits>

namespace ingot::target::cuda {

namespace {

constexpr const char *kDevice = "compiler/target/cuda/device/";

// A name of the plan as an identifier: "linear-n512-eps1e-05" becomes linear_n512_eps1e_05.
std::string identifier(const std::string &name) {
  std::string text;
  for (char c : name)
    text += std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
  return std::isdigit(static_cast<unsigned char>(text[0])) ? "_" + text : text;
}

// Appends a file of device source with all that it includes, each once.
bool include(const std::string &path, std::set<std::string> &done, std::string &out, std::string &error) {
  if (!done.insert(path).second)
    return true;
  std::string_view text = embeddedSource(path);
  if (text.empty()) {
    error = "internal error: there is no device source " + path;
    return false;
  }
  std::string own = "// --- " + path + " ---\n";
  while (!text.empty()) {
    const size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    constexpr std::string_view kInclude = "#include \"";
    // The simulated device's own half is no part of the program.
    if (line.starts_with(kInclude) && !line.ends_with("primitives_host.h\"")) {
      const std::string inner(line.substr(kInclude.size(), line.rfind('"') - kInclude.size()));
      if (!include(inner, done, out, error))
        return false;
      continue;
    }
    own.append(line).push_back('\n');
  }
  out += own + "\n";
  return true;
}

std::string literal(float value) {
  if (std::isinf(value))
    return std::string(value > 0 ? "" : "-") + "__builtin_bit_cast(float, 0x7f800000)";
  char text[48];
  std::snprintf(text, sizeof(text), "%af", double(value)); // exact
  return text;
}

// ".n = 512, .k = 256, ..." of the parameters that are not 0.
std::string initializers(const Kernel &kernel, const std::vector<uint32_t> &words) {
  std::string text;
  size_t word = 0;
  auto field = [&](const char *name, bool real) {
    const uint32_t bits = words[word++];
    if (bits == 0)
      return;
    text += (text.empty() ? "." : ", .") + std::string(name) + " = ";
    if (real) {
      float value;
      std::memcpy(&value, &bits, 4);
      text += literal(value);
    } else {
      text += std::to_string(static_cast<int32_t>(bits));
    }
  };
#define INGOT_FIELD_I(name) field(#name, false);
#define INGOT_FIELD_F(name) field(#name, true);
#define INGOT_FIELDS(name, list)                                                                                       \
  if (kernel.templateName == #name) {                                                                                  \
    list(INGOT_FIELD_I, INGOT_FIELD_F)                                                                                 \
  }
  INGOT_TEMPLATES(INGOT_FIELDS)
#undef INGOT_FIELDS
#undef INGOT_FIELD_F
#undef INGOT_FIELD_I
  return text;
}

// "// model.layers.0.mlp and 31 more" or nothing.
std::string comment(const std::vector<std::string> &nodes) {
  if (nodes.empty() || nodes[0].empty())
    return "";
  return "// " + nodes[0] + (nodes.size() > 1 ? " and " + std::to_string(nodes.size() - 1) + " more" : "") + "\n";
}

class Writer {
public:
  explicit Writer(Program &program) : program(program) {}

  bool add(const Kernel &kernel, const std::vector<std::string> &nodes, std::string &error) {
    program.functions.emplace_back();
    return kernel.body ? addFunction(kernel, nodes, error) : addTemplate(kernel, nodes, error);
  }

  bool finish(std::string &error) {
    std::set<std::string> done;
    std::string device;
    headers.insert(std::string(kDevice) + "primitives.h");
    for (const std::string &header : headers)
      if (!include(header, done, device, error))
        return false;
    program.source = "// CUDA C++ made by Ingot. Compile it with: nvcc -std=c++20 -fmad=false -cubin -arch=sm_90 FILE\n"
                     "#include <stdint.h>\n\n" +
                     device + "using namespace ingot::device;\n\n" + kernels;
    return true;
  }

private:
  // Words of a template whose rows are counted by one symbol: as if it were the first, so that kernels share their code.
  static uint32_t takeSymbol(const Kernel &kernel, std::vector<uint32_t> &words) {
    uint32_t first = 0;
    visitTemplate(kernel.templateName, words, [&](auto params) {
      using Params = decltype(params);
      if constexpr (std::is_same_v<Params, linear_params> || std::is_same_v<Params, linear_int_params>) {
        first = static_cast<uint32_t>(params.rows_symbol);
        params.rows_symbol = 0;
        std::memcpy(words.data(), &params, sizeof(params));
      }
    });
    return first;
  }

  // An identifier that no other kernel has, which names of the plan may become ("d-1" and "d+1").
  std::string nameFor(const Kernel &kernel) {
    const std::string wanted = identifier(kernel.name);
    std::string name = wanted;
    for (int next = 2; !names.insert(name).second; ++next)
      name = wanted + "_" + std::to_string(next);
    return name;
  }

  bool addTemplate(const Kernel &kernel, const std::vector<std::string> &nodes, std::string &error) {
    std::vector<uint32_t> words;
    if (!checkTemplate(kernel, words, error))
      return false;
    Functions functions;
    std::string problem;
    visitTemplate(kernel.templateName, words, [&](const auto &params) { functions = functionsOf(params, problem); });
    if (!problem.empty()) {
      error = "kernel '" + kernel.name + "' (template '" + kernel.templateName + "') cannot run on a GPU: " + problem;
      return false;
    }
    const uint32_t firstSymbol = takeSymbol(kernel, words);
    auto [at, fresh] = known.try_emplace({kernel.templateName, words});
    if (fresh)
      at->second = nameFor(kernel);
    const std::string &name = at->second;
    const std::string params = "P_" + name;
    if (fresh) {
      kernels += comment(nodes) + "struct " + params + " {\n  static constexpr " + kernel.templateName +
                 "_params p = {" + initializers(kernel, words) + "};\n};\n";
    }
    for (const Function &function : functions) {
      NamedFunction named;
      static_cast<Function &>(named) = function;
      named.name = name + (function.suffix.empty() ? "" : "_" + function.suffix);
      named.firstSymbol = firstSymbol;
      if (fresh) {
        headers.insert(kDevice + function.header);
        std::string call = function.call;
        // P stands for the struct.
        for (size_t i = 0; (i = call.find('P', i)) != std::string::npos;) {
          auto part = [&](size_t j) { return j < call.size() && (std::isalnum((unsigned char)call[j]) || call[j] == '_'); };
          if (part(i + 1) || (i > 0 && part(i - 1))) {
            ++i;
            continue;
          }
          call.replace(i, 1, params);
          i += params.size();
        }
        kernels += "INGOT_KERNEL(" + named.name + ", " + std::to_string(function.threads) + ") {\n  " + call + "\n}\n";
      }
      program.functions.back().push_back(std::move(named));
    }
    if (fresh)
      kernels += "\n";
    return true;
  }

  bool addFunction(const Kernel &kernel, const std::vector<std::string> &nodes, std::string &error) {
    NamedFunction named;
    std::string body;
    if (!emitTensorFunction(kernel, named, body, error))
      return false;
    named.name = nameFor(kernel);
    headers.insert(kDevice + named.header);
    kernels += comment(nodes) + "INGOT_KERNEL(" + named.name + ", " + std::to_string(named.threads) + ") {\n" + body +
               "}\n\n";
    program.functions.back().push_back(std::move(named));
    return true;
  }

  Program &program;
  std::string kernels;
  std::set<std::string> headers, names;
  std::map<std::pair<std::string, std::vector<uint32_t>>, std::string> known; // the name of the functions
};

} // namespace

bool makeProgram(const std::vector<Kernel> &kernels, const std::vector<std::vector<std::string>> &nodes,
                 Program &program, std::string &error) {
  program = {};
  Writer writer(program);
  for (size_t i = 0; i < kernels.size(); ++i)
    if (!writer.add(kernels[i], i < nodes.size() ? nodes[i] : std::vector<std::string>(), error))
      return false;
  return writer.finish(error);
}

} // namespace ingot::target::cuda
