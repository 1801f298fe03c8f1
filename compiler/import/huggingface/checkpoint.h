// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// All tensors of a checkpoint directory, by name, whichever files they lie in. A model family asks for the tensors
// it needs, with the shapes that its config implies; what is missing, misshapen or never asked for is collected.
#ifndef INGOT_IMPORT_HUGGINGFACE_CHECKPOINT_H
#define INGOT_IMPORT_HUGGINGFACE_CHECKPOINT_H

#include "compiler/import/huggingface/safetensors.h"

#include <map>
#include <set>
#include <string>
#include <vector>

namespace ingot::huggingface {

class Checkpoint {
public:
  // The tensors that stand in the safetensors files of `directory`. Problems of the files go to `messages`.
  static Checkpoint open(const std::string &directory, Messages &messages);
  // No files: every tensor that is asked for exists, is described by name, type and shape, and lies nowhere.
  static Checkpoint dummy(ElementType type);

  // Is there such a tensor? With dummy weights: no.
  bool has(const std::string &name) const { return stored.count(name) != 0; }

  // The tensor, which must be there with this shape. Where it is not, that is remembered and a description of what was
  // expected is given back, so that a caller can go on and find the other problems.
  TensorSource take(const std::string &name, const std::vector<int64_t> &shape);

  // Marks a tensor as known though nothing reads it.
  void ignore(const std::string &name) { known.insert(name); }

  // Do two stored tensors hold the same bytes, type and shape? The one place where tensor data is looked at: it is read
  // until the first difference.
  bool equal(const std::string &a, const std::string &b, Messages &messages) const;

  // Tells what was asked for in vain, and what nobody asked for.
  void report(Messages &messages) const;

  // Of the tensors taken, each counted once.
  uint64_t count() const { return taken.size(); }
  uint64_t elements() const;
  uint64_t bytes() const;
  ElementType dominantType() const; // the type that most bytes have

private:
  bool isDummy = false;
  bool damaged = false; // files could not be read: then nothing is known of what is missing
  ElementType dummyType = ElementType::f32;
  std::string place; // what a message calls the place where tensors were searched
  std::map<std::string, StoredTensor> stored;
  std::map<std::string, TensorSource> taken;
  std::map<std::string, std::string> wrong; // by tensor, the sentence
  std::set<std::string> known;
};

} // namespace ingot::huggingface

#endif
