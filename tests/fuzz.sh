#!/bin/sh
# fuzz.sh SECONDS PROGRAM... - runs each fuzzer that long and stops at the first crash.
#
# The corpus grows in build/corpus/ from run to run; a crash leaves its input in build/crash-*.
# tests/fuzz/ROOM/FILE_corpus/, where there is one, seeds it.
set -eu
[ $# -gt 1 ] || { echo "fuzz.sh: expected SECONDS and a fuzzer, got: $*" >&2; exit 2; }
seconds=$1
shift
total=0
for program in "$@"; do
    name=${program#*/tests/fuzz/}
    corpus=build/corpus/$name
    seeds=tests/fuzz/${name%_fuzz}_corpus
    mkdir -p "$corpus"
    [ -d "$seeds" ] || seeds=
    log=$(mktemp)
    # shellcheck disable=SC2086 # $seeds is one folder or nothing
    "$program" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 -print_final_stats=1 \
        -artifact_prefix=build/crash-"$(basename "$name")"- "$corpus" $seeds >"$log" 2>&1 || {
        cat "$log"
        echo "fuzz: $name failed"
        exit 1
    }
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    total=$((total + runs))
    echo "ok     $name ($runs inputs in $seconds s)"
    rm -f "$log"
done
echo "fuzz: $# fuzzers, $total inputs, no crash"
