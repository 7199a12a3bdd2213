#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Release build in one file besides glibc: Swift's runtime and libbpf, libelf, zlib, RE2 are linked statically.
# Prints nothing when everything is up to date.
set -eu
cd "$(dirname "$0")/.."
libraries=".build/static-libraries"
mkdir -p "$libraries"
for name in bpf elf z re2 stdc++; do
    archive=$(${CC:-clang} -print-file-name="lib$name.a" 2>/dev/null || echo "lib$name.a")
    if [ ! -f "$archive" ]; then
        for folder in /usr/lib/*-linux-gnu /usr/lib /usr/lib64; do
            if [ -f "$folder/lib$name.a" ]; then archive="$folder/lib$name.a"; fi
        done
    fi
    # A folder that holds only archives comes first, so that -lbpf can mean nothing else; likewise -lstdc++, which RE2 needs.
    if [ -f "$archive" ]; then ln -sf "$archive" "$libraries/lib$name.a"; fi
done
# libbpf needs libelf and zlib, whatever order the linker is given them in: a group is searched until nothing is missing.
if [ -h "$libraries/libbpf.a" ] && [ -h "$libraries/libelf.a" ] && [ -h "$libraries/libz.a" ]; then
    members=$(readlink "$libraries/libbpf.a" "$libraries/libelf.a" "$libraries/libz.a" | tr '\n' ' ')
    rm -f "$libraries/libbpf.a"
    echo "GROUP ( $members)" >"$libraries/libbpf.a"
fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT
[ -x .build/release/falco ] || echo "building the release (the first time takes a few minutes) ..."
# Symbols stay out: debug information is the debug build's.
if ! swift build -c release --product falco --static-swift-stdlib -Xlinker "-L$PWD/$libraries" -Xlinker -s \
    ${SWIFT_BUILD_FLAGS:-} >"$log" 2>&1; then
    grep -E 'error|warning' "$log" >&2 || tail -n 40 "$log" >&2
    exit 1
fi
