#!/bin/sh
# Feeds made-up files to a reader of files:
#
#   launch/fuzz.sh READER [SECONDS]
#
# READER is jpeg, png, npy, safetensors, configuration, zip, lmdb, events, hdf5-data, hdf5-attributes, hdf5-raw,
# checkpoint or statistics. jpeg and png take their seeds from Pillow.
# For the HDF5 readers the bytes of libFuzzer choose what a valid file holds; hdf5-raw damages the headers of a good
# one. Fails if an input crashes the reader, takes more than five seconds, or more than 512 MB. The HDF5 library forgets
# some 50 KB of a file with certain damages, so that hdf5-raw grows: there the limit holds for each piece of memory.
set -eu
cd "$(dirname "$0")/.."

reader="${1:?usage: launch/fuzz.sh READER [SECONDS]}"
export SPRINT_FUZZ="$reader"
# Otherwise Swift takes the signal, and libFuzzer does not keep the input.
export SWIFT_BACKTRACE=enable=no
# Keeps glibc from placing ever larger blocks on the heap, where they leave holes that count as used memory.
export MALLOC_MMAP_THRESHOLD_=131072
swift build -c release --product fuzz --scratch-path .build-fuzz
corpus=".build-fuzz/corpus/$reader"
mkdir -p "$corpus"
# In memory: the readers get a new file thousands of times a second.
TMPDIR="$(mktemp -d /dev/shm/sprint-fuzz.XXXXXX)"
export TMPDIR
trap 'rm -rf "$TMPDIR"' EXIT
python=.build/python/bin/python
[ -x "$python" ] || python=python3
npy="\223NUMPY\001\0\072\0{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }\n12345678"
case "$reader" in
  configuration) cp configs/*.yaml "$corpus" ;;
  safetensors)
    {
      printf '8\0\0\0\0\0\0\0{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]} } '
      printf '12345678'
    } >"$corpus/two"
    ;;
  npy) printf "$npy" >"$corpus/two" ;;
  zip)
    printf "$npy" >"$TMPDIR/two.npy"
    python3 -m zipfile -c "$corpus/two" "$TMPDIR/two.npy"
    ;;
  lmdb)
    "$python" - "$TMPDIR" <<'EOF'
import lmdb, os, sys
folder = sys.argv[1]
with lmdb.open(f"{folder}/made", map_size=1 << 20) as database, database.begin(write=True) as transaction:
    for name, size in dict(length=1, z0=0, **{"z-0": 2048, "z-1": 2048, "z-2": 9000, "y-0": 1, "y-1": 1}).items():
        transaction.put(name.encode(), b"3" * size)
os.rename(f"{folder}/made/data.mdb", f"{folder}/good.mdb")
EOF
    head -c 96 /dev/zero >"$corpus/good"
    ;;
  jpeg | png)
    "$python" Tests/Reference/pictures.py decoding "$TMPDIR/pictures"
    find "$TMPDIR/pictures/good" "$TMPDIR/pictures/broken" -size -4k -exec cp {} "$corpus" \;
    rm -r "$TMPDIR/pictures"
    ;;
  statistics)
    "$python" - "$TMPDIR" <<'EOF'
import numpy as np, sys
metadata = b'{"network": "pixels", "images": 9, "extents": "", "path": "", "origin": ""}'
arrays = dict(
    arr_0=np.arange(96, dtype="u1").reshape(2, 4, 4, 3), mu=np.zeros(3), sigma=np.eye(3), mu_s=np.zeros(2),
    sigma_s=np.eye(2), metadata=np.frombuffer(metadata, "u1"))
np.savez(f"{sys.argv[1]}/stored.npz", **arrays)
np.savez_compressed(f"{sys.argv[1]}/deflated.npz", **arrays)
EOF
    head -c 2 /dev/zero >"$corpus/good"
    ;;
  *) head -c 96 /dev/zero >"$corpus/good" ;;
esac
most=512
[ "$reader" = hdf5-raw ] && most=8192
.build-fuzz/release/fuzz "$corpus" -max_total_time="${2:-600}" -timeout=5 -rss_limit_mb="$most" \
  -malloc_limit_mb=512 -max_len=4096 -artifact_prefix=".build-fuzz/$reader-" -print_final_stats=1
