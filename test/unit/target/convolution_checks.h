// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Checks of convolution on any target (checks.h): operands by params.h, sums by docs/spec/numerics.md, in scalars.
#ifndef INGOT_TEST_UNIT_TARGET_CONVOLUTION_CHECKS_H
#define INGOT_TEST_UNIT_TARGET_CONVOLUTION_CHECKS_H

#include "test/unit/target/checks.h"
#include <array>
#include <cmath>
#include <cstring>
#include <gtest/gtest.h>

namespace ingot::test {

struct ImageShape {
  int batch, depth, height, width;
};

struct ConvolutionProblem {
  const TestKernel &kernel;
  ImageShape shape;
  int channels = kernel.integer("channels"), outputs = kernel.integer("outputs"), groups = kernel.integer("groups");
  bool channelsLast = kernel.has("channels_last");
  int in[3] = {shape.depth, shape.height, shape.width}, window[3], stride[3], dilation[3], pad[3], places[3];
  std::vector<float> image, weight, scale, bias, residual;

  // Behind an image stand as many pads as before it.
  ConvolutionProblem(const TestKernel &kernel, ImageShape shape, uint64_t seed) : kernel(kernel), shape(shape) {
    const char axes[] = "dhw";
    for (int i = 0; i < 3; ++i) {
      auto of = [&](const char *name) { return kernel.integer((std::string(name) + "_" + axes[i]).c_str()); };
      window[i] = of("kernel"), stride[i] = of("stride"), dilation[i] = of("dilation"), pad[i] = of("pad");
      const int room = in[i] + 2 * pad[i] - (window[i] - 1) * dilation[i] - 1;
      places[i] = room < 0 ? 0 : room / stride[i] + 1;
    }
    Numbers numbers(seed);
    auto fill = [&](std::vector<float> &v, int count) {
      for (int i = 0; i < count; ++i)
        v.push_back(static_cast<float>(numbers.next()));
    };
    fill(weight, outputs * (channels / groups) * window[0] * window[1] * window[2]);
    fill(scale, outputs);
    fill(bias, outputs);
    for (int b = 0; b < shape.batch; ++b) { // of its own, so that it is the same in other company
      Numbers own(seed * 100 + static_cast<uint64_t>(b));
      for (int i = 0; i < channels * in[0] * in[1] * in[2]; ++i)
        image.push_back(static_cast<float>(own.next()));
      for (int i = 0; i < outputs * count(); ++i)
        residual.push_back(static_cast<float>(own.next()));
    }
  }

  int count() const { return places[0] * places[1] * places[2]; }
  bool last() const { return channelsLast; }

  // [batch][channel][place] as [batch][place][channel], where channels are last.
  std::vector<float> ordered(const std::vector<float> &from, int of, int some) const {
    std::vector<float> to = from;
    for (size_t at = 0; last() && at < from.size(); ++at) {
      const auto plane = static_cast<size_t>(of) * static_cast<size_t>(some),
                 channel = at % plane / static_cast<size_t>(some);
      to[at / plane * plane + at % static_cast<size_t>(some) * static_cast<size_t>(of) + channel] = from[at];
    }
    return to;
  }
  // The weight as the kernel reads it: panels of 16 outputs, or of single channels [place in the window][channel].
  std::vector<float> packed() const {
    const auto of = static_cast<size_t>(channels / groups), rows = static_cast<size_t>(outputs);
    const auto taps = static_cast<size_t>(window[0] * window[1] * window[2]);
    if (!last())
      return weight;
    const bool alone = channels == groups && outputs == groups;
    std::vector<float> to(alone ? weight.size() : (rows + 15) / 16 * 16 * of * taps, 0.0f);
    for (size_t o = 0; o < rows; ++o)
      for (size_t i = 0; i < of; ++i)
        for (size_t t = 0; t < taps; ++t)
          to[alone ? t * rows + o : (o / 16 * of * taps + t * of + i) * 16 + o % 16] = weight[(o * of + i) * taps + t];
    return to;
  }

  // Where the window of a place meets one channel of the image: an offset for each tap, -1 outside.
  std::vector<int> tapsAt(int place) const {
    const int first[3] = {place / places[2] / places[1] * stride[0] - pad[0],
                          place / places[2] % places[1] * stride[1] - pad[1], place % places[2] * stride[2] - pad[2]};
    std::vector<int> taps;
    for (int tz = 0; tz < window[0]; ++tz)
      for (int ty = 0; ty < window[1]; ++ty)
        for (int tx = 0; tx < window[2]; ++tx) {
          const int at[3] = {first[0] + tz * dilation[0], first[1] + ty * dilation[1], first[2] + tx * dilation[2]};
          bool inside = true;
          for (int d = 0; d < 3; ++d)
            inside = inside && at[d] >= 0 && at[d] < in[d];
          taps.push_back(inside ? (at[0] * in[1] + at[1]) * in[2] + at[2] : -1);
        }
    return taps;
  }

