// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Every recorded case: a template and its contexts, each with the text or the refusal of jinja2 set up as transformers
// sets it up (tools/oracle/make-template-cases).
#include "runtime/chat/template.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

using namespace ingot::chat;
using Json = nlohmann::ordered_json;

namespace {

std::tm oracleTime() {
  std::tm now{};
  now.tm_year = 126;
  now.tm_mon = 1;
  now.tm_mday = 3;
  now.tm_hour = 16;
  now.tm_min = 5;
  now.tm_sec = 9;
  now.tm_wday = 2;
  now.tm_yday = 33;
  return now;
}

void runFile(const std::filesystem::path &path) {
  std::ifstream stream(path);
  Json file = Json::parse(stream);
  RenderOptions options;
  options.now = oracleTime();
  for (const Json &item : file["templates"]) {
    SCOPED_TRACE(path.filename().string() + ": " + item["name"].get<std::string>());
    auto parsed = Template::parse(item["template"].get<std::string>());
    if (item.contains("refused")) {
      EXPECT_FALSE(parsed) << "jinja2 says: " << item["refused"];
      continue;
    }
    if (!parsed) {
      ADD_FAILURE() << item["template"] << "\n" << parsed.error().message();
      continue;
    }
    for (const Json &one : item["cases"]) {
      const Json &context = file["contexts"][one["context"].get<size_t>()];
      auto rendered = (*parsed)->render(context, options);
      std::string shown = context.dump().substr(0, 300);
      if (one.contains("raises")) {
        EXPECT_FALSE(rendered) << item["template"] << "\n"
                               << shown << "\njinja2 raises: " << one["raises"] << "\nbut here: " << *rendered;
        if (!rendered && one.contains("message"))
          EXPECT_NE(rendered.error().message().find(one["message"].get<std::string>()), std::string::npos)
              << rendered.error().message();
      } else if (!rendered) {
        ADD_FAILURE() << item["template"] << "\n"
                      << shown << "\nexpected " << one["text"] << "\n"
                      << rendered.error().message();
      } else {
        EXPECT_EQ(*rendered, one["text"].get<std::string>()) << item["template"] << "\n" << shown;
      }
    }
  }
}

class Recorded : public testing::TestWithParam<std::string> {};

TEST_P(Recorded, RendersAsJinja2) { runFile(std::filesystem::path(INGOT_CHAT_CASES) / GetParam()); }

std::vector<std::string> files() {
  std::vector<std::string> out;
  for (const auto &entry : std::filesystem::directory_iterator(INGOT_CHAT_CASES))
    if (entry.path().extension() == ".json")
      out.push_back(entry.path().filename().string());
  std::sort(out.begin(), out.end());
  return out;
}

INSTANTIATE_TEST_SUITE_P(Cases, Recorded, testing::ValuesIn(files()), [](const auto &info) {
  std::string name = info.param.substr(0, info.param.find('.'));
  std::replace_if(
      name.begin(), name.end(), [](char c) { return !isalnum(static_cast<unsigned char>(c)); }, '_');
  return name;
});

} // namespace
