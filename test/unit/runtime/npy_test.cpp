// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// .npy files. The bytes of the good ones are what NumPy 2.4's numpy.save writes.
#include "runtime/core/npy.h"

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <gtest/gtest.h>

using namespace ingot::runtime;
namespace fs = std::filesystem;

namespace {

class Npy : public testing::Test {
protected:
  Npy() {
    std::string name = fs::temp_directory_path() / "ingot-test-XXXXXX";
    if (mkdtemp(name.data()))
      folder = name;
    path = folder / "array.npy";
  }
  ~Npy() override { fs::remove_all(folder); }

  void put(const std::string &bytes) {
    auto file = AtomicFile::create(path);
    ASSERT_TRUE(file.ok());
    ASSERT_TRUE((*file)->write(bytes).ok());
    ASSERT_TRUE((*file)->commit().ok());
  }
  // A version-1 file with this dictionary and data.
  void put(const std::string &dictionary, const std::string &data) {
    std::string text = dictionary + "\n";
    put(std::string("\x93NUMPY\x01\x00", 8) + char(text.size() & 0xff) + char(text.size() >> 8) + text + data);
  }
  std::string error() {
    auto array = readNpy(path);
    if (array.ok())
      return "(it was read)";
    EXPECT_EQ(array.error().message().substr(0, path.size() + 2), path + ": ");
    return array.error().message().substr(path.size() + 2);
  }
  std::string error(const std::string &dictionary, const std::string &data = "") {
    put(dictionary, data);
    return error();
  }

  fs::path folder;
  std::string path;
};

template <class T> std::string raw(std::initializer_list<T> values) {
  return std::string(reinterpret_cast<const char *>(values.begin()), values.size() * sizeof(T));
}

} // namespace

TEST_F(Npy, ReadsIntegers) {
  // numpy.save(path, numpy.array([[1, -2, 3]], dtype="<i8"))
  std::string dictionary = "{'descr': '<i8', 'fortran_order': False, 'shape': (1, 3), }";
  dictionary.resize(117, ' ');
  put(dictionary, raw<int64_t>({1, -2, 3}));
  auto wide = readNpyIntegers(path);
  ASSERT_TRUE(wide.ok()) << wide.error().message();
  EXPECT_EQ(wide->shape, (std::vector<uint64_t>{1, 3}));
  EXPECT_EQ(wide->values, (std::vector<int64_t>{1, -2, 3}));

  put("{'descr': '<i4', 'fortran_order': False, 'shape': (2,), }", raw<int32_t>({-7, 9}));
  auto narrow = readNpyIntegers(path);
  ASSERT_TRUE(narrow.ok()) << narrow.error().message();
  EXPECT_EQ(narrow->shape, (std::vector<uint64_t>{2}));
  EXPECT_EQ(narrow->values, (std::vector<int64_t>{-7, 9}));
}

TEST_F(Npy, ReadsOtherArrays) {
  put("{'descr': '<f4', 'fortran_order': False, 'shape': (), }", raw<float>({1.5f}));
  auto scalar = readNpy(path);
  ASSERT_TRUE(scalar.ok()) << scalar.error().message();
  EXPECT_EQ(scalar->type, "f4");
  EXPECT_EQ(scalar->elements(), 1u);
  put("{'shape': (2, 0, 5), 'fortran_order': False, 'descr': '|u1'}", "");
  auto empty = readNpy(path);
  ASSERT_TRUE(empty.ok()) << empty.error().message();
  EXPECT_EQ(empty->shape, (std::vector<uint64_t>{2, 0, 5}));
  EXPECT_TRUE(empty->data.empty());
  std::string text = "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }\n";
  put(std::string("\x93NUMPY\x02\x00", 8) + char(text.size()) + std::string(3, '\0') + text + raw<float>({2}));
  EXPECT_TRUE(readNpy(path).ok());
}

TEST_F(Npy, ReadsAndWritesBfloat16AsMlDtypes) {
  // numpy.save(path, numpy.array([1, -2.5], dtype=ml_dtypes.bfloat16)) states this type.
  put("{'descr': '<V2', 'fortran_order': False, 'shape': (2,), }", raw<uint16_t>({0x3f80, 0xc020}));
  auto array = readNpy(path);
  ASSERT_TRUE(array.ok()) << array.error().message();
  EXPECT_EQ(array->type, "V2");
  const uint64_t shape[] = {2};
  auto writer = NpyWriter::create(path, "V2", shape);
  ASSERT_TRUE(writer.ok() && (*writer)->append(array->data).ok() && (*writer)->finish().ok());
  EXPECT_NE(readTextFile(path)->find("{'descr': '<V2', 'fortran_order': False, 'shape': (2,), }"), std::string::npos);
}

TEST_F(Npy, WritesWhatNumpyReads) {
  const float values[] = {1, 2, 3, 4, 5, 6};
  const uint64_t shape[] = {2, 3};
  ASSERT_TRUE(writeNpy(path, values, shape).ok());
  auto text = readTextFile(path);
  ASSERT_TRUE(text.ok());
  // numpy.save(path, numpy.arange(1, 7, dtype="<f4").reshape(2, 3)) writes these very bytes.
  std::string expected = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }";
  expected.resize(117, ' ');
  expected = std::string("\x93NUMPY\x01\x00\x76\x00", 10) + expected + "\n" + raw<float>({1, 2, 3, 4, 5, 6});
  EXPECT_EQ(*text, expected);
  const uint64_t line[] = {6};
  ASSERT_TRUE(writeNpy(path, values, line).ok());
  EXPECT_NE(readTextFile(path)->find("'shape': (6,), }"), std::string::npos);
}

