// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See tensors.h.
#include "runtime/executor/tensors.h"

#include "runtime/executor/named.h"
#include "runtime/executor/sizes.h"

#include <algorithm>

namespace ingot::runtime {

Result<unsigned> findEntry(const format::Plan &plan, std::string_view name) {
  const auto &entries = *plan.entries();
  if (!name.empty())
    return findNamed(entries, name, "entry");
  if (entries.size() == 1)
    return 0u;
  for (unsigned i = 0; i < entries.size(); ++i)
    if (entries.Get(i)->name()->string_view() == "main")
      return i;
  return makeError(ErrorCode::NotFound, "the engine has no entry 'main', it has %s; name one",
                   listNames(entries).c_str());
}

bool usesCache(const format::Entry &entry) {
  return std::any_of(entry.buffers()->begin(), entry.buffers()->end(),
                     [](const format::Buffer *buffer) { return buffer->kind() == format::BufferKind::cache; });
}

std::string dimensionText(const format::Plan &plan, const format::Size &size) {
  std::string text;
  for (unsigned i = 0; size.coefficients() && i < size.coefficients()->size(); ++i)
    if (const int64_t coefficient = size.coefficients()->Get(i))
      text += (text.empty() ? "" : " + ") + (coefficient == 1 ? "" : std::to_string(coefficient) + "*") +
              plan.symbols()->Get(i)->name()->str();
  if (size.constant() || text.empty())
    text += (text.empty() ? "" : " + ") + std::to_string(size.constant());
  return text;
}

static std::string listed(format::ElementType type, const std::vector<std::string> &dimensions) {
  std::string text = std::string(elementName(type)) + " [";
  for (const std::string &dimension : dimensions)
    text += (&dimension == dimensions.data() ? "" : ", ") + dimension;
  return text + "]";
}

std::string typeText(const format::Plan &plan, const format::Argument &argument) {
  std::vector<std::string> dimensions;
  for (const format::Size *size : *argument.shape())
    dimensions.push_back(dimensionText(plan, *size));
  return listed(argument.type(), dimensions);
}

std::string typeText(format::ElementType type, std::span<const int64_t> shape) {
  std::vector<std::string> dimensions;
  for (int64_t extent : shape)
    dimensions.push_back(std::to_string(extent));
  return listed(type, dimensions);
}

std::string signatureText(const format::Plan &plan, const format::Entry &entry, std::string_view indent) {
  std::string text;
  for (const auto &[what, list] : {std::pair("input ", entry.inputs()), {"output ", entry.outputs()}})
    for (const format::Argument *argument : *list)
      text += std::string(indent) + what + argument->name()->str() + ": " + typeText(plan, *argument) + "\n";
  return text;
}

namespace {

// One binding under way: what is known so far, and all that is wrong.
class Binder {
public:
  Binder(const format::Plan &plan, const format::Entry &entry, std::span<const NamedTensor> tensors)
      : plan(plan), entry(entry), tensors(tensors), table(plan), found(entry.inputs()->size(), nullptr),
        giver(table.size(), -1) {
    bound.symbols.assign(table.size(), 0);
  }

  Result<BoundInputs> bind() {
    match();
    for (unsigned i = 0; i < found.size(); ++i)
      if (found[i] && checkType(i))
        takeSymbols(i);
      else
        found[i] = nullptr;
    if (problems.empty())
      nameUnknown();
    if (!problems.empty())
      return refuse();
    INGOT_RETURN_IF_ERROR(table.complete(entry, bound.symbols));
    for (unsigned i = 0; i < found.size(); ++i)
      checkShape(i);
    if (!problems.empty())
      return refuse();
    for (const NamedTensor *tensor : found)
      bound.data.push_back(tensor->data);
    return std::move(bound);
  }

private:
  const format::Argument &input(unsigned i) const { return *entry.inputs()->Get(i); }
  std::string named(unsigned i) const { return "input " + quoted(input(i).name()->string_view()); }
  void wrong(const std::string &text) { problems += (problems.empty() ? "" : "; ") + text; }

