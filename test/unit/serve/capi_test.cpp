// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The C API over libingot.so, as a program would use it: every function, and what each refuses.
#include "runtime/include/ingot.h"
#include "test/unit/serve/decoder_engine.h"
#include "test/unit/serve/fake_model.h"

#include <gtest/gtest.h>

#include <cstring>
#include <thread>

extern "C" int capi_from_c(void); // capi_header.c

namespace {

using Groups = std::vector<ingot::serve::PageGroup>;
const Groups kGroups{{8, 0, 0}};

std::string engineFile() {
  static const std::string path = ingot::test::write(ingot::test::decoderEngine().build(), "decoder.ingot");
  return path;
}

struct Capi : testing::Test {
  ingot_model *model = nullptr;

  void load(int64_t sequences = 3, uint64_t cacheBytes = 0) {
    ingot_load_options options;
    ingot_load_options_init(&options);
    options.sequences = sequences;
    options.cache_bytes = cacheBytes;
    options.step_tokens = 300;
    options.logit_rows = 100;
    ASSERT_EQ(ingot_load(engineFile().c_str(), &options, &model), INGOT_OK) << ingot_error_message();
  }
  void TearDown() override { ingot_model_free(model); }
};

struct Collected {
  std::vector<std::vector<int32_t>> ids;
  std::vector<ingot_finish> finish;
  int limit = 1 << 30;
};

int collect(void *user, const ingot_output *output) {
  auto *all = static_cast<Collected *>(user);
  all->ids[output->prompt].push_back(output->id);
  all->finish[output->prompt] = output->finish;
  EXPECT_EQ(output->text_bytes, std::strlen(output->text));
  EXPECT_EQ(output->log_probability, -0.5f);
  return --all->limit <= 0;
}

std::vector<int32_t> expected(const std::vector<int32_t> &prompt, int64_t count, float temperature = 0,
                              int64_t seed = 0) {
  ingot::serve::RunnerInfo info;
  info.vocabulary = 97;
  info.groups = kGroups;
  ingot::serve::SamplingParams params;
  params.temperature = temperature;
  params.seed = seed;
  return ingot::serve::test::reference(info, prompt, params, count);
}

} // namespace

TEST_F(Capi, TellsAboutTheModel) {
  load();
  ingot_model_info info;
  ingot_model_info_init(&info);
  ASSERT_EQ(ingot_model_get_info(model, &info), INGOT_OK);
  EXPECT_STREQ(info.name, "test decoder");
  EXPECT_STREQ(info.family, "llama");
  EXPECT_STREQ(info.variant, "base");
  EXPECT_EQ(info.vocabulary, 97);
  EXPECT_EQ(info.context, 200);
  EXPECT_EQ(info.sequences, 3);
  EXPECT_EQ(info.step_tokens, 300);
  EXPECT_EQ(info.logit_rows, 100);
  EXPECT_EQ(info.cache_bytes, 8192u); // 75 pages of 64 bytes, in whole pages of the system
  EXPECT_EQ(info.has_tokenizer, 0);
  EXPECT_EQ(info.bos, 5);
  // A caller with an older header gets what it knows.
  ingot_model_info older;
  std::memset(static_cast<void *>(&older), 0x55, sizeof older);
  older.struct_size = offsetof(ingot_model_info, vocabulary);
  ASSERT_EQ(ingot_model_get_info(model, &older), INGOT_OK);
  EXPECT_STREQ(older.name, "test decoder");
  EXPECT_EQ(older.struct_size, offsetof(ingot_model_info, vocabulary));
  EXPECT_EQ(older.vocabulary, 0x5555555555555555);
  older.struct_size = sizeof older + 8;
  EXPECT_EQ(ingot_model_get_info(model, &older), INGOT_INVALID_ARGUMENT);
}

