// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Feeds texts to a tokenizer for tools/oracle/compare-tokenizers: tokenizer_probe TOKENIZER [CONFIG.json], where
// TOKENIZER is a tokenizer.json, a SentencePiece model or ranks (*.model), ranks (*.tiktoken), a tekken.json, a
// vocab.json beside a merges.txt, or a vocab.txt. Standard input: records of u32 bytes and the text; standard output,
// for each: u32 count, that many (i32 id, u32 begin, u32 end), then the text that the ids decode to with special tokens
// and without, each u32 bytes and the text. Ends with status 3 where two ways to one result differ. With --time,
// instead: all of standard input is one text; prints MB/s of encoding and how long loading takes, medians of five.
#include "compiler/import/tokenizer/tokenizer_files.h"
#include "compiler/import/tokenizer/tokenizer_json.h"
#include "runtime/text/tokenizer.h"
#include "runtime/text/unicode.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <sstream>
#include <time.h>

using namespace ingot::text;

namespace {

std::string readAll(std::istream &in) {
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

std::string readFile(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  return readAll(file);
}

void put32(std::string &out, uint32_t value) { out.append(reinterpret_cast<const char *>(&value), 4); }
void putText(std::string &out, const std::string &text) {
  put32(out, static_cast<uint32_t>(text.size()));
  out += text;
}

std::string streamed(const Tokenizer &tokenizer, const std::vector<int32_t> &ids, bool skip) {
  StreamDecoder stream(tokenizer, skip);
  std::string out;
  for (int32_t id : ids) {
    std::string part = stream.push(id);
    if (!isValidUtf8(part))
      std::exit(3);
    out += part;
  }
  return out + stream.finish();
}

// Of this thread, so that what else runs on the machine does not count.
double seconds() {
  timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

} // namespace

int main(int argc, char **argv) {
  bool timing = argc > 1 && std::strcmp(argv[1], "--time") == 0;
  if (argc < 2 + timing) {
    std::fputs("usage: tokenizer_probe [--time] TOKENIZER.json [CONFIG.json]\n", stderr);
    return 2;
  }
  std::string path = argv[1 + timing], error, config = argc > 2 + timing ? readFile(argv[2 + timing]) : "";
  std::string json = readFile(path);
  ingot::tokenizer::TokenizerFiles files;
  if (path.ends_with(".model")) {
    files.sentencePiece = json;
  } else if (path.ends_with("vocab.json")) {
    files.vocabJson = json;
    files.mergesTxt = readFile(path.substr(0, path.size() - 10) + "merges.txt");
  } else if (path.ends_with(".tiktoken")) {
    files.ranks = json;
  } else if (path.ends_with("tekken.json")) {
    files.tekkenJson = json;
  } else if (path.ends_with(".txt")) {
    files.vocabTxt = json;
  }
  std::vector<uint8_t> section;
  if ((files.any() && !ingot::tokenizer::writeTokenizerJson(files, config, json, error)) ||
      !ingot::tokenizer::compileTokenizer(json, config, section, error)) {
    std::fprintf(stderr, "%s\n", error.c_str());
    return 1;
  }
  auto tokenizer = Tokenizer::load(section, error);
  if (!tokenizer)
    return 3;
  std::string input = readAll(std::cin);
  if (timing) {
    std::vector<double> encoded(5), loaded(5);
    for (size_t i = 0; i < 5; ++i) {
      double begin = seconds();
      auto again = Tokenizer::load(section, error);
      loaded[i] = seconds() - begin;
      begin = seconds();
      again->encode(input, true);
      encoded[i] = seconds() - begin;
    }
    std::sort(encoded.begin(), encoded.end());
    std::sort(loaded.begin(), loaded.end());
    std::printf("%.1f MB/s, %zu ids, loaded in %.2f ms\n", static_cast<double>(input.size()) / encoded[2] * 1e-6,
                tokenizer->encode(input, true).size(), loaded[2] * 1e3);
    return 0;
  }
  std::string out;
  for (size_t at = 0; at + 4 <= input.size();) {
    uint32_t length;
    std::memcpy(&length, input.data() + at, 4);
    std::string text = input.substr(at + 4, length);
    at += 4 + length;
    Encoding encoding = tokenizer->encodeWithOffsets(text, true);
    if (tokenizer->encode(text, true) != encoding.ids || encoding.ids.size() != encoding.offsets.size()) {
      std::fprintf(stderr, "encode and encodeWithOffsets differ\n");
      return 3;
    }
    put32(out, static_cast<uint32_t>(encoding.ids.size()));
    for (size_t i = 0; i < encoding.ids.size(); ++i) {
      put32(out, static_cast<uint32_t>(encoding.ids[i]));
      put32(out, encoding.offsets[i].begin);
      put32(out, encoding.offsets[i].end);
    }
    for (bool skip : {false, true}) {
      std::string whole = tokenizer->decode(encoding.ids, skip);
      if (streamed(*tokenizer, encoding.ids, skip) != whole) {
        std::fprintf(stderr, "a stream and the whole differ\n");
        return 3;
      }
      putText(out, whole);
    }
  }
  std::fwrite(out.data(), 1, out.size(), stdout);
  return 0;
}