  Error refuse() const {
    std::string takes;
    for (const format::Argument *argument : *entry.inputs())
      takes += (takes.empty() ? "" : ", ") + argument->name()->str() + ": " + typeText(plan, *argument);
    return makeError(ErrorCode::InvalidArgument, "%s. Entry %s takes %s", problems.c_str(),
                     quoted(entry.name()->string_view()).c_str(), takes.empty() ? "nothing" : takes.c_str());
  }

  void match() {
    for (const NamedTensor &tensor : tensors) {
      unsigned i = 0;
      while (i < found.size() && input(i).name()->string_view() != tensor.name)
        ++i;
      if (i == found.size())
        wrong("there is no input " + quoted(tensor.name));
      else if (found[i])
        wrong(named(i) + " is given twice");
      else
        found[i] = &tensor;
    }
    for (unsigned i = 0; i < found.size(); ++i)
      if (!found[i])
        wrong(named(i) + " is missing");
  }

  bool checkType(unsigned i) {
    const NamedTensor &tensor = *found[i];
    if (tensor.type == input(i).type() && tensor.shape.size() == input(i).shape()->size())
      return true;
    wrong(named(i) + " is " + typeText(tensor.type, tensor.shape) + ", expected " + typeText(plan, input(i)));
    return false;
  }

  // Dimensions that are a symbol, or a symbol and a constant.
  void takeSymbols(unsigned i) {
    for (unsigned d = 0; d < found[i]->shape.size(); ++d) {
      const format::Size &size = *input(i).shape()->Get(d);
      const int symbol = symbolOf(size);
      const int64_t extent = found[i]->shape[d], value = extent - size.constant();
      if (extent < 0) {
        wrong(named(i) + ": dimension " + std::to_string(d) + " is " + std::to_string(extent));
      } else if (symbol >= 0 && !table.derived(unsigned(symbol))) {
        if (value < 0)
          wrong(named(i) + ": dimension " + std::to_string(d) + " is " + std::to_string(extent) + ", expected " +
                dimensionText(plan, size));
        else if (giver[size_t(symbol)] < 0) {
          giver[size_t(symbol)] = int(i);
          bound.symbols[size_t(symbol)] = value;
        } else if (bound.symbols[size_t(symbol)] != value) {
          wrong(named(i) + " has " + std::string(table.name(unsigned(symbol))) + " = " + std::to_string(value) +
                ", but " + named(unsigned(giver[size_t(symbol)])) + " has " +
                std::to_string(bound.symbols[size_t(symbol)]));
        }
      }
    }
  }

  // Symbols of inputs that stand in no dimension by themselves.
  void nameUnknown() {
    for (const format::Argument *argument : *entry.inputs())
      for (const format::Size *size : *argument->shape())
        for (unsigned s = 0; size->coefficients() && s < size->coefficients()->size(); ++s)
          if (size->coefficients()->Get(s) && !table.derived(s) && giver[s] < 0) {
            giver[s] = 0; // told once
            wrong("no input has a dimension that gives the symbol " + quoted(table.name(s)));
          }
  }

  void checkShape(unsigned i) {
    for (unsigned d = 0; d < found[i]->shape.size(); ++d) {
      const format::Size &size = *input(i).shape()->Get(d);
      const int64_t expected = extent(&size, bound.symbols);
      const std::string text = dimensionText(plan, size);
      if (found[i]->shape[d] != expected)
        wrong(named(i) + ": dimension " + std::to_string(d) + " is " + std::to_string(found[i]->shape[d]) +
              ", expected " + (text == std::to_string(expected) ? text : text + " = " + std::to_string(expected)));
    }
  }

  const format::Plan &plan;
  const format::Entry &entry;
  std::span<const NamedTensor> tensors;
  SymbolTable table;
  std::vector<const NamedTensor *> found; // of each input
  std::vector<int> giver;                 // of each symbol, the input that gave it
  std::string problems;
  BoundInputs bound;
};

} // namespace

Result<BoundInputs> bindInputs(const format::Plan &plan, const format::Entry &entry,
                               std::span<const NamedTensor> tensors) {
  return Binder(plan, entry, tensors).bind();
}

} // namespace ingot::runtime
