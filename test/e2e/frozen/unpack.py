# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""unpack.py FILE.xz OUT: frozen engines lie compressed in the repository."""
import lzma
import pathlib
import sys

pathlib.Path(sys.argv[2]).write_bytes(lzma.decompress(pathlib.Path(sys.argv[1]).read_bytes()))
