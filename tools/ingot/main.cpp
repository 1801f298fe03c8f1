// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The compiler's command line: `ingot compile`, `ingot check`, `ingot inspect`. Parses arguments and calls
// compiler/driver; exit status 2 where the command line is at fault.
#include "compiler/driver/compile.h"
#include "compiler/driver/inspect.h"
#include "passes/quantization/Schemes.h"

#include "llvm/Support/CommandLine.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/raw_ostream.h"

#include <string>

using namespace ingot::driver;
namespace cl = llvm::cl;

namespace {

int usage(const llvm::Twine &message) {
  llvm::errs() << "ingot: " << message << "\n";
  return kUsageAtFault;
}

bool parseSeed(const std::string &text, std::optional<uint64_t> &seed) {
  uint64_t value;
  if (llvm::StringRef(text).getAsInteger(10, value))
    return false;
  seed = value;
  return true;
}

} // namespace

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  llvm::setBugReportMsg("ingot: this is a bug of Ingot. Please report it with the command and this trace:\n");

  cl::OptionCategory category("Options");
  cl::SubCommand compile("compile", "Compile a model to an engine file");
  cl::SubCommand check("check", "Say whether and how a model will compile, without reading its weights");
  cl::SubCommand inspect("inspect", "Print what is in an engine file");

  cl::opt<std::string> model(cl::Positional, cl::desc("MODEL"), cl::sub(compile), cl::sub(check), cl::cat(category));
  cl::opt<std::string> output("o", cl::desc("Write the engine (or the emitted stage) to FILE"), cl::value_desc("FILE"),
                              cl::sub(compile), cl::cat(category));
  cl::opt<std::string> target("target", cl::desc("What to compile for: CPUs, NVIDIA GPUs (sm_80, sm_86, sm_89, sm_90, sm_100, sm_120, and "
                                       "compute_80 for newer ones), or both (default: cpu)"),
                              cl::value_desc("cpu|cuda[:ARCH,...],..."),
                              cl::init("cpu"), cl::sub(compile), cl::cat(category));
  cl::opt<std::string> compute("compute",
                               cl::desc("Precision of products of f32, f16 and bf16 weights; sums are f32 (default: "
                                        "bf16 where all are bf16, else f32)"),
                               cl::value_desc("f32|bf16"), cl::sub(compile), cl::sub(check), cl::cat(category));
  cl::opt<std::string> weightScheme("weights",
                                    cl::desc("How weights of products are stored: f32, f16, bf16, int8[:g32|g64|g128], "
                                             "int4[:g32|g64|g128][,asym] (default: as in the checkpoint)"),
                                    cl::value_desc("SCHEME"), cl::sub(compile), cl::sub(check), cl::cat(category));
  cl::opt<std::string> activations("activations",
                                   cl::desc("What int8 and int4 weights are multiplied with: rows rounded to int8 one "
                                            "by one, or floats (default: int8)"),
                                   cl::value_desc("float|int8"), cl::sub(compile), cl::sub(check), cl::cat(category));
  cl::opt<std::string> rules("rules",
                             cl::desc("Exceptions by tensor name, first match wins: lines of PATTERN SCHEME "
                                      "[activations=float|int8]"),
                             cl::value_desc("FILE"), cl::sub(compile), cl::sub(check), cl::cat(category));
  cl::opt<std::string> kv("kv", cl::desc("How keys and values are cached (default: as products are computed)"),
                          cl::value_desc("f32|bf16|f16|int8"), cl::sub(compile), cl::sub(check), cl::cat(category));
  cl::opt<std::string> padding("padding",
                               cl::desc("Whether an encoder leaves out the positions that its mask hides, whose results "
                                        "are zeros then, or computes them; drop-ranges leaves them out even where the graph "
                                        "quantizes by the range of all positions, which then is that of the others (default: drop)"),
                               cl::value_desc("drop|keep|drop-ranges"), cl::init("drop"), cl::sub(compile), cl::sub(check), cl::cat(category));
  cl::opt<std::string> dummy("dummy-weights", cl::desc("Draw weights from SEED: only config.json is needed"),
                             cl::value_desc("SEED"), cl::sub(compile), cl::sub(check), cl::cat(category));
  cl::opt<std::string> chatTemplate("chat-template", cl::desc("Use the Jinja chat template in FILE in place of the model's"),
                                    cl::value_desc("FILE"), cl::sub(compile), cl::sub(check), cl::cat(category));
  cl::opt<std::string> encoder("encoder", cl::desc("Of an ONNX decoder that attends to an encoder's results: the encoder's file"),
                               cl::value_desc("FILE"), cl::sub(compile), cl::sub(check), cl::cat(category));
  cl::opt<std::string> tokenizer("tokenizer", cl::desc("Of an ONNX model that writes text: its tokenizer.json, or the directory that holds it "
                                                       "(default: that of the model)"),
                                 cl::value_desc("PATH"), cl::sub(compile), cl::sub(check), cl::cat(category));
  cl::opt<std::string> emit("emit", cl::desc("Stop at a stage and print it: import, ingot, linalg, plan, llvm, asm, cuda, ptx"),
                            cl::value_desc("STAGE"), cl::init("engine"), cl::sub(compile), cl::cat(category));
  cl::opt<std::string> set("set", cl::desc("Feature set that --emit=llvm and --emit=asm show (default: the widest that holds every kernel)"),
                           cl::value_desc("avx2|avxvnni|avx512|avx512vnni|avx512bf16|amx"), cl::sub(compile), cl::cat(category));
  cl::opt<std::string> dump("dump-stages", cl::desc("Keep every stage in a folder"), cl::value_desc("DIR"),
                            cl::sub(compile), cl::cat(category));
  cl::opt<unsigned> threads("threads", cl::desc("Threads to work with (default: all)"), cl::value_desc("N"),
                            cl::init(0), cl::sub(compile), cl::cat(category));
  cl::opt<bool> quiet("quiet", cl::desc("Print nothing but errors"), cl::sub(compile), cl::cat(category));

  cl::opt<std::string> engine(cl::Positional, cl::desc("ENGINE"), cl::sub(inspect), cl::cat(category));
  cl::opt<bool> json("json", cl::desc("Print everything as JSON"), cl::sub(inspect), cl::cat(category));
  cl::opt<bool> weights("weights", cl::desc("Add a line for every weight"), cl::sub(inspect), cl::cat(category));
  cl::opt<bool> launches("launches", cl::desc("Add a line for every launch"), cl::sub(inspect), cl::cat(category));

  for (cl::SubCommand *command : {&compile, &check, &inspect})
    cl::HideUnrelatedOptions(category, *command);
  cl::HideUnrelatedOptions(category);
  cl::SetVersionPrinter([](llvm::raw_ostream &out) { out << "ingot " INGOT_VERSION "\n"; });

  std::string problems;
  llvm::raw_string_ostream problemStream(problems);
  if (!cl::ParseCommandLineOptions(argc, argv, "Ingot compiles a transformer model to one engine file.\n",
                                   &problemStream)) {
    llvm::errs() << problems;
    return kUsageAtFault;
  }

  if (inspect) {
    if (engine.empty())
      return usage("inspect needs an engine file: ingot inspect F.ingot");
    std::string text, error = inspectEngine(engine, {json, weights, launches}, text);
    if (!error.empty()) {
      llvm::errs() << "error: " << error << "\n";
      return kModelAtFault;
    }
    llvm::outs() << text;
    return kDone;
  }
  if (!compile && !check)
    return usage("say what to do: ingot compile MODEL -o F.ingot, ingot check MODEL or ingot inspect F.ingot; "
                 "ingot --help tells more");

  std::optional<uint64_t> seed;
  llvm::StringRef seedText = dummy;
  const bool atLoad = seedText.consume_back(",at-load");
  if (!dummy.empty() && !parseSeed(seedText.str(), seed))
    return usage("--dummy-weights takes a number, the seed, or SEED,at-load, not '" + dummy + "'");
  if (model.empty())
    return usage(llvm::Twine(compile ? "compile" : "check") + " needs a model: a Hugging Face directory or an ONNX file");
  if (!compute.empty() && compute != "f32" && compute != "bf16")
    return usage("--compute takes f32 or bf16, not '" + compute + "'");
  if (!weightScheme.empty() && !ingot::passes::parseScheme(weightScheme))
    return usage("--weights takes " + llvm::Twine(ingot::passes::kSchemes) + "; not '" + weightScheme + "'");
  if (!activations.empty() && activations != "float" && activations != "int8")
    return usage("--activations takes float or int8, not '" + activations + "'");
  std::vector<ingot::passes::PrecisionRule> parsed; // read again by the pass: here for the exit status
  if (std::string error = ingot::passes::readRules(rules, parsed); !error.empty())
    return usage(error);
  static const llvm::StringRef cacheTypes[] = {"f32", "bf16", "f16", "int8"};
  if (!kv.empty() && !llvm::is_contained(cacheTypes, llvm::StringRef(kv)))
    return usage("--kv takes f32, bf16, f16 or int8, not '" + kv + "'");
  if (padding != "drop" && padding != "keep" && padding != "drop-ranges")
    return usage("--padding takes drop, keep or drop-ranges, not '" + padding + "'");
  if (check)
    return checkModel({model, seed, compute, kv, weightScheme, activations, rules, chatTemplate, tokenizer, encoder, padding});

  CompileOptions options;
  if (std::string error = parseTargets(target, options); !error.empty())
    return usage(error);
  static const llvm::StringRef stages[] = {"import", "ingot", "linalg", "plan", "llvm", "asm", "cuda", "ptx", "engine"};
  if (!llvm::is_contained(stages, llvm::StringRef(emit)))
    return usage("--emit takes import, ingot, linalg, plan, llvm, asm, cuda, ptx or engine, not '" + emit + "'");
  if ((emit == "cuda" || emit == "ptx") && options.cuda.empty())
    return usage("--emit=" + emit + " needs --target=cuda");
  if ((emit == "llvm" || emit == "asm") && !options.cpu)
    return usage("--emit=" + emit + " needs --target=cpu");
  if (emit == "engine" && output.empty())
    return usage("compile needs -o F.ingot: where to write the engine");
  options.model = model;
  options.output = output;
  options.emit = emit;
  options.dumpStages = dump;
  options.compute = compute;
  options.weights = weightScheme;
  options.activations = activations;
  options.rules = rules;
  options.kv = kv;
  options.padding = padding;
  options.set = set;
  options.dummyWeights = seed;
  options.drawAtLoad = atLoad;
  options.chatTemplate = chatTemplate;
  options.tokenizer = tokenizer;
  options.encoder = encoder;
  options.threads = threads;
  options.quiet = quiet;
  return compileModel(options);
}
