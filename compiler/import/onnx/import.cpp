// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See import.h: walks the nodes in order, expands functions and constant branches, and hands each operator to its definition.
#include "compiler/import/onnx/import.h"
#include "compiler/import/onnx/op.h"

#include <algorithm>
#include <set>

namespace ingot::onnx {

namespace {

std::string domainOf(const std::string &domain) { return domain == "ai.onnx" ? "" : domain; }

using Versions = std::map<std::string, int64_t>;

// Names of values, in a graph and those around it.
struct Scope {
  const Scope *outer = nullptr;
  std::map<std::string, Tensor> values; // null: what failed before
  const std::map<std::string, const proto::AttributeProto *> *given = nullptr; // attributes of a function's call

  const Tensor *find(const std::string &name) const {
    for (const Scope *scope = this; scope; scope = scope->outer)
      if (auto found = scope->values.find(name); found != scope->values.end())
        return &found->second;
    return nullptr;
  }
};

class Importer {
public:
  // `equal` names symbols that are others.
  Importer(Model &model, GraphBuilder &builder, ImportResult &result, const Graph::Equalities &equal)
      : model(model), builder(builder), graph(builder), result(result), equal(equal) {}

  const Graph::Equalities &equalSymbols() const { return graph.equalSymbols(); }

  bool run() {
    const proto::GraphProto &main = model.proto().graph();
    result.name = main.name();
    result.producer = model.proto().producer_name() + (model.proto().producer_version().empty() ? "" : " ") +
                      model.proto().producer_version();
    Versions versions = versionsOf(model.proto().opset_import());
    result.opset = versions.count("") ? versions[""] : 0;
    for (const auto &function : model.proto().functions())
      functions[{domainOf(function.domain()), function.name(), function.overload()}] = &function;
    std::set<std::string> active;
    checkSupported(main.node(), versions, active, 0);
    if (!result.problems.empty())
      return false;
    Scope scope;
    if (!openMain(main, scope))
      return false;
    initializers(main, scope);
    walk(main.node(), versions, scope, 0);
    if (!result.problems.empty())
      return false;
    return closeMain(main, scope);
  }

private:
  void problem(const std::string &what) {
    if (std::find(result.problems.begin(), result.problems.end(), what) == result.problems.end())
      result.problems.push_back(what);
  }

  template <typename List> static Versions versionsOf(const List &imports) {
    Versions versions;
    for (const auto &import : imports)
      versions[domainOf(import.domain())] = import.version();
    return versions;
  }

  static std::string nameOfNode(const proto::NodeProto &node) {
    std::string name = node.name();
    if (name.empty() && node.output_size())
      name = node.output(0);
    return "node '" + name + "' (" + (node.domain().empty() || node.domain() == "ai.onnx" ? "" : node.domain() + ".") +
           node.op_type() + ")";
  }

  const proto::FunctionProto *functionOf(const proto::NodeProto &node) const {
    auto found = functions.find({domainOf(node.domain()), node.op_type(), node.overload()});
    return found == functions.end() ? nullptr : found->second;
  }

  static int64_t versionFor(const proto::NodeProto &node, const Versions &versions) {
    auto found = versions.find(domainOf(node.domain()));
    return found == versions.end() ? 1 : found->second;
  }

  // Every operator that is not known, before work begins.
  void checkSupported(const google::protobuf::RepeatedPtrField<proto::NodeProto> &nodes, const Versions &versions,
                      std::set<std::string> &active, int depth) {
    if (depth > 32)
      return problem("graphs and functions are nested more than 32 deep");
    for (const proto::NodeProto &node : nodes) {
      ++result.nodes;
      for (const auto &attribute : node.attribute())
        if (attribute.has_g())
          checkSupported(attribute.g().node(), versions, active, depth + 1);
      const std::string domain = domainOf(node.domain());
      if (domain.empty() && node.op_type() == "If")
        continue;
      if (const proto::FunctionProto *function = functionOf(node)) {
        const std::string key = function->domain() + ":" + function->name() + ":" + function->overload();
        if (!active.insert(key).second) {
          problem(nameOfNode(node) + ": function '" + function->name() + "' calls itself");
          continue;
        }
        checkSupported(function->node(), versionsOf(function->opset_import()), active, depth + 1);
        active.erase(key);
        continue;
      }
      const int64_t version = versionFor(node, versions);
      if (findDefinition(domain, node.op_type(), version))
        continue;
      const std::string set = domain.empty() ? "ai.onnx" : domain;
      if (auto first = firstVersion(domain, node.op_type()))
        problem(nameOfNode(node) + ": operator set " + set + " " + std::to_string(version) + " is older than what is supported of " +
                node.op_type() + ", which is from version " + std::to_string(*first) + " on");
      else
        problem(nameOfNode(node) + ": operator " + node.op_type() + " of " + set + " " + std::to_string(version) +
                " is not supported");
    }
  }

