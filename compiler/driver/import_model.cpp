// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See import_model.h.
#include "compiler/driver/import_model.h"
#include "compiler/driver/compile.h"
#include "compiler/import/huggingface/beside.h"
#include "compiler/import/onnx/import.h"
#include "compiler/import/onnx/model.h"
#include "compiler/import/onnx/specialize.h"
#include "compiler/import/tokenizer/tokenizer_files.h"
#include "compiler/import/tokenizer/tokenizer_json.h"
#include "dialects/ingot/IngotDialect.h"

#include "mlir/Parser/Parser.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;

namespace ingot::driver {

int fail(int status, const llvm::Twine &message) {
  llvm::errs() << "error: " << message << "\n";
  return status;
}

int bug(const llvm::Twine &message) {
  llvm::errs() << "error: " << message
               << "\nThis is a bug of Ingot: please report it with the model's config.json and this message.\n";
  return kBug;
}

bool isOnnx(StringRef model) { return model.ends_with(".onnx"); }
bool isModule(StringRef model) { return model.ends_with(".mlir"); }

void findGraphs(ModelSource &source) {
  namespace path = llvm::sys::path;
  auto in = [](StringRef directory, StringRef name) {
    llvm::SmallString<128> joined(directory);
    path::append(joined, name);
    return joined.str().str();
  };
  auto exists = [](const std::string &file) { return llvm::sys::fs::is_regular_file(file); };
  if (!llvm::sys::fs::is_directory(source.model))
    return;
  for (StringRef checkpoint : {"model.safetensors", "model.safetensors.index.json"})
    if (exists(in(source.model, checkpoint)))
      return;
  for (const std::string &directory : {source.model, in(source.model, "onnx")}) {
    // Of Optimum and transformers.js, and of ONNX Runtime GenAI's builder. What only continues a text lacks the products that make an
    // encoder's keys and values.
    static const std::pair<StringRef, StringRef> pairs[] = {{"encoder_model.onnx", "decoder_model.onnx"},
                                                            {"encoder_model.onnx", "decoder_model_merged.onnx"},
                                                            {"encoder.onnx", "decoder.onnx"}};
    for (auto [encoder, decoder] : pairs)
      if (exists(in(directory, encoder)) && exists(in(directory, decoder))) {
        source.encoder = in(directory, encoder);
        source.model = in(directory, decoder);
        return;
      }
    if (exists(in(directory, "model.onnx"))) {
      source.model = in(directory, "model.onnx");
      return;
    }
  }
}

bool isDecoder(ModuleOp module) {
  auto entry = module.lookupSymbol<ir::EntryOp>("step");
  return entry && module->hasAttr("ingot.vocabulary");
}

namespace {

int printProblems(const std::string &model, const std::vector<std::string> &problems) {
  llvm::errs() << "error: " << model << " cannot be compiled: " << problems.size()
               << (problems.size() == 1 ? " problem\n" : " problems\n");
  for (const std::string &problem : problems)
    llvm::errs() << "  - " << problem << "\n";
  return kModelAtFault;
}

// Compiles the tokenizer that was read.
void makeTokenizer(Imported &imported) {
  huggingface::ImportResult &facts = imported.facts;
  std::string error;
  if (!facts.tokenizerJson && facts.tokenizerFiles.any()) {
    std::string json;
    if (tokenizer::writeTokenizerJson(facts.tokenizerFiles, facts.tokenizerConfigJson.value_or(""), json, error))
      facts.tokenizerJson = std::move(json);
    else
      facts.problems.push_back(error);
  }
  if (facts.tokenizerJson)
    if (!tokenizer::compileTokenizer(*facts.tokenizerJson, facts.tokenizerConfigJson.value_or(""), imported.tokenizer,
                                     error, &facts.notes))
      facts.problems.push_back(error); // names the file
}

int take(Imported &imported) {
  imported.module = takeModule(imported.builder);
  return imported.module ? int(kDone) : bug("the importer made an invalid module");
}

int importCheckpoint(const ModelSource &source, Imported &imported) {
  huggingface::ImportResult &facts = imported.facts;
  bool good = huggingface::importModel({source.model, source.dummySeed, source.chatTemplate}, imported.builder, facts);
  makeTokenizer(imported);
  if (!good || !facts.problems.empty())
    return printProblems(source.model, facts.problems);
  return take(imported);
}

int importOnnx(const ModelSource &source, Imported &imported) {
  onnx::Model encoder, model;
  onnx::ImportResult result;
  for (auto [file, read] : {std::pair(&source.encoder, &encoder), std::pair(&source.model, &model)})
    if (!file->empty())
      if (std::string error = read->open(*file); !error.empty())
        result.problems.push_back(error);
  if (!result.problems.empty() || !(source.encoder.empty() ? onnx::importChoosing(model, imported.builder, result)
                                                           : onnx::importPair(encoder, model, imported.builder, result)))
    return printProblems(source.model, result.problems);
  huggingface::ImportResult &facts = imported.facts;
  facts.name = result.name;
  facts.family = "ONNX, operator set " + std::to_string(result.opset) + (result.producer.empty() ? "" : ", of " + result.producer);
  facts.tensors = result.tensors;
  facts.parameters = result.parameters;
  facts.bytes = result.bytes;
  facts.weightType = result.weightType;
  facts.notes = result.notes;
  if (int status = take(imported))
    return status;
  ModuleOp module = *imported.module;
  if (!source.encoder.empty())
    module->setAttr("ingot.wants_decoder", UnitAttr::get(module.getContext()));
  if (int64_t context = huggingface::contextBeside(huggingface::directoryBeside(source.model)))
    module->setAttr("ingot.context", IntegerAttr::get(IntegerType::get(module.getContext(), 64), context));
  return kDone;
}

// Reads a module in the ingot dialect, for tests and for looking at one op.
int parseModule(const std::string &path, Imported &imported) {
  llvm::SourceMgr sources;
  imported.module = parseSourceFile<ModuleOp>(path, sources, &contextOf(imported.builder));
  return imported.module ? kDone : kModelAtFault;
}

} // namespace

int importAny(const ModelSource &source, Imported &imported) {
  if (isModule(source.model)) {
    if (!source.chatTemplate.empty() || !source.tokenizer.empty())
      return fail(kUsageAtFault, "--chat-template and --tokenizer go with a model: a module in the ingot dialect has no text");
    return parseModule(source.model, imported);
  }
  if (isOnnx(source.model)) {
    if (source.dummySeed)
      return fail(kUsageAtFault, "--dummy-weights goes with a checkpoint's directory, not with an ONNX file");
    return importOnnx(source, imported);
  }
  if (!source.encoder.empty())
    return fail(kUsageAtFault, "--encoder goes with an ONNX file that holds a decoder");
  if (!source.tokenizer.empty())
    return fail(kUsageAtFault, "--tokenizer goes with an ONNX file: a checkpoint's directory holds its own");
  return importCheckpoint(source, imported);
}

int readTextOfGraph(const ModelSource &source, Imported &imported) {
  if (!isOnnx(source.model))
    return kDone;
  if (!isDecoder(*imported.module)) {
    if (source.tokenizer.empty() && source.chatTemplate.empty())
      return kDone;
    auto why = (*imported.module)->getAttrOfType<StringAttr>("ingot.not_decoder");
    return fail(kUsageAtFault, "--tokenizer and --chat-template are for models that write text, and " + source.model + " is none" +
                                   (why ? ": " + why.getValue().str() : std::string()));
  }
  huggingface::ImportResult &facts = imported.facts;
  const std::string directory = huggingface::directoryBeside(source.model);
  // Exporters call graphs by the tool's names.
  StringRef stem = llvm::sys::path::stem(source.model);
  facts.name = stem.starts_with("model") || stem == "decoder" || stem.starts_with("decoder_model") ? llvm::sys::path::filename(directory).str() : stem.str();
  huggingface::readBeside(directory, source.tokenizer, source.chatTemplate, facts);
  if (facts.problems.empty())
    makeTokenizer(imported);
  return facts.problems.empty() ? int(kDone) : printProblems(source.model, facts.problems);
}

} // namespace ingot::driver