  float element(int b, int i, int z, int y, int x) const {
    const bool inside = y >= 0 && y < in[1] && x >= 0 && x < in[2];
    return inside ? image[static_cast<size_t>((((b * channels + i) * in[0] + z) * in[1] + y) * in[2] + x)] : 0.0f;
  }

  // By its window: chunks of 512.
  float byWindow(int b, int o, const std::vector<int> &taps) const {
    float sum = 0, chain = 0;
    int k = 0;
    const int of = channels / groups, count = static_cast<int>(taps.size()), plane = in[0] * in[1] * in[2];
    const float *w = weight.data() + static_cast<long>(o) * of * count;
    const float *from = image.data() + (static_cast<long>(b) * channels + o / (outputs / groups) * of) * plane;
    const int outer = last() ? count : of, inner = last() ? of : count;
    for (int n = 0; n < outer; ++n)
      for (int m = 0; m < inner; ++m) {
        const int i = last() ? m : n, t = last() ? n : m, tap = taps[static_cast<size_t>(t)];
        chain = std::fmaf(w[i * count + t], tap < 0 ? 0.0f : from[i * plane + tap], chain);
        if (++k % 512 == 0) {
          sum += chain;
          chain = 0;
        }
      }
    if (k % 512)
      sum += chain;
    return sum;
  }

  // Whether the contract has patches of 2 x 2 places here.
  bool hasPatches() const {
    const int patches = (places[1] + 1) / 2 * ((places[2] + 1) / 2);
    for (int axis = 0; axis < 3; ++axis)
      if (window[axis] != (axis == 0 ? 1 : 3) || stride[axis] != 1 || dilation[axis] != 1)
        return false;
    return last() && groups == 1 && channels >= 16 && outputs >= 16 && pad[0] == 0 && patches >= 24 &&
           80 * patches <= 27 * places[1] * places[2];
  }

  // What the steps B^T d B, G g G^T and A^T m A are made of: one column of each.
  struct Column4 {
    float v[4];
  };
  static Column4 timesB(Column4 d) { return {{d.v[0] - d.v[2], d.v[1] + d.v[2], d.v[2] - d.v[1], d.v[1] - d.v[3]}}; }
  static Column4 timesG(const float g[3]) {
    const float ends = g[0] + g[2];
    return {{g[0], (ends + g[1]) * 0.5f, (ends - g[1]) * 0.5f, g[2]}};
  }

  // The four places of a patch; output channels behind the last one have weights of zero.
  std::array<float, 4> byPatch(int b, int o, int z, int y, int x) const {
    float sums[4][4] = {}, chains[4][4] = {};
    for (int i = 0; i < channels; ++i) {
      Column4 d[4], u[4];
      float g[3][4];
      for (int column = 0; column < 4; ++column) {
        Column4 from;
        for (int row = 0; row < 4; ++row)
          from.v[row] = element(b, i, z, y - pad[1] + row, x - pad[2] + column);
        d[column] = timesB(from);
      }
      for (int column = 0; column < 3; ++column) {
        float from[3] = {};
        for (int row = 0; row < 3 && o < outputs; ++row)
          from[row] = weight[static_cast<size_t>((o * channels + i) * 9 + row * 3 + column)];
        const Column4 to = timesG(from);
        for (int row = 0; row < 4; ++row)
          g[column][row] = to.v[row];
      }
      for (int row = 0; row < 4; ++row) {
        const float from[3] = {g[0][row], g[1][row], g[2][row]};
        u[row] = timesG(from);
        const Column4 v = timesB({{d[0].v[row], d[1].v[row], d[2].v[row], d[3].v[row]}});
        for (int column = 0; column < 4; ++column) {
          float &chain = chains[row][column];
          chain = std::fmaf(v.v[column], u[row].v[column], chain);
          if (i % 256 == 255 || i + 1 == channels) {
            sums[row][column] += chain;
            chain = 0;
          }
        }
      }
    }
    float half[4][2];
    for (int column = 0; column < 4; ++column) {
      half[column][0] = (sums[0][column] + sums[1][column]) + sums[2][column];
      half[column][1] = (sums[1][column] - sums[2][column]) - sums[3][column];
    }
    std::array<float, 4> patch;
    for (int row = 0; row < 2; ++row) {
      patch[static_cast<size_t>(row * 2)] = (half[0][row] + half[1][row]) + half[2][row];
      patch[static_cast<size_t>(row * 2 + 1)] = (half[1][row] - half[2][row]) - half[3][row];
    }
    return patch;
  }
  // By its patch, unless something of the patch is not finite in one of 16 neighbouring output channels.
  float byPatch(int b, int o, int place, const std::vector<int> &taps) const {
    const int z = place / places[2] / places[1], y = place / places[2] % places[1], x = place % places[2];
    bool finite = true;
    std::array<float, 4> own;
    for (int lane = 0; lane < 16; ++lane) {
      const std::array<float, 4> patch = byPatch(b, o / 16 * 16 + lane, z, y & ~1, x & ~1);
      finite = finite && std::isfinite((patch[0] + patch[1]) + (patch[2] + patch[3]));
      if (lane == o % 16)
        own = patch;
      if (allFinite && lane == o % 16)
        break; // of numbers as these are no sum is so large
    }
    return finite ? own[static_cast<size_t>((y & 1) * 2 + (x & 1))] : byWindow(b, o, taps);
  }
  bool allFinite = true; // of the image