TEST_F(Npy, WritesNothingHalf) {
  const uint64_t shape[] = {2, 3};
  const float values[] = {1, 2, 3, 4, 5};
  auto short_ = writeNpy(path, values, shape);
  ASSERT_FALSE(short_.ok());
  EXPECT_EQ(short_.error().message(), "20 bytes of data were written to a .npy file whose shape needs 24");
  EXPECT_TRUE(fs::is_empty(folder));
}

TEST_F(Npy, RefusesWhatItCannotUse) {
  EXPECT_EQ(error("{'descr': '>i4', 'fortran_order': False, 'shape': (1,), }", "0000"),
            "the numbers are big-endian ('>i4'), expected little-endian; save array.astype('<i4')");
  EXPECT_EQ(error("{'descr': '<i4', 'fortran_order': True, 'shape': (1,), }", "0000"),
            "the array is in Fortran order, expected C order; save numpy.ascontiguousarray(array)");
  EXPECT_EQ(error("{'descr': '<c8', 'fortran_order': False, 'shape': (1,), }", "00000000"),
            "element type '<c8', expected a little-endian integer or float");
  EXPECT_EQ(error("{'descr': '', 'fortran_order': False, 'shape': (1,), }"),
            "element type '', expected a little-endian integer or float");
  EXPECT_EQ(error("{'descr': [('a', '<i4')], 'fortran_order': False, 'shape': (1,), }", "0000"),
            "the array is a record, expected plain numbers");
  put("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }", "0000");
  auto floats = readNpyIntegers(path);
  ASSERT_FALSE(floats.ok());
  EXPECT_EQ(floats.error().message(), path + ": element type f4, expected i4 or i8; save array.astype('int32')");
  put("{'descr': '<i4', 'fortran_order': False, 'shape': (1, 1, 1), }", "0000");
  auto cube = readNpyIntegers(path);
  ASSERT_FALSE(cube.ok());
  EXPECT_EQ(cube.error().message(), path + ": shape (1, 1, 1), expected one or two dimensions");
}

TEST_F(Npy, RefusesHostileHeaders) {
  put("");
  EXPECT_EQ(error(), "is not a .npy file; write one with numpy.save");
  put("1 2 3 4 5 6 7 8 9 10");
  EXPECT_EQ(error(), "is not a .npy file; write one with numpy.save");
  put(std::string("\x93NUMPY\x04\x00\x00\x00\x00\x00", 12));
  EXPECT_EQ(error(), ".npy version 4.0, expected 1 to 3");
  put(std::string("\x93NUMPY\x01\x00\xff\xff", 10));
  EXPECT_EQ(error(), "the .npy header states a length of 65535 bytes, but the file has 10");
  put(std::string("\x93NUMPY\x02\x00\xff\xff\xff\xff", 12));
  EXPECT_EQ(error(), "the .npy header states a length of 4294967295 bytes, but the file has 12");

  const std::string start = "{'descr': '<i4', 'fortran_order': False, 'shape': ";
  EXPECT_EQ(error(start + "(3,), }", "0000"), "shape (3,) of i4 needs 12 bytes of data, the file has 4");
  EXPECT_EQ(error(start + "(1,), }", "00001"), "shape (1,) of i4 needs 4 bytes of data, the file has 5");
  EXPECT_EQ(error(start + "(4294967296, 4294967296), }", ""),
            "shape (4294967296, 4294967296) of i4 needs more than 2^64 bytes of data, the file has 0");
  EXPECT_NE(error(start + "(99999999999999999999,), }").find("a whole number that fits 64 bits"), std::string::npos);
  EXPECT_NE(error(start + "(-1,), }").find("a whole number"), std::string::npos);
  EXPECT_NE(error(start + "(1 2), }").find("expected ',' or ')'"), std::string::npos);
  EXPECT_NE(error(start + "3, }").find("shape: expected '('"), std::string::npos);
  EXPECT_EQ(error(start + "(1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1), }", "0000"), "more than 16 dimensions");
  EXPECT_NE(error("").find("expected '{'"), std::string::npos);
  EXPECT_NE(error("{").find("expected a quoted key"), std::string::npos);
  EXPECT_NE(error("{'descr").find("expected a quoted key"), std::string::npos);
  EXPECT_NE(error("{'shape': (1,)}").find("one of descr, fortran_order and shape is missing"), std::string::npos);
  EXPECT_NE(error("{'shape': (1,), 'shape': (1,)}").find("key 'shape' is unknown or comes twice"), std::string::npos);
  EXPECT_NE(error("{'evil': __import__('os')}").find("key 'evil' is unknown"), std::string::npos);
  EXPECT_NE(error(start + "(1,), } x", "0000").find("something follows"), std::string::npos);
  EXPECT_NE(error("{'fortran_order': None}").find("expected True or False"), std::string::npos);
}
