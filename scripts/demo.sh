#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Harmless actions that look like an intruder's, each announced, each undone. Meant to run under `falco run`.
say() { sleep 0.3; printf '\n--- %s\n' "$*"; sleep 0.3; }
folder=$(mktemp -d) && cd "$folder" || exit 1
trap 'cd /; rm -rf "$folder"' EXIT

say "reading the password hashes (into nothing)"
cat /etc/shadow >/dev/null 2>&1

say "a link to them, under a name that nobody watches"
ln -s /etc/shadow notes.txt

say "emptying a log file (one of our own)"
: >auth.log

say "a program run from the memory that processes share"
cp /bin/true /dev/shm/falco-demo && /dev/shm/falco-demo
rm -f /dev/shm/falco-demo

say "a program put into a running container, inside a container's cgroup"
# The name has the shape of a container's; only processes that this script moves there are in it. Older hierarchies come first: where there
# are some, containers are in them too.
mount=$(awk '$3 == "cgroup" && $4 ~ /(^|,)cpu(,|$)/ { print $2; exit }' /proc/mounts)
own=$(sed -n 's/^[0-9]*:\(.*,\)\{0,1\}cpu\(,[^:]*\)\{0,1\}://p' /proc/self/cgroup)
if [ -z "$mount" ]; then
    mount=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
    own=$(sed -n 's/^0:://p' /proc/self/cgroup)
fi
group="$mount${own%/}/docker-$(printf 'fa1c0%.0s' 1 2 3 4 5 6 7 8 9 10 11 12)abcd.scope"
if [ -n "$mount" ] && mkdir "$group" 2>/dev/null; then
    cp /bin/true dropped
    sh -c "echo \$\$ > '$group/cgroup.procs' && exec ./dropped" 2>/dev/null || echo "(this machine lets nobody move processes between cgroups)"
    sleep 0.2
    rmdir "$group" 2>/dev/null
else
    echo "(left out: no cgroup can be made here)"
fi

say "done"
