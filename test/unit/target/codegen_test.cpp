// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The code generator's interface: one input gives one image whatever the threads, equal kernels share their code, and
// what a template cannot do is refused by name.
#include "compiler/target/cpu/target.h"
#include <gtest/gtest.h>

using namespace ingot::target::cpu;

namespace {

Parameter integer(const char *name, int32_t value) {
  Parameter p;
  p.name = name;
  p.integer = value;
  return p;
}
Parameter real(const char *name, float value) {
  Parameter p;
  p.name = name;
  p.real = value;
  p.isReal = true;
  return p;
}

Kernel packRows(const char *name, int32_t k, int32_t padded) {
  Kernel kernel;
  kernel.name = name;
  kernel.templateName = "pack_rows";
  kernel.parameters = {integer("k", k), integer("k_padded", padded), integer("type", 2), integer("partials", 1),
                       real("eps", 1e-5f)};
  return kernel;
}

std::string errorOf(const Kernel &kernel) {
  CompiledKernels compiled;
  std::string error;
  EXPECT_FALSE(compileKernels({kernel}, {}, compiled, error));
  return error;
}

TEST(Codegen, ThreadsChangeNoByte) {
  std::vector<Kernel> kernels = {packRows("a", 64, 64), packRows("b", 65, 96), packRows("c", 64, 64)};
  CompiledKernels one, four;
  std::string error;
  ASSERT_TRUE(compileKernels(kernels, {{}, 1}, one, error)) << error;
  ASSERT_TRUE(compileKernels(kernels, {{}, 4}, four, error)) << error;
  std::vector<std::string> whole; // the sets that hold every kernel
  for (const FeatureSet &set : featureSets())
    if (set.base.empty())
      whole.push_back(set.name);
  ASSERT_EQ(one.images.size(), whole.size());
  for (size_t i = 0; i < one.images.size(); ++i) {
    EXPECT_EQ(one.images[i].set.name, whole[i]);
    EXPECT_EQ(one.images[i].bytes, four.images[i].bytes);
    EXPECT_EQ(one.images[i].functions, four.images[i].functions);
    EXPECT_EQ(one.images[i].bytes.size() % 4096, 0u);
    EXPECT_EQ(one.images[i].functions[0], one.images[i].functions[2]) << "equal kernels";
    EXPECT_NE(one.images[i].functions[0], one.images[i].functions[1]);
  }
  EXPECT_EQ(one.scratchBytes, four.scratchBytes);
}

// What differs in the symbol that counts rows alone is one body behind two small functions.
TEST(Codegen, RowCountsShareOneBody) {
  auto linear = [](const char *name, int32_t n, int32_t rows) {
    Kernel kernel;
    kernel.name = name;
    kernel.templateName = "linear";
    for (const char *zero : {"bias", "residual", "act", "gated", "stats", "out_type", "in_type", "weight_type"})
      kernel.parameters.push_back(integer(zero, 0));
    for (auto [key, value] :
         {std::pair{"n", n}, {"k", 32}, {"k_padded", 32}, {"layout", 1}, {"out_stride", n}, {"rows_symbol", rows}})
      kernel.parameters.push_back(integer(key, value));
    return kernel;
  };
  CompiledKernels one, two, same;
  std::string error;
  ASSERT_TRUE(compileKernels({linear("a", 64, 2)}, {{"avx2"}, 1}, one, error)) << error;
  ASSERT_TRUE(compileKernels({linear("a", 64, 2), linear("b", 64, 0)}, {{"avx2"}, 1}, two, error)) << error;
  ASSERT_TRUE(compileKernels({linear("a", 64, 2), linear("b", 64, 2)}, {{"avx2"}, 1}, same, error)) << error;
  EXPECT_NE(two.images[0].functions[0], two.images[0].functions[1]);
  EXPECT_EQ(same.images[0].functions[0], same.images[0].functions[1]);
  EXPECT_LT(two.images[0].bytes.size(), one.images[0].bytes.size() * 3 / 2);
}

TEST(Codegen, CompilesForTheSetsAsked) {
  CompiledKernels compiled;
  std::string error;
  ASSERT_TRUE(compileKernels({packRows("a", 64, 64)}, {{"avx512"}, 1}, compiled, error)) << error;
  ASSERT_EQ(compiled.images.size(), 1u);
  EXPECT_EQ(compiled.images[0].set.name, "avx512");
  EXPECT_FALSE(compileKernels({packRows("a", 64, 64)}, {{"sse"}, 1}, compiled, error));
  EXPECT_EQ(error, "no CPU feature set 'sse'; there are avx2, avxvnni, avx512, avx512vnni, avx512bf16, amx");
}

Kernel linearBf16(const char *name, int32_t in) {
  Kernel kernel;
  kernel.name = name;
  kernel.templateName = "linear";
  for (auto [key, value] : {std::pair{"n", 48},
                            {"k", 64},
                            {"k_padded", 64},
                            {"in_type", in},
                            {"weight_type", 2},
                            {"layout", 2},
                            {"out_stride", 48}})
    kernel.parameters.push_back(integer(key, value));
  for (const char *zero : {"bias", "residual", "act", "gated", "stats", "out_type", "rows_symbol"})
    kernel.parameters.push_back(integer(zero, 0));
  return kernel;
}

// A set that stands on another holds only kernels that gain: here products of bf16 by bf16.
TEST(Codegen, LeavesKernelsToTheSetBelow) {
  CompiledKernels compiled;
  std::string error;
  const std::vector<Kernel> kernels = {packRows("a", 64, 64), linearBf16("pairs", 2), linearBf16("wide", 0)};
  ASSERT_TRUE(compileKernels(kernels, {}, compiled, error)) << error;
  std::vector<std::string> names;
  for (const Image &image : compiled.images)
    names.push_back(image.set.name);
  EXPECT_EQ(names, (std::vector<std::string>{"avx2", "avx512", "avx512bf16", "amx"}));
  for (size_t kernel = 0; kernel < kernels.size(); ++kernel) {
    EXPECT_NE(compiled.images[0].functions[kernel], kLacking);
    EXPECT_NE(compiled.images[1].functions[kernel], kLacking);
    EXPECT_EQ(compiled.images[2].functions[kernel] != kLacking, kernel == 1);
    EXPECT_EQ(compiled.images[3].functions[kernel] != kLacking, kernel == 1);
  }
  EXPECT_LT(compiled.images[2].bytes.size(), compiled.images[1].bytes.size());
  std::string text;
  ASSERT_TRUE(printKernels({kernels[0]}, "avx512bf16", Text::Assembly, text, error)) << error;
  EXPECT_EQ(text, "# kernel a for avx512bf16\n# none of its own: the code of avx512vnni runs\n\n");
}

TEST(Codegen, PrintsAssemblyThatUsesTheSet) {
  std::string text, error;
  ASSERT_TRUE(printKernels({packRows("a", 64, 64)}, "avx512", Text::Assembly, text, error)) << error;
  EXPECT_NE(text.find("# kernel a for avx512"), std::string::npos);
  EXPECT_NE(text.find("%zmm"), std::string::npos);
  text.clear();
  ASSERT_TRUE(printKernels({packRows("a", 64, 64)}, "avx2", Text::Llvm, text, error)) << error;
  EXPECT_NE(text.find("define protected noundef i32"), std::string::npos) << text.substr(0, 400);
}

TEST(Codegen, RefusesWhatATemplateCannotDo) {
  Kernel unknown = packRows("x", 64, 64);
  unknown.templateName = "fly";
  EXPECT_EQ(errorOf(unknown),
            "kernel 'x' (template 'fly'): no such template; there are embedding, rope_angles, pack_rows, "
            "quantize_rows, linear, linear_int, rope_append, attention, attention_merge, sdpa, convolution, "
            "sample");
  EXPECT_EQ(errorOf(packRows("x", 64, 63)),
            "kernel 'x' (template 'pack_rows'): parameter 'k_padded' is 63, expected at least k = 64");
  Kernel missing = packRows("x", 64, 64);
  missing.parameters.pop_back();
  EXPECT_EQ(errorOf(missing), "kernel 'x' (template 'pack_rows'): parameter 'eps' is missing");
  Kernel kind = packRows("x", 64, 64);
  kind.parameters[4] = integer("eps", 1);
  EXPECT_EQ(errorOf(kind), "kernel 'x' (template 'pack_rows'): parameter 'eps' must be a float");
  Kernel twice = packRows("x", 64, 64);
  twice.parameters.push_back(integer("k", 64));
  EXPECT_EQ(errorOf(twice), "kernel 'x' (template 'pack_rows'): parameter 'k' is given twice");
  Kernel extra = packRows("x", 64, 64);
  extra.parameters.push_back(integer("wings", 2));
  EXPECT_EQ(errorOf(extra), "kernel 'x' (template 'pack_rows'): has no parameter 'wings'");

  Kernel linear;
  linear.name = "l";
  linear.templateName = "linear";
  for (const char *zero : {"bias", "residual", "act", "gated", "stats", "out_type", "rows_symbol"})
    linear.parameters.push_back(integer(zero, 0));
  for (auto [name, value] : {std::pair{"n", 32},
                             {"k", 33},
                             {"k_padded", 33},
                             {"in_type", 0},
                             {"weight_type", 1},
                             {"layout", 2},
                             {"out_stride", 32}})
    linear.parameters.push_back(integer(name, value));
  EXPECT_EQ(errorOf(linear), "kernel 'l' (template 'linear'): parameter 'k_padded' is 33, expected at least 34");
  linear.parameters[9].integer = 48;
  linear.parameters[10].integer = linear.parameters[11].integer = 2;
  EXPECT_EQ(errorOf(linear), "kernel 'l' (template 'linear'): parameter 'k_padded' is 48, expected at least 64");
  linear.parameters[10].integer = 0;
  linear.parameters[11].integer = 1;
  linear.parameters[12].integer = 1;
  EXPECT_EQ(errorOf(linear),
            "kernel 'l' (template 'linear'): parameter 'layout' is 1, expected 2 (n16k2) for this weight_type");
}

TEST(Codegen, RefusesWhatQuantizedProductsCannotDo) {
  auto linearInt = [](int32_t layout, int32_t k, int32_t group, int32_t zeros) {
    Kernel kernel;
    kernel.name = "q";
    kernel.templateName = "linear_int";
    for (auto [name, value] : {std::pair{"n", 32},
                               {"k", k},
                               {"k_padded", (k + 63) / 64 * 64},
                               {"layout", layout},
                               {"group", group},
                               {"zeros", zeros},
                               {"out_stride", 32}})
      kernel.parameters.push_back(integer(name, value));
    for (const char *zero : {"scale_type", "bias", "residual", "act", "gated", "stats", "out_type", "rows_symbol"})
      kernel.parameters.push_back(integer(zero, 0));
    return kernel;
  };
  const std::string start = "kernel 'q' (template 'linear_int'): ";
  uint64_t bytes = 0;
  std::string error;
  EXPECT_TRUE(templateScratchBytes(linearInt(3, 65536, 65536, 0), bytes, error)) << error;
  EXPECT_EQ(errorOf(linearInt(3, 65600, 65600, 0)),
            start + "parameter 'group' is 65600, expected at most 65536, so that sums of a group fit 32 bits");
  EXPECT_EQ(errorOf(linearInt(4, 320, 320, 0)), start + "parameter 'group' is 320, expected 32, 64 or 128");
  EXPECT_EQ(errorOf(linearInt(3, 320, 48, 0)), start + "parameter 'group' is 48, expected 32, 64, 128 or k = 320");
  EXPECT_EQ(errorOf(linearInt(2, 320, 64, 0)),
            start + "parameter 'layout' is 2, expected 3 (n16k4) or 4 (n16k8) for a quantized weight");
  Kernel padding = linearInt(4, 320, 64, 1);
  padding.parameters[2].integer = 352;
  EXPECT_EQ(errorOf(padding), start + "parameter 'k_padded' is 352, expected a multiple of 64 from k = 320");
}

TEST(Codegen, ChecksAttentionOverGivenKeys) {
  auto sdpa = [](const char *changed, int32_t to) {
    Kernel kernel;
    kernel.name = "s";
    kernel.templateName = "sdpa";
    kernel.parameters = {real("scale", 0.5f), real("soft_cap", 0.0f)};
    for (const char *one : {"kv_heads", "q_per_kv", "head_dim", "value_dim"})
      kernel.parameters.push_back(integer(one, 1));
    for (const char *zero : {"causal", "window", "bias", "bias_batch", "bias_heads", "bias_queries", "bias_keys",
                             "lengths", "batch_symbol", "queries_symbol", "keys_symbol", "starts", "places"})
      kernel.parameters.push_back(integer(zero, 0));
    for (Parameter &parameter : kernel.parameters)
      if (parameter.name == changed)
        parameter.integer = to;
    return kernel;
  };
  const std::string start = "kernel 's' (template 'sdpa'): ";
  uint64_t bytes = 0;
  std::string error;
  EXPECT_TRUE(templateScratchBytes(sdpa("causal", 1), bytes, error)) << error;
  EXPECT_EQ(errorOf(sdpa("value_dim", 0)), start + "parameter 'value_dim' is 0, expected at least 1");
  EXPECT_EQ(errorOf(sdpa("window", -1)), start + "parameter 'window' is -1, expected at least 0 (0: none)");
  EXPECT_EQ(errorOf(sdpa("lengths", 2)), start + "parameter 'lengths' is 2, expected 0 or 1");
  EXPECT_EQ(errorOf(sdpa("bias_heads", 1)), start + "parameter 'bias_heads' is 1, expected 0, as there is no bias");
  EXPECT_EQ(errorOf(sdpa("starts", 2)), start + "parameter 'starts' is 2, expected 0 or 1");
  EXPECT_EQ(errorOf(sdpa("places", 1)), start + "parameter 'places' is 1, expected 1 exactly with starts and bias");
  EXPECT_EQ(errorOf(sdpa("keys_symbol", -1)), start + "parameter 'keys_symbol' is -1, expected the number of a symbol");
}

TEST(Codegen, StatesScratch) {
  uint64_t bytes = 1;
  std::string error;
  ASSERT_TRUE(templateScratchBytes(packRows("a", 64, 64), bytes, error)) << error;
  EXPECT_EQ(bytes, 0u);
  Kernel sample;
  sample.templateName = "sample";
  sample.parameters = {integer("vocabulary", 100)};
  ASSERT_TRUE(templateScratchBytes(sample, bytes, error)) << error;
  // A row and three arrays of the list, of 100 f32; two arrays of a f32 for each 64 ids; all multiples of 64 bytes.
  EXPECT_EQ(bytes, 4u * 448 + 2u * 64);
}

} // namespace
