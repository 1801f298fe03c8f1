// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The safetensors reader on good and on hostile files. Each bad file must give a message that names it, the tensor and
// what is wrong, and nothing else.
#include "compiler/import/huggingface/safetensors.h"
#include "test/unit/import/scratch.h"

#include <gtest/gtest.h>

namespace {

using namespace ingot;
using namespace ingot::huggingface;
using ingot::test::joined;
using ingot::test::says;
using ingot::test::Scratch;

struct Read {
  std::vector<StoredTensor> tensors;
  std::vector<std::string> problems;
};

Read read(const std::string &content) {
  Scratch scratch;
  scratch.write("m.safetensors", content);
  Messages messages;
  Read out;
  out.tensors = readSafetensors(scratch.path("m.safetensors"), messages);
  out.problems = messages.problems;
  return out;
}

Read readHeader(const std::string &header, uint64_t dataBytes) { return read(test::safetensors(header, dataBytes)); }

// Exactly one problem, which names the file and says all of `parts`.
void expectProblem(const Read &result, std::vector<std::string> parts) {
  EXPECT_EQ(result.problems.size(), 1u) << joined(result.problems);
  parts.push_back("m.safetensors: ");
  EXPECT_TRUE(says(result.problems, parts)) << joined(result.problems);
}

TEST(Safetensors, GivesNameTypeShapeAndPlace) {
  Read result = readHeader(R"({"__metadata__":{"format":"pt"},)"
                           R"("b":{"dtype":"BF16","shape":[2,3],"data_offsets":[8,20]},)"
                           R"("a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
                           R"("scalar":{"dtype":"F16","shape":[],"data_offsets":[20,22]},)"
                           R"("empty":{"dtype":"F32","shape":[0,7],"data_offsets":[22,22]}}   )",
                           22);
  EXPECT_TRUE(result.problems.empty()) << joined(result.problems);
  ASSERT_EQ(result.tensors.size(), 4u);
  EXPECT_EQ(result.tensors[0].name, "a");
  EXPECT_EQ(result.tensors[0].type, ElementType::f32);
  EXPECT_EQ(result.tensors[1].name, "b");
  EXPECT_EQ(result.tensors[1].type, ElementType::bf16);
  EXPECT_EQ(result.tensors[1].shape, (std::vector<int64_t>{2, 3}));
  EXPECT_EQ(result.tensors[1].bytes, 12u);
  EXPECT_EQ(result.tensors[1].offset, result.tensors[0].offset + 8);
  EXPECT_EQ(result.tensors[3].shape, std::vector<int64_t>{});
}

TEST(Safetensors, KnowsTheWidthOfTypesItCannotUse) {
  Read result = readHeader(R"({"a":{"dtype":"F8_E4M3","shape":[3],"data_offsets":[0,3]},)"
                           R"("b":{"dtype":"F4","shape":[2],"data_offsets":[3,4]}})",
                           4);
  EXPECT_TRUE(result.problems.empty()) << joined(result.problems);
  EXPECT_FALSE(result.tensors[0].type);
}

TEST(Safetensors, RefusesAnEmptyFile) { expectProblem(read(""), {"0 bytes, too few"}); }

TEST(Safetensors, RefusesAFileShorterThanItsLength) { expectProblem(read("\1\0\0"), {"bytes, too few"}); }

TEST(Safetensors, RefusesAHeaderPastTheEnd) {
  expectProblem(read(test::safetensors("{}", 0, 3)), {"header's length is 3, but only 2 bytes follow", "truncated"});
}

TEST(Safetensors, RefusesAHugeHeader) {
  expectProblem(read(test::safetensors("{}", 0, 1ull << 63)), {"header's length is 9223372036854775808", "at most"});
}

TEST(Safetensors, RefusesAHeaderThatIsNotJson) {
  expectProblem(readHeader("[]", 0), {"does not begin with \"{\""});
  expectProblem(readHeader("", 0), {"does not begin with \"{\""});
  expectProblem(readHeader("{\"a\": ", 0), {"not valid JSON", "line 1"});
  expectProblem(readHeader("{} {}", 0), {"not valid JSON"});
}

TEST(Safetensors, RefusesInvalidUtf8) {
  Read result = readHeader("{\"a\xff\": 1}", 0);
  expectProblem(result, {"not valid JSON", "UTF-8"});
  EXPECT_TRUE(isUtf8(result.problems[0]));
}

TEST(Safetensors, RefusesDeepNesting) {
  std::string deep(100000, '[');
  expectProblem(readHeader("{\"a\":" + deep, 0), {"nested more than 64 deep"});
}

TEST(Safetensors, RefusesDuplicateKeys) {
  expectProblem(readHeader(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
                           R"("a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})",
                           4),
                {"\"a\" stands twice"});
}

TEST(Safetensors, RefusesDataPastTheEnd) {
  expectProblem(readHeader(R"({"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 7),
                {"tensor \"w\"", "ends at byte 8", "only 7", "truncated"});
}

TEST(Safetensors, RefusesOffsetsOutOfOrder) {
  expectProblem(readHeader(R"({"w":{"dtype":"F32","shape":[0],"data_offsets":[8,0]}})", 8),
                {"tensor \"w\"", "ends at 0, before its begin 8"});
}

