#!/bin/sh
# Installs, builds and runs every test.
set -eu
cd "$(dirname "$0")/.."

./launch/install.sh
swift build -c release --build-tests
swift test -c release --skip-build
