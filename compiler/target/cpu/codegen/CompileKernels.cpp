// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The entry points of target.h: checks every kernel, compiles (kernel, feature set) pairs in parallel, each alone, and
// links each set's objects in the plan's order. So the bytes depend on the kernels alone, not on threads.
#include "compiler/target/cpu/codegen/Internal.h"
#include "llvm/ADT/Twine.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/raw_ostream.h"
#include <algorithm>
#include <atomic>
#include <map>
#include <set>
#include <thread>

namespace ingot::target::cpu {
namespace {

// What is known of one kernel before any set is compiled.
struct Prepared {
  const Kernel *kernel = nullptr;
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

bool prepare(const std::vector<Kernel> &kernels, std::vector<Prepared> &prepared, std::string &error) {
  std::map<std::pair<std::string, std::vector<uint32_t>>, size_t> known;
  for (size_t i = 0; i < kernels.size(); ++i) {
    Prepared next;
    next.kernel = &kernels[i];
    next.same = i;
    next.symbol = "k" + std::to_string(i);
    if (kernels[i].body) {
      if (!lowerLinalgKernel(kernels[i], next.symbol, next.lowered, error))
        return false;
    } else {
      if (!checkTemplate(kernels[i], next.checked, error))
        return false;
      // Kernels that differ only in the symbol that counts their rows share their code.
      next.same = known.try_emplace({kernels[i].templateName, next.checked.words}, i).first->second;
    }
    uint32_t shift = next.checked.firstSymbol;
    std::vector<Export> &exports = next.same == i ? next.exports : prepared[next.same].exports;
    auto found = std::find_if(exports.begin(), exports.end(), [&](const Export &e) { return e.firstSymbol == shift; });
    if (found == exports.end())
      exports.push_back({next.symbol, shift});
    else
      next.symbol = found->symbol;
    prepared.push_back(std::move(next));
  }
  return true;
}

std::unique_ptr<llvm::Module> makeModule(llvm::LLVMContext &context, llvm::TargetMachine &machine,
                                         const Prepared &prepared, unsigned set, std::string &error) {
  if (prepared.kernel->body)
    return specialiseLinalg(context, machine, prepared.lowered, set, error);
  return specialiseTemplate(context, machine, *prepared.kernel, prepared.checked, set, prepared.exports, error);
}

using Object = llvm::SmallVector<char, 0>;

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
  std::vector<std::set<std::string>> called(sets.size());
  std::vector<std::vector<Object>> objects(sets.size());
  for (auto &of : objects)
    of.resize(prepared.size());
  std::vector<std::set<std::string>> calls(units.size());
  std::vector<std::string> errors(units.size());
  const unsigned threads = options.threads ? options.threads : std::max(1u, std::thread::hardware_concurrency());
  inParallel(units.size(), threads, [&](size_t i) {
    const Unit &unit = units[i];
    llvm::LLVMContext context;
    std::unique_ptr<llvm::TargetMachine> machine = makeTargetMachine(setCodes()[sets[unit.set]], errors[i]);
    if (!machine)
      return;
    auto module = makeModule(context, *machine, prepared[unit.kernel], sets[unit.set], errors[i]);
    if (!module)
      return;
    calls[i] = sharedFunctions(*module);
    emitModule(*module, *machine, /*assembly=*/false, objects[unit.set][unit.kernel], errors[i]);
  });
  for (size_t i = 0; i < units.size(); ++i)
    called[units[i].set].insert(calls[i].begin(), calls[i].end());
  for (const std::string &failed : errors)
    if (!failed.empty()) {
      error = failed;
      return false;
    }

  result = {};
  for (const Prepared &kernel : prepared)
    result.scratchBytes.push_back(kernel.kernel->body ? kernel.lowered.scratchBytes : kernel.checked.scratchBytes);
  for (size_t set = 0; set < sets.size(); ++set) {
    std::vector<llvm::StringRef> linked;
    std::vector<std::string> symbols;
    for (size_t kernel = 0; kernel < prepared.size(); ++kernel)
      if (prepared[kernel].same == kernel && setHolds(sets[set], *prepared[kernel].kernel)) {
        linked.emplace_back(objects[set][kernel].data(), objects[set][kernel].size());
        for (const Export &exported : prepared[kernel].exports)
          symbols.push_back(exported.symbol);
      }
    if (linked.empty())
      continue;
    for (llvm::StringRef file : sharedFiles())
      if (file == "support" || callsInto(called[set], file))
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
