// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Every tiny checkpoint in test/models/tiny, imported and computed in float64, against the logits that transformers
// gave for it in float32 (golden.json beside each says with which versions). This holds the importer alone to account:
// no pass or kernel takes part.
#include "compiler/import/huggingface/import.h"
#include "test/unit/import/reference_builder.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <filesystem>
#include <fstream>

namespace {

namespace fs = std::filesystem;
using namespace ingot;

const fs::path kModels = INGOT_TEST_MODELS;

std::vector<std::string> tinyModels() {
  std::vector<std::string> names;
  for (const auto &entry : fs::directory_iterator(kModels / "tiny"))
    if (fs::exists(entry.path() / "golden.json"))
      names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

std::vector<float> readFloats(const fs::path &path) {
  std::ifstream file(path, std::ios::binary);
  std::vector<float> out(fs::file_size(path) / sizeof(float));
  file.read(reinterpret_cast<char *>(out.data()), static_cast<std::streamsize>(out.size() * sizeof(float)));
  return out;
}

std::string joined(const std::vector<std::string> &lines) {
  std::string out;
  for (const std::string &line : lines)
    out += line + "\n";
  return out;
}

// The largest difference in units of the largest golden logit, which must stay below what float32 sums of this length
// lose: 1e-4 is the bound that the whole compiler is held to.
void expectLogits(const fs::path &directory, const std::vector<int32_t> &ids, const fs::path &golden) {
  GraphBuilder builder;
  builder.impl->ids = ids;
  huggingface::ImportResult result;
  ASSERT_TRUE(huggingface::importModel({directory.string(), {}}, builder, result)) << joined(result.problems);
  ASSERT_TRUE(builder.impl->ended);
  std::vector<float> expected = readFloats(golden);
  const std::vector<double> &logits = builder.impl->logits;
  ASSERT_EQ(logits.size(), expected.size());
  double largest = 0, difference = 0;
  for (size_t i = 0; i < logits.size(); ++i) {
    largest = std::fmax(largest, std::fabs(expected[i]));
    difference = std::fmax(difference, std::fabs(logits[i] - expected[i]));
  }
  EXPECT_LE(difference, 1e-4 * largest);
}

class TinyModel : public testing::TestWithParam<std::string> {};

TEST_P(TinyModel, GivesTheLogitsOfTransformers) {
  fs::path directory = kModels / "tiny" / GetParam();
  nlohmann::json golden = nlohmann::json::parse(std::ifstream(directory / "golden.json"));
  ASSERT_FALSE(golden["cases"].empty());
  for (const auto &item : golden["cases"]) {
    SCOPED_TRACE(item["name"].get<std::string>());
    expectLogits(directory, item["ids"].get<std::vector<int32_t>>(),
                 directory / item["logits_file"].get<std::string>());
  }
}

INSTANTIATE_TEST_SUITE_P(Checkpoints, TinyModel, testing::ValuesIn(tinyModels()), [](const auto &info) {
  std::string name = info.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

TEST(Golden, TalesGivesTheLogitsOfTransformers) {
  fs::path directory = kModels / "tales";
  nlohmann::json golden = nlohmann::json::parse(std::ifstream(directory / "golden.json"));
  expectLogits(directory, golden["logits_prompt_ids"].get<std::vector<int32_t>>(), directory / "logits_64.f32");
}

} // namespace
