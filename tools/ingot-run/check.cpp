// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// ingot-run check: can this machine run an engine, with which variant, why not the others, and what memory it will
// need. Reads only the file's first 64 KB, and of an engine that is no decoder the plan, to tell what its entries take; with --weights it reads everything and verifies every checksum; with
// --threads it reads the plan and counts the tiles of each thread, for one token and for a prompt.
#include "runtime/core/machine.h"
#include "runtime/device/cpu/thread_pool.h"
#include "runtime/device/cuda/device.h"
#include "runtime/executor/executor.h"
#include "runtime/executor/sizes.h"
#include "runtime/executor/tensors.h"
#include "runtime/format/kernel_abi.h"
#include "tools/ingot-run/common.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>
#include <cstdio>

namespace ingot::tool {
namespace {

// Tokens of the largest step that `generate` plans for one prompt unless told otherwise.
uint64_t tokensOfStep(const format::Head &head) {
  return std::min<uint64_t>(serve::LoadOptions().chunk, head.context());
}

// What it plans for that.
uint64_t arenaBytes(const format::Head &head) {
  uint64_t bytes = head.arena_bytes_constant();
  if (!head.arena_symbols() || !head.arena_bytes())
    return bytes;
  for (unsigned i = 0; i < head.arena_symbols()->size() && i < head.arena_bytes()->size(); ++i) {
    std::string_view name = head.arena_symbols()->Get(i)->string_view();
    uint64_t bound = name == "tokens" ? tokensOfStep(head) : 1;
    bytes += head.arena_bytes()->Get(i) * bound;
  }
  return bytes;
}

// Of a graph, whose shapes are not known: "4.0 KiB, and 12.0 KiB for each of tokens".
std::string arenasText(const format::Head &head) {
  std::string text = runtime::humanBytes(head.arena_bytes_constant());
  for (unsigned i = 0; head.arena_symbols() && head.arena_bytes() && i < head.arena_bytes()->size(); ++i)
    if (head.arena_bytes()->Get(i))
      text += ", and " + runtime::humanBytes(head.arena_bytes()->Get(i)) + " for each of " +
              head.arena_symbols()->Get(i)->str();
  return text;
}

nlohmann::ordered_json entriesOf(const format::Plan &plan) {
  auto arguments = [&](const auto &list) {
    auto told = nlohmann::ordered_json::array();
    for (const format::Argument *argument : list) {
      auto shape = nlohmann::ordered_json::array();
      for (const format::Size *size : *argument->shape())
        shape.push_back(runtime::dimensionText(plan, *size));
      told.push_back(
          {{"name", argument->name()->str()}, {"type", runtime::elementName(argument->type())}, {"shape", shape}});
    }
    return told;
  };
  auto entries = nlohmann::ordered_json::array();
  for (const format::Entry *entry : *plan.entries())
    entries.push_back({{"name", entry->name()->str()},
                       {"inputs", arguments(*entry->inputs())},
                       {"outputs", arguments(*entry->outputs())}});
  return entries;
}

// How the tiles of a kernel's launches are shared out in a run with so many tokens and every other symbol at 1.
struct Balance {
  std::string kernel;
  unsigned launches = 0;
  uint32_t tiles = 0, least = 0, most = 0; // of one launch; of a thread
};

// Attention over the cache has equal shares of its cost as tiles. What there is to share out is a kv head of up to 48 rows of queries of a
// sequence (compiler/target/cpu/kernels/attention.cpp), under 2,048 positions in one piece; the kernel's name tells the heads. 0: another kernel.
uint64_t attentionUnits(std::string_view kernel, uint64_t tokens) {
  constexpr uint64_t kRows = 48;
  if (!kernel.starts_with("attention-"))
    return 0;
  auto number = [&](std::string_view param) {
    const size_t at = kernel.find(param);
    uint64_t value = 0;
    if (at != std::string_view::npos)
      std::from_chars(kernel.data() + at + param.size(), kernel.data() + kernel.size(), value);
    return value;
  };
  const uint64_t heads = number("-kv_heads"), queries = std::max<uint64_t>(number("-q_per_kv"), 1);
  const uint64_t together = std::max<uint64_t>(kRows / queries, 1);
  return heads * ((tokens + together - 1) / together);
}

std::vector<Balance> countTiles(const format::Plan &plan, unsigned abi, unsigned threads, uint64_t tokens) {
  std::vector<int64_t> symbols(plan.symbols()->size(), 1);
  for (unsigned i = 0; i < symbols.size(); ++i)
    if (plan.symbols()->Get(i)->name()->string_view() == "tokens")
      symbols[i] = int64_t(tokens);
  std::vector<Balance> found;
  for (const format::Entry *entry : *plan.entries())
    for (const format::Launch *launch : *entry->launches()) {
      Balance balance{plan.kernels()->Get(launch->kernel())->name()->str(), 1, 0, ~0u, 0};
      balance.tiles = uint32_t(std::min<int64_t>(runtime::unitsOf(*launch, symbols, threads, abi), INT32_MAX));
      if (uint64_t units = attentionUnits(balance.kernel, tokens))
        balance.tiles = uint32_t(std::min<uint64_t>(balance.tiles, units));
      for (unsigned worker = 0; worker < threads; ++worker) {
        runtime::TileRange share = runtime::tileShare(balance.tiles, worker, threads);
        balance.least = std::min(balance.least, share.end - share.first);
        balance.most = std::max(balance.most, share.end - share.first);
      }
      auto same = std::find_if(found.begin(), found.end(), [&](const Balance &other) {
        return other.kernel == balance.kernel && other.tiles == balance.tiles;
      });
      if (same == found.end())
        found.push_back(balance);
      else
        ++same->launches;
    }
  return found;
}

// The part of the threads' time that has work, if every tile takes as long.
double busy(const Balance &balance, unsigned threads) {
  return balance.most ? double(balance.tiles) / (double(balance.most) * threads) : 1;
}

std::string tellTiles(const std::vector<Balance> &found, unsigned threads, uint64_t tokens) {
  std::string text = "tiles      of " + (tokens == 1 ? "one token" : std::to_string(tokens) + " tokens") + " on " +
                     std::to_string(threads) + " threads\n  launches  tiles  a thread   busy  kernel\n";
  for (const Balance &balance : found) {
    std::string range = std::to_string(balance.least) +
                        (balance.most > balance.least ? "-" + std::to_string(balance.most) : std::string());
    char line[80];
    std::snprintf(line, sizeof line, "%10u %6u %9s %5.0f%%  ", balance.launches, balance.tiles, range.c_str(),
                  100 * busy(balance, threads));
    text += line + balance.kernel + "\n";
  }
  return text;
}

Result<int> run(const CheckOptions &o) {
  INGOT_ASSIGN_OR_RETURN(runtime::EngineHead engine, runtime::EngineHead::open(o.engine));
  const format::Head &head = engine.head();
  INGOT_ASSIGN_OR_RETURN(runtime::DeviceName device, runtime::parseDevice(o.device));
  runtime::VariantChoice choice;
  std::string machine = runtime::cpuName();
  if (device.cuda) {
    INGOT_ASSIGN_OR_RETURN(auto gpu, runtime::cuda::Device::open(device.index));
    const runtime::cuda::DeviceFacts &facts = gpu->facts();
    choice = runtime::chooseCudaVariant(head, facts.capability, facts.driver);
    machine = facts.name + " (cuda:" + std::to_string(facts.index) + "), compute capability " +
              runtime::cuda::capabilityName(facts.capability) +
              ", driver of CUDA " + runtime::cuda::versionName(facts.driver) + ", " +
              runtime::humanBytes(facts.freeBytes) + " of " + runtime::humanBytes(facts.totalBytes) + " free";
  } else {
    INGOT_ASSIGN_OR_RETURN(choice, engine.choice());
  }
  bool runs = choice.taken.has_value();
  if (o.weights) {
    runtime::EngineOpenOptions options;
    options.checkLargeWeights = true;
    INGOT_RETURN_IF_ERROR(runtime::EngineFile::open(o.engine, options));
  }
  std::vector<Balance> tiles, promptTiles;
  if (o.threads) {
    INGOT_ASSIGN_OR_RETURN(auto opened, runtime::EngineFile::open(o.engine));
    const unsigned abi = choice.taken ? head.variants()->Get(*choice.taken)->kernel_abi() : INGOT_KERNEL_ABI;
    tiles = countTiles(opened->plan(), abi, o.threads, 1);
    promptTiles = countTiles(opened->plan(), abi, o.threads, tokensOfStep(head));
  }
  // Graphs are told by what they take and give.
  std::shared_ptr<const runtime::EngineFile> graph;
  if (head.context() == 0) {
    INGOT_ASSIGN_OR_RETURN(graph, runtime::EngineFile::open(o.engine));
  }
  uint64_t cache = head.cache_bytes_per_token();
  if (o.json) {
    nlohmann::ordered_json object;
    object["runs"] = runs;
    object[device.cuda ? "gpu" : "cpu"] = machine;
    object["model"] = head.model()->str();
    object["family"] = head.family()->str();
    object["parameters"] = head.parameters();
    object["compute"] = head.compute()->str();
    object["context"] = head.context();
    object["variants"] = nlohmann::ordered_json::array();
    for (const runtime::VariantVerdict &verdict : choice.verdicts)
      object["variants"].push_back({{"name", verdict.name}, {"taken", verdict.taken}, {"reason", verdict.reason}});
    object["file_bytes"] = engine.fileBytes();
    object["weight_bytes"] = head.weight_bytes();
    object["arena_bytes"] = arenaBytes(head);
    object["cache_bytes_per_token"] = cache;
    object["bytes_read"] = engine.bytesRead();
    if (graph)
      object["entries"] = entriesOf(graph->plan());
    if (o.weights)
      object["checksums"] = "verified";
    for (auto &[name, counted] : {std::pair{"tiles", &tiles}, std::pair{"prompt_tiles", &promptTiles}})
      for (const Balance &balance : *counted)
        object[name].push_back({{"kernel", balance.kernel},
                                {"launches", balance.launches},
                                {"tiles", balance.tiles},
                                {"least", balance.least},
                                {"most", balance.most}});
    INGOT_RETURN_IF_ERROR(print(object.dump() + "\n"));
  } else {
    std::string text = head.model()->str() + " (" + head.family()->str() + ", " + std::to_string(head.parameters()) +
                       " parameters, products in " + head.compute()->str() + ")\n";
    text += "made by    " + head.producer()->str() + "\n";
    text += (device.cuda ? "gpu        " : "cpu        ") + machine + "\n";
    std::string lines = choice.explain();
    for (size_t at = 0; at < lines.size();) {
      size_t end = std::min(lines.find('\n', at), lines.size());
      text += "variant    " + lines.substr(at, end - at) + "\n";
      at = end + 1;
    }
    text += "weights    " + runtime::humanBytes(head.weight_bytes()) +
            (device.cuda ? ", copied to the GPU" : ", mapped from the file") + (o.weights ? "; every checksum is right\n" : "\n");
    if (graph) {
      const runtime::SymbolTable symbols(graph->plan());
      for (unsigned i = 0; i < symbols.size(); ++i)
        if (symbols.derived(i))
          text += "symbol     " + std::string(symbols.name(i)) + (symbols.dependsOnData(i) ? " <= " : " = ") +
                  symbols.expression(i) + (symbols.dependsOnData(i) ? ", as the data has it\n" : "\n");
      for (const format::Entry *entry : *graph->plan().entries())
        text += "entry      " + entry->name()->str() + "\n" + runtime::signatureText(graph->plan(), *entry, "           ");
      text += "arenas     " + arenasText(head) + "\n";
    } else {
      text += "arenas     " + runtime::humanBytes(arenaBytes(head)) + " for one sequence\n";
    }
    if (!graph || cache)
      text += "KV cache   " + runtime::humanBytes(cache) + " a token, " + runtime::humanBytes(cache * head.context()) +
            " for the whole context of " + std::to_string(head.context()) + "\n";
    if (o.threads)
      text += tellTiles(tiles, o.threads, 1) + tellTiles(promptTiles, o.threads, tokensOfStep(head));
    text += runs ? "this machine can run it\n" : "this machine cannot run it\n";
    INGOT_RETURN_IF_ERROR(print(text));
  }
  INGOT_RETURN_IF_ERROR(flush());
  return runs ? 0 : 1;
}

} // namespace

int check(const CheckOptions &options) {
  Result<int> status = run(options);
  return status ? *status : report(status.error());
}

} // namespace ingot::tool
