#!/bin/sh
# Installs the Debian packages that building sprint needs, and any others that are named, and checks for Swift. Asks no
# questions.
#
#   launch/install.sh [PACKAGE...]
set -eu

packages="libopenblas-dev libdnnl-dev libopenmpi-dev openmpi-bin libhdf5-dev libpng-dev libturbojpeg0-dev libzip-dev"
# hdf5-tools has h5repack, which messages name and tests run.
packages="$packages zlib1g-dev pkg-config hdf5-tools $*"
missing=""
for package in $packages; do
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
done

if [ -n "$missing" ]; then
  echo "installing:$missing"
  if [ "$(id -u)" = 0 ]; then as_root=""; else as_root="sudo"; fi
  if [ -n "$as_root" ] && ! command -v sudo >/dev/null; then
    echo "install.sh: these packages are missing and there is no sudo to install them:$missing" >&2
    exit 2
  fi
  $as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq
  # shellcheck disable=SC2086
  $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
fi

if ! command -v swift >/dev/null; then
  echo "install.sh: no Swift on PATH; install Swift 6.1 or newer from https://www.swift.org/install" >&2
  exit 2
fi
