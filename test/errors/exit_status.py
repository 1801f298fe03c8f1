#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Runs a command that must end with a given exit status; passes its output through.
#   exit_status.py STATUS COMMAND [ARGUMENT]...
import subprocess
import sys

found = subprocess.run(sys.argv[2:]).returncode
if found != int(sys.argv[1]):
    sys.exit(f"FAIL exit status {found}, expected {sys.argv[1]}")
