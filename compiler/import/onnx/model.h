// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// An ONNX file, read: its messages, and where its tensors' bytes lie. Tensors that are stored as raw bytes or in other files are
// mapped and never copied whole; a file of any size is opened in the time that its graph takes.
#ifndef INGOT_COMPILER_IMPORT_ONNX_MODEL_H
#define INGOT_COMPILER_IMPORT_ONNX_MODEL_H

#include "compiler/import/onnx/types.h"
#include "compiler/import/onnx/onnx.pb.h"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ingot::onnx {

// Where the bytes of a tensor lie: in a mapped file, or in memory where the file spells them one by one.
struct TensorBytes {
  DataType type = DataType::undefined;
  std::vector<int64_t> shape;
  const char *data = nullptr; // row-major, little-endian, as a file holds them: 4 and 2 bits packed
  uint64_t bytes = 0;
  std::string file;    // that holds them, where they lie in one
  uint64_t offset = 0; // in that file
  std::shared_ptr<const std::string> owned;
  std::shared_ptr<const std::vector<std::string>> strings;

  uint64_t elements() const;
};

class Model {
public:
  Model();
  ~Model();
  Model(const Model &) = delete;

  // Reads a file. Returns "" or an error sentence that names it.
  std::string open(const std::string &path);
  // The same for bytes in memory, with external data beside `directory`: for tests and fuzzing.
  std::string parse(std::string_view bytes, const std::string &directory);

  const proto::ModelProto &proto() const { return model; }
  const std::string &path() const { return name; }

  // One more constant of the main graph. An input of its name is none any more.
  void addInitializer(proto::TensorProto tensor) { *model.mutable_graph()->add_initializer() = std::move(tensor); }

  // The bytes of a tensor of this model. Returns "" or an error sentence (a type that is not known, a size that does not
  // fit, an external file that is absent or too short).
  std::string tensor(const proto::TensorProto &tensor, TensorBytes &result) const;

private:
  struct Mapping;
  std::string load(std::string_view bytes);
  std::string external(const proto::TensorProto &tensor, TensorBytes &result) const;

  proto::ModelProto model;
  std::string name, directory;
  std::shared_ptr<const Mapping> own;
  std::string_view content;
  mutable std::map<std::string, std::shared_ptr<const Mapping>> others;
};

} // namespace ingot::onnx

#endif
