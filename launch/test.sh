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
# Only these products: a plain `swift build` also builds the protocol buffer compiler of a dependency, which takes
# longest. The tests come first, so that their modules fill the cores while modules of the program wait for each other.
swift build -c release --product sprintPackageTests
swift build -c release --product FaultInjector
# It leaves a static program in .build; the last build links the ordinary one again.
rm -rf .build/package
launch/package.sh .build/package
swift build -c release --product sprintPackageTests
# Tests that start processes come after all others: some have time limits and need the cores.
status=0
swift test -c release --skip-build --skip '^sprintTests' || status=1
swift test -c release --skip-build --filter '^sprintTests' || status=1
exit "$status"
