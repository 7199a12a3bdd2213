#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Fuzz targets, one after the other: 60 s each, or RUNS executions; TARGET names one of them.
# ADDRESS=1 adds the address and leak sanitizers. What made a target fail lies in Fuzz/FailCases/TARGET, where the test suite runs it.
set -eu
cd "$(dirname "$0")/.."
root=$PWD
export FALCO_FUZZ="fuzzer${ADDRESS:+,address}"
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
    case $target in capture) length=4096 ;; *) length=1024 ;; esac
    if [ -n "${RUNS:-}" ]; then bound="-runs=$RUNS"; else bound="-max_total_time=${SECONDS_EACH:-60}"; fi
    echo "fuzz: $target"
    # shellcheck disable=SC2086
    FUZZ_TARGET=$target "$build/release/fuzz" "$bound" -max_len="$length" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
        -artifact_prefix="Fuzz/FailCases/$target/" $([ -f "$dictionary" ] && echo "-dict=$dictionary") ${FUZZ_FLAGS:-} "$corpus" \
        2>"$log" || { tail -n 60 "$log" >&2; exit 1; }
    grep -E '^stat::|DONE' "$log"
done
