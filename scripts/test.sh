#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# swift test with the arguments given; what failed is said once more at the end, where it is looked for.
set -eu
cd "$(dirname "$0")/.."
log=$(mktemp)
status=$(mktemp)
trap 'rm -f "$log" "$status"' EXIT
{ swift test "$@" 2>&1 && echo 0 >"$status" || echo $? >"$status"; } | tee "$log"
result=$(cat "$status")
if [ "$result" -ne 0 ]; then
    echo "test: swift test ended with status $result; what failed:"
    grep -aE -A 3 'recorded an issue|error: |warning: .*unexpected|Fatal error|[Ss]ignal code' "$log" | grep -avE '^(--|◇|✔)' | cut -c 1-400 | tail -n 60
fi
exit "$result"
