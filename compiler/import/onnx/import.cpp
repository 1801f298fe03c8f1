// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See import.h: walks the nodes in order, expands functions and constant branches, and hands each operator to its definition.
#include "compiler/import/onnx/import.h"
#include "compiler/import/onnx/choice.h"
#include "compiler/import/onnx/link.h"
#include "compiler/import/onnx/op.h"
#include "compiler/import/onnx/order.h"
#include "compiler/import/onnx/schema.h"

#include <algorithm>
#include <set>

namespace ingot::onnx {

namespace {

// A node that cannot be imported for a reason that was told already.
struct ToldAlready {};

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
  Importer(const std::vector<Model *> &models, GraphBuilder &builder, ImportResult &result, const Graph::Equalities &equal)
      : models(models), model(models[0]), builder(builder), graph(builder), result(result), equal(equal) {}

  const Graph::Equalities &equalSymbols() const { return graph.equalSymbols(); }

  bool run() {
    std::vector<Versions> versions;
    for (size_t part = 0; part < models.size(); ++part) {
      enter(part);
      versions.push_back(versionsOf(model->proto().opset_import()));
      if (versions.back().empty() && model->proto().ir_version() < 3)
        versions.back()[""] = 1; // before operator sets had versions
      checkVersions(versions.back(), "");
      std::set<std::string> active;
      checkSupported(model->proto().graph().node(), versions.back(), active, 0);
    }
    const proto::ModelProto &last = model->proto();
    result.name = last.graph().name();
    result.producer = last.producer_name() + (last.producer_version().empty() ? "" : " ") + last.producer_version();
    result.opset = versions.back().count("") ? versions.back()[""] : 0;
    if (models.size() > 1 && result.problems.empty())
      if (std::string error = findLinks(*models[0], *models[1], links); !error.empty())
        problem(error);
    std::vector<Scope> scopes(models.size());
    // With operators that are not supported the rest is walked for what else there is to tell.
    if (broken || (models.size() > 1 && !result.problems.empty()) || !openMain(scopes))
      return false;
    for (size_t part = 0; part < models.size(); ++part) {
      enter(part);
      const proto::GraphProto &main = model->proto().graph();
      if (part > 0)
        link(scopes[0], scopes[part]);
      initializers(main, scopes[part]);
      walk(main.node(), versions[part], scopes[part], 0);
      if (!result.problems.empty())
        return false;
    }
    return closeMain(last.graph(), scopes.back());
  }

private:
  // Turns to one of the models.
  void enter(size_t number) {
    part = number;
    model = models[number];
    functions.clear();
    for (const auto &function : model->proto().functions())
      if (!functions.emplace(std::tuple(domainOf(function.domain()), function.name(), function.overload()), &function).second)
        problem("two functions are named '" + function.domain() + "." + function.name() + "'");
  }

  // Gives the decoder's inputs the encoder's results.
  void link(const Scope &from, Scope &to) {
    for (const proto::ValueInfoProto &input : model->proto().graph().input()) {
      auto found = links.find(input.name());
      if (found == links.end())
        continue;
      const Tensor *given = from.find(found->second);
      if (!given || !*given) {
        problem("output '" + found->second + "' is computed by no node");
        continue;
      }
      const auto &dims = input.type().tensor_type().shape();
      for (int i = 0; i < dims.dim_size() && size_t(i) < (*given)->rank(); ++i)
        if (!dims.dim(i).has_dim_value() && !dims.dim(i).dim_param().empty())
          graph.equate(symbolOf(dims.dim(i).dim_param()), (*given)->shape[size_t(i)]);
      to.values[input.name()] = *given;
    }
  }

  void problem(std::string what) {
    if (models.size() > 1)
      what = model->path() + ": " + what;
    if (std::find(result.problems.begin(), result.problems.end(), what) == result.problems.end())
      result.problems.push_back(what);
  }

  template <typename List> static Versions versionsOf(const List &imports) {
    Versions versions;
    for (const auto &import : imports)
      versions[domainOf(import.domain())] = import.version();
    return versions;
  }

