// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the command line of ingot-run may say, one struct per verb. options.cpp fills them; each verb reads its own.
#ifndef INGOT_TOOLS_INGOT_RUN_OPTIONS_H
#define INGOT_TOOLS_INGOT_RUN_OPTIONS_H

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace ingot::tool {

// What a verb that runs a model needs.
struct RunOptions {
  std::string engine;
  std::string device = "cpu";
  bool deterministic = false;
  unsigned threads = 0;
  int64_t context = 0;
  uint64_t kvMemory = 0;
  int64_t chunk = 512;
  int64_t source = 0; // largest dimension of what an encoder reads; 0: the default of serve::LoadOptions
  bool verbose = false;
  std::string profile; // where the time went: empty: not told; FILE.json: also as a timeline; else as a table only
};

// How tokens are drawn and what ends a text; what is not given is the checkpoint's.
struct SamplingOptions {
  bool greedy = false, ignoreEos = false;
  int64_t newTokens = 0; // 0: until the context is full
  std::optional<int64_t> seed;
  std::optional<float> temperature, topP, minP, repetitionPenalty, presencePenalty, frequencyPenalty;
  std::optional<int32_t> topK;
  std::vector<std::string> stop;
};

struct GenerateOptions {
  RunOptions run;
  SamplingOptions sampling;
  std::optional<std::string> prompt, prompts; // text; a file with a prompt on each line
  std::vector<int32_t> ids;
  // Of models with an encoder: a tensor that it reads in place of a prompt, and what the decoder's text begins with.
  std::optional<std::string> source, decoderPrompt;
  std::vector<int32_t> decoderIds;
  bool json = false, echo = false;
  int64_t maxBatch = 0; // 0: as many as there are prompts, at most 8
};

struct ChatOptions {
  RunOptions run;
  SamplingOptions sampling;
  std::optional<std::string> system, messages, tools, chatTemplate; // a text, and files
  std::vector<std::pair<std::string, std::string>> variables;       // of the template, as they were given
  std::vector<std::string> reasoningTags;                           // OPEN, CLOSE; empty: those that are known
  bool json = false;
};

struct LogitsOptions {
  RunOptions run;
  std::string tokens, output;
  std::optional<std::string> mix, source; // source: of models with an encoder
};

// NAME=FILE pairs, as they were given.
using NamedFiles = std::vector<std::pair<std::string, std::string>>;

struct InferOptions {
  std::string engine;
  std::string device = "cpu";
  unsigned threads = 0;
  std::string entry; // empty: main, or the only one
  NamedFiles inputs, outputs;
};

struct EvaluateOptions {
  RunOptions run;
  std::string text;
  std::optional<std::string> against; // the reference engine
  int64_t maxIds = 0;                 // 0: all
  bool json = false;
};

struct TokenizeOptions {
  std::string engine;
  bool decode = false, json = false, pieces = false, noSpecial = false, keepSpecial = false;
};

struct BenchOptions {
  RunOptions run;
  int64_t promptTokens = 0;      // 0: 512, or half of the context if that is less
  int64_t newTokens = 0;         // 0: 128, or what is left of the context
  int64_t batch = 0;             // 0: 1, or 8 with a trace
  int64_t repeat = 0;            // 0: 3, or 20 of a graph
  // Of a graph: what it is given, and which entry runs (empty: main, or the only one).
  std::vector<std::pair<std::string, std::vector<int64_t>>> shapes;
  NamedFiles inputs;
  std::string entry;
  std::optional<std::string> trace, outputs;
  double speed = 1;  // of the trace's clock
  int64_t limit = 0; // requests of the trace; 0: all
  uint32_t seed = 1; // of the prompts of a trace
  bool json = false;
};

struct CheckOptions {
  std::string engine;
  std::string device = "cpu";
  unsigned threads = 0; // for a count of tiles per thread; 0: none
  bool weights = false, json = false;
};

struct CeilingsOptions {
  unsigned threads = 0;
  bool json = false;
};

struct MaterializeOptions {
  std::string engine, output;
};

enum class Verb { none, generate, chat, logits, infer, evaluate, tokenize, bench, check, ceilings, materialize };

struct Options {
  Verb verb = Verb::none; // none: all is done, exit with `status`
  int status = 0;
  GenerateOptions generate;
  ChatOptions chat;
  LogitsOptions logits;
  InferOptions infer;
  EvaluateOptions evaluate;
  TokenizeOptions tokenize;
  BenchOptions bench;
  CheckOptions check;
  CeilingsOptions ceilings;
  MaterializeOptions materialize;
};

// Prints help, the version or what is wrong, and then leaves `verb` at none.
Options parseCommandLine(int argc, char **argv);

// Each runs its verb and returns the exit status.
int generate(const GenerateOptions &options);
int chat(const ChatOptions &options);
int logits(const LogitsOptions &options);
int infer(const InferOptions &options);
int evaluate(const EvaluateOptions &options);
int tokenize(const TokenizeOptions &options);
int bench(const BenchOptions &options);
int check(const CheckOptions &options);
int ceilings(const CeilingsOptions &options);
int materialize(const MaterializeOptions &options);

} // namespace ingot::tool

#endif
