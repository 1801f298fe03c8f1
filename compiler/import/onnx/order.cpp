// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See order.h.
#include "compiler/import/onnx/order.h"

#include <algorithm>
#include <map>
#include <set>

namespace ingot::onnx {

namespace {

// Names that a node reads, those of its branches included.
void collectInputs(const proto::NodeProto &node, std::vector<std::string> &names) {
  for (const std::string &name : node.input())
    if (!name.empty())
      names.push_back(name);
  for (const auto &attribute : node.attribute())
    if (attribute.has_g())
      for (const proto::NodeProto &inner : attribute.g().node())
        collectInputs(inner, names);
}

} // namespace

std::vector<const proto::NodeProto *> sorted(const Nodes &nodes) {
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

std::vector<const proto::NodeProto *> cycleThrough(const Nodes &nodes, const proto::NodeProto &node) {
  std::map<std::string, const proto::NodeProto *> makers;
  for (const proto::NodeProto &each : nodes)
    for (const std::string &name : each.output())
      if (!name.empty())
        makers.emplace(name, &each);
  // Backwards from the node, breadth first; `readers` tells by whom each was reached.
  std::map<const proto::NodeProto *, const proto::NodeProto *> readers;
  std::vector<const proto::NodeProto *> work{&node};
  for (size_t next = 0; next < work.size(); ++next) {
    std::vector<std::string> names;
    collectInputs(*work[next], names);
    for (const std::string &name : names) {
      auto maker = makers.find(name);
      if (maker == makers.end())
        continue;
      if (maker->second == &node) {
        std::vector<const proto::NodeProto *> cycle{&node};
        for (const proto::NodeProto *at = work[next]; at != &node; at = readers[at])
          cycle.push_back(at);
        std::reverse(cycle.begin() + 1, cycle.end()); // each now reads from the next
        return cycle;
      }
      if (readers.emplace(maker->second, work[next]).second)
        work.push_back(maker->second);
    }
  }
  return {};
}

} // namespace ingot::onnx
