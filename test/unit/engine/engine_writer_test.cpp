// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The engine writer: the outermost layout byte by byte, independence of threads, and what an error leaves behind.
#include "compiler/engine/engine_writer.h"
#include "compiler/engine/output_file.h"
#include "runtime/format/engine.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <unistd.h>

using namespace ingot;
using namespace ingot::engine;
namespace fs = std::filesystem;

namespace {

class EngineWriter : public testing::Test {
protected:
  void SetUp() override {
    char path[] = "/tmp/engine_writerXXXXXX";
    directory = mkdtemp(path);
  }
  void TearDown() override { fs::remove_all(directory); }

  static EngineContents contents() {
    EngineContents contents;
    contents.head = {1, 2, 3};
    contents.plan.assign(100, 7);
    contents.code.assign(5000, 9);
    contents.report = "{}";
    // More than one slice of 4 MB, rows that do not fill the last panel.
    TensorSource big{"big.weight", ElementType::bf16, {3001, 1024}, "", 0, 0};
    TensorSource small{"norm.weight", ElementType::f32, {33}, "", 0, 0};
    contents.weights.push_back({"big", Recipe::pack(Recipe::tensor(big), Recipe::Layout::n16k2), 0});
    contents.weights.push_back({"small", Recipe::tensor(small), 0});
    contents.weights.push_back({"half", Recipe::cast(Recipe::tensor(big), ElementType::f32), 0});
    contents.weightBytes = placeWeights(contents.weights);
    return contents;
  }

