// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See checkpoint.h. Which files make a checkpoint is decided as `transformers` decides it: model.safetensors, else
// those that model.safetensors.index.json names; failing both, every *.safetensors that is not of another kind.
#include "compiler/import/huggingface/checkpoint.h"
#include "compiler/import/huggingface/files.h"

#include <algorithm>
#include <filesystem>

namespace ingot::huggingface {

namespace fs = std::filesystem;

namespace {

std::vector<std::string> fileNames(const std::string &directory, Messages &messages) {
  std::vector<std::string> names;
  std::error_code failure;
  for (fs::directory_iterator it(directory, failure), end; !failure && it != end; it.increment(failure))
    names.push_back(it->path().filename().string());
  if (failure)
    messages.problems.push_back(directory + ": cannot be listed: " + failure.message());
  std::sort(names.begin(), names.end());
  return names;
}

// No weights that we read: says what is there instead and what to do.
std::string noSafetensors(const std::string &directory, const std::vector<std::string> &names) {
  std::string text = directory + ": no *.safetensors file; ";
  for (const std::string &name : names) {
    if (name == "adapter_model.safetensors")
      return text + "it holds an adapter (" + name + "): merge it into its base model first (peft: merge_and_unload)";
    if (name.ends_with(".gguf"))
      return text + "it holds a GGUF file (" + name + "), which is not read: use the original checkpoint";
    if (name.starts_with("consolidated"))
      return text + "it holds the publisher's own format (" + name + "): use the checkpoint that transformers loads";
    if (name.ends_with(".bin") || name.ends_with(".pt") || name.ends_with(".pth") || name.ends_with(".ckpt"))
      return text + "it holds pickled weights (" + name +
             "), which may run code and are not read: load them with transformers and save_pretrained() them as "
             "safetensors";
    if (name.ends_with(".h5") || name.ends_with(".msgpack"))
      return text + "it holds weights of another framework (" + name +
             "): load them with transformers and save_pretrained() them as safetensors";
  }
  return text + "the weights are missing; download them, or compile without them by --dummy-weights=SEED";
}

// Shards that an index names; what the index says of each tensor is checked once the shards are read.
std::map<std::string, std::string> readIndex(const std::string &path, Messages &messages) {
  std::map<std::string, std::string> fileOf;
  std::optional<Json> index = readJsonObject(path, messages);
  if (!index)
    return fileOf;
  if (!index->contains("weight_map") || !(*index)["weight_map"].is_object()) {
    messages.problems.push_back(path + ": has no object \"weight_map\" from tensors to files");
    return fileOf;
  }
  for (const auto &[tensor, file] : (*index)["weight_map"].items()) {
    std::string name = file.is_string() ? file.get<std::string>() : "";
    if (name.empty() || name == "." || name == ".." || name.find('/') != std::string::npos ||
        name.find('\0') != std::string::npos)
      messages.problems.push_back(path + ": weight_map gives tensor " + inQuotes(tensor) + " the file " +
                                  described(file) + ", expected the name of a file in the same folder");
    else
      fileOf[tensor] = name;
  }
  return fileOf;
}

bool isUsable(ElementType type) {
  return type == ElementType::f32 || type == ElementType::f16 || type == ElementType::bf16;
}

} // namespace

Checkpoint Checkpoint::open(const std::string &directory, Messages &messages) {
  Checkpoint out;
  out.place = directory;
  size_t before = messages.problems.size();
  std::vector<std::string> names = fileNames(directory, messages);
  auto holds = [&](const char *name) { return std::binary_search(names.begin(), names.end(), name); };
  auto path = [&](const std::string &name) { return (fs::path(directory) / name).string(); };

  std::set<std::string> files;
  std::map<std::string, std::string> fileOf;
  const char *indexName = "model.safetensors.index.json";
  if (holds("model.safetensors")) {
    files = {"model.safetensors"};
    if (holds(indexName))
      messages.notes.push_back(path(indexName) + ": not used, since model.safetensors is there too");
  } else if (holds(indexName)) {
    fileOf = readIndex(path(indexName), messages);
    for (const auto &[tensor, file] : fileOf)
      files.insert(file);
  } else {
    for (const std::string &name : names)
      if (name.ends_with(".safetensors") && !name.starts_with("adapter_") && !name.starts_with("consolidated"))
        files.insert(name);
    if (files.empty() && messages.problems.size() == before)
      messages.problems.push_back(noSafetensors(directory, names));
  }

  for (const std::string &file : files) {
    if (!holds(file.c_str())) {
      messages.problems.push_back(path(file) + ": is missing, though " + indexName +
                                  " names it; download the checkpoint again");
      continue;
    }
    for (StoredTensor &tensor : readSafetensors(path(file), messages)) {
      std::string name = tensor.name;
      auto [at, isNew] = out.stored.emplace(name, std::move(tensor));
      if (!isNew)
        messages.problems.push_back(path(file) + ": tensor " + inQuotes(name) + " stands also in " + at->second.file +
                                    "; which one is meant is not known: remove one file, or add " + indexName);
    }
  }
  if (messages.problems.size() == before)
    for (const auto &[tensor, file] : fileOf) {
      auto found = out.stored.find(tensor);
      if (found == out.stored.end())
        messages.problems.push_back(path(indexName) + ": says that tensor " + inQuotes(tensor) + " lies in " + file +
                                    ", which does not have it");
      else if (found->second.file != path(file))
        messages.problems.push_back(path(indexName) + ": says that tensor " + inQuotes(tensor) + " lies in " + file +
                                    ", but it lies in " + found->second.file);
    }
  out.damaged = messages.problems.size() != before;
  return out;
}

Checkpoint Checkpoint::dummy(ElementType type) {
  Checkpoint out;
  out.isDummy = true;
  out.dummyType = type;
  return out;
}

TensorSource Checkpoint::take(const std::string &name, const std::vector<int64_t> &shape) {
  TensorSource source;
  source.name = name;
  source.shape = shape;
  source.type = isDummy ? dummyType : ElementType::f32;
  auto found = stored.find(name);
  if (!isDummy) {
    if (found == stored.end()) {
      wrong[name] = place + ": tensor " + inQuotes(name) + " is missing, expected shape " + shapeText(shape);
    } else {
      const StoredTensor &tensor = found->second;
      known.insert(name);
      if (tensor.shape != shape)
        wrong[name] = tensor.file + ": tensor " + inQuotes(name) + " has shape " + shapeText(tensor.shape) +
                      ", but config.json implies " + shapeText(shape);
      else if (!tensor.type || !isUsable(*tensor.type))
        wrong[name] = tensor.file + ": tensor " + inQuotes(name) + " is of type " + inQuotes(tensor.dtype) +
                      ", expected F32, F16 or BF16; use a checkpoint that is not quantized";
      else
        source.type = *tensor.type;
      source.file = tensor.file;
      source.offset = tensor.offset;
      source.bytes = tensor.bytes;
    }
  }
  if (source.file.empty()) {
    source.bytes = elementBytes(source.type);
    for (int64_t dim : shape)
      source.bytes *= static_cast<uint64_t>(dim);
  }
  taken.emplace(name, source);
  return source;
}

bool Checkpoint::equal(const std::string &a, const std::string &b, Messages &messages) const {
  auto first = stored.find(a), second = stored.find(b);
  if (first == stored.end() || second == stored.end())
    return false;
  const StoredTensor &x = first->second, &y = second->second;
  if (x.dtype != y.dtype || x.shape != y.shape || x.bytes != y.bytes)
    return false;
  InputFile xFile(x.file), yFile(y.file);
  std::string xPart, yPart;
  constexpr uint64_t kPart = 4 << 20;
  for (uint64_t at = 0; at < x.bytes; at += kPart) {
    uint64_t count = std::min(kPart, x.bytes - at);
    for (auto [file, offset, part] : {std::tuple(&xFile, x.offset, &xPart), std::tuple(&yFile, y.offset, &yPart)})
      if (!file->read(offset + at, count, *part)) {
        messages.problems.push_back(file->error());
        return false;
      }
    if (xPart != yPart)
      return false;
  }
  return true;
}

void Checkpoint::report(Messages &messages) const {
  if (damaged)
    return; // the files' own problems come first; what seems missing may lie in the part that could not be read
  for (const auto &[name, text] : wrong)
    messages.problems.push_back(text);
  for (const auto &[name, tensor] : stored) {
    if (known.count(name))
      continue;
    // Old checkpoints stored the rotary frequencies, which follow from config.json.
    if (name.ends_with(".rotary_emb.inv_freq"))
      continue;
    messages.problems.push_back(tensor.file + ": tensor " + inQuotes(name) + " of shape " + shapeText(tensor.shape) +
                                " is not used by the model that config.json describes");
  }
}

uint64_t Checkpoint::elements() const {
  uint64_t sum = 0;
  for (const auto &[name, source] : taken)
    sum += source.bytes / elementBytes(source.type);
  return sum;
}

uint64_t Checkpoint::bytes() const {
  uint64_t sum = 0;
  for (const auto &[name, source] : taken)
    sum += source.bytes;
  return sum;
}

ElementType Checkpoint::dominantType() const {
  std::map<ElementType, uint64_t> byType;
  for (const auto &[name, source] : taken)
    byType[source.type] += source.bytes;
  ElementType best = ElementType::f32;
  uint64_t most = 0;
  for (const auto &[type, bytes] : byType)
    if (bytes > most) {
      most = bytes;
      best = type;
    }
  return best;
}

} // namespace ingot::huggingface
