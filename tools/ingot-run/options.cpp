// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The command line of ingot-run: verbs, options, their ranges and help. The only file that knows CLI11.
#include "tools/ingot-run/options.h"

#include "runtime/executor/executor.h"
#include "runtime/format/engine.h"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdio>

namespace ingot::tool {
namespace {

// "512M", "1.5G", "4096": bytes; K, M, G, T are powers of 1024, with or without "B" or "iB".
std::string parseSize(const std::string &text, uint64_t &bytes) {
  char *end = nullptr;
  double number = std::strtod(text.c_str(), &end);
  std::string unit;
  for (const char *c = end; *c; ++c)
    unit += char(std::toupper(static_cast<unsigned char>(*c)));
  if (unit.size() > 1 && unit.ends_with("IB"))
    unit.resize(unit.size() - 2);
  else if (!unit.empty() && unit.ends_with("B"))
    unit.resize(unit.size() - 1);
  static constexpr std::string_view kUnits = "KMGT";
  size_t power = unit.empty() ? 0 : unit.size() == 1 ? kUnits.find(unit[0]) + 1 : 0;
  if (end == text.c_str() || (unit.size() == 1 && kUnits.find(unit[0]) == kUnits.npos) || unit.size() > 1 ||
      !(number > 0) || number * std::pow(1024.0, double(power)) >= 9e18)
    return "'" + text + "' is no size; write bytes, or a number with K, M, G or T, such as 512M";
  bytes = uint64_t(number * std::pow(1024.0, double(power)));
  return {};
}

std::string parseIds(const std::string &text, std::vector<int32_t> &ids) {
  ids.clear();
  for (size_t at = 0; at <= text.size();) {
    size_t end = std::min(text.find(',', at), text.size());
    std::string one = text.substr(at, end - at);
    char *rest = nullptr;
    errno = 0;
    long long value = std::strtoll(one.c_str(), &rest, 10);
    if (rest == one.c_str() || *rest || errno || value < INT32_MIN || value > INT32_MAX)
      return "'" + one + "' is no token id; write numbers with commas between them, such as 1,403,407";
    ids.push_back(int32_t(value));
    at = end + 1;
  }
  return {};
}

const CLI::Range kPositive(int64_t(1), int64_t(1) << 40, "POSITIVE");

void addEngine(CLI::App *verb, std::string &engine) {
  verb->add_option("engine", engine, "The engine file")->required()->type_name("FILE.ingot");
}

void addThreads(CLI::App *verb, unsigned &threads) {
  verb->add_option("--threads", threads, "Threads; by default one per physical core that may be used")
      ->check(CLI::Range(1, 4096))
      ->type_name("N");
}

void addDevice(CLI::App *verb, std::string &device) {
  verb->add_option("--device", device, "Where to run: cpu, or a GPU: cuda:0 (cuda), cuda:1, ...; default: cpu")
      ->check(CLI::Validator(
          [](std::string &text) {
            runtime::Result<runtime::DeviceName> parsed = runtime::parseDevice(text);
            return parsed ? std::string() : parsed.error().message();
          },
          ""))
      ->type_name("DEVICE");
}

void addRun(CLI::App *verb, RunOptions &run) {
  addEngine(verb, run.engine);
  addDevice(verb, run.device);
  verb->add_flag("--deterministic", run.deterministic,
                 "On a GPU, let no result depend on what else is in a step (on a CPU none ever does); slower for few rows");
  addThreads(verb, run.threads);
}

void addChunk(CLI::App *verb, RunOptions &run, const char *help) {
  verb->add_option("--chunk", run.chunk, help)->check(kPositive)->type_name("N");
}

void addMemory(CLI::App *verb, RunOptions &run) {
  verb->add_option("--context", run.context, "Positions of a sequence; by default the model's own")
      ->check(kPositive)
      ->type_name("N");
  verb->add_option_function<std::string>(
          "--kv-memory",
          [&run](const std::string &text) {
            if (std::string wrong = parseSize(text, run.kvMemory); !wrong.empty())
              throw CLI::ValidationError("--kv-memory", wrong);
          },
          "Memory of the KV cache, such as 512M; pages are taken as they are needed")
      ->type_name("SIZE");
  verb->add_flag("--verbose", run.verbose, "Tell on standard error what was planned");
}

void addProfile(CLI::App *verb, RunOptions &run) {
  verb->add_flag("--profile", run.profile,
                 "Tell on standard error where the time went; --profile=FILE.json also writes a timeline for Perfetto")
      ->check(CLI::Validator(
          [](std::string &file) {
            return file == "true" || file.ends_with(".json")
                       ? std::string()
                       : "'" + file + "' is no FILE.json; write --profile=FILE.json, or --profile for the table only";
          },
          ""));
}

void addSampling(CLI::App *verb, SamplingOptions &o, const char *limit) {
  verb->add_option("-n,--new-tokens", o.newTokens, limit)->check(kPositive)->type_name("N");
  verb->add_flag("--greedy", o.greedy, "Always take the likeliest token; the same as --temperature 0");
  verb->add_option("--temperature", o.temperature, "Default: the checkpoint's")->type_name("X");
  verb->add_option("--top-k", o.topK, "Draw among the K likeliest; 0: off")->type_name("K");
  verb->add_option("--top-p", o.topP, "Draw among the likeliest that hold P together; 1: off")->type_name("P");
  verb->add_option("--min-p", o.minP, "Draw among those at least P times as likely as the first; 0: off")
      ->type_name("P");
  verb->add_option("--repetition-penalty", o.repetitionPenalty, "Over prompt and output; 1: off")->type_name("X");
  verb->add_option("--presence-penalty", o.presencePenalty, "Over the output; 0: off")->type_name("X");
  verb->add_option("--frequency-penalty", o.frequencyPenalty, "Over the output, per occurrence; 0: off")
      ->type_name("X");
  verb->add_option("--seed", o.seed, "Of the draws; by default another one each time")->type_name("N");
  verb->add_option("--stop", o.stop, "Stop before this text; may be given more than once")
      ->type_name("TEXT")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  verb->add_flag("--ignore-eos", o.ignoreEos, "Go on after the model's end tokens");
}

void addSource(CLI::App *verb, std::optional<std::string> &source, const char *help) {
  verb->add_option("--source", source, help)->type_name("FILE.npy");
}

void addSourceLength(CLI::App *verb, RunOptions &run) {
  verb->add_option("--source-length", run.source, "Largest dimension of what an encoder reads: tokens, frames; by default the context, at most 4096")
      ->check(kPositive)
      ->type_name("N");
}

void addGenerate(CLI::App *verb, GenerateOptions &o) {
  addRun(verb, o.run);
  auto *input = verb->add_option_group("Input", "one of");
  input->add_option("--prompt", o.prompt, "The text to continue")->type_name("TEXT");
  input->add_option("--prompts", o.prompts, "A file with a prompt on each line; they share steps")->type_name("FILE");
  input
      ->add_option_function<std::string>(
          "--ids",
          [&o](const std::string &text) {
            if (std::string wrong = parseIds(text, o.ids); !wrong.empty())
              throw CLI::ValidationError("--ids", wrong);
          },
          "The prompt as token ids, such as 1,403,407")
      ->type_name("IDS");
  addSource(input, o.source, "What the model's encoder reads, features or token ids");
  input->require_option(1);
  auto *begin = verb->add_option("--decoder-prompt", o.decoderPrompt,
                                 "Of a model with an encoder, which reads the prompt: what the answer begins with; by default the model's own start");
  begin->type_name("TEXT");
  verb->add_option_function<std::string>(
          "--decoder-ids",
          [&o](const std::string &text) {
            if (std::string wrong = parseIds(text, o.decoderIds); !wrong.empty())
              throw CLI::ValidationError("--decoder-ids", wrong);
          },
          "The same as token ids")
      ->type_name("IDS")
      ->excludes(begin);
  addSourceLength(verb, o.run);
  addSampling(verb, o.sampling, "Write at most N tokens; by default until the context is full");
  verb->add_flag("--json", o.json, "Print one JSON object per prompt instead of streaming text");
  verb->add_flag("--echo", o.echo, "Print the prompt before what follows it");
  addMemory(verb, o.run);
  verb->add_option("--max-batch", o.maxBatch, "Sequences that run at the same time; by default all prompts, at most 8")
      ->check(CLI::Range(1, 65536))
      ->type_name("N");
  addChunk(verb, o.run, "Tokens of a prompt that one step takes at most [512]");
  addProfile(verb, o.run);
}

void addChat(CLI::App *verb, ChatOptions &o) {
  addRun(verb, o.run);
  verb->add_option("--system", o.system, "What the model is told before the conversation")->type_name("TEXT");
  auto *messages =
      verb->add_option(
              "--messages", o.messages,
              "Answer these once, and end: a list of messages, or an object with messages, tools, documents and "
              "other variables of the template")
          ->type_name("FILE.json");
  verb->add_option("--tools", o.tools, "Functions that the model may call: a list, as its template takes them")
      ->type_name("FILE.json");
  verb->add_option_function<std::vector<std::string>>(
          "--template-var",
          [&o](const std::vector<std::string> &given) {
            for (const std::string &one : given) {
              size_t equals = one.find('=');
              if (equals == 0 || equals == one.npos)
                throw CLI::ValidationError("--template-var", "'" + one + "' is no KEY=VALUE");
              o.variables.emplace_back(one.substr(0, equals), one.substr(equals + 1));
            }
          },
          "A variable of the template, such as enable_thinking=false; JSON, or else text; may be given more than once")
      ->type_name("KEY=VALUE")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  verb->add_option("--chat-template", o.chatTemplate, "A Jinja template in place of the model's own")
      ->type_name("FILE.jinja");
  verb->add_option("--reasoning-tags", o.reasoningTags,
                   "What begins and ends reasoning in a reply; by default <think> </think> and others that are known")
      ->type_name("OPEN CLOSE")
      ->expected(2);
  verb->add_flag("--json", o.json, "Print the reply to --messages as a JSON object")->needs(messages);
  addSampling(verb, o.sampling, "Write at most N tokens in each reply; by default until the context is full");
  addMemory(verb, o.run);
  addChunk(verb, o.run, "Tokens of a prompt that one step takes at most [512]");
}

void addLogits(CLI::App *verb, LogitsOptions &o) {
  addRun(verb, o.run);
  o.run.chunk = 0;
  verb->add_option("--tokens", o.tokens, "Token ids: int32 or int64, [T] or [1, T]")->required()->type_name("IDS.npy");
  verb->add_option("-o,--output", o.output, "Logits: float32 [T, vocabulary]")->required()->type_name("OUT.npy");
  addChunk(verb, o.run, "Feed the ids N at a time; by default all at once");
  verb->add_option("--mix", o.mix, "Ids of another sequence that runs in the same steps")->type_name("IDS.npy");
  addSource(verb, o.source, "Of a model with an encoder: what that reads, token ids or features");
  addSourceLength(verb, o.run);
  addMemory(verb, o.run);
  addProfile(verb, o.run);
}

std::string takeText(const std::string &text, std::string &into) {
  into = text;
  return {};
}

// "8x128"; "" of a scalar.
std::string parseShape(const std::string &text, std::vector<int64_t> &shape) {
  shape.clear();
  for (size_t at = 0; at < text.size();) {
    size_t end = std::min(text.find('x', at), text.size());
    const std::string one = text.substr(at, end - at);
    char *rest = nullptr;
    errno = 0;
    const long long extent = std::strtoll(one.c_str(), &rest, 10);
    if (one.empty() || !std::isdigit(static_cast<unsigned char>(one[0])) || *rest || errno || end + 1 == text.size())
      return "'" + text + "' is no shape; write numbers with x between them, such as 8x128";
    shape.push_back(extent);
    at = end + 1;
  }
  return {};
}

// An option of NAME=VALUE that may be given more than once; parse(text, value) returns what is wrong.
template <class T, class Parse>
CLI::Option *addNamed(CLI::App *verb, const std::string &option, std::vector<std::pair<std::string, T>> &into,
                      const std::string &type, const Parse &parse, const std::string &help) {
  return verb
      ->add_option_function<std::vector<std::string>>(
          option,
          [&into, option, type, parse](const std::vector<std::string> &given) {
            for (const std::string &one : given) {
              size_t equals = one.find('=');
              if (equals == 0 || equals == one.npos)
                throw CLI::ValidationError(option, "'" + one + "' is no " + type);
              T value;
              if (std::string wrong = parse(one.substr(equals + 1), value); !wrong.empty())
                throw CLI::ValidationError(option, wrong);
              into.emplace_back(one.substr(0, equals), std::move(value));
            }
          },
          help)
      ->type_name(type)
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

CLI::Option *addEntry(CLI::App *verb, std::string &entry) {
  return verb->add_option("--entry", entry, "Of a graph: the entry to run; by default main, or the only one")
      ->type_name("NAME");
}

void addInfer(CLI::App *verb, InferOptions &o) {
  addEngine(verb, o.engine);
  addDevice(verb, o.device);
  addThreads(verb, o.threads);
  addEntry(verb, o.entry);
  addNamed(verb, "--input", o.inputs, "NAME=FILE.npy", takeText, "A tensor to read; one for each input");
  addNamed(verb, "--output", o.outputs, "NAME=FILE.npy", takeText,
           "A tensor to write; where none is named, a line on each output is printed");
}

void addEvaluate(CLI::App *verb, EvaluateOptions &o) {
  addRun(verb, o.run);
  o.run.chunk = 256;
  verb->add_option("--text", o.text, "A text, UTF-8; it is encoded whole, without added special tokens")
      ->required()
      ->type_name("FILE");
  verb->add_option("--against", o.against,
                   "A reference engine of the same model: tell also how far the predictions are from its own")
      ->type_name("REFERENCE.ingot");
  verb->add_option("--max-ids", o.maxIds, "Only the first N ids of the text")->check(kPositive)->type_name("N");
  addMemory(verb, o.run);
  verb->get_option("--context")->description("Inputs of a window; by default the model's context");
  addChunk(verb, o.run, "Tokens that one step takes at most [256]");
  addProfile(verb, o.run);
  verb->add_flag("--json", o.json, "Print a JSON object");
}

void addTokenize(CLI::App *verb, TokenizeOptions &o) {
  addEngine(verb, o.engine);
  auto *decode = verb->add_flag("--decode", o.decode, "Read ids, write their text");
  auto *json = verb->add_flag("--json", o.json, "Print a JSON object, with pieces and offsets in characters");
  verb->add_flag("--pieces", o.pieces, "Print a line for each id: its offsets in characters and its piece")
      ->excludes(decode)
      ->excludes(json);
  verb->add_flag("--no-special", o.noSpecial, "Add no special tokens, such as one that begins a text")
      ->excludes(decode);
  verb->add_flag("--keep-special", o.keepSpecial, "Write the text of special tokens too")->needs(decode);
}

void addBench(CLI::App *verb, BenchOptions &o) {
  addRun(verb, o.run);
  auto *prompt = verb->add_option("--prompt-tokens", o.promptTokens, "Random ids of each prompt [512]")
                     ->check(kPositive)
                     ->type_name("N");
  auto *output = verb->add_option("--new-tokens", o.newTokens, "Tokens to write after each [128]")
                     ->check(CLI::Range(int64_t(2), int64_t(1) << 40))
                     ->type_name("N");
  verb->add_option("--batch", o.batch, "Sequences at the same time [1, with --trace 8]")
      ->check(CLI::Range(1, 65536))
      ->type_name("N");
  auto *repeat = verb->add_option("--repeat", o.repeat, "Runs of which the medians are told [3, of a graph 20]")
                     ->check(CLI::Range(1, 1000))
                     ->type_name("N");
  auto *trace = verb->add_option("--trace", o.trace,
                                 "Serve the requests of a trace in real time instead: lines of "
                                 "TIMESTAMP,ContextTokens,GeneratedTokens")
                    ->type_name("FILE.csv");
  for (CLI::Option *fixed : {prompt, output, repeat})
    trace->excludes(fixed);
  auto *shape = addNamed(verb, "--shape", o.shapes, "NAME=8x128", parseShape,
                         "Of a graph: run it on a random tensor of this shape, or of zeros if it is of integers");
  auto *input = addNamed(verb, "--input", o.inputs, "NAME=FILE.npy", takeText, "Of a graph: run it on this tensor");
  auto *entry = addEntry(verb, o.entry);
  for (CLI::Option *graph : {shape, input, entry})
    for (CLI::Option *decoder : {prompt, output, trace})
      graph->excludes(decoder);
  verb->add_option("--speed", o.speed, "Let the trace's time pass X times as fast [1]")
      ->needs(trace)
      ->check(CLI::Range(1e-6, 1e6))
      ->type_name("X");
  verb->add_option("--limit", o.limit, "Only the first N requests of the trace")
      ->needs(trace)
      ->check(kPositive)
      ->type_name("N");
  verb->add_option("--seed", o.seed, "Of the random prompts of a trace [1]")->needs(trace)->type_name("N");
  verb->add_option("--outputs", o.outputs, "Write prompt and output ids of each request, a JSON object a line")
      ->needs(trace)
      ->type_name("FILE.jsonl");
  addMemory(verb, o.run);
  addChunk(verb, o.run, "Tokens of a prompt that one step takes at most [512]");
  verb->add_flag("--json", o.json, "Print a JSON object");
  addProfile(verb, o.run);
}

void addCheck(CLI::App *verb, CheckOptions &o) {
  addEngine(verb, o.engine);
  addDevice(verb, o.device);
  verb->add_option("--threads", o.threads, "Also tell how evenly N threads would share the work of one token")
      ->check(CLI::Range(1, 4096))
      ->type_name("N");
  verb->add_flag("--weights", o.weights, "Read the whole file and verify every checksum, large weights too");
  verb->add_flag("--json", o.json, "Print a JSON object");
}

void addCeilings(CLI::App *verb, CeilingsOptions &o) {
  addThreads(verb, o.threads);
  verb->add_flag("--json", o.json, "Print a JSON object");
}

} // namespace

Options parseCommandLine(int argc, char **argv) {
  Options options;
  CLI::App app("Runs engines that ingot compile made.\n\n"
               "  ingot-run FILE.ingot --prompt TEXT [-n N]   continue a prompt\n"
               "  ingot-run VERB FILE.ingot [OPTIONS]         all else; ingot-run VERB --help",
               "ingot-run");
  app.set_version_flag("--version",
                       std::string("ingot-run " INGOT_VERSION ", engine format ") + std::to_string(format::kVersion));
  app.require_subcommand(1);
  app.footer("Results go to standard output, everything else to standard error. Exit status: 0 done, 1 the model or\n"
             "the input is at fault, 2 the command line is, 3 Ingot is. INGOT_ISA=avx2|avxvnni|avx512|... restricts\n"
             "which kernels may be taken.");

  struct Named {
    Verb verb;
    CLI::App *app;
  };
  std::vector<Named> verbs;
  auto add = [&](Verb verb, const char *name, const char *help) {
    verbs.push_back({verb, app.add_subcommand(name, help)});
    return verbs.back().app;
  };
  addGenerate(add(Verb::generate, "generate", "Continue a prompt, streaming to standard output"), options.generate);
  addChat(add(Verb::chat, "chat", "Talk with a model, as its chat template has it"), options.chat);
  addLogits(add(Verb::logits, "logits", "One full forward pass: the logits of every position"), options.logits);
  addInfer(add(Verb::infer, "infer", "Run a graph: tensors of .npy files in and out"), options.infer);
  addEvaluate(add(Verb::evaluate, "evaluate", "Perplexity of a text; with --against also KL divergence and agreement"),
              options.evaluate);
  addTokenize(add(Verb::tokenize, "tokenize", "Text on standard input to token ids, and back"), options.tokenize);
  addBench(add(Verb::bench, "bench", "Speed, beside what the machine can do at most"), options.bench);
  addCheck(add(Verb::check, "check", "Can this machine run the engine, with which kernels, and why not better"),
           options.check);
  addCeilings(add(Verb::ceilings, "ceilings", "What this machine can do at most: reading memory, multiplying"),
              options.ceilings);
  CLI::App *materialize = add(Verb::materialize, "materialize",
                              "Write the weights that an engine draws at load (--dummy-weights=SEED,at-load) into it");
  addEngine(materialize, options.materialize.engine);
  materialize->add_option("-o,--output", options.materialize.output, "The engine to write")
      ->required()
      ->type_name("FILE.ingot");

  // `ingot-run F.ingot ...` is `ingot-run generate F.ingot ...`.
  std::vector<std::string> arguments(argv + 1, argv + argc);
  bool verb = !arguments.empty() && std::any_of(verbs.begin(), verbs.end(), [&](const Named &named) {
    return named.app->get_name() == arguments[0];
  });
  bool topLevel = arguments.empty() || arguments[0] == "--help" || arguments[0] == "-h" || arguments[0] == "--version";
  if (!verb && !topLevel)
    arguments.insert(arguments.begin(), "generate");
  std::reverse(arguments.begin(), arguments.end()); // as CLI11 wants them
  try {
    app.parse(std::move(arguments));
  } catch (const CLI::Success &done) { // help or version
    app.exit(done);
    return options;
  } catch (const CLI::ParseError &wrong) {
    std::fprintf(stderr, "ingot-run: error: %s\nTry: ingot-run --help\n", wrong.what());
    options.status = 2;
    return options;
  }
  for (const Named &named : verbs)
    if (named.app->parsed())
      options.verb = named.verb;
  return options;
}

} // namespace ingot::tool
