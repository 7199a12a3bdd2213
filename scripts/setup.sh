#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs the Debian packages that building needs and that are missing; says what to install when it may not.
set -eu
needed="libbpf-dev libelf-dev zlib1g-dev libre2-dev make git ca-certificates"
missing=""
for package in $needed; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
done
if ! command -v swift >/dev/null 2>&1; then
    echo "setup: there is no 'swift' command in PATH; install the Swift 6.3 toolchain from https://www.swift.org/install/linux" >&2
    exit 1
fi
[ -n "$missing" ] || exit 0
if ! command -v apt-get >/dev/null 2>&1; then
    echo "setup: this machine has no apt-get; install what these Debian packages hold:$missing" >&2
    exit 1
fi
if [ "$(id -u)" -ne 0 ]; then
    echo "setup: packages are missing; run: sudo apt-get install -y$missing" >&2
    exit 1
fi
echo "setup: installing$missing"
log=$(mktemp)
if ! { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing; } >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    rm -f "$log"
    echo "setup: apt-get could not install$missing (its last lines are above)" >&2
    exit 1
fi
rm -f "$log"
