// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Checkpoint directories that a test makes up and that vanish with it.
#ifndef INGOT_TEST_UNIT_IMPORT_SCRATCH_H
#define INGOT_TEST_UNIT_IMPORT_SCRATCH_H

#include "compiler/import/huggingface/import.h"

#include <nlohmann/json.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

namespace ingot::test {

class Scratch {
public:
  Scratch() {
    std::string pattern = (std::filesystem::temp_directory_path() / "ingot-import-XXXXXX").string();
    root = ::mkdtemp(pattern.data());
  }
  ~Scratch() { std::filesystem::remove_all(root); }
  Scratch(const Scratch &) = delete;

  std::string path(const std::string &name = "") const { return (root / name).string(); }
  void write(const std::string &name, const std::string &content) const {
    std::ofstream(root / name, std::ios::binary) << content;
  }
  void remove(const std::string &name) const { std::filesystem::remove(root / name); }

private:
  std::filesystem::path root;
};

// 8 bytes of length, the header, `dataBytes` bytes of data.
inline std::string safetensors(const std::string &header, uint64_t dataBytes, uint64_t length = UINT64_MAX) {
  if (length == UINT64_MAX)
    length = header.size();
  std::string out;
  for (int i = 0; i < 8; ++i)
    out += static_cast<char>(length >> (8 * i) & 255);
  return out + header + std::string(dataBytes, '\0');
}

// A file with these tensors, all F32 and zero.
inline std::string safetensors(const std::map<std::string, std::vector<int64_t>> &tensors) {
  nlohmann::json header;
  uint64_t end = 0;
  for (const auto &[name, shape] : tensors) {
    uint64_t begin = end, bytes = 4;
    for (int64_t dim : shape)
      bytes *= static_cast<uint64_t>(dim);
    end += bytes;
    header[name] = {{"dtype", "F32"}, {"shape", shape}, {"data_offsets", {begin, end}}};
  }
  return safetensors(header.dump(), end);
}

// A Llama of one layer: its config and its tensors, which tests then spoil.
inline nlohmann::json smallConfig() {
  return {{"architectures", {"LlamaForCausalLM"}},
          {"model_type", "llama"},
          {"vocab_size", 10},
          {"hidden_size", 8},
          {"intermediate_size", 12},
          {"num_hidden_layers", 1},
          {"num_attention_heads", 2},
          {"num_key_value_heads", 1},
          {"max_position_embeddings", 64},
          {"rms_norm_eps", 1e-5},
          {"rope_theta", 10000.0},
          {"tie_word_embeddings", false},
          {"torch_dtype", "float32"}};
}

inline std::map<std::string, std::vector<int64_t>> smallTensors() {
  std::string layer = "model.layers.0.";
  return {{"model.embed_tokens.weight", {10, 8}},
          {"model.norm.weight", {8}},
          {"lm_head.weight", {10, 8}},
          {layer + "input_layernorm.weight", {8}},
          {layer + "post_attention_layernorm.weight", {8}},
          {layer + "self_attn.q_proj.weight", {8, 8}},
          {layer + "self_attn.k_proj.weight", {4, 8}},
          {layer + "self_attn.v_proj.weight", {4, 8}},
          {layer + "self_attn.o_proj.weight", {8, 8}},
          {layer + "mlp.gate_proj.weight", {12, 8}},
          {layer + "mlp.up_proj.weight", {12, 8}},
          {layer + "mlp.down_proj.weight", {8, 12}}};
}

inline std::string joined(const std::vector<std::string> &lines) {
  std::string out;
  for (const std::string &line : lines)
    out += line + "\n";
  return out;
}

// Does a line contain all of `parts`?
inline bool says(const std::vector<std::string> &lines, const std::vector<std::string> &parts) {
  for (const std::string &line : lines) {
    bool all = true;
    for (const std::string &part : parts)
      all = all && line.find(part) != std::string::npos;
    if (all)
      return true;
  }
  return false;
}

} // namespace ingot::test

#endif
