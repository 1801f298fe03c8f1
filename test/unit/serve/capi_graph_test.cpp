// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The part of the C API that runs graphs, over libingot.so: every function, and what each refuses.
#include "runtime/include/ingot.h"
#include "test/unit/runtime/test_engine.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace {

struct CapiGraph : testing::Test {
  ingot_graph *graph = nullptr;
  size_t entry = 99;
  std::vector<int32_t> in = {1, 2, 3, 4, 5, 6, 7, 8}, mask = std::vector<int32_t>(3), flat = {0, 0}, sum, sums;
  int64_t shapes[4][2] = {{2, 4}, {1, 3}, {2, 0}, {2, 4}};
  std::vector<ingot_tensor> inputs, outputs;

  void SetUp() override {
    static const std::string path = ingot::test::write(ingot::test::graphEngine().build(), "capi-graph.ingot");
    ingot_graph_options options;
    ingot_graph_options_init(&options);
    options.threads = 1;
    options.device = "cpu";
    ASSERT_EQ(ingot_graph_open(path.c_str(), &options, &graph), INGOT_OK) << ingot_error_message();
    ASSERT_EQ(ingot_graph_find_entry(graph, nullptr, &entry), INGOT_OK) << ingot_error_message();
    sum.resize(8), sums.resize(2);
    inputs = {{"mask", INGOT_I32, 2, shapes[1], mask.data(), 12},
              {"in", INGOT_I32, 2, shapes[0], in.data(), 32},
              {"flat", INGOT_I32, 1, shapes[2], flat.data(), 8}};
    outputs = {{"sums", INGOT_I32, 1, shapes[2], sums.data(), 8}, {"sum", INGOT_I32, 2, shapes[3], sum.data(), 32}};
  }
  void TearDown() override { ingot_graph_free(graph); }

  ingot_status run() {
    return ingot_graph_run(graph, entry, inputs.data(), inputs.size(), outputs.data(), outputs.size());
  }
  std::string refusal(ingot_status expected = INGOT_INVALID_ARGUMENT) {
    EXPECT_EQ(run(), expected);
    return ingot_error_message();
  }
};

TEST_F(CapiGraph, TellsWhatEntriesTake) {
  EXPECT_EQ(ingot_graph_entry_count(graph), 4u);
  EXPECT_STREQ(ingot_graph_entry_name(graph, entry), "main");
  EXPECT_EQ(ingot_graph_entry_name(graph, 4), nullptr);
  EXPECT_EQ(ingot_graph_input_count(graph, entry), 3u);
  EXPECT_EQ(ingot_graph_output_count(graph, entry), 2u);
  EXPECT_EQ(ingot_graph_output_count(graph, 7), 0u);
  ingot_tensor_info info;
  ingot_tensor_info_init(&info);
  ASSERT_EQ(ingot_graph_get_input(graph, entry, 1, &info), INGOT_OK);
  EXPECT_STREQ(info.name, "mask");
  EXPECT_EQ(info.type, INGOT_I32);
  ASSERT_EQ(info.rank, 2u);
  EXPECT_STREQ(info.dims[0], "sequences");
  EXPECT_STREQ(info.dims[1], "tokens + 1");
  ASSERT_EQ(ingot_graph_get_output(graph, entry, 0, &info), INGOT_OK);
  EXPECT_STREQ(info.name, "sum");
  EXPECT_STREQ(info.dims[1], "4");
  EXPECT_EQ(ingot_graph_get_input(graph, entry, 3, &info), INGOT_NOT_FOUND);
  EXPECT_STREQ(ingot_error_message(), "ingot_graph_get_input: there is no input 3, the entry has 3");
  EXPECT_EQ(ingot_graph_get_output(graph, 9, 0, &info), INGOT_NOT_FOUND);
  EXPECT_STREQ(ingot_error_message(), "ingot_graph_get_output: there is no entry 9, the engine has 4");
  EXPECT_EQ(ingot_type_bytes(INGOT_BF16), 2u);
  EXPECT_EQ(ingot_type_bytes(INGOT_BOOL), 1u);
  EXPECT_EQ(ingot_type_bytes(ingot_type(13)), 0u);
}

TEST_F(CapiGraph, Runs) {
  int64_t shape[2] = {};
  size_t rank = 0;
  ASSERT_EQ(ingot_graph_output_shape(graph, entry, inputs.data(), 3, 0, shape, 2, &rank), INGOT_OK)
      << ingot_error_message();
  EXPECT_EQ(rank, 2u);
  EXPECT_EQ(shape[0], 2);
  EXPECT_EQ(shape[1], 4);
  ASSERT_EQ(run(), INGOT_OK) << ingot_error_message();
  EXPECT_EQ(sum, (std::vector<int32_t>{1, 3, 5, 7, 5, 7, 9, 11})); // + 0, 1, 2, 3
  EXPECT_EQ(sums, (std::vector<int32_t>{16, 48}));
  outputs.resize(1); // the other is not wanted
  ASSERT_EQ(run(), INGOT_OK) << ingot_error_message();
}

