// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See reference_builder.h.
#include "test/unit/import/reference_builder.h"

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>

namespace ingot {

namespace {

using Tensor = GraphBuilder::Impl::Tensor;

// A test must not go on over a graph that makes no sense.
void expect(bool condition, const std::string &what) {
  if (condition)
    return;
  std::fprintf(stderr, "reference builder: %s\n", what.c_str());
  std::abort();
}

const Tensor &at(Value value) {
  expect(bool(value), "an absent value is used");
  return *static_cast<const Tensor *>(value.impl);
}

std::string shapeText(const std::vector<int64_t> &shape) {
  std::string out = "[";
  for (size_t i = 0; i < shape.size(); ++i)
    out += (i ? ", " : "") + std::to_string(shape[i]);
  return out + "]";
}

double halfToDouble(uint16_t bits) {
  int exponent = bits >> 10 & 31, fraction = bits & 1023;
  double magnitude = exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25);
  return bits & 0x8000 ? -magnitude : magnitude;
}

double floatToDouble(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, 4);
  return value;
}

std::vector<double> load(const TensorSource &source) {
  std::ifstream file(source.file, std::ios::binary);
  std::vector<unsigned char> raw(source.bytes);
  file.seekg(static_cast<std::streamoff>(source.offset));
  file.read(reinterpret_cast<char *>(raw.data()), static_cast<std::streamsize>(raw.size()));
  expect(bool(file), "cannot read " + source.name + " from " + source.file);
  std::vector<double> out;
  for (size_t i = 0; i < raw.size(); i += elementBytes(source.type)) {
    uint32_t low = raw[i] | raw[i + 1] << 8;
    if (source.type == ElementType::f32)
      out.push_back(floatToDouble(low | uint32_t(raw[i + 2]) << 16 | uint32_t(raw[i + 3]) << 24));
    else if (source.type == ElementType::bf16)
      out.push_back(floatToDouble(low << 16));
    else
      out.push_back(halfToDouble(uint16_t(low)));
  }
  return out;
}

double activated(Activation op, double x) {
  switch (op) {
  case Activation::silu:
    return x / (1 + std::exp(-x));
  case Activation::gelu:
    return 0.5 * x * (1 + std::erf(x / std::sqrt(2.0)));
  case Activation::gelu_tanh:
    return 0.5 * x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
  case Activation::quick_gelu:
    return x / (1 + std::exp(-1.702 * x));
  case Activation::relu:
    return x > 0 ? x : 0;
  case Activation::sigmoid:
    return 1 / (1 + std::exp(-x));
  case Activation::tanh:
    return std::tanh(x);
  }
  return x;
}

} // namespace

GraphBuilder::GraphBuilder() : impl(std::make_unique<Impl>()) {}
GraphBuilder::~GraphBuilder() = default;

GraphBuilder::Scope::Scope(GraphBuilder *owner) : builder(owner) {}
GraphBuilder::Scope::Scope(Scope &&other) noexcept : builder(other.builder) { other.builder = nullptr; }
GraphBuilder::Scope::~Scope() {
  if (builder)
    builder->impl->scopes.pop_back();
}
GraphBuilder::Scope GraphBuilder::scope(std::string name) {
  impl->scopes.push_back(std::move(name));
  return Scope(this);
}

namespace {

Value make(GraphBuilder::Impl &impl, const std::string &call, std::vector<int64_t> shape, std::vector<double> values) {
  impl.calls.push_back(call + " @" + (impl.scopes.empty() ? "" : impl.scopes.back()) + " -> " + shapeText(shape));
  impl.tensors.push_back(std::make_unique<Tensor>(Tensor{std::move(shape), std::move(values)}));
  return Value{impl.tensors.back().get()};
}

} // namespace

void GraphBuilder::beginDecoder(const DecoderSpec &spec) { impl->decoder = spec; }

Value GraphBuilder::tokens() { return make(*impl, "tokens", {-1}, {impl->ids.begin(), impl->ids.end()}); }

Value GraphBuilder::selectLogitRows(Value x) { return make(*impl, "selectLogitRows", at(x).shape, at(x).values); }

void GraphBuilder::endDecoder(Value logits) {
  expect(at(logits).shape == std::vector<int64_t>{-1, impl->decoder.vocabulary}, "logits have the wrong shape");
  impl->ended = true;
  impl->logits = at(logits).values;
}