TEST_F(Capi, GeneratesForSeveralPrompts) {
  load(2);
  std::vector<int32_t> first{1, 2, 3}, second{9, 8}, third{50};
  ingot_generate_options drawing, greedy;
  ingot_generate_options_init(model, &greedy);
  EXPECT_EQ(greedy.temperature, 0); // as the checkpoint says
  greedy.new_tokens = 30;
  greedy.ignore_end = 1;
  drawing = greedy;
  drawing.temperature = 0.5f;
  drawing.seed = 4;
  ingot_prompt prompts[] = {{first.data(), 3, &greedy}, {second.data(), 2, &drawing}, {third.data(), 1, &greedy}};
  Collected all{{{}, {}, {}}, {INGOT_RUNNING, INGOT_RUNNING, INGOT_RUNNING}};
  ASSERT_EQ(ingot_generate(model, prompts, 3, collect, &all), INGOT_OK) << ingot_error_message();
  EXPECT_EQ(all.ids[0], expected(first, 30));
  EXPECT_EQ(all.ids[1], expected(second, 30, 0.5f, 4));
  EXPECT_EQ(all.ids[2], expected(third, 30));
  EXPECT_EQ(all.finish[2], INGOT_NEW_TOKENS);
  // The callback stops; the model stays usable.
  all.limit = 5;
  EXPECT_EQ(ingot_generate(model, prompts, 3, collect, &all), INGOT_STOPPED);
  all.limit = 1 << 30;
  all.ids[0].clear();
  EXPECT_EQ(ingot_generate(model, prompts, 1, collect, &all), INGOT_OK);
  EXPECT_EQ(all.ids[0], expected(first, 30));
}

TEST_F(Capi, EndTokensEnd) {
  load(1);
  // The first prompt of one id whose text comes to 7.
  for (int32_t id = 0; id < 97; ++id) {
    std::vector<int32_t> text = expected({id}, 150);
    auto end = std::find(text.begin(), text.end(), 7);
    if (end == text.end())
      continue;
    ingot_prompt prompt{&id, 1, nullptr};
    Collected all{{{}}, {INGOT_RUNNING}};
    ASSERT_EQ(ingot_generate(model, &prompt, 1, collect, &all), INGOT_OK);
    EXPECT_EQ(all.ids[0], std::vector<int32_t>(text.begin(), end + 1));
    EXPECT_EQ(all.finish[0], INGOT_END_TOKEN);
    return;
  }
  FAIL() << "no prompt comes to the end token; the test proves nothing";
}

TEST_F(Capi, StepsAppendAndGiveTheLogitsAskedFor) {
  load();
  ingot_sequence *a = nullptr, *b = nullptr;
  ASSERT_EQ(ingot_sequence_create(model, &a), INGOT_OK);
  ASSERT_EQ(ingot_sequence_create(model, &b), INGOT_OK);
  std::vector<int32_t> first{1, 2, 3, 4}, second{5, 6};
  std::vector<float> logits(5 * 97);
  ingot_row rows[] = {{a, first.data(), 3, INGOT_LAST_LOGITS}, {b, second.data(), 2, INGOT_ALL_LOGITS}};
  ASSERT_EQ(ingot_step(model, rows, 2, logits.data()), INGOT_OK) << ingot_error_message();
  ingot_row more[] = {{a, first.data() + 3, 1, INGOT_LAST_LOGITS}};
  ASSERT_EQ(ingot_step(model, more, 1, logits.data() + 3 * 97), INGOT_OK);
  EXPECT_EQ(ingot_sequence_length(a), 4);
  EXPECT_EQ(ingot_sequence_length(b), 2);
  std::vector<std::vector<int32_t>> contexts{{1, 2, 3}, {5}, {5, 6}, {1, 2, 3, 4}};
  for (size_t row = 0; row < contexts.size(); ++row) {
    uint64_t digest = ingot::serve::test::digest(kGroups, contexts[row]);
    for (size_t i = 0; i < 97; ++i)
      ASSERT_EQ(logits[row * 97 + i], i < 64 && (digest >> i & 1) ? 1.0f : 0.0f) << row << " " << i;
  }
  // Sequences hold the cache, so generation has to wait.
  ingot_prompt prompt{first.data(), 1, nullptr};
  Collected all{{{}}, {INGOT_RUNNING}};
  EXPECT_EQ(ingot_generate(model, &prompt, 1, collect, &all), INGOT_INVALID_ARGUMENT);
  EXPECT_STREQ(ingot_error_message(), "ingot_generate: 2 sequences of the model hold its cache; free them first");
  ingot_sequence_free(a);
  ingot_sequence_free(b);
  EXPECT_EQ(ingot_generate(model, &prompt, 1, collect, &all), INGOT_OK);
}

