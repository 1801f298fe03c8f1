// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The entry of the Hugging Face importer: a checkpoint directory in, a graph in the builder and everything else the
// engine keeps of the checkpoint out. Weights are never read here, only described; nothing of targets, precisions or
// layouts is decided here.
#ifndef INGOT_IMPORT_HUGGINGFACE_IMPORT_H
#define INGOT_IMPORT_HUGGINGFACE_IMPORT_H

#include "compiler/import/builder.h"
#include "compiler/import/tokenizer/tokenizer_files.h"
#include "runtime/chat/section.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ingot::huggingface {

struct ImportOptions {
  std::string directory;
  // Random weights are drawn from this seed when the engine is written. Only config.json need be there then; weight
  // files are not looked at, and every tensor's source lies in no file.
  std::optional<uint64_t> dummySeed;
  std::string chatTemplate = {}; // a file whose template stands in for the checkpoint's, or ""
};

// What the checkpoint says of generation, as transformers understands it. Neutral values are those of plan.fbs.
struct GenerationConfig {
  int32_t bos = -1;         // -1: none
  std::vector<int32_t> eos; // any of them ends a text
  int32_t pad = -1;
  std::vector<int32_t> start; // of a decoder with an encoder: what its text begins with
  bool do_sample = false;
  double temperature = 1;
  int32_t top_k = 0; // 0: off. Where the checkpoint samples and leaves it out, transformers' 50
  double top_p = 1;
  double min_p = 0;
  double repetition_penalty = 1;
};

struct ImportResult {
  std::vector<std::string> problems; // sentences that name file, key or tensor; in groups, each sorted by name
  std::vector<std::string> notes;    // worth knowing, and not in the way

  std::string name;                          // of the model, for people
  std::string family;                        // model_type
  uint64_t tensors = 0;                      // stored tensors that the model uses
  uint64_t parameters = 0;                   // their elements
  uint64_t bytes = 0;                        // their bytes in the checkpoint
  ElementType weightType = ElementType::f32; // the type that most of these bytes have
  GenerationConfig generation;

  // Texts as they stand in the checkpoint, where they do.
  std::optional<std::string> tokenizerJson, tokenizerConfigJson;
  tokenizer::TokenizerFiles tokenizerFiles; // read where tokenizer.json is absent
  chat::ChatSource chat; // templates, each parsed, and special tokens; without templates there is no chat
};

// Imports `options.directory`. False where result.problems says why not: then all of them, not the first; what the
// builder holds is to be thrown away. Reads a few small files, so that it takes milliseconds for a model of any size.
bool importModel(const ImportOptions &options, GraphBuilder &builder, ImportResult &result);

// The same for the text of a config.json alone, with dummy weights: for tests and fuzzing.
bool importConfigText(std::string_view config, GraphBuilder &builder, ImportResult &result);

// model_type of every family that can be imported: "llama, mistral, ..."
std::string supportedFamilies();

} // namespace ingot::huggingface

#endif
