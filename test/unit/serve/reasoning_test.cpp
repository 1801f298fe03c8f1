// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reasoning told from answers, for every way to cut a reply into pieces.
#include "runtime/serve/reasoning.h"

#include <gtest/gtest.h>

using namespace ingot::serve;

namespace {

using Part = ReasoningSplitter::Part;

// "T" tag, "R" reasoning, "A" answer, each with its text in brackets; the same however the reply is cut.
std::string split(std::string_view reply, std::string_view prompt = "",
                  const std::vector<ReasoningTags> &tags = knownReasoningTags()) {
  std::string whole;
  for (size_t step = 1; step <= reply.size() + 1; ++step) {
    ReasoningSplitter splitter(tags, prompt);
    std::vector<ReasoningSplitter::Piece> pieces;
    auto take = [&](std::vector<ReasoningSplitter::Piece> more) {
      for (ReasoningSplitter::Piece &piece : more)
        if (!pieces.empty() && pieces.back().part == piece.part && piece.part != Part::tag)
          pieces.back().text += piece.text;
        else
          pieces.push_back(std::move(piece));
    };
    for (size_t at = 0; at < reply.size(); at += step)
      take(splitter.push(reply.substr(at, step)));
    take(splitter.finish());
    std::string told, text;
    for (const ReasoningSplitter::Piece &piece : pieces) {
      told += std::string(1, "TRA"[int(piece.part)]) + "[" + piece.text + "]";
      text += piece.text;
    }
    EXPECT_EQ(text, reply);
    if (step > 1)
      EXPECT_EQ(told, whole) << "in pieces of " << step;
    whole = told;
  }
  return whole;
}

} // namespace

TEST(Reasoning, StandsBetweenTagsAtTheStart) {
  EXPECT_EQ(split("<think>\nTwo.\n</think>\n\nFour."), "T[<think>]R[\nTwo.\n]T[</think>]A[\n\nFour.]");
  EXPECT_EQ(split("\n [THINK]a[/THINK]b"), "T[\n [THINK]]R[a]T[[/THINK]]A[b]");
  EXPECT_EQ(split("<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>final<|message|>Yes"),
            "T[<|channel|>analysis<|message|>]R[Hm.]T[<|end|><|start|>assistant<|channel|>final<|message|>]A[Yes]");
  EXPECT_EQ(split("<|channel|>final<|message|>Yes"), "T[<|channel|>final<|message|>]A[Yes]");
  EXPECT_EQ(split("<think></think>x"), "T[<think>]T[</think>]A[x]");
}

TEST(Reasoning, WithoutTagsAllIsTheAnswer) {
  EXPECT_EQ(split(""), "");
  EXPECT_EQ(split("  "), "A[  ]");
  EXPECT_EQ(split("Four."), "A[Four.]");
  EXPECT_EQ(split("<thin ice"), "A[<thin ice]");
  EXPECT_EQ(split("<"), "A[<]");
  EXPECT_EQ(split("Write <think>so</think>."), "A[Write <think>so</think>.]");
  EXPECT_EQ(split("a</think>b"), "A[a</think>b]");
}

TEST(Reasoning, MayNeverEnd) {
  EXPECT_EQ(split("<think>a < b </thin"), "T[<think>]R[a < b </thin]");
  EXPECT_EQ(split("<think>a</think>b<think>c</think>"), "T[<think>]R[a]T[</think>]A[b<think>c</think>]");
}

TEST(Reasoning, IsOpenedByThePrompt) {
  EXPECT_EQ(split("a</think>b", "<|assistant|><think>\n"), "R[a]T[</think>]A[b]");
  EXPECT_EQ(split("a</think>b", "<think>"), "R[a]T[</think>]A[b]");
  EXPECT_EQ(split("a</think>b", "<think>\n\n</think>\n\n"), "A[a</think>b]");
  EXPECT_EQ(split("a</think>b", "<think> or not"), "A[a</think>b]");
}

TEST(Reasoning, TakesOtherTags) {
  EXPECT_EQ(split("(hm)yes", "", {{"(", ")"}}), "T[(]R[hm]T[)]A[yes]");
  EXPECT_EQ(split("<think>a</think>", "", {{"(", ")"}}), "A[<think>a</think>]");
  EXPECT_EQ(split("(hm)yes", "", {{"", ""}}), "A[(hm)yes]");
  EXPECT_EQ(split("aaab!", "", {{"a", "ab"}}), "T[a]R[a]T[ab]A[!]"); // a beginning that begins again
}