TEST_F(Capi, StepsRefuseAndThenChangeNothing) {
  load(2, 30 * 64); // 30 pages of 8
  ingot_sequence *a = nullptr, *b = nullptr, *c = nullptr;
  ASSERT_EQ(ingot_sequence_create(model, &a), INGOT_OK);
  ASSERT_EQ(ingot_sequence_create(model, &b), INGOT_OK);
  ASSERT_EQ(ingot_sequence_create(model, &c), INGOT_OK);
  std::vector<int32_t> ids(400, 1), wrong{96, 97};
  std::vector<float> logits(97 * 200);
  auto message = [&](std::vector<ingot_row> rows, float *into) {
    EXPECT_NE(ingot_step(model, rows.data(), rows.size(), into), INGOT_OK);
    return std::string(ingot_error_message());
  };
  EXPECT_EQ(message({{a, wrong.data(), 2, INGOT_NO_LOGITS}}, nullptr),
            "ingot_step: row 0: id 97 at place 1 is outside the vocabulary 0..96");
  EXPECT_EQ(message({{a, ids.data(), 1, INGOT_NO_LOGITS}, {a, ids.data(), 1, INGOT_NO_LOGITS}}, nullptr),
            "ingot_step: row 1: its sequence has a row before it");
  EXPECT_EQ(message({{a, ids.data(), 0, INGOT_NO_LOGITS}}, nullptr), "ingot_step: row 0: it has no ids");
  EXPECT_EQ(message({{nullptr, ids.data(), 1, INGOT_NO_LOGITS}}, nullptr),
            "ingot_step: row 0: the sequence is null or of another model");
  EXPECT_EQ(message({{a, ids.data(), 201, INGOT_NO_LOGITS}}, nullptr),
            "ingot_step: row 0: the sequence has 0 positions, and 201 more pass the context of 200");
  EXPECT_EQ(message({{a, ids.data(), 1, INGOT_LAST_LOGITS}}, nullptr), "ingot_step: logits is null");
  EXPECT_EQ(message({{a, ids.data(), 101, INGOT_ALL_LOGITS}}, logits.data()),
            "ingot_step: 101 rows of logits, but the model was loaded for 100");
  EXPECT_EQ(message({{a, ids.data(), 200, INGOT_NO_LOGITS}, {b, ids.data(), 101, INGOT_NO_LOGITS}}, nullptr),
            "ingot_step: 301 tokens, but the model was loaded for 300");
  EXPECT_EQ(message({{a, ids.data(), 1, INGOT_NO_LOGITS},
                     {b, ids.data(), 1, INGOT_NO_LOGITS},
                     {c, ids.data(), 1, INGOT_NO_LOGITS}},
                    nullptr),
            "ingot_step: 3 sequences, but the model was loaded for 2");
  EXPECT_EQ(
      message({{a, ids.data(), 200, INGOT_NO_LOGITS}, {b, ids.data(), 50, INGOT_NO_LOGITS}}, nullptr),
      "ingot_step: row 1: the cache has no page left for 50 more positions; free a sequence or load the model with "
      "more cache_bytes");
  EXPECT_EQ(ingot_sequence_length(a), 0);
  ingot_sequence_free(a);
  ingot_row row{b, ids.data(), 200, INGOT_LAST_LOGITS};
  EXPECT_EQ(ingot_step(model, &row, 1, logits.data()), INGOT_OK) << ingot_error_message();
  ingot_sequence_free(b);
  ingot_sequence_free(c);
}

