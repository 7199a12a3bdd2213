#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Fuzz targets, one after the other: 60 s each, or RUNS executions; TARGET names one of them.
# ADDRESS=1 adds the address and leak sanitizers. What made a target fail lies in Fuzz/FailCases/TARGET, where the test suite runs it.
set -eu
cd "$(dirname "$0")/.."
root=$PWD
export FALCO_FUZZ="fuzzer${ADDRESS:+,address}"
# Large blocks that every input needs again stay with the process.
export MALLOC_TRIM_THRESHOLD_=536870912 MALLOC_MMAP_THRESHOLD_=268435456
build="$root/Fuzz/.build${ADDRESS:+-address}"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! swift build -c release --package-path Fuzz --scratch-path "$build" >"$log" 2>&1; then
    grep -E 'error' "$log" >&2 || tail -n 40 "$log" >&2
    exit 1
fi
for target in ${TARGET:-event capture proc ring conversion condition rules}; do
    corpus="$root/Fuzz/.corpus/$target"
    mkdir -p "$corpus" "Fuzz/FailCases/$target"
    FUZZ_TARGET=$target FUZZ_SEEDS=$corpus "$build/release/fuzz" >/dev/null 2>&1
    dictionary="Fuzz/Dictionaries/$target.dict"
    case $target in capture) length=1024 ;; *) length=400 ;; esac
    if [ -n "${RUNS:-}" ]; then bound="-runs=$RUNS"; else bound="-max_total_time=${SECONDS_EACH:-60}"; fi
    echo "fuzz: $target"
    # shellcheck disable=SC2086
    FUZZ_TARGET=$target "$build/release/fuzz" "$bound" -max_len="$length" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 -entropic=0 -reduce_inputs=0 \
        -artifact_prefix="Fuzz/FailCases/$target/" $([ -f "$dictionary" ] && echo "-dict=$dictionary") ${FUZZ_FLAGS:-} "$corpus" \
        2>"$log" || { tail -n 60 "$log" >&2; exit 1; }
    grep -E '^stat::|DONE' "$log"
done
