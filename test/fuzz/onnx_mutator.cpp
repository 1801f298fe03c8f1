// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Mutations of ONNX files that leave them valid protobuf: operators, connections, attributes, shapes and types are exchanged for those of other
// places or for numbers at the edges. Every fourth mutation is libFuzzer's own, of bytes.
#include "compiler/import/onnx/model.h"

#include <random>

namespace proto = ingot::onnx::proto;

extern "C" size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t most);

namespace {

using Random = std::minstd_rand;

template <typename List> auto *pick(List *list, Random &random) {
  return list->empty() ? nullptr : list->Mutable(int(random() % unsigned(list->size())));
}

int64_t number(Random &random) {
  static constexpr int64_t edges[] = {0, 1, -1, 2, 3, 4, 7, 8, 16, 63, 64, 65, 127, 128, 255, 1 << 16, INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN, int64_t(1) << 32, int64_t(1) << 62};
  return random() % 3 ? edges[random() % std::size(edges)] : int64_t(random() % 32) - 8;
}

void mutateTensor(proto::TensorProto &tensor, Random &random) {
  switch (random() % 4) {
  case 0:
    if (tensor.dims_size())
      tensor.set_dims(int(random() % unsigned(tensor.dims_size())), number(random));
    else
      tensor.add_dims(number(random));
    break;
  case 1: tensor.set_data_type(int(random() % 28)); break;
  case 2: // small integers: shapes, axes, indices
    tensor = {};
    tensor.set_data_type(7);
    tensor.add_dims(int64_t(random() % 5));
    for (int64_t i = 0; i < tensor.dims(0); ++i)
      tensor.add_int64_data(number(random));
    break;
  default: tensor.add_dims(int64_t(random() % 4)); break;
  }
}

void mutateAttribute(proto::AttributeProto &attribute, Random &random) {
  switch (random() % 5) {
  case 0: attribute.set_i(number(random)); break;
  case 1: attribute.set_f(float(number(random))); break;
  case 2:
    if (attribute.ints_size())
      attribute.set_ints(int(random() % unsigned(attribute.ints_size())), number(random));
    else
      attribute.add_ints(number(random));
    break;
  case 3:
    if (attribute.has_t())
      mutateTensor(*attribute.mutable_t(), random);
    else
      attribute.add_ints(number(random));
    break;
  default: attribute.set_type(int(random() % 12)); break;
  }
}

void mutateShape(proto::ValueInfoProto &value, Random &random) {
  auto *type = value.mutable_type()->mutable_tensor_type();
  if (random() % 4 == 0)
    return type->set_elem_type(int(random() % 28));
  auto *shape = type->mutable_shape();
  auto *dim = random() % 4 ? pick(shape->mutable_dim(), random) : shape->add_dim();
  if (!dim)
    return;
  if (random() % 2) {
    static constexpr const char *names[] = {"batch", "n", "length", "m"};
    dim->set_dim_param(names[random() % std::size(names)]);
  } else {
    dim->set_dim_value(random() % 2 ? int64_t(random() % 9) : number(random));
  }
}

void mutateGraph(proto::GraphProto &graph, Random &random, int depth) {
  auto *nodes = graph.mutable_node();
  proto::NodeProto *node = pick(nodes, random), *other = pick(nodes, random);
  if (!node)
    return;
  if (depth < 4)
    for (auto &attribute : *node->mutable_attribute())
      if (attribute.has_g() && random() % 2)
        return mutateGraph(*attribute.mutable_g(), random, depth + 1);
  switch (random() % 12) {
  case 0: { // the other's operator
    const std::string name = other->op_type(), domain = other->domain();
    node->set_op_type(name);
    node->set_domain(domain);
    break;
  }
  case 1:
  case 2: // another value
    if (node->input_size()) {
      std::string name = other->output_size() ? other->output(0) : "";
      if (random() % 3 == 0 && graph.input_size())
        name = pick(graph.mutable_input(), random)->name();
      else if (random() % 3 == 0 && graph.initializer_size())
        name = pick(graph.mutable_initializer(), random)->name();
      node->set_input(int(random() % unsigned(node->input_size())), random() % 8 ? name : "");
    }
    break;
  case 3:
    if (node->input_size() && random() % 2)
      node->mutable_input()->RemoveLast();
    else if (other->output_size())
      node->add_input(other->output(0));
    break;
  case 4:
  case 5:
    if (auto *attribute = pick(node->mutable_attribute(), random))
      mutateAttribute(*attribute, random);
    break;
  case 6:
    if (auto *attribute = pick(other->mutable_attribute(), random)) {
      const proto::AttributeProto copy = *attribute;
      *node->add_attribute() = copy;
    }
    break;
  case 7:
  case 8:
    if (auto *tensor = pick(graph.mutable_initializer(), random))
      mutateTensor(*tensor, random);
    break;
  case 9:
  case 10:
    if (auto *input = pick(graph.mutable_input(), random))
      mutateShape(*input, random);
    break;
  default:
    if (graph.initializer_size()) { // a constant becomes what a caller gives
      auto *tensor = pick(graph.mutable_initializer(), random);
      auto *input = graph.add_input();
      input->set_name(tensor->name());
      input->mutable_type()->mutable_tensor_type()->set_elem_type(tensor->data_type());
      for (int64_t size : tensor->dims())
        input->mutable_type()->mutable_tensor_type()->mutable_shape()->add_dim()->set_dim_value(size);
      tensor->set_name(tensor->name() + "_");
    }
    break;
  }
}

} // namespace

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed) {
  Random random(seed + 1);
  proto::ModelProto model;
  if (random() % 4 == 0 || !model.ParseFromArray(data, int(size)) || !model.has_graph())
    return LLVMFuzzerMutate(data, size, most);
  for (unsigned i = 0, count = 1 + random() % 3; i < count; ++i) {
    if (model.functions_size() && random() % 4 == 0) {
      proto::GraphProto body;
      auto *function = pick(model.mutable_functions(), random);
      body.mutable_node()->Swap(function->mutable_node());
      mutateGraph(body, random, 0);
      body.mutable_node()->Swap(function->mutable_node());
    } else if (random() % 16 == 0 && model.opset_import_size()) {
      pick(model.mutable_opset_import(), random)->set_version(int64_t(random() % 30));
    } else {
      mutateGraph(*model.mutable_graph(), random, 0);
    }
  }
  std::string made;
  if (!model.SerializeToString(&made) || made.size() > most || made.empty())
    return LLVMFuzzerMutate(data, size, most);
  std::copy(made.begin(), made.end(), reinterpret_cast<char *>(data));
  return made.size();
}
