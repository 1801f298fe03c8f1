// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The entry points of target.h: checks every kernel, compiles (kernel, feature set) pairs in parallel, each alone, and
// links each set's objects in the plan's order. So the bytes depend on the kernels alone, not on threads. Functions are
// called by what they do, not by their place in a plan: so code that a former compilation made of the same is the same
// code, and is taken from the cache.
#include "compiler/target/code_cache.h"
#include "compiler/target/cpu/codegen/Internal.h"
#include "llvm-c/Core.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/Twine.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/raw_ostream.h"
#include <algorithm>
#include <atomic>
#include <map>
#include <optional>
#include <set>
#include <thread>

namespace ingot::target::cpu {
namespace {

// What is known of one kernel before any set is compiled.
struct Prepared {
  const Kernel *kernel = nullptr;
  std::string identity; // a hash of what its code is made of, but for the set and `exports`
  std::string symbol;
  size_t same = 0;             // the first kernel with the same code; itself mostly
  std::vector<Export> exports; // of a kernel that is `same` as itself: what its code is called by
  CheckedTemplate checked;
  LinalgKernel lowered; // of functions
};

bool chooseSets(const std::vector<std::string> &names, std::vector<unsigned> &sets, std::string &error) {
  llvm::ArrayRef<SetCode> all = setCodes();
  for (const std::string &name : names)
    if (std::none_of(all.begin(), all.end(), [&](const SetCode &set) { return name == set.name; })) {
      std::string known;
      for (const SetCode &set : all)
        known += (known.empty() ? "" : ", ") + std::string(set.name);
      error = "no CPU feature set '" + name + "'; there are " + known;
      return false;
    }
  for (unsigned i = 0; i < all.size(); ++i)
    if (names.empty() || std::find(names.begin(), names.end(), all[i].name) != names.end())
      sets.push_back(i);
  return true;
}

std::string bytesOf(const std::vector<uint32_t> &words) {
  return std::string(reinterpret_cast<const char *>(words.data()), words.size() * sizeof(uint32_t));
}

bool prepare(const std::vector<Kernel> &kernels, std::vector<Prepared> &prepared, std::string &error) {
  std::map<std::string, size_t> known;
  for (size_t i = 0; i < kernels.size(); ++i) {
    Prepared next;
    next.kernel = &kernels[i];
    if (kernels[i].body) {
      if (!lowerLinalgKernel(kernels[i], next.lowered, error))
        return false;
      next.identity = hashOf({"", next.lowered.bitcode});
    } else {
      if (!checkTemplate(kernels[i], next.checked, error))
        return false;
      next.identity = hashOf({kernels[i].templateName, bytesOf(next.checked.words)});
    }
    // Kernels that differ only in the symbol that counts their rows share their code.
    next.same = known.try_emplace(next.identity, i).first->second;
    const uint32_t shift = next.checked.firstSymbol;
    next.symbol = "k" + next.identity.substr(0, 16) + (shift ? "_" + std::to_string(shift) : "");
    std::vector<Export> &exports = next.same == i ? next.exports : prepared[next.same].exports;
    if (std::none_of(exports.begin(), exports.end(), [&](const Export &e) { return e.firstSymbol == shift; }))
      exports.push_back({next.symbol, shift});
    prepared.push_back(std::move(next));
  }
  return true;
}

std::unique_ptr<llvm::Module> makeModule(llvm::LLVMContext &context, llvm::TargetMachine &machine,
                                         const Prepared &prepared, unsigned set, std::string &error) {
  if (prepared.kernel->body)
    return specialiseLinalg(context, machine, prepared.lowered, prepared.symbol, set, error);
  return specialiseTemplate(context, machine, *prepared.kernel, prepared.checked, set, prepared.exports, error);
}

using Object = llvm::SmallVector<char, 0>;

// An object, and which functions of sharedFiles() it calls.
struct Piece {
  Object object;
  std::set<std::string> calls;
};

// Pieces that former compilations by this build of the program, with this LLVM, made of the same.
class KnownPieces {
public:
  explicit KnownPieces(bool on)
      : ours(buildIdOf(reinterpret_cast<const void *>(&compileKernels))),
        llvms(buildIdOf(reinterpret_cast<const void *>(&LLVMGetVersion))) {
    if (on && !ours.empty() && !llvms.empty())
      cache.emplace("cpu");
  }