  float finish(float sum, int b, int o, int place) const {
    const auto row = static_cast<size_t>(o);
    if (kernel.integer("scale"))
      sum *= scale[row];
    if (kernel.integer("bias"))
      sum += bias[row];
    if (kernel.integer("residual"))
      sum += residual[static_cast<size_t>((b * outputs + o) * this->count() + place)];
    if (kernel.integer("act") == 4 && sum < 0.0f) // the activation that is exact
      sum = 0.0f;
    if ((kernel.integer("clamp") & 1) && sum < kernel.real("low"))
      sum = static_cast<float>(kernel.real("low"));
    if ((kernel.integer("clamp") & 2) && sum > kernel.real("high"))
      sum = static_cast<float>(kernel.real("high"));
    return sum;
  }

  Buffer run(const Run &run, uint32_t pieces) const {
    Buffer out(static_cast<size_t>(shape.batch * outputs * count()) * 4);
    const std::vector<float> inputs = ordered(image, channels, in[0] * in[1] * in[2]), weights = packed(),
                             others = ordered(residual, outputs, count());
    std::vector<Operand> operands = {inputs, weights};
    for (auto [name, values] : {std::pair{"scale", &scale}, {"bias", &bias}, {"residual", &others}})
      if (kernel.integer(name))
        operands.push_back(*values);
    operands.push_back(out);
    std::vector<int64_t> symbols(8, -7); // no other symbol counts
    auto set = [&](const char *name, int value) { symbols[static_cast<size_t>(kernel.integer(name))] = value; };
    set("batch_symbol", shape.batch);
    set("in_d_symbol", in[0]), set("in_h_symbol", in[1]), set("in_w_symbol", in[2]);
    set("out_d_symbol", places[0]), set("out_h_symbol", places[1]), set("out_w_symbol", places[2]);
    EXPECT_EQ(run(kernel, operands, symbols, 960, pieces), 0);
    EXPECT_TRUE(out.fenceHolds()) << kernel.name;
    return out;
  }
};

// The output as [batch][channel][place].
inline std::vector<float> convolved(const ConvolutionProblem &p, const Run &run, uint32_t pieces) {
  Buffer stored = p.run(run, pieces);
  std::vector<float> out(stored.as<float>(), stored.as<float>() + p.shape.batch * p.outputs * p.count());
  for (size_t n = 0; p.last() && n < out.size(); ++n) {
    const auto rows = static_cast<size_t>(p.outputs), count = static_cast<size_t>(p.count()), plane = rows * count;
    out[n / plane * plane + n % rows * count + n % plane / rows] = stored.as<float>()[n];
  }
  return out;
}

// What sums of 3 x 3 windows are on a target: chunks of windows, or patches where the contract has them.
enum class Sums { windows, patches };

// Calls check(b, o, place, taps, out) for every element of the output.
template <class Check> void overOutputs(const ConvolutionProblem &p, const std::vector<float> &out, const Check &check) {
  for (int place = 0; place < p.count(); ++place) {
    const std::vector<int> taps = p.tapsAt(place);
    for (int b = 0; b < p.shape.batch; ++b)
      for (int o = 0; o < p.outputs; ++o)
        check(b, o, place, taps, out[static_cast<size_t>((b * p.outputs + o) * p.count() + place)]);
  }
}

// Every element of the output is the contract's, to the bit.
inline void checkConvolution(const ConvolutionProblem &p, const Run &run, uint32_t pieces, Sums sums) {
  const bool patches = sums == Sums::patches && p.hasPatches();
  overOutputs(p, convolved(p, run, pieces), [&](int b, int o, int place, const std::vector<int> &taps, float out) {
    const float sum = patches ? p.byPatch(b, o, place, taps) : p.byWindow(b, o, taps);
    const float expected = p.finish(sum, b, o, place);
    ASSERT_TRUE(out == expected || (std::isnan(out) && std::isnan(expected)))
        << p.kernel.name << " of " << p.shape.batch << " x " << p.shape.depth << " x " << p.shape.height << " x "
        << p.shape.width << ", image " << b << ", channel " << o << ", place " << place << ": " << out << ", expected "
        << expected;
  });
}
inline void checkConvolution(const TestKernel &kernel, const Run &run, ImageShape shape, uint32_t pieces,
                             Sums sums = Sums::windows) {
  checkConvolution(ConvolutionProblem(kernel, shape, 3), run, pieces, sums);
}

} // namespace ingot::test

#endif
