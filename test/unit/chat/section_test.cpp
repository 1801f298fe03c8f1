// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The CHAT section: what is written is what is read, damage is refused, and a conversation reaches the template as
// transformers' apply_chat_template hands it over.
#include "runtime/chat/section.h"

#include <gtest/gtest.h>

using namespace ingot::chat;
using ingot::runtime::ErrorCode;
using Json = nlohmann::ordered_json;

namespace {

std::unique_ptr<ChatSection> sectionOf(std::vector<std::pair<std::string, std::string>> templates) {
  auto loaded =
      ChatSection::load(writeChatSection({std::move(templates), {{"bos_token", "<s>"}, {"eos_token", "</s>"}}}));
  EXPECT_TRUE(loaded) << loaded.error().message();
  return *std::move(loaded);
}

std::string rendered(const ChatSection &section, const Conversation &conversation) {
  auto text = section.render(conversation);
  EXPECT_TRUE(text) << text.error().message();
  return text ? *text : "";
}

TEST(ChatSection, HoldsWhatWasWritten) {
  auto section = sectionOf({{"default", "é\n{{ x }}"}, {"rag", "r"}});
  EXPECT_EQ(section->names(), (std::vector<std::string>{"default", "rag"}));
  EXPECT_EQ(section->source().templates[0].second, "é\n{{ x }}");
  EXPECT_EQ(section->source().specialTokens[1], (std::pair<std::string, std::string>{"eos_token", "</s>"}));
}

TEST(ChatSection, DamageIsRefused) {
  for (const char *text : {"", "[]", "{", "{}", R"({"templates":{},"special_tokens":{}})",
                           R"({"templates":{"default":1},"special_tokens":{}})", R"({"templates":{"default":"x"}})",
                           R"({"templates":["x"],"special_tokens":{}})",
                           R"({"templates":{"default":"x"},"special_tokens":{"bos_token":null}})"}) {
    auto loaded = ChatSection::load(text);
    ASSERT_FALSE(loaded) << text;
    EXPECT_EQ(loaded.error().code(), ErrorCode::Corrupt);
  }
  auto loaded = ChatSection::load(R"({"templates":{"default":"{{"},"special_tokens":{}})");
  ASSERT_FALSE(loaded);
  EXPECT_NE(loaded.error().message().find("the chat template 'default': line 1:"), std::string::npos)
      << loaded.error().message();
}

TEST(ChatSection, ChoosesAsTransformersDoes) {
  auto section = sectionOf({{"default", "D"}, {"tool_use", "T{{ tools|length }}"}, {"rag", "R"}});
  Conversation conversation;
  EXPECT_EQ(rendered(*section, conversation), "D");
  conversation.tools = Json::array({Json::object()});
  EXPECT_EQ(rendered(*section, conversation), "T1");
  conversation.templateName = "rag";
  EXPECT_EQ(rendered(*section, conversation), "R");
  conversation.templateName = "nope";
  auto missing = section->render(conversation);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code(), ErrorCode::NotFound);
  EXPECT_EQ(missing.error().message(), "there is no chat template 'nope'; there are: default, tool_use, rag");
}

TEST(ChatSection, GivesTheVariablesOfApplyChatTemplate) {
  auto section = sectionOf({{"default", "{{ bos_token }}{{ tools is none }}{{ documents is none }}{{ "
                                        "add_generation_prompt }}{{ think }}{{ messages }}"}});
  Conversation conversation;
  conversation.messages = Json::parse(R"([{"role":"a","content":null,"reasoning":"r"}])");
  conversation.variables = {{"think", true}, {"bos_token", "B"}};
  conversation.addGenerationPrompt = true;
  EXPECT_EQ(rendered(*section, conversation),
            "BTrueTrueTrueTrue[{'thinking': 'r', 'role': 'a', 'reasoning': 'r', 'reasoning_content': 'r'}]");
  conversation.messages = Json::parse(R"([{"reasoning_content":"x","thinking":"y","role":"a"}])");
  EXPECT_EQ(rendered(*section, conversation),
            "BTrueTrueTrueTrue[{'thinking': 'y', 'reasoning_content': 'x', 'role': 'a'}]");
}

TEST(ChatSection, RefusesWhatIsNoConversation) {
  auto section = sectionOf({{"default", "x"}});
  Conversation conversation;
  conversation.messages = Json::array({"text"});
  EXPECT_EQ(section->render(conversation).error().message(), "a conversation's messages are not a list of objects");
  conversation.messages = Json::array();
  conversation.tools = Json::object();
  EXPECT_EQ(section->render(conversation).error().message(), "a conversation's tools are not a list of objects");
}

} // namespace