Value GraphBuilder::weight(const TensorSource &source) {
  impl->weights[source.name] = source;
  return make(*impl, "weight " + source.name, source.shape,
              impl->ids.empty() || source.file.empty() ? std::vector<double>{} : load(source));
}

Value GraphBuilder::embedding(Value ids, Value table) {
  int64_t rows = at(table).shape[0], width = at(table).shape[1];
  std::vector<double> out;
  if (!impl->ids.empty())
    for (double id : at(ids).values) {
      expect(id >= 0 && id < double(rows), "token id out of range");
      auto first = at(table).values.begin() + int64_t(id) * width;
      out.insert(out.end(), first, first + width);
    }
  return make(*impl, "embedding", {-1, width}, std::move(out));
}

Value GraphBuilder::linear(Value x, Value weight, Value bias) {
  const Tensor &in = at(x), &w = at(weight);
  int64_t n = w.shape[0], k = w.shape[1];
  expect(in.shape.size() == 2 && in.shape[1] == k,
          "linear: input " + shapeText(in.shape) + " against " + shapeText(w.shape));
  expect(!bias || at(bias).shape == std::vector<int64_t>{n}, "linear: bias has the wrong shape");
  const int64_t rows = int64_t(in.values.size()) / k;
  std::vector<double> out(static_cast<size_t>(rows * n));
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t j = 0; j < n; ++j) {
      const double *a = in.values.data() + row * k, *b = w.values.data() + j * k;
      double sum = bias ? at(bias).values[size_t(j)] : 0;
      for (int64_t i = 0; i < k; ++i)
        sum += a[i] * b[i];
      out[size_t(row * n + j)] = sum;
    }
  return make(*impl, bias ? "linear+bias" : "linear", {-1, n}, std::move(out));
}

Value GraphBuilder::rmsNorm(Value x, Value gamma, double eps) {
  const Tensor &in = at(x), &g = at(gamma);
  size_t width = size_t(in.shape.back());
  expect(g.shape == std::vector<int64_t>{in.shape.back()}, "rmsNorm: gamma has the wrong shape");
  std::vector<double> out;
  for (size_t row = 0; row < in.values.size(); row += width) {
    double squares = 0;
    for (size_t i = 0; i < width; ++i)
      squares += in.values[row + i] * in.values[row + i];
    for (size_t i = 0; i < width; ++i)
      out.push_back(in.values[row + i] / std::sqrt(squares / double(width) + eps) * g.values[i]);
  }
  return make(*impl, "rmsNorm", in.shape, std::move(out));
}

Value GraphBuilder::elementwise(Elementwise op, Value a, Value b) {
  expect(at(a).shape == at(b).shape, "elementwise: shapes differ");
  std::vector<double> out;
  for (size_t i = 0; i < at(a).values.size(); ++i) {
    double x = at(a).values[i], y = at(b).values[i];
    switch (op) {
    case Elementwise::add:
      out.push_back(x + y);
      break;
    case Elementwise::sub:
      out.push_back(x - y);
      break;
    case Elementwise::mul:
      out.push_back(x * y);
      break;
    case Elementwise::div:
      out.push_back(x / y);
      break;
    case Elementwise::max:
      out.push_back(std::fmax(x, y));
      break;
    case Elementwise::min:
      out.push_back(std::fmin(x, y));
      break;
    }
  }
  return make(*impl, "elementwise", at(a).shape, std::move(out));
}

Value GraphBuilder::scale(Value x, double factor) {
  std::vector<double> out;
  for (double value : at(x).values)
    out.push_back(value * factor);
  return make(*impl, "scale", at(x).shape, std::move(out));
}

Value GraphBuilder::activation(Activation op, Value x) {
  std::vector<double> out;
  for (double value : at(x).values)
    out.push_back(activated(op, value));
  return make(*impl, "activation " + std::to_string(int(op)), at(x).shape, std::move(out));
}

Value GraphBuilder::splitHeads(Value x, int64_t heads) {
  expect(at(x).shape.size() == 2 && at(x).shape[1] % heads == 0, "splitHeads: not divisible");
  return make(*impl, "splitHeads", {-1, heads, at(x).shape[1] / heads}, at(x).values);
}

Value GraphBuilder::mergeHeads(Value x) {
  expect(at(x).shape.size() == 3, "mergeHeads: wrong rank");
  return make(*impl, "mergeHeads", {-1, at(x).shape[1] * at(x).shape[2]}, at(x).values);
}

