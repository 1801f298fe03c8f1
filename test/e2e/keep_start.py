#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Puts zeros for everything after the first bytes of a file; its length stays.
#   keep_start.py BYTES FILE
import os
import sys

size = os.path.getsize(sys.argv[2])
os.truncate(sys.argv[2], int(sys.argv[1]))
os.truncate(sys.argv[2], size)
