#!/bin/sh
# Checks the layout of Swift code, the length of lines, and the links in README.md and the articles.
set -eu
cd "$(dirname "$0")/.."

status=0
find Package.swift Sources Tests -name '*.swift' ! -name '*.pb.swift' -print0 |
  xargs -0 swift format lint --strict --parallel || status=1
python3 launch/lint.py || status=1
exit "$status"
