// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A decoder loaded from an engine file and ready to serve: the engine, its tokenizer, an executor made at bounds that
// follow from what the caller asked for, and the defaults that came with the checkpoint. The command line and the C
// API both stand on this.
#ifndef INGOT_SERVE_MODEL_H
#define INGOT_SERVE_MODEL_H

#include "runtime/serve/executor_runner.h"
#include "runtime/serve/scheduler.h"
#include "runtime/text/tokenizer.h"

#include <memory>
#include <span>
#include <string>

namespace ingot::serve {

struct LoadOptions {
  std::string device = "cpu"; // "cpu", "cuda", "cuda:1"
  bool deterministic = false; // see runtime::ExecutorOptions
  unsigned threads = 0;     // 0: one per physical core that the process may use
  int64_t context = 0;      // positions of a sequence; 0: the model's own
  uint64_t cache_bytes = 0; // for the KV cache; 0: the context of every sequence, within half of the
                            // memory there is, or what is free on the GPU
  int64_t sequences = 1;    // that run at the same time
  int64_t chunk = 512;      // tokens of a prompt that a step takes at most
  int64_t step_tokens = 0;  // tokens of all sequences in a step; 0: a chunk, or one per sequence if that is more
  int64_t logit_rows = 0;   // rows of logits in a step; 0: one per sequence
  int64_t source = 0;       // largest dimension of what an encoder reads (tokens, frames); 0: the model's context, 4,096 at most
  bool givesSources = false; // the caller gives each sequence a source where the model has an encoder; engines that have one are refused otherwise
  int64_t rewind = 0;       // positions that sessions may give up again where the cache has windows; see sessions.h
};

class Model {
public:
  // Errors: those of the engine file; InvalidArgument for options out of range, Unsupported for an engine that is no
  // decoder, ResourceExhausted where the memory cannot be had.
  static Result<std::unique_ptr<Model>> load(const std::string &path, const LoadOptions &options);

  const runtime::EngineFile &engine() const { return *file; }
  ExecutorRunner &runner() { return *owned; }
  const RunnerInfo &info() const { return owned->info(); }
  const LoadOptions &options() const { return given; }
  const text::Tokenizer *tokenizer() const { return words.get(); } // null where the engine has none

  // What the checkpoint recommends: its generation_config, and the ids that end a text.
  SamplingParams defaultSampling() const;
  std::vector<int32_t> endIds() const;
  // Of a model with an encoder: what its decoder's text begins with; empty where the checkpoint does not say.
  std::vector<int32_t> startIds() const;
  // What its encoder reads; null where it has none.
  const SourceEntry *sources() const { return owned->sources(); }

  // Decodes what follows `prompt`, without special tokens but those of `shown`; null without a tokenizer.
  std::unique_ptr<Detokenizer> detokenizer(std::span<const int32_t> prompt, std::span<const int32_t> shown = {}) const;

  // What was planned, a few lines for a person.
  std::string describe() const;

private:
  Model() = default;
  LoadOptions given;
  std::shared_ptr<const runtime::EngineFile> file;
  std::unique_ptr<text::Tokenizer> words;
  std::unique_ptr<ExecutorRunner> owned;
};

// The tokenizer of an engine; null where it has none, Corrupt where it is damaged.
Result<std::unique_ptr<text::Tokenizer>> loadTokenizer(const runtime::EngineFile &engine);

} // namespace ingot::serve

#endif
