#!/bin/sh
# Installs, builds and runs every test.
set -eu
cd "$(dirname "$0")/.."

./launch/install.sh
# Python packages that read and write the same files. Tests that need a package are skipped with a message if it is
# missing. SPRINT_PYTHON names another Python, e.g. one with PyTorch.
if [ ! -x .build/python/bin/tensorboard ]; then
  { python3 -m venv .build/python && .build/python/bin/pip install -q -r Tests/Reference/requirements.txt; } ||
    echo "test.sh: cannot install Python packages; tests against numpy, h5py, lmdb and TensorBoard are skipped" >&2
fi
# Before the tests: it leaves a static program in .build, and the next build links the ordinary one.
rm -rf .build/package
launch/package.sh .build/package
# Only these products: a plain `swift build` also builds the protocol buffer compiler of a dependency, which takes
# longest.
swift build -c release --product sprintPackageTests
swift build -c release --product FaultInjector
swift test -c release --skip-build
