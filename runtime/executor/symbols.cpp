// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See symbols.h.
#include "runtime/executor/symbols.h"

#include "runtime/executor/sizes.h"

#include <algorithm>
#include <string_view>

namespace ingot::runtime {

SymbolTable::SymbolTable(const format::Plan &plan) : plan(&plan), steps(plan.symbols()->size()) {
  for (unsigned i = 0; i < size(); ++i)
    if (const auto *list = plan.symbols()->Get(i)->steps()) {
      for (const format::SymbolStep *step : *list)
        steps[i].push_back({symbols::Op(step->kind()), step->value()});
      any |= !steps[i].empty();
    }
}

std::string SymbolTable::expression(unsigned symbol) const {
  return symbols::text(steps[symbol], [&](int64_t number) { return std::string(name(unsigned(number))); });
}

std::vector<bool> SymbolTable::knownTo(const format::Entry &entry) const {
  std::vector<bool> known(size(), false);
  for (const format::Argument *input : *entry.inputs())
    for (const format::Size *extent : *input->shape())
      for (unsigned i = 0; extent->coefficients() && i < extent->coefficients()->size(); ++i)
        known[i] = known[i] || extent->coefficients()->Get(i) != 0;
  for (unsigned i = 0; i < size(); ++i)
    if (derived(i))
      known[i] = std::all_of(steps[i].begin(), steps[i].end(), [&](const symbols::Step &step) {
        return step.op != symbols::Op::symbol || known[size_t(step.value)];
      });
  return known;
}

std::optional<int64_t> SymbolTable::valueOf(unsigned symbol, std::span<const int64_t> values,
                                            std::vector<bool> &open) const {
  open[symbol] = dependsOnData(symbol);
  bool bounded = false;
  for (const symbols::Step &step : steps[symbol])
    bounded |= step.op == symbols::Op::symbol && open[size_t(step.value)];
  if (!bounded)
    return symbols::evaluate(steps[symbol], [&](int64_t number) { return values[size_t(number)]; });
  open[symbol] = true;
  const symbols::Interval interval = symbols::bound(steps[symbol], [&](int64_t number) {
    const int64_t value = values[size_t(number)];
    return symbols::Interval{open[size_t(number)] ? 0 : value, value};
  });
  return std::max<int64_t>(0, interval.most);
}

void SymbolTable::evaluate(std::span<int64_t> values) const {
  std::vector<bool> open(size(), false);
  for (unsigned i = 0; i < size(); ++i)
    if (derived(i))
      values[i] = std::max<int64_t>(valueOf(i, values, open).value_or(0), 0);
}

Result<void> SymbolTable::complete(const format::Entry &entry, std::span<int64_t> values,
                                   const std::vector<bool> &settled) const {
  if (!any)
    return {};
  std::vector<bool> known; // made when it is needed
  std::vector<bool> open(size(), false);
  for (unsigned i = 0; i < size(); ++i) {
    if (!derived(i) || (!settled.empty() && settled[i]))
      continue;
    const std::optional<int64_t> value = valueOf(i, values, open);
    values[i] = std::max<int64_t>(value.value_or(0), 0);
    if (value && *value >= 0)
      continue;
    if (known.empty())
      known = knownTo(entry);
    if (!known[i])
      continue;
    if (const auto *requirement = plan->symbols()->Get(i)->requirement())
      return broken(entry, i, requirement->string_view(), values);
    std::string of;
    std::vector<int64_t> told;
    for (const symbols::Step &step : steps[i])
      if (step.op == symbols::Op::symbol && std::find(told.begin(), told.end(), step.value) == told.end()) {
        told.push_back(step.value);
        of += (of.empty() ? "" : ", ") + std::string(name(unsigned(step.value))) + " = " +
              std::to_string(values[size_t(step.value)]);
      }
    return makeError(ErrorCode::InvalidArgument, "entry %s: symbol %s = %s %s for %s; give inputs of other shapes",
                     quoted(entry.name()->string_view()).c_str(), quoted(name(i)).c_str(), expression(i).c_str(),
                     value ? ("is " + std::to_string(*value) + ", expected at least 0,").c_str()
                           : "divides by less than 1",
                     of.empty() ? "any inputs" : of.c_str());
  }
  return {};
}

Result<void> SymbolTable::settle(const format::Entry &entry, unsigned symbol, int64_t value, std::span<int64_t> values,
                                 std::vector<bool> &settled) const {
  if (value < 0 || value > values[symbol])
    return makeError(ErrorCode::InvalidArgument, "entry %s: symbol %s came out as %lld, expected 0 to %s = %lld",
                     quoted(entry.name()->string_view()).c_str(), quoted(name(symbol)).c_str(),
                     static_cast<long long>(value), expression(symbol).c_str(), static_cast<long long>(values[symbol]));
  if (settled.empty())
    settled.assign(values.size(), false);
  settled[symbol] = true;
  values[symbol] = value;
  return complete(entry, values, settled);
}

Error SymbolTable::broken(const format::Entry &entry, unsigned symbol, std::string_view requirement,
                          std::span<const int64_t> values) const {
  std::string found, shapes;
  std::vector<int64_t> told;
  for (const symbols::Step &step : steps[symbol])
    if (step.op == symbols::Op::symbol && std::find(told.begin(), told.end(), step.value) == told.end()) {
      told.push_back(step.value);
      const auto of = unsigned(step.value);
      found += (found.empty() ? "" : ", ") + (derived(of) ? expression(of) : std::string(name(of))) + " = " +
               std::to_string(values[of]);
    }
  for (const format::Argument *input : *entry.inputs()) {
    shapes += (shapes.empty() ? "" : ", ") + std::string(input->name()->string_view()) + " [";
    const std::vector<int64_t> shape = shapeOf(*input, values);
    for (size_t i = 0; i < shape.size(); ++i)
      shapes += (i ? ", " : "") + std::to_string(shape[i]);
    shapes += "]";
  }
  return makeError(ErrorCode::InvalidArgument, "entry %s: %.*s; found %s for inputs %s",
                   quoted(entry.name()->string_view()).c_str(), int(requirement.size()), requirement.data(),
                   found.c_str(), shapes.c_str());
}

void SymbolTable::completeBounds(std::span<int64_t> bounds) const {
  for (unsigned i = 0; i < size(); ++i)
    if (derived(i))
      bounds[i] = std::max<int64_t>(0, symbols::bound(steps[i], [&](int64_t number) {
                                         return symbols::Interval{0, bounds[size_t(number)]};
                                       }).most);
}

} // namespace ingot::runtime