  // Such as: node 'softmax_3' (Softmax of ai.onnx 21).
  static std::string nameOfNode(const proto::NodeProto &node, const Versions &versions) {
    const std::string domain = domainOf(node.domain());
    std::string text = "node '" + (node.name().empty() && node.output_size() ? node.output(0) : node.name()) + "' (" + node.op_type() + " of " +
                       (domain.empty() ? "ai.onnx" : domain);
    if (auto found = versions.find(domain); found != versions.end())
      text += " " + std::to_string(found->second);
    return text + ")";
  }

  const proto::FunctionProto *functionOf(const proto::NodeProto &node) const {
    auto found = functions.find({domainOf(node.domain()), node.op_type(), node.overload()});
    return found == functions.end() ? nullptr : found->second;
  }

  static int64_t versionFor(const proto::NodeProto &node, const Versions &versions) {
    auto found = versions.find(domainOf(node.domain()));
    return found == versions.end() ? 1 : found->second;
  }

  void checkVersions(const Versions &versions, const std::string &whose) {
    if (auto found = versions.find(""); found != versions.end() && (found->second < 1 || found->second > kNewestOperatorSet))
      problem("operator set ai.onnx " + std::to_string(found->second) + whose + " is not known; expected 1 to " + std::to_string(kNewestOperatorSet));
  }