TEST(Safetensors, RefusesNegativeAndHugeNumbers) {
  expectProblem(readHeader(R"({"w":{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}})", 8),
                {"tensor \"w\"", "data_offsets is [-4,0]", "two integers of at least 0"});
  expectProblem(readHeader(R"({"w":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}})", 4), {"shape has -1"});
  expectProblem(readHeader(R"({"w":{"dtype":"F32","shape":[99999999999999999999],"data_offsets":[0,4]}})", 4),
                {"shape has 1e+20"});
  expectProblem(readHeader(R"({"w":{"dtype":"F32","shape":[9223372036854775808],"data_offsets":[0,4]}})", 4),
                {"shape has 9223372036854775808"});
  expectProblem(
      readHeader(R"({"w":{"dtype":"F32","shape":[4611686018427387904,4611686018427387904],"data_offsets":[0,4]}})", 4),
      {"more than 2^64 elements"});
  expectProblem(readHeader(R"({"w":{"dtype":"F32","shape":[4611686018427387904],"data_offsets":[0,4]}})", 4),
                {"more than 2^61 bytes"});
  expectProblem(readHeader(R"({"w":{"dtype":"F32","shape":[1e999],"data_offsets":[0,4]}})", 4), {"not valid JSON"});
  expectProblem(readHeader(R"({"w":{"dtype":"F32","shape":[1],"data_offsets":[0,18446744073709551615]}})", 4),
                {"ends at byte 18446744073709551615"});
}

TEST(Safetensors, RefusesASizeThatDoesNotFitTheShape) {
  expectProblem(readHeader(R"({"w":{"dtype":"BF16","shape":[2,3],"data_offsets":[0,16]}})", 16),
                {"tensor \"w\"", "[2, 3] of BF16 needs 12 bytes", "gives it 16"});
  expectProblem(readHeader(R"({"w":{"dtype":"F4","shape":[3],"data_offsets":[0,1]}})", 1), {"[3] of F4"});
}

TEST(Safetensors, RefusesOverlaps) {
  expectProblem(readHeader(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
                           R"("b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}})",
                           12),
                {"tensor \"b\" begins at byte 4, inside tensor \"a\" which ends at 8"});
}

TEST(Safetensors, RefusesHoles) {
  expectProblem(readHeader(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
                           R"("b":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}})",
                           12),
                {"bytes 4 to 8 before tensor \"b\" belong to no tensor"});
  expectProblem(readHeader(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", 7),
                {"3 bytes after the last tensor belong to no tensor"});
}

TEST(Safetensors, RefusesEntriesOfTheWrongKind) {
  expectProblem(readHeader(R"({"w":3})", 0), {"tensor \"w\"", "is 3, expected an object"});
  expectProblem(readHeader(R"({"w":{"dtype":"F32","shape":[1]}})", 4), {"has no \"data_offsets\""});
  expectProblem(readHeader(R"({"w":{"dtype":1,"shape":[],"data_offsets":[0,0]}})", 0), {"dtype is 1"});
  expectProblem(readHeader(R"({"w":{"dtype":"F32","shape":"x","data_offsets":[0,0]}})", 0), {"shape is \"x\""});
  expectProblem(readHeader(R"({"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4,8]}})", 4), {"data_offsets is"});
  expectProblem(readHeader(R"({"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"scale":2}})", 4),
                {"key \"scale\""});
  expectProblem(readHeader(R"({"__metadata__":{"a":1}})", 0), {"__metadata__ is not an object of texts"});
}

TEST(Safetensors, TellsEveryBadTensorAtOnce) {
  Read result = readHeader(R"({"a":1,"b":2,"c":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", 4);
  EXPECT_EQ(result.problems.size(), 2u) << joined(result.problems);
  EXPECT_EQ(result.tensors.size(), 1u);
}

TEST(Safetensors, KnowsLfsPointers) {
  expectProblem(read("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n"), {"git lfs pull"});
}

TEST(Safetensors, KeepsForeignTextOffTheTerminal) {
  Read result = readHeader("{\"\\u001b[31mred\\u009b\":3}", 0);
  expectProblem(result, {"\\x1b[31mred\\xc2\\x9b"});
}

TEST(Safetensors, NamesAFileThatIsNotThere) {
  Messages messages;
  EXPECT_TRUE(readSafetensors("/nonexistent/m.safetensors", messages).empty());
  EXPECT_TRUE(says(messages.problems, {"/nonexistent/m.safetensors: cannot be opened", "No such file"}));
}

// Every truncation and every single flipped bit of a small file: a problem or tensors within the file, never a crash.
TEST(Safetensors, SurvivesDamageAnywhere) {
  std::string good = test::safetensors({{"a", {2, 3}}, {"b", {4}}});
  Messages messages;
  auto parse = [&](const std::string &bytes) {
    auto length = safetensorsHeaderBytes(std::string_view(bytes).substr(0, 64), bytes.size(), "m", messages);
    if (!length)
      return;
    for (const StoredTensor &tensor :
         parseSafetensorsHeader(std::string_view(bytes).substr(8, *length), 8 + *length, bytes.size(), "m", messages)) {
      EXPECT_LE(tensor.offset, bytes.size());
      EXPECT_LE(tensor.bytes, bytes.size() - tensor.offset);
    }
  };
  for (size_t size = 0; size < good.size(); ++size) {
    messages.problems.clear();
    parse(good.substr(0, size));
    EXPECT_FALSE(messages.problems.empty()) << "cut to " << size;
  }
  for (size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::string bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ 1 << bit % 8);
    parse(bad);
  }
}

} // namespace
