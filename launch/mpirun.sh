#!/bin/sh
# Trains on several ranks of one or more hosts:
#
#   launch/mpirun.sh CONFIG [RANKS] [THREADS] [OPTION of `sprint train` ...]
#
# Without RANKS there is one rank for each NUMA domain of this host; without THREADS the ranks share its cores evenly.
# MPIRUN_OPTIONS holds further options for mpirun, e.g. MPIRUN_OPTIONS="--hostfile hosts". TERM, INT, HUP and USR1 save
# a checkpoint and stop. The exit codes are those of sprint; 75 means "start me again".
set -u

usage() {
  echo "usage: launch/mpirun.sh CONFIG [RANKS] [THREADS] [OPTION of \`sprint train\` ...]" >&2
  exit 2
}
# Whether the argument is a whole number from 1 on.
number() { case "${1:-}" in '' | *[!0-9]* | 0*) return 1 ;; esac; }
# The quota of a control group in whole cores, if it has one: version 2 of the interface, else version 1.
quota() {
  # shellcheck disable=SC2046
  set -- $(cat "/sys/fs/cgroup$1/cpu.max" 2>/dev/null \
    || cat "/sys/fs/cgroup/cpu$1/cpu.cfs_quota_us" "/sys/fs/cgroup/cpu$1/cpu.cfs_period_us" 2>/dev/null)
  number "${1:-}" && number "${2:-}" && echo $((($1 + $2 - 1) / $2))
}

[ $# -ge 1 ] || usage
config="$1"
shift
[ -r "$config" ] || { echo "mpirun.sh: $config: no such configuration" >&2; exit 2; }

domains="$(lscpu -p=NODE 2>/dev/null | grep -v '^#' | sort -u | grep -c .)"
cores="$(lscpu -p=CORE,SOCKET 2>/dev/null | grep -v '^#' | sort -u | grep -c .)"
[ "${domains:-0}" -ge 1 ] || domains=1
# A container or `taskset` leaves a part of the host, and maybe a quota of its time.
allowed="$(env -u OMP_NUM_THREADS -u OMP_THREAD_LIMIT nproc)"
[ "${cores:-0}" -ge 1 ] || cores="$allowed"
part=""
[ "$allowed" -ge "$(nproc --all)" ] || part=yes
[ "$allowed" -ge "$cores" ] || cores="$allowed"
for group in "" $(cut -d: -f3 /proc/self/cgroup 2>/dev/null | sort -u); do
  quota="$(quota "$group")"
  if [ "${quota:-$cores}" -lt "$cores" ]; then
    part=yes
    cores="$quota"
  fi
done
[ "$domains" -le "$cores" ] || domains="$cores"

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
sprint="${SPRINT:-$here/bin/sprint}"
[ -x "$sprint" ] || sprint="$here/.build/release/sprint"
[ -x "$sprint" ] || sprint="$(command -v sprint)" || {
  echo "mpirun.sh: no bin/sprint or .build/release/sprint in $here, and no sprint on PATH;" \
    "build it with swift build -c release --product sprint" >&2
  exit 2
}

# Each rank gets its own cores if there are enough; otherwise the system shares them.
case "${MPIRUN_OPTIONS:-}" in
  *--map-by* | *--bind-to*) placement="" ;;
  *--host*) placement="--map-by numa:PE=$threads --bind-to core" ;;
  *)
    placement="--oversubscribe --bind-to none"
    # Within a part of the host the system places the threads.
    [ -n "$part" ] || [ $((ranks * threads)) -gt "$cores" ] || placement="--map-by numa:PE=$threads --bind-to core"
    ;;
esac
[ "$(id -u)" = 0 ] && placement="--allow-run-as-root $placement"

# mpirun notices a cut link after 5 + 3 x 2 s instead of minutes; a link that returns sooner does no harm.
keepalive="--mca oob_tcp_keepalive_time 5 --mca oob_tcp_keepalive_intvl 2 --mca oob_tcp_keepalive_probes 3"
# A rank that loses the others creates this file.
folder="$(mktemp -d "${TMPDIR:-/tmp}/sprint.XXXXXX")" || exit 2
SPRINT_ABANDONED="$folder/abandoned"
# A rank that ends with 1 by itself creates this one; mpirun ends with 1 too where it loses a host.
SPRINT_FAILED="$folder/failed"
export SPRINT_ABANDONED SPRINT_FAILED

# On TERM mpirun kills its ranks within seconds; it passes USR1 on to them. A signal that reaches mpirun or a rank while
# it starts can get lost, so the loop below repeats it.
stopping=""
mpirun=""
stop() {
  stopping=yes
  [ -z "$mpirun" ] || kill -USR1 "$mpirun" 2>/dev/null
}
trap stop TERM INT HUP USR1 USR2

# In its own session mpirun does not receive Ctrl-C from the terminal, on which it would kill its ranks.
# shellcheck disable=SC2086
setsid mpirun -np "$ranks" $placement $keepalive ${MPIRUN_OPTIONS:-} \
  -x SPRINT_ABANDONED -x SPRINT_FAILED ${OPENBLAS_CORETYPE:+-x OPENBLAS_CORETYPE} \
  "$sprint" train --config "$config" --resume auto --set threads="$threads" "$@" &
mpirun=$!

patience=15
while kill -0 "$mpirun" 2>/dev/null; do
  # The ranks end when they lose each other, but mpirun waits for ever for a frozen host.
  if [ -e "$SPRINT_ABANDONED" ]; then
    patience=$((patience - 1))
    [ "$patience" -gt 0 ] || kill -KILL "$mpirun"
  fi
  sleep 1 &
  wait $! 2>/dev/null
  [ -z "$stopping" ] || kill -USR1 "$mpirun" 2>/dev/null
done
wait "$mpirun"
code=$?
# 138: USR1 ended a rank that had not begun yet. There was nothing to save.
[ -z "$stopping" ] || [ "$code" -ne 138 ] || code=75
[ "$code" -ne 1 ] || [ -e "$SPRINT_FAILED" ] || code=75
[ ! -e "$SPRINT_ABANDONED" ] || code=75
rm -rf "$folder"
exit "$code"
