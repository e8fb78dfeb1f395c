#!/bin/sh
# Feeds random bytes to a reader of files:
#
#   launch/fuzz.sh npy|safetensors|configuration [SECONDS]
#
# Fails if an input crashes the reader, takes more than five seconds, or more than 512 MB.
set -eu
cd "$(dirname "$0")/.."

reader="${1:?usage: launch/fuzz.sh npy|safetensors|configuration [SECONDS]}"
export SPRINT_FUZZ="$reader"
swift build -c release --product fuzz --scratch-path .build-fuzz
corpus=".build-fuzz/corpus/$reader"
mkdir -p "$corpus"
case "$reader" in
  configuration) cp configs/*.yaml "$corpus" ;;
  safetensors)
    {
      printf '8\0\0\0\0\0\0\0{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]} } '
      printf '12345678'
    } >"$corpus/two"
    ;;
  npy)
    printf "\223NUMPY\001\0\072\0{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }\n12345678" >"$corpus/two"
    ;;
esac
exec .build-fuzz/release/fuzz "$corpus" -max_total_time="${2:-600}" -timeout=5 -rss_limit_mb=512 -max_len=4096 \
  -artifact_prefix=".build-fuzz/$reader-" -print_final_stats=1