  // Every operator that is not known, and what operators do not take, before work begins.
  void checkSupported(const google::protobuf::RepeatedPtrField<proto::NodeProto> &nodes, const Versions &versions,
                      std::set<std::string> &active, int depth) {
    if (depth > 32) {
      broken = true;
      return problem("graphs and functions are nested more than 32 deep");
    }
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
          broken = true;
          problem(nameOfNode(node, versions) + ": function '" + function->name() + "' calls itself");
          continue;
        }
        const Versions own = versionsOf(function->opset_import());
        checkVersions(own, " of function '" + function->name() + "'");
        checkSupported(function->node(), own, active, depth + 1);
        active.erase(key);
        continue;
      }
      if (domain.empty() && !versions.count("")) {
        problem(nameOfNode(node, versions) + ": the " + (depth && !active.empty() ? "function" : "model") +
                " that it stands in imports no operator set ai.onnx; expected one with a version in opset_import");
        continue;
      }
      const int64_t version = versionFor(node, versions);
      if (findDefinition(domain, node.op_type(), version)) {
        for (const std::string &what : schemaProblems(domain, node, version))
          problem(nameOfNode(node, versions) + ": " + what);
        continue;
      }
      if (auto first = firstVersion(domain, node.op_type()))
        problem(nameOfNode(node, versions) + ": the operator is supported from version " + std::to_string(*first) + " of its operator set on");
      else // what is supported is told once
        problem(nameOfNode(node, versions) + ": the operator is not supported" +
                (toldOf.insert(domain).second ? "; " + supportedOf(domain) : ""));
    }
  }

  // "batch", whatever characters the model's own name has; names that would meet get a number.
  Dimension symbolOf(const std::string &name) {
    const std::pair<size_t, std::string> key(part, name); // each model has names of its own
    auto found = symbols.find(key);
    if (found != symbols.end())
      return representative(found->second);
    std::string text;
    for (char c : name)
      text += (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ? c : '_';
    if (text.empty() || !((text[0] >= 'a' && text[0] <= 'z') || (text[0] >= 'A' && text[0] <= 'Z')))
      text = "dim_" + text;
    std::string unique = text;
    auto taken = [&](const std::string &candidate) {
      // Those of a decoder's entries.
      if (models.size() > 1 && std::set<std::string>{"tokens", "sequences", "logit_rows", "blocks", "penalties", "masks"}.count(candidate))
        return true;
      return std::any_of(symbols.begin(), symbols.end(), [&](const auto &entry) { return entry.second == candidate; });
    };
    // d0, d1, ... are those of expressions.
    for (int number = 2; taken(unique) || (unique.size() > 1 && unique[0] == 'd' && unique.find_first_not_of("0123456789", 1) == std::string::npos);
         ++number)
      unique = text + "_" + std::to_string(number);
    symbols[key] = unique;
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

  struct Arguments {
    std::vector<ArgumentSpec> specs;
    std::vector<DataType> types;
    std::vector<std::pair<Scope *, std::string>> values; // what each is in its model
    std::set<std::string> names;
  };

  bool openMain(std::vector<Scope> &scopes) {
    const size_t before = result.problems.size();
    Arguments arguments;
    for (size_t number = 0; number < models.size(); ++number) {
      enter(number);
      collectArguments(model->proto().graph(), scopes[number], arguments);
    }
    if (result.problems.size() > before)
      return false;
    std::vector<Value> values = builder.beginEntry(result.name, "main", arguments.specs);
    for (size_t i = 0; i < values.size(); ++i) {
      Tensor given = graph.argument(arguments.types[i], arguments.specs[i].shape, values[i]);
      arguments.values[i].first->values[arguments.values[i].second] = given;
      inputs.insert(given);
    }
    return true;
  }

  void collectArguments(const proto::GraphProto &main, Scope &scope, Arguments &arguments) {
    std::set<std::string> constants, own;
    for (const auto &initializer : main.initializer())
      constants.insert(initializer.name());
    for (const proto::ValueInfoProto &input : main.input()) {
      if (constants.count(input.name()) || (part > 0 && links.count(input.name())))
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
        problem("input '" + input.name() + "' has element type " + nameOf(DataType(type.elem_type())) +
                ", which is not supported; expected bool, integers of 2 to 64 bits or floats of 4 to 64 bits");
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
      const bool vectors = argument.shape.size() == 3 && isFloat(argument.type) && argument.shape[2].isConstant();
      if (vectors || (argument.shape.size() == 2 && !isFloat(argument.type)))
        for (size_t axis : {0, 1})
          if (const std::string name = argument.shape[axis].symbolName(); !name.empty())
            graph.tokenAxes.emplace(name, Graph::TokenAxis{axis, vectors});
      if (!own.insert(argument.name).second)
        problem("two inputs are named '" + argument.name + "'");
      arguments.values.emplace_back(&scope, argument.name);
      while (!arguments.names.insert(argument.name).second && part > 0)
        argument.name = "decoder_" + argument.name;
      arguments.specs.push_back(std::move(argument));
      arguments.types.push_back(DataType(type.elem_type()));
    }
  }

  bool closeMain(const proto::GraphProto &main, Scope &scope) {
    std::vector<std::pair<std::string, Value>> results;
    if (main.output_size() == 0)
      problem("the graph has no output");
    std::set<std::string> names;
    for (const proto::ValueInfoProto &output : main.output()) {
      if (!names.insert(output.name()).second) {
        problem("two outputs are named '" + output.name() + "'");
        continue;
      }
      const Tensor *found = scope.find(output.name());
      if (found && !*found)
        continue; // told where it failed
      if (!found) {
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
      if (!initializer.name().empty() && scope.values.count(initializer.name())) {
        problem("two tensors or inputs are named '" + initializer.name() + "'");
        continue;
      }
      TensorBytes bytes;
      if (std::string error = model->tensor(initializer, bytes); !error.empty()) {
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
      scope.values[initializer.name()] = graph.stored(bytes, initializer.name());
    }
    for (const auto &initializer : of.sparse_initializer()) {
      problem("sparse tensor '" + initializer.values().name() + "': sparse initializers are not supported");
      scope.values[initializer.values().name()] = nullptr;
    }
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
          const std::vector<const proto::NodeProto *> cycle = cycleThrough(nodes, node);
          if (cycle.empty()) {
            problem(nameOfNode(node, versions) + ": input '" + name + "' is computed by no node that can stand before it, and is no input or initializer");
          } else {
            std::string through;
            for (size_t i = 1; i < cycle.size() && i <= 8; ++i)
              through += (i > 1 ? ", " : " by way of ") + nameOfNode(*cycle[i], versions);
            problem(nameOfNode(node, versions) + ": it reads its own result" + through + ": a cycle");
          }
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
          problem(nameOfNode(node, versions) + ": " + error.what());
          good = false;
        } catch (const ToldAlready &) {
          good = false;
        }
      }
      for (int i = 0; i < node.output_size(); ++i) {
        const std::string &name = node.output(i);
        if (name.empty())
          continue;
        Tensor tensor = good && size_t(i) < outputs.size() ? outputs[size_t(i)] : nullptr;
        if (good && !tensor)
          problem(nameOfNode(node, versions) + ": output " + std::to_string(i) + " is not supported; expected no name for it");
        if (!scope.values.emplace(name, tensor).second)
          problem(nameOfNode(node, versions) + ": output '" + name + "' has the name of another value");
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
      if (!at)
        throw ImportError("attribute '" + attribute.name() + "' is that of a function's call, '" + attribute.ref_attr_name() +
                          "'; the node stands in no function");
      if (auto found = at->given->find(attribute.ref_attr_name()); found != at->given->end())
        attributes[attribute.name()] = found->second;
    }
    const std::string domain = domainOf(node.domain());
    if (domain.empty() && node.op_type() == "If")
      return importIf(attributes, versions, scope, inputs, depth);
    if (const proto::FunctionProto *function = functionOf(node))
      return call(*function, attributes, inputs, depth);
    const int64_t version = versionFor(node, versions);
    const Definition *definition = findDefinition(domain, node.op_type(), version);
    if (!definition || (domain.empty() && !versions.count("")) || !schemaProblems(domain, node, version).empty())
      throw ToldAlready();
    Op op(graph, *model, node, std::move(attributes), version, std::move(inputs));
    if (std::string what = typeProblem(domain, node, op.types()); !what.empty())
      op.fail(what);
    op.runGraph = [&](const proto::GraphProto &inner, const std::vector<Tensor> &given) {
      return branch(inner, versions, scope, depth, given);
    };
    return definition->import(op);
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
      if (found && !*found)
        throw ToldAlready();
      outputs.push_back(found ? *found : absent);
      if (!outputs.back())
        throw ImportError("function '" + function.name() + "' does not give its output '" + name + "'");
    }
    return outputs;
  }

  std::vector<Tensor> branch(const proto::GraphProto &of, const Versions &versions, const Scope &scope, int depth,
                             const std::vector<Tensor> &inputs = {}) {
    Scope inner;
    inner.outer = &scope;
    if (size_t(of.input_size()) != inputs.size())
      throw ImportError("graph '" + of.name() + "' has " + std::to_string(of.input_size()) + " inputs; expected " + std::to_string(inputs.size()));
    for (size_t i = 0; i < inputs.size(); ++i)
      inner.values[of.input(int(i)).name()] = inputs[i];
    initializers(of, inner);
    walk(of.node(), versions, inner, depth + 1);
    std::vector<Tensor> outputs;
    for (const auto &output : of.output()) {
      const Tensor *found = inner.find(output.name());
      if (found && !*found)
        throw ToldAlready();
      if (!found)
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
    std::map<std::pair<std::string, std::string>, Dimension> sizes;
    for (size_t i = 0; i < a.size(); ++i) {
      // An input that chooses between graphs is none that a run gives: specialize.h takes one of them.
      if (this->inputs.count(inputs[0]) && !(a[i]->shape == b[i]->shape))
        throw ImportError("its condition is an input, and output " + std::to_string(i) + " has shape " + textOf(a[i]->shape) + " in one branch and " +
                          textOf(b[i]->shape) + " in the other; expected equal shapes");
      outputs.push_back(chosen(graph, condition, a[i], b[i], sizes));
    }
    return outputs;
  }

  std::vector<Model *> models; // an encoder may stand before a decoder
  bool broken = false;         // graphs nest without an end
  size_t part = 0;             // which of them is imported, and that itself
  Model *model;
  Links links;
  GraphBuilder &builder;
  Graph graph;
  ImportResult &result;
  const Graph::Equalities &equal;
  std::map<std::tuple<std::string, std::string, std::string>, const proto::FunctionProto *> functions;
  std::map<std::pair<size_t, std::string>, std::string> symbols;
  std::set<std::string> toldOf; // domains: which of their operators are supported
  std::set<Tensor> inputs; // of the models
  std::map<ElementType, uint64_t> bytesOf; // of initializers
  std::vector<std::unique_ptr<google::protobuf::RepeatedPtrField<proto::NodeProto>>> bodies;
};

} // namespace

bool importModel(Model &model, GraphBuilder &builder, ImportResult &result) { return importModels({&model}, builder, result); }

bool importModels(const std::vector<Model *> &models, GraphBuilder &builder, ImportResult &result) {
  // Exporters give dimensions names of their own that operators then need to be equal (keys' and values' lengths, those of all
  // layers). Once these are known the graph is imported again, with one name for them; the second time shows those that
  // follow. Each time at least one name goes, and few times are needed.
  Graph::Equalities equal;
  const ImportResult empty = result;
  for (int round = 0;; ++round) {
    Importer importer(models, builder, result, equal);
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
