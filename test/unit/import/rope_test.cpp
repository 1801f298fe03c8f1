// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Rotary frequencies at the sizes of published models. The numbers are inv_freq and attention factor as transformers
// 5.23.0 computes them in float32 (ROPE_INIT_FUNCTIONS and LlamaRotaryEmbedding over a LlamaConfig with the keys given
// here). Ours are computed in float64 and rounded once, theirs in a few float32 steps: 4 units in the last place apart.
#include "compiler/import/huggingface/rope.h"
#include "test/unit/import/scratch.h"

#include <gtest/gtest.h>

#include <cmath>

namespace {

using namespace ingot;
using namespace ingot::huggingface;
using ingot::test::joined;
using ingot::test::says;

struct Read {
  RopeSpec spec;
  Messages messages;
  bool good;
};

Read read(const std::string &keys, int64_t headDim, int64_t context) {
  Read out;
  Json object = Json::parse(keys);
  Config config(object, "config.json", out.messages);
  out.spec = readRope(config, headDim, context);
  out.good = config.good();
  EXPECT_EQ(out.good, out.messages.problems.empty());
  return out;
}

using Expected = std::vector<std::pair<size_t, double>>;

void expectFrequencies(const std::vector<float> &found, size_t count, const Expected &expected) {
  ASSERT_EQ(found.size(), count);
  for (auto [index, value] : expected)
    EXPECT_NEAR(found[index], value, value * 4 * 0x1p-23) << "at " << index;
}

void expectRope(const Read &read, size_t count, double factor, const Expected &expected) {
  EXPECT_TRUE(read.good) << joined(read.messages.problems);
  expectFrequencies(read.spec.inv_freq, count, expected);
  EXPECT_NEAR(read.spec.attention_factor, factor, 1e-12);
}

TEST(Rope, Default) {
  Expected expected = {{0, 1.0},
                       {1, 0.865964353},
                       {16, 0.100000001},
                       {21, 0.0486967526},
                       {32, 0.00999999978},
                       {42, 0.00237137382},
                       {62, 0.00013335215},
                       {63, 0.000115478193}};
  for (const char *keys : {R"({})", R"({"rope_theta":10000.0})", R"({"rope_theta":10000.0,"rope_scaling":null})",
                           R"({"rope_parameters":{"rope_type":"default","rope_theta":10000.0}})",
                           R"({"rope_theta":5.0,"rope_parameters":{"rope_type":"default","rope_theta":10000.0}})",
                           R"({"rope_theta":10000.0,"rope_parameters":{"rope_type":"default"}})",
                           R"({"rope_theta":10000.0,"rope_scaling":{"type":"default"}})"})
    expectRope(read(keys, 128, 4096), 64, 1, expected);
}

TEST(Rope, DefaultWhereTheExponentIsNoBinaryFraction) {
  expectRope(read(R"({"rope_theta":1000000.0})", 96, 4096), 48, 1,
             {{0, 1.0},
              {1, 0.749894202},
              {12, 0.0316227786},
              {16, 0.00999999885},
              {24, 0.00100000005},
              {32, 9.99999684e-05},
              {46, 1.77827985e-06},
              {47, 1.33352103e-06}});
}

TEST(Rope, Linear) {
  Expected expected = {{0, 0.25},           {1, 0.216491088},     {16, 0.0250000004},   {21, 0.0121741882},
                       {32, 0.00249999994}, {42, 0.000592843455}, {62, 3.33380376e-05}, {63, 2.88695483e-05}};
  for (const char *keys :
       {R"({"rope_theta":10000.0,"rope_scaling":{"type":"linear","factor":4.0}})",
        R"({"rope_scaling":{"rope_type":"linear","type":"linear","factor":4}})",
        R"({"rope_parameters":{"rope_type":"linear","rope_theta":10000.0,"factor":4.0}})",
        // rope_scaling counts before rope_parameters
        R"({"rope_scaling":{"rope_type":"linear","factor":4.0},"rope_parameters":{"rope_type":"default"}})",
        R"({"rope_scaling":{},"rope_parameters":{"rope_type":"linear","factor":4.0}})"})
    expectRope(read(keys, 128, 16384), 64, 1, expected);
}

TEST(Rope, Dynamic) {
  Read result = read(R"({"rope_theta":10000.0,"rope_scaling":{"type":"dynamic","factor":2.0}})", 128, 4096);
  expectRope(result, 64, 1, {{0, 1.0}, {1, 0.865964353}, {42, 0.00237137382}, {63, 0.000115478193}});
  EXPECT_EQ(result.spec.kind, RopeSpec::Kind::dynamic);
  EXPECT_EQ(result.spec.original, 4096);
  EXPECT_EQ(result.spec.base, 10000);
  EXPECT_EQ(result.spec.factor, 2);
}

TEST(Rope, Llama3) {
  Expected expected = {{0, 1.0},
                       {1, 0.663601279},
                       {8, 0.0376060307},
                       {10, 0.0165604409},
                       {16, 0.000429556705},
                       {21, 5.68723226e-06},
                       {30, 1.41927202e-07},
                       {31, 9.41830649e-08}};
  expectRope(read(R"({"rope_theta":500000.0,"rope_scaling":{"rope_type":"llama3","factor":32.0,"low_freq_factor":1.0,)"
                  R"("high_freq_factor":4.0,"original_max_position_embeddings":8192}})",
                  64, 131072),
             32, 1, expected);
  // The top-level key counts before the one inside.
  expectRope(read(R"({"rope_theta":500000.0,"original_max_position_embeddings":8192,"rope_scaling":{)"
                  R"("rope_type":"llama3","factor":32.0,"low_freq_factor":1.0,"high_freq_factor":4.0,)"
                  R"("original_max_position_embeddings":77}})",
                  64, 131072),
             32, 1, expected);
}

TEST(Rope, Yarn) {
  expectRope(read(R"({"rope_theta":1000000.0,)"
                  R"("rope_scaling":{"type":"yarn","factor":4.0,"original_max_position_embeddings":32768}})",
                  128, 131072),
             64, 1.138629436111989,
             {{0, 1.0},
              {1, 0.805842221},
              {16, 0.0316227786},
              {21, 0.0107460786},
              {32, 0.000602941145},
              {42, 2.88695483e-05},
              {62, 3.84981632e-07},
              {63, 3.10234441e-07}});
}

TEST(Rope, YarnWithEveryOption) {
  expectRope(read(R"({"rope_parameters":{"rope_type":"yarn","rope_theta":10000.0,"factor":40.0,)"
                  R"("original_max_position_embeddings":4096,"beta_fast":24,"beta_slow":2,"mscale":1.0,)"
                  R"("mscale_all_dim":0.8,"truncate":false}})",
                  128, 163840),
             64, 1.0569662567531275,
             {{0, 1.0},
              {1, 0.865964353},
              {16, 0.100000001},
              {21, 0.0486967526},
              {32, 0.0048861187},
              {42, 5.92843462e-05},
              {62, 3.33380353e-06},
              {63, 2.88695469e-06}});
}

TEST(Rope, YarnWhoseFactorIsTheRatioOfContexts) {
  expectRope(read(R"({"rope_parameters":{"rope_type":"yarn","rope_theta":10000.0,"factor":null,)"
                  R"("original_max_position_embeddings":4096}})",
                  128, 65536),
             64, 1.2772588722239782,
             {{0, 1.0},
              {1, 0.865964353},
              {16, 0.100000001},
              {21, 0.0469408594},
              {32, 0.00567307696},
              {42, 0.000490235921},
              {62, 8.3345094e-06},
              {63, 7.21738706e-06}});
}

TEST(Rope, Longrope) {
  Json keys = {
      {"rope_theta", 10000.0},
      {"original_max_position_embeddings", 4096},
      {"rope_scaling", {{"type", "longrope"}, {"short_factor", Json::array()}, {"long_factor", Json::array()}}}};
  for (int i = 0; i < 48; ++i) {
    keys["rope_scaling"]["short_factor"].push_back(1 + 0.02 * i);
    keys["rope_scaling"]["long_factor"].push_back(1.05 + 0.9 * i);
  }
  Read result = read(keys.dump(), 96, 131072);
  expectRope(result, 48, 1.1902380714238083,
             {{0, 1.0},
              {1, 0.809219778},
              {12, 0.0806451663},
              {16, 0.0351635441},
              {24, 0.00675675692},
              {32, 0.0013136795},
              {46, 7.64478973e-05},
              {47, 6.24498716e-05}});
  expectFrequencies(result.spec.long_inv_freq, 48,
                    {{0, 0.952381015},
                     {1, 0.423284203},
                     {12, 0.00843881816},
                     {16, 0.00300426432},
                     {24, 0.000441501092},
                     {32, 7.21753531e-05},
                     {46, 3.45771377e-06},
                     {47, 2.79475785e-06}});
  EXPECT_EQ(result.spec.kind, RopeSpec::Kind::longrope);
  EXPECT_EQ(result.spec.original, 4096);
  EXPECT_EQ(result.spec.long_attention_factor, result.spec.attention_factor);
}

struct Refusal {
  const char *keys;
  std::vector<std::string> message;
};

TEST(Rope, RefusesByName) {
  const Refusal refusals[] = {
      {R"({"rope_scaling":{"type":"su"}})", {"rope_scaling.type is \"su\"", "default, linear, dynamic"}},
      {R"({"rope_parameters":{"rope_type":"proportional"}})", {"rope_parameters.rope_type is \"proportional\""}},
      {R"({"rope_scaling":{"rope_type":"mrope","mrope_section":[1,2]}})", {"rope_scaling.rope_type is \"mrope\""}},
      {R"({"rope_scaling":{"type":"default","mrope_section":[16,24,24]}})", {"rope_scaling.mrope_section"}},
      {R"({"rope_scaling":{"rope_type":"linear"}})", {"rope_scaling.factor is absent", "\"linear\" needs"}},
      {R"({"rope_scaling":{"rope_type":"linear","factor":"2"}})", {"rope_scaling.factor is \"2\""}},
      {R"({"rope_scaling":{"rope_type":"linear","factor":0}})", {"rope_scaling.factor is 0"}},
      {R"({"rope_scaling":{"rope_type":"dynamic"}})", {"rope_scaling.factor is absent"}},
      {R"({"rope_scaling":{"rope_type":"llama3","factor":8,"low_freq_factor":1}})", {"high_freq_factor is absent"}},
      {R"({"rope_scaling":{"rope_type":"llama3","factor":8,"low_freq_factor":4,"high_freq_factor":4}})",
       {"high_freq_factor is 4", "more than low_freq_factor"}},
      {R"({"rope_scaling":{"rope_type":"yarn"}})", {"rope_scaling.factor is absent", "\"yarn\" needs"}},
      {R"({"rope_scaling":{"rope_type":"yarn","factor":4,"beta_fast":1,"beta_slow":2}})", {"beta_fast is 1"}},
      {R"({"rope_scaling":{"rope_type":"yarn","factor":4,"truncate":"no"}})", {"truncate is \"no\""}},
      {R"({"rope_scaling":{"rope_type":"yarn","factor":4,"attn_factor":1.2}})",
       {"rope_scaling.attn_factor is 1.2", "not known"}},
      {R"({"rope_scaling":{"rope_type":"longrope","short_factor":[1,1],"long_factor":[1,1]}})",
       {"short_factor is a list of 2", "a list of 4"}},
      {R"({"rope_scaling":{"rope_type":"longrope","long_factor":[1,1,1,1]}})", {"short_factor is absent"}},
      {R"({"rope_scaling":{"rope_type":"longrope","short_factor":[1,1,-1,1],"long_factor":[1,1,1,1]}})",
       {"short_factor[2] is -1"}},
      {R"({"rope_scaling":"linear"})", {"rope_scaling is \"linear\"", "an object"}},
      {R"({"rope_theta":-1})", {"rope_theta is -1"}},
      {R"({"partial_rotary_factor":0.5})", {"partial_rotary_factor is 0.5", "expected 1"}},
      {R"({"rope_parameters":{"rope_type":"default","partial_rotary_factor":0.25}})",
       {"partial_rotary_factor is 0.25"}},
      {R"({"rope_parameters":{"full_attention":{"rope_type":"default"},"sliding_attention":{"rope_type":"default"}}})",
       {"per layer type (full_attention)"}},
  };
  for (const Refusal &refusal : refusals) {
    Read result = read(refusal.keys, 8, 64);
    EXPECT_FALSE(result.good) << refusal.keys;
    EXPECT_TRUE(says(result.messages.problems, refusal.message)) << refusal.keys << "\n"
                                                                 << joined(result.messages.problems);
  }
}

TEST(Rope, SaysWhichKeysItsTypeIgnores) {
  Read result = read(R"({"rope_scaling":{"rope_type":"default","factor":4.0,"mscale":null}})", 8, 64);
  EXPECT_TRUE(result.good);
  ASSERT_EQ(result.messages.notes.size(), 1u) << joined(result.messages.notes);
  EXPECT_TRUE(says(result.messages.notes, {"rope_scaling.factor is 4.0", "changes nothing", "\"default\""}));
}

} // namespace