Value GraphBuilder::ropeAngles(const RopeSpec &spec) {
  impl->ropes.push_back(spec);
  size_t half = spec.inv_freq.size(), tokens = impl->ids.size();
  std::vector<double> frequencies(spec.inv_freq.begin(), spec.inv_freq.end());
  double factor = spec.attention_factor;
  int64_t length = int64_t(tokens);
  if (spec.kind == RopeSpec::Kind::longrope && length > spec.original) {
    frequencies.assign(spec.long_inv_freq.begin(), spec.long_inv_freq.end());
    factor = spec.long_attention_factor;
  }
  if (spec.kind == RopeSpec::Kind::dynamic && length > spec.original) {
    double d = double(2 * half);
    double base =
        spec.base * std::pow(spec.factor * double(length) / double(spec.original) - (spec.factor - 1), d / (d - 2));
    for (size_t i = 0; i < half; ++i)
      frequencies[i] = std::pow(base, -double(2 * i) / d);
  }
  std::vector<double> out;
  for (size_t position = 0; position < tokens; ++position)
    for (auto turn : {static_cast<double (*)(double)>(std::cos), static_cast<double (*)(double)>(std::sin)})
      for (size_t i = 0; i < half; ++i)
        out.push_back(turn(double(position) * frequencies[i]) * factor);
  return make(*impl, "ropeAngles", {-1, int64_t(2 * half)}, std::move(out));
}

Value GraphBuilder::rope(Value x, Value angles) {
  const Tensor &in = at(x), &a = at(angles);
  expect(in.shape.size() == 3 && a.shape[1] <= in.shape[2], "rope: angles wider than a head");
  size_t heads = size_t(in.shape[1]), width = size_t(in.shape[2]), rotary = size_t(a.shape[1]), half = rotary / 2;
  std::vector<double> out = in.values;
  for (size_t row = 0; row < out.size() / width; ++row) {
    const double *cosines = a.values.data() + row / heads * rotary, *sines = cosines + half;
    double *head = out.data() + row * width;
    for (size_t i = 0; i < half; ++i) {
      double first = head[i], second = head[i + half];
      head[i] = first * cosines[i] - second * sines[i];
      head[i + half] = second * cosines[i] + first * sines[i];
    }
  }
  return make(*impl, "rope", in.shape, std::move(out));
}

Value GraphBuilder::attention(Value q, Value k, Value v, const AttentionSpec &spec) {
  impl->attentions.push_back(spec);
  expect(at(q).shape == std::vector<int64_t>{-1, spec.heads, spec.head_dim}, "attention: query's shape");
  expect(at(k).shape == std::vector<int64_t>{-1, spec.kv_heads, spec.head_dim}, "attention: key's shape");
  expect(at(v).shape == at(k).shape, "attention: value's shape");
  const int64_t d = spec.head_dim, tokens = int64_t(impl->ids.size()), group = spec.heads / spec.kv_heads;
  std::vector<double> out(at(q).values.size()), scores(static_cast<size_t>(tokens));
  for (int64_t t = 0; t < tokens; ++t)
    for (int64_t h = 0; h < spec.heads; ++h) {
      const double *query = at(q).values.data() + (t * spec.heads + h) * d;
      const double *keys = at(k).values.data() + h / group * d, *values = at(v).values.data() + h / group * d;
      double *mixed = out.data() + (t * spec.heads + h) * d, *score = scores.data();
      const int64_t step = spec.kv_heads * d, first = spec.window ? std::max<int64_t>(0, t - spec.window + 1) : 0;
      double most = -INFINITY, sum = 0;
      for (int64_t s = first; s <= t; ++s) {
        score[s] = 0;
        for (int64_t i = 0; i < d; ++i)
          score[s] += query[i] * keys[s * step + i];
        score[s] *= spec.scale;
        most = std::fmax(most, score[s]);
      }
      for (int64_t s = first; s <= t; ++s)
        sum += score[s] = std::exp(score[s] - most);
      for (int64_t s = first; s <= t; ++s)
        for (int64_t i = 0; i < d; ++i)
          mixed[i] += score[s] / sum * values[s * step + i];
    }
  return make(*impl, "attention", at(q).shape, std::move(out));
}

} // namespace ingot