TEST_F(Capi, RefusesWhatIsNullOrAbsent) {
  EXPECT_EQ(ingot_load(nullptr, nullptr, &model), INGOT_INVALID_ARGUMENT);
  EXPECT_STREQ(ingot_error_message(), "ingot_load: path is null");
  EXPECT_EQ(ingot_load("x", nullptr, nullptr), INGOT_INVALID_ARGUMENT);
  EXPECT_EQ(ingot_load("/nowhere/x.ingot", nullptr, &model), INGOT_NOT_FOUND);
  EXPECT_NE(std::string(ingot_error_message()).find("/nowhere/x.ingot"), std::string::npos);
  EXPECT_EQ(model, nullptr);
  ingot_load_options options;
  ingot_load_options_init(&options);
  options.struct_size = 1;
  EXPECT_EQ(ingot_load(engineFile().c_str(), &options, &model), INGOT_INVALID_ARGUMENT);
  load();
  size_t count = 0;
  EXPECT_EQ(ingot_tokenize(model, "a", 1, 1, nullptr, 0, &count), INGOT_NOT_FOUND);
  EXPECT_STREQ(ingot_error_message(), "the engine has no tokenizer");
  int32_t id = 1;
  EXPECT_EQ(ingot_detokenize(model, &id, 1, 1, nullptr, 0, &count), INGOT_NOT_FOUND);
  EXPECT_EQ(ingot_detokenize(model, &id, 1, 1, nullptr, 0, nullptr), INGOT_INVALID_ARGUMENT);
  EXPECT_EQ(ingot_chat_render(nullptr, "[]", 2, nullptr, 0, &count), INGOT_INVALID_ARGUMENT);
  EXPECT_EQ(ingot_chat_render(model, "[]", 2, nullptr, 0, nullptr), INGOT_INVALID_ARGUMENT);
  EXPECT_EQ(ingot_chat_render(model, "[]", 2, nullptr, 1, &count), INGOT_INVALID_ARGUMENT);
  EXPECT_EQ(ingot_chat_render(model, "[]", 2, nullptr, 0, &count), INGOT_INVALID_ARGUMENT);
  EXPECT_STREQ(ingot_error_message(), "ingot_chat_render: there are no messages; write at least one");
  Collected all{{{}}, {INGOT_RUNNING}};
  id = 97;
  ingot_prompt prompt{&id, 1, nullptr};
  EXPECT_EQ(ingot_generate(model, &prompt, 1, collect, &all), INGOT_INVALID_ARGUMENT);
  EXPECT_STREQ(ingot_error_message(), "prompt 0: id 97 at place 0 of the prompt is outside the vocabulary 0..96");
  EXPECT_EQ(ingot_generate(model, &prompt, 1, nullptr, &all), INGOT_INVALID_ARGUMENT);
  EXPECT_STREQ(ingot_status_name(INGOT_RESOURCE_EXHAUSTED), "resource_exhausted");
  // Messages are a thread's own.
  std::thread([] { EXPECT_STREQ(ingot_error_message(), ""); }).join();
}

TEST_F(Capi, RendersConversations) {
  ingot::test::TestEngine engine = ingot::test::decoderEngine();
  std::string section = R"({"templates":{"default":"{{ messages }}"},"special_tokens":{}})"; // as Python writes a list
  engine.sections[ingot::format::Section::Chat] = {section.begin(), section.end()};
  std::string path = ingot::test::write(engine.build(), "chat.ingot");
  ASSERT_EQ(ingot_load(path.c_str(), nullptr, &model), INGOT_OK) << ingot_error_message();
  const std::string conversation = R"([{"role": "user", "content": "hi"}])",
                    expected = "[{'role': 'user', 'content': 'hi'}]";
  char text[64] = {};
  size_t bytes = 0;
  ASSERT_EQ(ingot_chat_render(model, conversation.data(), conversation.size(), nullptr, 0, &bytes), INGOT_OK)
      << ingot_error_message();
  EXPECT_EQ(bytes, expected.size());
  ASSERT_EQ(ingot_chat_render(model, conversation.data(), conversation.size(), text, sizeof text, &bytes), INGOT_OK);
  EXPECT_EQ(std::string(text, bytes), expected);
  EXPECT_EQ(text[bytes], 0); // nothing beyond
  text[7] = '?';
  ASSERT_EQ(ingot_chat_render(model, conversation.data(), conversation.size(), text, 7, &bytes), INGOT_OK);
  EXPECT_EQ(std::string(text, 8), expected.substr(0, 7) + "?");
  ingot_model_free(model);

  engine.sections.erase(ingot::format::Section::Chat);
  path = ingot::test::write(engine.build(), "no-chat.ingot");
  ASSERT_EQ(ingot_load(path.c_str(), nullptr, &model), INGOT_OK) << ingot_error_message();
  EXPECT_EQ(ingot_chat_render(model, conversation.data(), conversation.size(), text, 7, &bytes), INGOT_NOT_FOUND);
  EXPECT_EQ(ingot_error_message(), path + " has no chat template");
}

