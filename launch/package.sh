#!/bin/sh
# Makes sprint-VERSION-MARCH.tar.gz, which runs on machines without Swift: the program with Swift's runtime linked in,
# its manual pages, the configurations, the launch scripts and the licences. It needs only the Debian libraries in
# licences/README.txt. VERSION in it names the commit. This script needs Python.
#
#   launch/package.sh [FOLDER]
#
# FOLDER (default: the checkout) receives the archive. SPRINT_MARCH names the CPUs to build for, e.g. x86-64-v3; without
# it the program needs a CPU like that of this machine. The next build links an ordinary program in .build again.
set -eu
mkdir -p "${1:-.}"
out="$(cd "${1:-$(dirname "$0")/..}" && pwd)"
cd "$(dirname "$0")/.."

SPRINT_STATIC=1 swift build -c release --product sprint >&2
version="$(.build/release/sprint --version)"
name="sprint-$(echo "$version" | cut -d ' ' -f 2)-${SPRINT_MARCH:-native}"

staging="$(mktemp -d "${TMPDIR:-/tmp}/sprint-package.XXXXXX")"
trap 'rm -rf "$staging"' EXIT
root="$staging/$name"
mkdir -p "$root/bin" "$root/launch"
cp .build/release/sprint "$root/bin/"
strip "$root/bin/sprint"
{ echo "$version" && git describe --always --dirty --abbrev=40 2>/dev/null || true; } >"$root/VERSION"
python3 launch/manual.py "$root/bin/sprint" "$root/share/man/man1"
cp -r configs README.md "$root/"
cp launch/mpirun.sh launch/restart.sh launch/slurm.sbatch "$root/launch/"
cp -r launch/licences "$root/"
articles=Sources/sprint/Documentation.docc
[ ! -d "$articles" ] || { mkdir -p "$root/Sources/sprint" && cp -r "$articles" "$root/Sources/sprint/"; }
runtime="$(swiftc -print-target-info | sed -n 's/.*"runtimeResourcePath": "\(.*\)".*/\1/p')"
cp "$runtime/../../share/swift/LICENSE.txt" "$root/licences/swift.txt"
for package in swift-argument-parser swift-crypto swift-protobuf; do
  cp ".build/checkouts/$package/LICENSE.txt" "$root/licences/$package.txt"
done
cp ".build/checkouts/swift-crypto/NOTICE.txt" "$root/licences/swift-crypto-NOTICE.txt"
cp ".build/checkouts/Yams/LICENSE" "$root/licences/Yams.txt"
tar -C "$staging" -czf "$out/$name.tar.gz" "$name"
echo "$out/$name.tar.gz"