TEST_F(CapiGraph, TellsShapesThatDependOnData) {
  int64_t shape[1] = {}, cells[] = {6}, grid[] = {3, 2}, most[] = {6}, pairs[] = {12};
  size_t rank = 0;
  EXPECT_EQ(ingot_graph_result_shape(graph, 0, shape, 1, &rank), INGOT_NOT_FOUND);
  EXPECT_STREQ(ingot_error_message(), "ingot_graph_result_shape: there is no output 0, the last run had 0");
  std::vector<int32_t> numbers = {0, 5, 0, 0, 5, 0}, where(6);
  inputs = {{"in", INGOT_I32, 2, grid, numbers.data(), 24}, {"flat", INGOT_I32, 1, cells, numbers.data(), 24}};
  outputs = {{"where", INGOT_I32, 1, most, where.data(), 24}};
  ASSERT_EQ(ingot_graph_find_entry(graph, "search", &entry), INGOT_OK);
  ASSERT_EQ(ingot_graph_output_shape(graph, entry, inputs.data(), 2, 1, shape, 1, &rank), INGOT_OK);
  EXPECT_EQ(shape[0], pairs[0]);
  ASSERT_EQ(run(), INGOT_OK) << ingot_error_message();
  ASSERT_EQ(ingot_graph_result_shape(graph, 0, shape, 1, &rank), INGOT_OK);
  EXPECT_EQ(rank, 1u);
  EXPECT_EQ(shape[0], 2);
  EXPECT_EQ(where[0], 1);
  EXPECT_EQ(where[1], 4);
}

TEST_F(CapiGraph, RefusesWhatDoesNotFit) {
  inputs[1].bytes = 31;
  EXPECT_EQ(refusal(), "ingot_graph_run: inputs[1] has 31 bytes; its type and shape take 32");
  inputs[1].bytes = 32, inputs[1].data = nullptr;
  EXPECT_EQ(refusal(), "ingot_graph_run: inputs[1] has no data");
  inputs[1].data = in.data(), inputs[1].name = nullptr;
  EXPECT_EQ(refusal(), "ingot_graph_run: inputs[1] has no name");
  inputs[1].name = "in", inputs[1].type = ingot_type(77);
  EXPECT_EQ(refusal(), "ingot_graph_run: inputs[1] has a type 77, which is none");
  inputs[1].type = INGOT_I32, inputs[1].shape = nullptr;
  EXPECT_EQ(refusal(), "ingot_graph_run: inputs[1] has no shape");
  inputs[1].shape = shapes[0];
  outputs[0].type = INGOT_F32, outputs[1].name = "other";
  EXPECT_EQ(refusal(),
            "ingot_graph_run: output 'sums' is given as f32 [2], but for these inputs it is i32 [2]; there is "
            "no output 'other'");
  outputs[0].type = INGOT_I32, outputs[1].name = "sums";
  EXPECT_EQ(refusal(), "ingot_graph_run: output 'sums' is given twice");
  inputs.pop_back();
  EXPECT_NE(refusal().find("input 'flat' is missing"), std::string::npos);
  entry = 0;
  inputs.clear();
  EXPECT_NE(refusal().find("input 'slots' is missing"), std::string::npos);
  entry = 5;
  EXPECT_EQ(refusal(INGOT_NOT_FOUND), "ingot_graph_run: there is no entry 5, the engine has 4");
}

TEST(CapiGraphOpen, RefusesBadCalls) {
  ingot_graph *graph = nullptr;
  EXPECT_EQ(ingot_graph_open("/nowhere.ingot", nullptr, &graph), INGOT_NOT_FOUND);
  EXPECT_EQ(ingot_graph_open(nullptr, nullptr, &graph), INGOT_INVALID_ARGUMENT);
  EXPECT_EQ(ingot_graph_open("/nowhere.ingot", nullptr, nullptr), INGOT_INVALID_ARGUMENT);
  ingot_graph_options options;
  ingot_graph_options_init(&options);
  options.device = "tpu";
  EXPECT_EQ(ingot_graph_open("/nowhere.ingot", &options, &graph), INGOT_INVALID_ARGUMENT);
  EXPECT_STREQ(ingot_error_message(), "no device 'tpu'; there are cpu, cuda (the first GPU) and cuda:N");
  EXPECT_EQ(ingot_graph_run(nullptr, 0, nullptr, 0, nullptr, 0), INGOT_INVALID_ARGUMENT);
  EXPECT_STREQ(ingot_error_message(), "ingot_graph_run: graph is null");
  size_t entry;
  EXPECT_EQ(ingot_graph_find_entry(nullptr, "main", &entry), INGOT_INVALID_ARGUMENT);
  ingot_graph_free(nullptr);
}

} // namespace
