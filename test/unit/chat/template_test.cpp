// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What Ingot alone decides about chat templates: what is refused beyond jinja2, how errors read, and that hostile
// templates end within their limits.
#include "runtime/chat/template.h"

#include <chrono>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

using namespace ingot::chat;
using ingot::runtime::ErrorCode;
using Json = nlohmann::ordered_json;

namespace {

std::string refusal(std::string_view source, ErrorCode code) {
  auto parsed = Template::parse(source);
  EXPECT_FALSE(parsed) << source;
  if (parsed)
    return "";
  EXPECT_EQ(parsed.error().code(), code) << parsed.error().message();
  return parsed.error().message();
}

ingot::runtime::Error failure(std::string_view source, const RenderOptions &options = {},
                              const Json &context = Json::object()) {
  auto parsed = Template::parse(source);
  EXPECT_TRUE(parsed) << source.substr(0, 200) << "\n" << (parsed ? "" : parsed.error().message());
  if (!parsed)
    return {ErrorCode::Internal, ""};
  auto rendered = (*parsed)->render(context, options);
  EXPECT_FALSE(rendered) << source.substr(0, 200);
  return rendered ? ingot::runtime::Error(ErrorCode::Internal, "") : rendered.error();
}

std::string repeated(std::string_view text, int count) {
  std::string out;
  for (int i = 0; i < count; ++i)
    out += text;
  return out;
}

TEST(Template, NamesLineAndConstruct) {
  EXPECT_EQ(refusal("a\nb\n{% include 'x' %}", ErrorCode::Unsupported),
            "line 3: {% include %} wants another template, and a chat template has none");
  EXPECT_EQ(refusal("{% extends 'x' %}", ErrorCode::Unsupported),
            "line 1: {% extends %} wants another template, and a chat template has none");
  EXPECT_EQ(refusal("{% block a %}{% endblock %}", ErrorCode::Unsupported),
            "line 1: {% block %} is not supported in chat templates");
  EXPECT_EQ(refusal("\n{{ x|nonsense }}", ErrorCode::InvalidArgument), "line 2: there is no filter named 'nonsense'");
  EXPECT_EQ(refusal("\n{{ x is nonsense }}", ErrorCode::InvalidArgument), "line 2: there is no test named 'nonsense'");
  EXPECT_EQ(refusal("{% for m in x %}\n{% nonsense %}", ErrorCode::InvalidArgument),
            "line 2: there is no tag 'nonsense', and {% for %} of line 1 is open");
  EXPECT_EQ(refusal("\n{% for m in x %}\n", ErrorCode::InvalidArgument), "line 2: {% for %} has no {% endfor %}");
  EXPECT_EQ(refusal("{{ x|random }}", ErrorCode::Unsupported),
            "line 1: the filter 'random' gives another text each time, which chat templates are not allowed to do");
  EXPECT_EQ(refusal("{% break %}", ErrorCode::InvalidArgument), "line 1: {% break %} stands outside of a loop");
  EXPECT_EQ(refusal("{{ x", ErrorCode::InvalidArgument), "line 1: the template's end stands where '}}' is expected");
  EXPECT_EQ(refusal("\xff", ErrorCode::InvalidArgument), "it is not UTF-8 text");
}

TEST(Template, ErrorsOfRenderingNameTheLine) {
  EXPECT_EQ(failure("a\n{{ raise_exception('no roles') }}").message(), "line 2: the template raises: no roles");
  EXPECT_EQ(failure("{{ x.y.z }}", {}, Json{{"x", Json::object()}}).message(),
            "line 1: UndefinedError: a dict has no attribute 'y'");
  EXPECT_EQ(failure("{{ x.y }}").message(), "line 1: UndefinedError: 'x' is undefined");
  EXPECT_EQ(failure("{{ x.append(1) }}", {}, Json{{"x", Json::array()}}).message(),
            "line 1: UndefinedError: SecurityError: a template is not allowed to change a list with append()");
}

// Each ends with an error of its own, and soon.
TEST(Template, HostileTemplatesEnd) {
  auto start = std::chrono::steady_clock::now();
  std::string loops;
  for (int i = 0; i < 8; ++i)
    loops += "{% for i" + std::to_string(i) + " in range(100000) %}";
  loops += repeated("{% endfor %}", 8);
  const std::string hostile[] = {
      loops,
      "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
      "{% macro m(x) %}{{ m([x]) }}{% endmacro %}{{ m(1) }}",
      "{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}",
      "{{ 'x' * 99999999999 }}",
      "{{ 'x' * 999999999 * 999999999 }}",
      "{{ [1] * 99999999999 }}",
      "{{ 10 ** 100 }}",
      "{{ 9 ** 99999999999999 }}",
      "{{ range(100001)|list }}",
      "{{ '%99999999999d' % 1 }}",
      "{{ '%.99999999999f' % 1.5 }}",
      "{{ '{:99999999999}'.format(1) }}",
      "{{ 'x'.center(99999999999) }}",
      "{{ 'x'.ljust(99999999999) }}",
      "{{ 'x'|indent(99999999999) }}",
      "{{ [1]|tojson(indent=99999999999) }}",
      "{% set ns = namespace(x='ab') %}{% for i in range(100) %}{% set ns.x = ns.x + ns.x %}{% endfor %}",
      "{% set ns = namespace(x='ab') %}{% for i in range(100) %}{% set ns.x = ns.x.replace('', ns.x) %}{% endfor %}",
      "{% set ns = namespace(x=[]) %}{% for i in range(100000) %}{% set ns.x = [ns.x] %}{% endfor %}",
      "{% set ns = namespace(x=[1]) %}{% for i in range(100000) %}{% set ns.x = ns.x|map('string') %}{% endfor %}",
      "{% set ns = namespace(x={}) %}{% for i in range(100000) %}{% set ns.x = {'a': ns.x} %}{% endfor %}",
      "{% set ns = namespace() %}{% set ns.me = ns %}{{ ns }}",
      "{% set ns = namespace(x=[1, 2]) %}{% for i in range(100) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}{{ ns.x }}",
      "{% set ns = namespace(x=[1, 2]) %}{% for i in range(100) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}{{ "
      "ns.x|tojson }}",
      "{% set ns = namespace(x=[1], y=[1]) %}{% for i in range(100) %}{% set ns.x = [ns.x, ns.x] %}{% set ns.y = "
      "[ns.y, ns.y] %}"
      "{% endfor %}{{ ns.x == ns.y }}",
  };
  for (const std::string &source : hostile) {
    SCOPED_TRACE(source.substr(0, 120));
    EXPECT_NE(failure(source).message(), "");
  }
  EXPECT_LT(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(), 120);
}

// What refers to itself, or in long chains, is taken apart without harm.
TEST(Template, ReferencesInCirclesAreFreed) {
  for (std::string_view source :
       {"{% set ns = namespace() %}{% set ns.me = ns %}ok",
        "{% set ns = namespace() %}{% for x in [1] %}{% set ns.l = loop %}{% set ns.x = [loop] %}{% endfor %}ok",
        "{% set ns = namespace() %}{% for i in range(100000) %}{% set ns.n = namespace(n=ns.n) %}{% endfor %}ok",
        "{% set ns = namespace() %}{% for i in range(100000) %}{% for x in [ns]|map(attribute='l') %}"
        "{% set ns.l = loop %}{% endfor %}{% endfor %}ok",
        "{% set ns = namespace() %}{% macro m() %}{% endmacro %}{% set ns.m = m %}{% set m = ns %}ok"}) {
    auto parsed = Template::parse(source);
    ASSERT_TRUE(parsed) << source << parsed.error().message();
    auto rendered = (*parsed)->render(Json::object());
    EXPECT_TRUE(rendered) << source << rendered.error().message();
    if (rendered)
      EXPECT_EQ(*rendered, "ok");
  }
}

TEST(Template, DeepSourcesAreRefused) {
  for (const std::string &source :
       {"{{ " + repeated("(", 100000) + "1" + repeated(")", 100000) + " }}", "{{ " + repeated("[", 100000) + " }}",
        "{{ " + repeated("not ", 100000) + "1 }}", "{{ " + repeated("-", 100000) + "1 }}",
        "{{ 1" + repeated(" + 1", 100000) + " }}", "{{ x" + repeated(".x", 100000) + " }}",
        "{{ x" + repeated("|e", 100000) + " }}", "{{ x" + repeated("()", 100000) + " }}",
        "{{ 1" + repeated(" if 1 else 1", 100000) + " }}",
        repeated("{% if 1 %}", 100000) + repeated("{% endif %}", 100000),
        "{% if 1 %}" + repeated("{% elif 1 %}", 100000) + "{% endif %}", "{{ x" + repeated("[x", 100000) + " }}"}) {
    SCOPED_TRACE(source.substr(0, 40));
    EXPECT_FALSE(Template::parse(source));
  }
}

TEST(Template, LimitsAreTheCallers) {
  RenderOptions options;
  options.maxSteps = 1000;
  EXPECT_EQ(failure("{% for i in range(1000) %}{% endfor %}", options).code(), ErrorCode::ResourceExhausted);
  options = {};
  options.maxOutput = 10;
  EXPECT_EQ(failure("{{ 'x' * 11 }}", options).code(), ErrorCode::ResourceExhausted);
  options = {};
  options.maxBytes = 100000;
  EXPECT_EQ(failure("{{ 'x' * 100001 }}", options).code(), ErrorCode::ResourceExhausted);
}

} // namespace
