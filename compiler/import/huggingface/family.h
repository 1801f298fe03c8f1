// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a model family is to the importer: the model_type of config.json, and one function that reads the config and
// builds the graph. Each family is one file in families/; families/registry.cpp lists them. See
// docs/guides/add-a-model.md.
#ifndef INGOT_IMPORT_HUGGINGFACE_FAMILY_H
#define INGOT_IMPORT_HUGGINGFACE_FAMILY_H

#include "compiler/import/builder.h"
#include "compiler/import/huggingface/checkpoint.h"
#include "compiler/import/huggingface/config.h"

#include <string>
#include <string_view>
#include <vector>

namespace ingot::huggingface {

// What a family's function works with.
class Model {
public:
  Model(Config &config, Checkpoint &checkpoint, GraphBuilder &builder, Messages &messages, std::string name,
        std::string family);

  Config &config;
  GraphBuilder &builder;
  const std::string name;   // of the model, for people
  const std::string family; // model_type

  // The tensor `tensor` of the checkpoint, which must have this shape. Always gives a value of that shape: problems are
  // collected and told at the end.
  Value weight(const std::string &tensor, const std::vector<int64_t> &shape);
  bool has(const std::string &tensor) const { return checkpoint.has(tensor); }
  // Was any tensor asked for yet?
  bool asked() const { return checkpoint.count() != 0; }

  // The table that turns tokens into vectors, and the one that turns vectors into logits: [vocabulary, width] both.
  struct Ends {
    Value embedding, head;
  };
  // With `tied` they are one tensor, as long as the file does not hold two different ones.
  Ends ends(const std::string &embedding, const std::string &head, const std::vector<int64_t> &shape, bool tied);

private:
  Checkpoint &checkpoint;
  Messages &messages;
};

struct Family {
  std::string_view modelType;    // "llama"
  std::string_view architecture; // "LlamaForCausalLM"
  // Reads every key of the config first; where that found problems (config.good()) it builds nothing.
  void (*import)(Model &);
  // Special tokens where neither generation_config.json nor config.json has the key; -1: none.
  int32_t bos = -1, eos = -1;
};

// All families, in alphabetical order.
const std::vector<const Family *> &families();
const Family *findFamily(std::string_view modelType);

} // namespace ingot::huggingface

#endif
