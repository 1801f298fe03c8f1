// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tokenizers of published models, where their files lie beside the checkout (../shared/data): ids of llama.cpp's test
// cases, a text back from its ids, and the time that loading takes. Elsewhere these tests are skipped.
#include "test/unit/text/support.h"

#include <filesystem>
#include <time.h>

namespace ingot::test {
namespace {

const std::string kData = INGOT_SHARED_DATA;

std::string tokenizerJson(const std::string &name) { return kData + "/tokenizers/" + name + "/tokenizer.json"; }

bool available() { return std::filesystem::exists(tokenizerJson("llama3")); }

// The cases of llama.cpp: texts separated by a line, and one line of ids for each.
void checkCases(const std::string &tokenizer, const std::string &cases) {
  Loaded loaded(readFile(tokenizerJson(tokenizer)));
  std::string texts = readFile(kData + "/tokenizers/cases/" + cases + ".inp");
  std::istringstream lines(readFile(kData + "/tokenizers/cases/" + cases + ".out"));
  const std::string separator = "\n__ggml_vocab_test__\n";
  std::string line;
  size_t count = 0;
  for (size_t at = 0; at != std::string::npos; ++count) {
    size_t end = texts.find(separator, at);
    std::string text = texts.substr(at, end == std::string::npos ? end : end - at);
    at = end == std::string::npos ? end : end + separator.size();
    if (at == texts.size())
      at = std::string::npos;
    ASSERT_TRUE(std::getline(lines, line)) << count;
    std::istringstream numbers(line);
    std::vector<int32_t> ids{std::istream_iterator<int32_t>(numbers), {}};
    EXPECT_EQ(loaded->encode(text, false), ids) << cases << " case " << count << ": " << text;
  }
  EXPECT_GT(count, 40u);
}

TEST(SharedData, CasesOfPublishedModels) {
  if (!available())
    GTEST_SKIP() << "skipped: no data at " << kData;
  checkCases("llama3", "llama-bpe");
  checkCases("gpt2", "gpt-2");
  checkCases("qwen2", "qwen2");
  checkCases("llama2", "llama-spm");
  checkCases("phi-3-mini", "phi-3");
  checkCases("bert-uncased", "bert-bge");
}

TEST(SharedData, TextComesBack) {
  if (!available())
    GTEST_SKIP() << "skipped: no data at " << kData;
  std::string text = readFile(kData + "/eval/wikitext2/wiki.test.raw").substr(0, 400000);
  text.resize(text.rfind('\n') + 1);
  for (const char *name : {"llama2", "llama3", "gpt2", "phi-3-mini", "roberta-base", "whisper.tiny", "qwen2"}) {
    Loaded loaded(readFile(tokenizerJson(name)));
    EXPECT_EQ(loaded->decode(loaded->encode(text, true), true), text) << name;
  }
}

// Milliseconds of this thread, so that what else runs here does not count.
double processorTime() {
  timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) * 1e-6;
}

TEST(SharedData, LoadingIsQuick) {
  if (!available())
    GTEST_SKIP() << "skipped: no data at " << kData;
  Loaded loaded(readFile(tokenizerJson("llama3")));
  double best = 1e9;
  for (int i = 0; i < 10; ++i) {
    std::string error;
    double begin = processorTime();
    ASSERT_TRUE(text::Tokenizer::load(loaded.section, error));
    best = std::min(best, processorTime() - begin);
  }
#if !defined(__SANITIZE_ADDRESS__) && !(defined(__has_feature) && __has_feature(address_sanitizer))
  EXPECT_LT(best, 5.0) << "milliseconds for 128,256 pieces";
#endif
}

} // namespace
} // namespace ingot::test