  static std::string slurp(const fs::path &path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  std::string directory;
};

TEST_F(EngineWriter, WritesTheLayoutThatTheFormatStates) {
  std::string path = directory + "/a.ingot";
  ASSERT_EQ(writeEngine(path, contents(), {2, 1, {}}), "");
  std::string bytes = slurp(path);
  format::FileHeader header;
  std::memcpy(&header, bytes.data(), sizeof(header));
  EXPECT_EQ(std::memcmp(header.magic, "INGOT\r\n\x1a", 8), 0);
  EXPECT_EQ(header.version, format::kVersion);
  EXPECT_EQ(header.file_bytes, bytes.size());
  ASSERT_EQ(header.section_count, 5u); // no tokenizer, no chat template
  EXPECT_EQ(header.table_checksum, XXH3_64bits(bytes.data() + 64, 5 * 32));
  for (uint32_t i = 0; i < 5; ++i) {
    format::SectionEntry entry;
    std::memcpy(&entry, bytes.data() + 64 + i * 32, 32);
    EXPECT_EQ(entry.offset % (entry.kind == 3 || entry.kind == 7 ? 4096 : 64), 0u);
    ASSERT_LE(entry.offset + entry.size, bytes.size());
    EXPECT_EQ(entry.checksum, XXH3_64bits(bytes.data() + entry.offset, entry.size)) << "section " << entry.kind;
  }
}

TEST_F(EngineWriter, BytesDoNotDependOnThreads) {
  ASSERT_EQ(writeEngine(directory + "/1", contents(), {1, 5, {}}), "");
  ASSERT_EQ(writeEngine(directory + "/7", contents(), {7, 5, {}}), "");
  EXPECT_TRUE(slurp(directory + "/1") == slurp(directory + "/7"));
}

// Scales and zero points that stand behind their values are made with them, others from their source again: the file
// holds what each recipe alone makes. Values are more than one slice of 4 MB.
TEST_F(EngineWriter, GroupValuesAreThoseOfTheirRecipes) {
  auto quantized = [](const char *name) {
    TensorSource source{name, ElementType::bf16, {5003, 2048}, "", 0, 0};
    return Recipe::quantize(Recipe::tensor(source), {4, 32, ElementType::f16, true});
  };
  auto values = [&](const char *name) { return Recipe::pack(quantized(name), Recipe::Layout::n16k8); };
  auto scales = [&](const char *name) { return Recipe::packGroups(quantized(name), GroupPlane::scales); };
  auto zeros = [&](const char *name) { return Recipe::packGroups(quantized(name), GroupPlane::zeros); };
  using Recipes = std::vector<std::shared_ptr<const Recipe>>;
  for (const Recipes &recipes :
       {Recipes{values("a"), scales("a"), zeros("a"), values("b"), zeros("b"), scales("b")},
        Recipes{scales("a"), values("a"), scales("b"), zeros("a"), values("b"), scales("b"), scales("b")}}) {
    EngineContents some = contents();
    some.weights.clear();
    for (const auto &recipe : recipes)
      some.weights.push_back({"w" + std::to_string(some.weights.size()), recipe, 0});
    some.weightBytes = placeWeights(some.weights);
    ASSERT_EQ(writeEngine(directory + "/a", some, {3, 5, {}}), "");
    std::string bytes = slurp(directory + "/a");
    size_t base = bytes.size() - some.weightBytes; // WEIGHTS come last
    TensorReader reader(5);
    for (const StoredWeight &weight : some.weights) {
      std::string alone(weight.recipe->storedBytes(), 0);
      ASSERT_EQ(weight.recipe->evaluate(reader, 0, weight.recipe->units(), reinterpret_cast<uint8_t *>(alone.data())),
                "");
      EXPECT_TRUE(bytes.compare(base + weight.offset, alone.size(), alone) == 0) << weight.name;
    }
  }
}

TEST_F(EngineWriter, AnErrorLeavesTheOldFileAndNothingElse) {
  std::string path = directory + "/a.ingot";
  std::ofstream(path) << "old";
  EngineContents broken = contents();
  broken.weights[1].recipe = Recipe::tensor({"norm.weight", ElementType::f32, {33}, directory + "/gone", 0, 132});
  std::string error = writeEngine(path, broken, {2, 1, {}});
  EXPECT_NE(error.find("cannot open " + directory + "/gone: No such file"), std::string::npos) << error;
  EXPECT_EQ(slurp(path), "old");
  EXPECT_EQ(std::distance(fs::directory_iterator(directory), {}), 1);
}

TEST_F(EngineWriter, RefusesADirectoryUnderTheFinalName) {
  fs::create_directory(directory + "/a.ingot");
  std::string error = writeEngine(directory + "/a.ingot", contents(), {1, 1, {}});
  EXPECT_NE(error.find("is no regular file"), std::string::npos) << error;
}

TEST_F(EngineWriter, NamesAMissingFolder) {
  std::string error = writeEngine(directory + "/no/a.ingot", contents(), {1, 1, {}});
  EXPECT_NE(error.find("cannot create " + directory + "/no/a.ingot: No such file"), std::string::npos) << error;
}

// Pieces of every kind meet the blocks that they are put together to: short, long, whole blocks, and a step back.
TEST_F(EngineWriter, PutsPiecesTogether) {
  constexpr uint64_t kBlock = 2u << 20;
  std::vector<uint8_t> want(5 * kBlock + 4321);
  for (size_t i = 0; i < want.size(); ++i)
    want[i] = uint8_t(i * 2654435761u >> 11);
  const std::string path = directory + "/pieces";
  OutputFile file;
  ASSERT_EQ(file.create(path, want.size()), "");
  uint64_t at = 100;
  for (uint64_t size : {uint64_t(1), kBlock - 101, uint64_t(7), 2 * kBlock, kBlock - 7, kBlock - 1, uint64_t(0), uint64_t(2)}) {
    ASSERT_EQ(file.write(at, want.data() + at, size), "");
    at += size;
  }
  ASSERT_EQ(file.write(at, want.data() + at, want.size() - at), "");
  ASSERT_EQ(file.write(0, want.data(), 40), "");
  ASSERT_EQ(file.write(40, want.data() + 40, 60), "");
  ASSERT_EQ(file.commit(), "");
  std::ifstream in(path, std::ios::binary);
  const std::vector<char> got((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  ASSERT_EQ(got.size(), want.size());
  EXPECT_EQ(std::memcmp(got.data(), want.data(), got.size()), 0);
}

} // namespace
