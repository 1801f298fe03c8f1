#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Names the folders of one directory that have no test of their name in another; exit status 1 where there is one.
#   list_untested.py MODELS TESTS
import pathlib
import sys

models, tests = (pathlib.Path(argument) for argument in sys.argv[1:3])
missing = [model.name for model in sorted(models.iterdir()) if not (tests / f"{model.name}.test").exists()]
for name in missing:
    print(f"{name}: no test {tests / name}.test")
sys.exit(1 if missing or not any(models.iterdir()) else 0)
