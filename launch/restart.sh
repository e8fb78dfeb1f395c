#!/bin/sh
# Runs a command and starts it again after each crash, until it succeeds:
#
#   launch/restart.sh [-k FAILURES] RUN_FOLDER COMMAND [ARGUMENT ...]
#   launch/restart.sh runs/imagenet launch/mpirun.sh configs/imagenet256-B.yaml 4 8 --run runs/imagenet
#
# Gives up after FAILURES (default 3) failures in a row without a newer checkpoint in RUN_FOLDER, and on exit codes
# 1 and 2 (a loss that is not finite, for example, or a mistake of the user): the same command would end in the same
# way.
# TERM, INT, HUP, USR1 and USR2 reach the command as USR1, and then it does not start again.
set -u

failures_allowed=3
if [ "${1:-}" = "-k" ]; then
  failures_allowed="${2:-}"
  case "$failures_allowed" in
    '' | *[!0-9]* | 0)
      echo "restart.sh: -k is \`$failures_allowed\`, expected a number of failures, at least 1" >&2
      exit 2
      ;;
  esac
  shift 2
fi
[ $# -ge 2 ] || { echo "usage: launch/restart.sh [-k FAILURES] RUN_FOLDER COMMAND [ARGUMENT ...]" >&2; exit 2; }
folder="$1"
shift

newest() { ls "$folder/checkpoints" 2>/dev/null | grep 'manifest.json$' | sort -t - -k 2n | tail -n 1; }

stopping=""
child=""
stop() {
  stopping=yes
  [ -z "$child" ] || kill -USR1 "$child" 2>/dev/null
}
trap stop TERM INT HUP USR1 USR2

failures=0
while :; do
  before="$(newest)"
  "$@" &
  child=$!
  while kill -0 "$child" 2>/dev/null; do wait "$child"; done
  wait "$child"
  code=$?
  child=""
  [ "$code" -ne 0 ] || exit 0
  if [ "$code" -le 2 ] || [ -n "$stopping" ]; then exit "$code"; fi
  if [ "$(newest)" = "$before" ]; then failures=$((failures + 1)); else failures=0; fi
  if [ "$failures" -ge "$failures_allowed" ]; then
    echo "restart.sh: gave up after $failures failures in a row without a newer checkpoint;" \
      "the last exit code was $code" >&2
    exit "$code"
  fi
  echo "restart.sh: exit code $code after checkpoint ${before:-none}; starting again" >&2
  sleep 1
done
