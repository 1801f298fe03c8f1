// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Takes tensors' bytes out of an ONNX file before protobuf parses it, so that a large model is not copied into memory.
#ifndef INGOT_COMPILER_IMPORT_ONNX_WIRE_H
#define INGOT_COMPILER_IMPORT_ONNX_WIRE_H

#include <string>
#include <string_view>

namespace ingot::onnx {

// A ModelProto without raw_data: each is replaced by stored_offset and stored_bytes, which say where in `file` it lies.
// False where the bytes are no protobuf message.
bool withoutTensorBytes(std::string_view file, std::string &stripped);

} // namespace ingot::onnx

#endif