  // "batch", whatever characters the model's own name has; names that would meet get a number.
  Dimension symbolOf(const std::string &name) {
    auto found = symbols.find(name);
    if (found != symbols.end())
      return representative(found->second);
    std::string text;
    for (char c : name)
      text += (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ? c : '_';
    if (text.empty() || !((text[0] >= 'a' && text[0] <= 'z') || (text[0] >= 'A' && text[0] <= 'Z')))
      text = "dim_" + text;
    std::string unique = text;
    auto taken = [&](const std::string &candidate) {
      return std::any_of(symbols.begin(), symbols.end(), [&](const auto &entry) { return entry.second == candidate; });
    };
    // d0, d1, ... are those of expressions.
    for (int number = 2; taken(unique) || (unique.size() > 1 && unique[0] == 'd' && unique.find_first_not_of("0123456789", 1) == std::string::npos);
         ++number)
      unique = text + "_" + std::to_string(number);
    symbols[name] = unique;
    return representative(unique);
  }

  // What stands for it.
  Dimension representative(const std::string &name, int depth = 0) const {
    auto found = equal.find(name);
    if (found == equal.end() || depth > 16)
      return Dimension::symbol(name);
    Dimension result = 0;
    for (const Dimension &part : found->second)
      result = result + (part.isConstant() ? part : representative(part.symbolName(), depth + 1));
    return result;
  }

  bool openMain(const proto::GraphProto &main, Scope &scope) {
    std::set<std::string> constants;
    for (const auto &initializer : main.initializer())
      constants.insert(initializer.name());
    std::vector<ArgumentSpec> arguments;
    std::vector<DataType> types;
    for (const proto::ValueInfoProto &input : main.input()) {
      if (constants.count(input.name()))
        continue; // a constant that callers could replace; here it is what it is
      if (!input.type().has_tensor_type()) {
        problem("input '" + input.name() + "' is no tensor: sequences, maps and optional values are not supported");
        continue;
      }
      const auto &type = input.type().tensor_type();
      ArgumentSpec argument;
      argument.name = input.name();
      auto held = storage(DataType(type.elem_type()));
      if (!held) {
        problem("input '" + input.name() + "' has element type " + nameOf(DataType(type.elem_type())) + ", which is not supported");
        continue;
      }
      argument.type = *held;
      if (!type.has_shape()) {
        problem("input '" + input.name() + "' has no shape: its number of dimensions must be known");
        continue;
      }
      for (int i = 0; i < type.shape().dim_size(); ++i) {
        const auto &dim = type.shape().dim(i);
        if (dim.has_dim_value() && dim.dim_value() >= 0)
          argument.shape.push_back(dim.dim_value());
        else if (dim.has_dim_value()) {
          // Some exporters write -1 for what is not known.
          argument.shape.push_back(symbolOf(input.name() + "_dim_" + std::to_string(i)));
        } else
          argument.shape.push_back(symbolOf(dim.dim_param().empty() ? input.name() + "_dim_" + std::to_string(i) : dim.dim_param()));
      }
      if (argument.shape.size() == 2 && !argument.shape[1].symbolName().empty())
        graph.maskLengths.insert(argument.shape[1].symbolName());
      arguments.push_back(std::move(argument));
      types.push_back(DataType(type.elem_type()));
    }
    std::set<std::string> names;
    for (const ArgumentSpec &argument : arguments)
      if (!names.insert(argument.name).second)
        problem("two inputs are named '" + argument.name + "'");
    if (!result.problems.empty())
      return false;
    std::vector<Value> values = builder.beginEntry(main.name(), "main", arguments);
    for (size_t i = 0; i < arguments.size(); ++i)
      scope.values[arguments[i].name] = graph.argument(types[i], arguments[i].shape, values[i]);
    return true;
  }

  bool closeMain(const proto::GraphProto &main, Scope &scope) {
    std::vector<std::pair<std::string, Value>> results;
    if (main.output_size() == 0)
      problem("the graph has no output");
    for (const proto::ValueInfoProto &output : main.output()) {
      const Tensor *found = scope.find(output.name());
      if (!found || !*found) {
        problem("output '" + output.name() + "' is computed by no node");
        continue;
      }
      const auto &type = output.type().tensor_type();
      if (output.type().has_tensor_type() && type.elem_type() != 0 && DataType(type.elem_type()) != (*found)->dataType) {
        problem("output '" + output.name() + "' is declared as " + nameOf(DataType(type.elem_type())) + ", but what computes it gives " +
                nameOf((*found)->dataType));
        continue;
      }
      try {
        results.emplace_back(output.name(), graph.value(*found));
      } catch (const ImportError &error) {
        problem("output '" + output.name() + "': " + error.what());
      }
    }
    if (!result.problems.empty())
      return false;
    builder.endEntry(results);
    return true;
  }

  void initializers(const proto::GraphProto &of, Scope &scope) {
    for (const auto &initializer : of.initializer()) {
      TensorBytes bytes;
      if (std::string error = model.tensor(initializer, bytes); !error.empty()) {
        problem(error);
        scope.values[initializer.name()] = nullptr;
        continue;
      }
      ++result.tensors;
      result.parameters += bytes.elements();
      result.bytes += bytes.bytes;
      if (auto held = storage(bytes.type)) {
        uint64_t &count = bytesOf[*held];
        count += bytes.bytes;
        if (count >= bytesOf[result.weightType])
          result.weightType = *held;
      }
      scope.values[initializer.name()] = graph.stored(bytes, unique(initializer.name()));
    }
    for (const auto &initializer : of.sparse_initializer()) {
      problem("sparse tensor '" + initializer.values().name() + "': sparse initializers are not supported");
      scope.values[initializer.values().name()] = nullptr;
    }
  }

  // Names of stored tensors are one space, whatever graph they stand in.
  std::string unique(const std::string &name) {
    std::string result = name.empty() ? "constant" : name;
    for (int number = 2; !storedNames.insert(result).second; ++number)
      result = name + "#" + std::to_string(number);
    return result;
  }

  // Names that a node reads, those of its branches included.
  static void collectInputs(const proto::NodeProto &node, std::vector<std::string> &names) {
    for (const std::string &name : node.input())
      if (!name.empty())
        names.push_back(name);
    for (const auto &attribute : node.attribute())
      if (attribute.has_g())
        for (const proto::NodeProto &inner : attribute.g().node())
          collectInputs(inner, names);
  }

  // Nodes so that each stands after those that it reads, otherwise in the order of the file: exporters and tools do not always
  // sort as the specification asks. Those of a cycle come last, and are refused where they are imported.
  static std::vector<const proto::NodeProto *> sorted(const google::protobuf::RepeatedPtrField<proto::NodeProto> &nodes) {
    std::map<std::string, size_t> makers;
    for (int i = 0; i < nodes.size(); ++i)
      for (const std::string &name : nodes[i].output())
        if (!name.empty())
          makers.emplace(name, size_t(i));
    std::vector<std::vector<size_t>> readers(size_t(nodes.size()));
    std::vector<size_t> waiting(size_t(nodes.size()), 0);
    for (int i = 0; i < nodes.size(); ++i) {
      std::vector<std::string> names;
      collectInputs(nodes[i], names);
      for (const std::string &name : names)
        if (auto maker = makers.find(name); maker != makers.end() && maker->second != size_t(i)) {
          readers[maker->second].push_back(size_t(i));
          ++waiting[size_t(i)];
        }
    }
    std::set<size_t> ready;
    for (size_t i = 0; i < waiting.size(); ++i)
      if (waiting[i] == 0)
        ready.insert(i);
    std::vector<const proto::NodeProto *> order;
    std::vector<bool> placed(waiting.size());
    while (!ready.empty()) {
      const size_t next = *ready.begin();
      ready.erase(ready.begin());
      order.push_back(&nodes[int(next)]);
      placed[next] = true;
      for (size_t reader : readers[next])
        if (--waiting[reader] == 0)
          ready.insert(reader);
    }
    for (size_t i = 0; i < placed.size(); ++i)
      if (!placed[i])
        order.push_back(&nodes[int(i)]);
    return order;
  }

  void walk(const google::protobuf::RepeatedPtrField<proto::NodeProto> &nodes, const Versions &versions, Scope &scope, int depth) {
    for (const proto::NodeProto *at : sorted(nodes)) {
      const proto::NodeProto &node = *at;
      std::vector<Tensor> inputs, outputs;
      bool good = true;
      for (const std::string &name : node.input()) {
        if (name.empty()) {
          inputs.push_back(nullptr);
          continue;
        }
        const Tensor *found = scope.find(name);
        if (!found) {
          problem(nameOfNode(node) + ": input '" + name +
                  "' is computed by no node that can stand before it, and is no input or initializer");
          good = false;
        } else if (!*found) {
          good = false; // told already
        } else {
          inputs.push_back(*found);
        }
      }
      if (good) {
        auto named = builder.scope(node.name().empty() ? (node.output_size() ? node.output(0) : node.op_type()) : node.name());
        try {
          outputs = import(node, versions, scope, std::move(inputs), depth);
        } catch (const ImportError &error) {
          problem(nameOfNode(node) + ": " + error.what());
          good = false;
        }
      }
      for (int i = 0; i < node.output_size(); ++i) {
        const std::string &name = node.output(i);
        if (name.empty())
          continue;
        Tensor tensor = good && size_t(i) < outputs.size() ? outputs[size_t(i)] : nullptr;
        if (good && !tensor)
          problem(nameOfNode(node) + ": output " + std::to_string(i) + " is not supported");
        if (!scope.values.emplace(name, tensor).second)
          problem(nameOfNode(node) + ": output '" + name + "' has the name of another value");
      }
    }
  }

  std::vector<Tensor> import(const proto::NodeProto &node, const Versions &versions, Scope &scope, std::vector<Tensor> inputs,
                             int depth) {
    if (depth > 32)
      throw ImportError("graphs and functions are nested more than 32 deep");
    Attributes attributes;
    for (const auto &attribute : node.attribute()) {
      if (attribute.ref_attr_name().empty()) {
        attributes[attribute.name()] = &attribute;
        continue;
      }
      const Scope *at = &scope;
      while (at && !at->given)
        at = at->outer;
      if (at)
        if (auto found = at->given->find(attribute.ref_attr_name()); found != at->given->end())
          attributes[attribute.name()] = found->second;
    }
    const std::string domain = domainOf(node.domain());
    if (domain.empty() && node.op_type() == "If")
      return importIf(attributes, versions, scope, inputs, depth);
    if (const proto::FunctionProto *function = functionOf(node))
      return call(*function, attributes, inputs, depth);
    const int64_t version = versionFor(node, versions);
    Op op(graph, model, node, std::move(attributes), version, std::move(inputs));
    return findDefinition(domain, node.op_type(), version)->import(op);
  }

  std::vector<Tensor> call(const proto::FunctionProto &function, const Attributes &attributes, const std::vector<Tensor> &inputs,
                           int depth) {
    Scope inner;
    std::map<std::string, const proto::AttributeProto *> given;
    for (const auto &attribute : function.attribute_proto()) // defaults
      given[attribute.name()] = &attribute;
    for (const auto &[name, attribute] : attributes)
      given[name] = attribute;
    inner.given = &given;
    Tensor absent = nullptr;
    for (int i = 0; i < function.input_size(); ++i)
      if (size_t(i) < inputs.size() && inputs[size_t(i)])
        inner.values[function.input(i)] = inputs[size_t(i)];
    // An input that the call leaves out is left out of the nodes that read it.
    std::vector<proto::NodeProto> nodes(function.node().begin(), function.node().end());
    google::protobuf::RepeatedPtrField<proto::NodeProto> body;
    for (proto::NodeProto &node : nodes) {
      for (int i = 0; i < node.input_size(); ++i) {
        const bool parameter = std::find(function.input().begin(), function.input().end(), node.input(i)) != function.input().end();
        if (parameter && !inner.values.count(node.input(i)))
          node.set_input(i, "");
      }
      *body.Add() = node;
    }
    bodies.push_back(std::make_unique<google::protobuf::RepeatedPtrField<proto::NodeProto>>(std::move(body)));
    walk(*bodies.back(), versionsOf(function.opset_import()), inner, depth + 1);
    std::vector<Tensor> outputs;
    for (const std::string &name : function.output()) {
      const Tensor *found = inner.find(name);
      outputs.push_back(found ? *found : absent);
      if (!outputs.back())
        throw ImportError("function '" + function.name() + "' does not give its output '" + name + "'");
    }
    return outputs;
  }

  std::vector<Tensor> branch(const proto::GraphProto &of, const Versions &versions, const Scope &scope, int depth) {
    Scope inner;
    inner.outer = &scope;
    initializers(of, inner);
    walk(of.node(), versions, inner, depth + 1);
    std::vector<Tensor> outputs;
    for (const auto &output : of.output()) {
      const Tensor *found = inner.find(output.name());
      if (!found || !*found)
        throw ImportError("a branch does not give its output '" + output.name() + "'");
      outputs.push_back(*found);
    }
    return outputs;
  }

  // A condition that is known chooses a branch; otherwise both are computed, which gives the same values as choosing, since
  // no operator has an effect but its outputs.
  std::vector<Tensor> importIf(const Attributes &attributes, const Versions &versions, const Scope &scope,
                               const std::vector<Tensor> &inputs, int depth) {
    auto graphOf = [&](const char *name) -> const proto::GraphProto & {
      auto found = attributes.find(name);
      if (found == attributes.end() || !found->second->has_g())
        throw ImportError(std::string("attribute '") + name + "' is missing");
      return found->second->g();
    };
    if (inputs.size() != 1 || !inputs[0] || inputs[0]->dataType != DataType::boolean)
      throw ImportError("expected one input of bool");
    const proto::GraphProto &yes = graphOf("then_branch"), &no = graphOf("else_branch");
    if (auto known = graph.knownIntegers(inputs[0]); known && known->size() == 1)
      return branch(*(*known)[0].constant() ? yes : no, versions, scope, depth);
    std::vector<Tensor> a = branch(yes, versions, scope, depth), b = branch(no, versions, scope, depth);
    if (a.size() != b.size())
      throw ImportError("its branches have " + std::to_string(a.size()) + " and " + std::to_string(b.size()) + " outputs");
    Tensor condition = graph.reshape(inputs[0], {});
    std::vector<Tensor> outputs;
    for (size_t i = 0; i < a.size(); ++i) {
      if (!(a[i]->shape == b[i]->shape))
        throw ImportError("its condition is not known when the model is compiled, and output " + std::to_string(i) +
                          " has shape " + textOf(a[i]->shape) + " in one branch and " + textOf(b[i]->shape) +
                          " in the other; expected equal shapes");
      outputs.push_back(graph.where(condition, a[i], b[i]));
    }
    return outputs;
  }

  Model &model;
  GraphBuilder &builder;
  Graph graph;
  ImportResult &result;
  const Graph::Equalities &equal;
  std::map<std::tuple<std::string, std::string, std::string>, const proto::FunctionProto *> functions;
  std::map<std::string, std::string> symbols;
  std::set<std::string> storedNames;
  std::map<ElementType, uint64_t> bytesOf; // of initializers
  std::vector<std::unique_ptr<google::protobuf::RepeatedPtrField<proto::NodeProto>>> bodies;
};

} // namespace

bool importModel(Model &model, GraphBuilder &builder, ImportResult &result) {
  // Exporters give dimensions names of their own that operators then need to be equal (keys' and values' lengths, those of all
  // layers). Once these are known the graph is imported again, with one name for them; the second time shows those that
  // follow. Each time at least one name goes, and few times are needed.
  Graph::Equalities equal;
  const ImportResult empty = result;
  for (int round = 0;; ++round) {
    Importer importer(model, builder, result, equal);
    const bool good = importer.run();
    size_t found = 0;
    for (const auto &[symbol, same] : importer.equalSymbols())
      found += equal.emplace(symbol, same).second;
    if (found == 0 || round == 8)
      return good && result.problems.empty();
    result = empty;
    builder.restart();
  }
}

bool importModel(const std::string &path, Model &model, GraphBuilder &builder, ImportResult &result) {
  if (std::string error = model.open(path); !error.empty()) {
    result.problems.push_back(error);
    return false;
  }
  return importModel(model, builder, result);
}

} // namespace ingot::onnx
