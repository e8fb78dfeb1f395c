#!/bin/sh
# Trains on several ranks of one or more hosts:
#
#   launch/mpirun.sh CONFIG [RANKS] [THREADS] [OPTION of `sprint train` ...]
#
# RANKS is one a NUMA domain of this host where left out, THREADS a rank's part of this host's cores. MPIRUN_OPTIONS is handed to mpirun, e.g.
# MPIRUN_OPTIONS="--hostfile hosts". TERM, INT and USR1 save a checkpoint; exit codes are those of sprint, 75 for "start me again".
set -u

usage() {
  echo "usage: launch/mpirun.sh CONFIG [RANKS] [THREADS] [OPTION of \`sprint train\` ...]" >&2
  exit 2
}
number() { case "${1:-}" in '' | *[!0-9]* | 0*) return 1 ;; esac; }

[ $# -ge 1 ] || usage
config="$1"
shift
[ -r "$config" ] || { echo "mpirun.sh: $config: no such configuration" >&2; exit 2; }

domains="$(lscpu -p=NODE 2>/dev/null | grep -v '^#' | sort -u | grep -c .)"
cores="$(lscpu -p=CORE,SOCKET 2>/dev/null | grep -v '^#' | sort -u | grep -c .)"
[ "${domains:-0}" -ge 1 ] || domains=1
[ "${cores:-0}" -ge 1 ] || cores="$(nproc)"

ranks="$domains"
if number "${1:-}"; then ranks="$1"; shift; fi
if number "${1:-}"; then
  threads="$1"
  shift
else
  threads=$((cores / ranks))
  [ "$threads" -ge 1 ] || threads=1
fi

here="$(cd "$(dirname "$0")/.." && pwd)"
sprint="${SPRINT:-$here/.build/release/sprint}"
[ -x "$sprint" ] || sprint="$(command -v sprint)" || {
  echo "mpirun.sh: there is no $here/.build/release/sprint and no sprint on PATH; build with swift build -c release --product sprint" >&2
  exit 2
}

# Ranks get cores of their own where there are enough, and are left to the system where there are not.
case "${MPIRUN_OPTIONS:-}" in
  *--map-by* | *--bind-to*) placement="" ;;
  *--host*) placement="--map-by numa:PE=$threads --bind-to core" ;;
  *)
    placement="--oversubscribe --bind-to none"
    [ $((ranks * threads)) -gt "$cores" ] || placement="--map-by numa:PE=$threads --bind-to core"
    ;;
esac
[ "$(id -u)" = 0 ] && placement="--allow-run-as-root $placement"

# A link that is cut is seen after 5 + 3 x 2 s instead of minutes, one that comes back sooner is survived.
keepalive="--mca oob_tcp_keepalive_time 5 --mca oob_tcp_keepalive_intvl 2 --mca oob_tcp_keepalive_probes 3"
# A rank that has lost the others leaves a file here.
word="$(mktemp -d "${TMPDIR:-/tmp}/sprint.XXXXXX")" || exit 2
SPRINT_ABANDONED="$word/abandoned"
export SPRINT_ABANDONED

# In a session of its own mpirun does not hear the terminal's Ctrl-C, on which it would kill its ranks.
# shellcheck disable=SC2086
setsid mpirun -np "$ranks" $placement $keepalive ${MPIRUN_OPTIONS:-} \
  -x SPRINT_ABANDONED ${OPENBLAS_CORETYPE:+-x OPENBLAS_CORETYPE} \
  "$sprint" train --config "$config" --resume auto --set threads="$threads" "$@" &
mpirun=$!

# mpirun kills its ranks within seconds of a TERM, USR1 it hands on to them.
trap 'kill -USR1 $mpirun 2>/dev/null' TERM INT USR1
patience=15
while kill -0 "$mpirun" 2>/dev/null; do
  # Ranks that lost each other have ended, but mpirun waits for ever for a host that is frozen.
  if [ -e "$SPRINT_ABANDONED" ]; then
    patience=$((patience - 1))
    [ "$patience" -gt 0 ] || kill -KILL "$mpirun"
  fi
  sleep 1 &
  wait $! 2>/dev/null
done
wait "$mpirun"
code=$?
[ ! -e "$SPRINT_ABANDONED" ] || code=75
rm -rf "$word"
exit "$code"