TEST(CapiHeader, ServesC) { EXPECT_EQ(capi_from_c(), 0); }

TEST_F(Capi, SessionsKeepAConversationInTheCache) {
  load();
  ingot_session *session = nullptr, *other = nullptr;
  ASSERT_EQ(ingot_session_create(model, &session), INGOT_OK) << ingot_error_message();
  ASSERT_EQ(ingot_session_create(model, &other), INGOT_OK);
  EXPECT_EQ(ingot_session_length(session), 0);
  std::vector<int32_t> ids = {5, 6, 7, 8, 9};
  ingot_generate_options options;
  ingot_generate_options_init(model, &options);
  options.new_tokens = 12;
  options.ignore_end = 1;
  auto turn = [&](ingot_session *of, int limit = 1 << 30) {
    options.session = of;
    ingot_prompt prompt{ids.data(), ids.size(), &options};
    Collected all{{{}}, {INGOT_RUNNING}, limit};
    ingot_status status = ingot_generate(model, &prompt, 1, collect, &all);
    EXPECT_EQ(status, limit < 12 ? INGOT_STOPPED : INGOT_OK) << ingot_error_message();
    std::vector<int32_t> wanted = expected(ids, 12);
    wanted.resize(std::min<size_t>(12, size_t(limit)));
    EXPECT_EQ(all.ids[0], wanted);
    return all.ids[0];
  };
  std::vector<int32_t> drawn = turn(session);
  EXPECT_EQ(ingot_session_length(session), 16); // the last one drawn was never computed
  ids.insert(ids.end(), drawn.begin(), drawn.end());
  ids.insert(ids.end(), {1, 2, 3});
  turn(session);
  EXPECT_EQ(ingot_session_length(session), 31);
  ids[10] = (ids[10] + 1) % 97; // cut to ten
  turn(session);
  EXPECT_EQ(ingot_session_length(session), 31);
  turn(nullptr); // beside a session that keeps what it has
  EXPECT_EQ(ingot_session_length(session), 31);
  turn(session, 4); // the callback stops
  EXPECT_EQ(ingot_session_length(session), 23);
  EXPECT_EQ(ingot_session_length(other), 0);

  // Two at once; one session for both is refused, and leaves nothing behind.
  ingot_generate_options second = options;
  options.session = second.session = session;
  ingot_prompt both[2] = {{ids.data(), ids.size(), &options}, {ids.data(), 3, &second}};
  Collected all{{{}, {}}, {INGOT_RUNNING, INGOT_RUNNING}};
  EXPECT_EQ(ingot_generate(model, both, 2, collect, &all), INGOT_INVALID_ARGUMENT);
  EXPECT_STREQ(ingot_error_message(),
               "prompt 1: session 1 has a request that is not finished; wait for it or cancel it");
  second.session = other;
  ASSERT_EQ(ingot_generate(model, both, 2, collect, &all), INGOT_OK) << ingot_error_message();
  EXPECT_EQ(all.ids[0], expected(ids, 12));
  EXPECT_EQ(all.ids[1], expected({ids[0], ids[1], ids[2]}, 12));
  EXPECT_EQ(ingot_session_length(other), 14);

  ingot_sequence *sequence = nullptr;
  EXPECT_EQ(ingot_sequence_create(model, &sequence), INGOT_INVALID_ARGUMENT);
  EXPECT_STREQ(ingot_error_message(), "ingot_sequence_create: 2 sessions of the model hold its cache; free them first");
  ingot_session_free(session);
  ingot_session_free(other);
  ingot_session_free(nullptr);
  EXPECT_EQ(ingot_session_length(nullptr), 0);
  ASSERT_EQ(ingot_sequence_create(model, &sequence), INGOT_OK);
  EXPECT_EQ(ingot_session_create(model, &session), INGOT_INVALID_ARGUMENT);
  EXPECT_STREQ(ingot_error_message(), "ingot_session_create: 1 sequences of the model hold its cache; free them first");
  ingot_sequence_free(sequence);
  EXPECT_EQ(ingot_session_create(nullptr, &session), INGOT_INVALID_ARGUMENT);
  EXPECT_EQ(ingot_session_create(model, nullptr), INGOT_INVALID_ARGUMENT);
}
