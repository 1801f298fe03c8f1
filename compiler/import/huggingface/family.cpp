// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See family.h.
#include "compiler/import/huggingface/family.h"

namespace ingot::huggingface {

Model::Model(Config &from, Checkpoint &tensors, GraphBuilder &to, Messages &sink, std::string modelName,
             std::string modelType)
    : config(from), builder(to), name(std::move(modelName)), family(std::move(modelType)), checkpoint(tensors),
      messages(sink) {}

Value Model::weight(const std::string &tensor, const std::vector<int64_t> &shape) {
  return builder.weight(checkpoint.take(tensor, shape));
}

Model::Ends Model::ends(const std::string &embedding, const std::string &head, const std::vector<int64_t> &shape,
                        bool tied) {
  if (!tied)
    return {weight(embedding, shape), weight(head, shape)};
  // Either of a tied pair may be the one that is stored. Two that differ are not tied, whatever the config says:
  // transformers uses both then.
  if (has(embedding) && has(head)) {
    if (!checkpoint.equal(embedding, head, messages)) {
      messages.notes.push_back("config.json ties " + head + " to " + embedding +
                               ", but the checkpoint holds different values for them: both are used");
      return {weight(embedding, shape), weight(head, shape)};
    }
    messages.notes.push_back(head + " repeats " + embedding + ", to which it is tied: it is stored once");
    checkpoint.ignore(head);
  }
  Value table = weight(has(head) && !has(embedding) ? head : embedding, shape);
  return {table, table};
}

const Family *findFamily(std::string_view modelType) {
  for (const Family *family : families())
    if (family->modelType == modelType)
      return family;
  return nullptr;
}

} // namespace ingot::huggingface
