# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Files of ids, good and bad, for logits.test.
import pathlib
import struct
import sys


def write(name, kind, shape, values):
    code = {"<i4": "i", "<i8": "q"}[kind]
    header = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}".encode()
    header += b" " * (-(len(header) + 11) % 64) + b"\n"
    data = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + struct.pack(f"<{len(values)}{code}", *values)
    (pathlib.Path(sys.argv[1]) / name).write_bytes(data)


write("good.npy", "<i4", "(5,)", [1, 2, 3, 4, 5])
write("outside.npy", "<i8", "(1, 3)", [1, 2, 97])
write("huge.npy", "<i8", "(1,)", [(1 << 32) + 1])
write("two.npy", "<i4", "(2, 3)", [1, 2, 3, 4, 5, 6])
write("none.npy", "<i4", "(0,)", [])
write("long.npy", "<i4", "(201,)", [1] * 201)