  bool find(const Prepared &prepared, unsigned set, Piece &piece) const {
    std::vector<uint8_t> code;
    std::string notes;
    if (!cache || !cache->find(keyOf(prepared, set), code, notes))
      return false;
    piece.object.assign(code.begin(), code.end());
    llvm::SmallVector<llvm::StringRef> names;
    llvm::SplitString(notes, names, "\n");
    for (llvm::StringRef name : names)
      piece.calls.insert(name.str());
    return true;
  }

  void keep(const Prepared &prepared, unsigned set, const Piece &piece) {
    if (cache)
      cache->keep(keyOf(prepared, set), std::vector<uint8_t>(piece.object.begin(), piece.object.end()),
                  llvm::join(piece.calls, "\n"));
  }

private:
  std::string keyOf(const Prepared &prepared, unsigned set) const {
    std::string exports;
    for (const Export &exported : prepared.exports)
      exports += exported.symbol + "\n";
    return hashOf({"1", ours, llvms, setCodes()[set].name, prepared.identity, exports});
  }

  const std::string ours, llvms;
  std::optional<CodeCache> cache;
};

// Whether one of these functions is defined by a file of sharedFiles().
bool callsInto(const std::set<std::string> &names, llvm::StringRef file) {
  const std::string prefix = ("ingot_" + file + "_").str();
  return std::any_of(names.begin(), names.end(), [&](llvm::StringRef name) { return name.starts_with(prefix); });
}

// Calls work(0) .. work(count - 1) from several threads.
template <typename Work> void inParallel(size_t count, unsigned threads, Work &&work) {
  std::atomic<size_t> next{0};
  auto loop = [&] {
    for (size_t i; (i = next.fetch_add(1)) < count;)
      work(i);
  };
  std::vector<std::thread> helpers;
  for (unsigned i = 1; i < std::min<size_t>(threads, count); ++i)
    helpers.emplace_back(loop);
  loop();
  for (std::thread &helper : helpers)
    helper.join();
}

} // namespace

bool compileKernels(const std::vector<Kernel> &kernels, const CompileOptions &options, CompiledKernels &result,
                    std::string &error) {
  std::vector<unsigned> sets;
  std::vector<Prepared> prepared;
  if (!chooseSets(options.sets, sets, error) || !prepare(kernels, prepared, error))
    return false;

  struct Unit {
    size_t kernel;
    size_t set; // of `sets`
  };
  std::vector<Unit> units;
  for (size_t set = 0; set < sets.size(); ++set)
    for (size_t kernel = 0; kernel < prepared.size(); ++kernel)
      if (prepared[kernel].same == kernel && setHolds(sets[set], *prepared[kernel].kernel))
        units.push_back({kernel, set});
  std::vector<std::vector<Piece>> pieces(sets.size());
  for (auto &of : pieces)
    of.resize(prepared.size());
  std::vector<std::string> errors(units.size());
  const unsigned threads = options.threads ? options.threads : std::max(1u, std::thread::hardware_concurrency());
  KnownPieces cache(options.cache);
  std::atomic<size_t> known{0};
  inParallel(units.size(), threads, [&](size_t i) {
    const Unit &unit = units[i];
    const Prepared &kernel = prepared[unit.kernel];
    Piece &piece = pieces[unit.set][unit.kernel];
    if (cache.find(kernel, sets[unit.set], piece)) {
      ++known;
      return;
    }
    llvm::LLVMContext context;
    std::unique_ptr<llvm::TargetMachine> machine = makeTargetMachine(setCodes()[sets[unit.set]], errors[i]);
    if (!machine)
      return;
    auto module = makeModule(context, *machine, kernel, sets[unit.set], errors[i]);
    if (!module)
      return;
    piece.calls = sharedFunctions(*module);
    if (emitModule(*module, *machine, /*assembly=*/false, piece.object, errors[i]))
      cache.keep(kernel, sets[unit.set], piece);
  });
  for (const std::string &failed : errors)
    if (!failed.empty()) {
      error = failed;
      return false;
    }

  result = {};
  result.pieces = units.size();
  result.known = known;
  for (const Prepared &kernel : prepared)
    result.scratchBytes.push_back(kernel.kernel->body ? kernel.lowered.scratchBytes : kernel.checked.scratchBytes);
  for (size_t set = 0; set < sets.size(); ++set) {
    std::vector<llvm::StringRef> linked;
    std::vector<std::string> symbols;
    std::set<std::string> called;
    for (size_t kernel = 0; kernel < prepared.size(); ++kernel)
      if (prepared[kernel].same == kernel && setHolds(sets[set], *prepared[kernel].kernel)) {
        const Piece &piece = pieces[set][kernel];
        linked.emplace_back(piece.object.data(), piece.object.size());
        called.insert(piece.calls.begin(), piece.calls.end());
        for (const Export &exported : prepared[kernel].exports)
          symbols.push_back(exported.symbol);
      }
    if (linked.empty())
      continue;
    for (llvm::StringRef file : sharedFiles())
      if (file == "support" || callsInto(called, file))
        linked.push_back(sharedObject(file, sets[set]));
    Image image;
    image.set = featureSets()[sets[set]];
    std::vector<uint32_t> offsets;
    if (!linkImage(linked, symbols, image.bytes, offsets, error))
      return false;
    std::map<std::string, uint32_t> at;
    for (size_t i = 0; i < symbols.size(); ++i)
      at[symbols[i]] = offsets[i];
    for (const Prepared &kernel : prepared)
      image.functions.push_back(at.count(kernel.symbol) ? at[kernel.symbol] : kLacking);
    result.images.push_back(std::move(image));
  }
  return true;
}

bool printKernels(const std::vector<Kernel> &kernels, const std::string &set, Text form, std::string &text,
                  std::string &error) {
  std::vector<unsigned> sets;
  std::vector<Prepared> prepared;
  if (!chooseSets({set}, sets, error) || !prepare(kernels, prepared, error))
    return false;
  llvm::raw_string_ostream out(text);
  const std::string comment = form == Text::Llvm ? "; " : "# ";
  std::set<std::string> called;
  auto print = [&](auto &&make) {
    llvm::LLVMContext context;
    std::unique_ptr<llvm::TargetMachine> machine = makeTargetMachine(setCodes()[sets[0]], error);
    if (!machine)
      return false;
    std::unique_ptr<llvm::Module> module = make(context, *machine);
    if (!module)
      return false;
    called.merge(sharedFunctions(*module));
    if (form == Text::Llvm) {
      module->print(out, nullptr);
    } else {
      Object assembly;
      if (!emitModule(*module, *machine, /*assembly=*/true, assembly, error))
        return false;
      out << llvm::StringRef(assembly.data(), assembly.size());
    }
    out << "\n";
    return true;
  };
  for (const Prepared &kernel : prepared) {
    out << comment << "kernel " << kernel.kernel->name << " for " << set << "\n";
    if (!setHolds(sets[0], *kernel.kernel))
      out << comment << "none of its own: the code of " << featureSets()[sets[0]].base << " runs\n\n";
    else if (kernel.same != static_cast<size_t>(&kernel - prepared.data()))
      out << comment << "the code of " << prepared[kernel.same].kernel->name << "\n\n";
    else if (!print([&](llvm::LLVMContext &context, llvm::TargetMachine &machine) {
               return makeModule(context, machine, kernel, sets[0], error);
             }))
      return false;
  }
  const std::set<std::string> names = called;
  for (llvm::StringRef file : sharedFiles()) {
    if (!callsInto(names, file))
      continue;
    out << comment << "what these kernels call of " << file << ", for " << set << "\n";
    if (!print([&](llvm::LLVMContext &context, llvm::TargetMachine &machine) {
          return sharedModule(context, machine, sets[0], file, names, error);
        }))
      return false;
  }
  return true;
}

} // namespace ingot::target::cpu
