#!/bin/sh
# Installs, builds and runs every test.
set -eu
cd "$(dirname "$0")/.."

./launch/install.sh
# The tools of those who write and read the same files: without them the tests that need them are skipped, and say so. Another Python, one
# with PyTorch for example, is named by SPRINT_PYTHON.
if [ ! -x .build/python/bin/tensorboard ]; then
  { python3 -m venv .build/python && .build/python/bin/pip install -q -r Tests/Reference/requirements.txt; } ||
    echo "test.sh: Python's packages cannot be installed: tests against numpy, h5py, lmdb and TensorBoard will be skipped" >&2
fi
# Not all products: those of dependencies hold a compiler of protocol buffers, which takes longer than all else.
swift build -c release --product sprintPackageTests
swift build -c release --product FaultInjector
swift test -c release --skip-build
