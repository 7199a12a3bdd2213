// SPDX-License-Identifier: Apache-2.0
import EventModel

/// Container ids in cgroup paths.
///
/// Runtimes name a container's cgroup after its id: 64 hex digits, alone (`/docker/ID`, `/kubepods/…/ID`) or with a prefix and a
/// `.scope` ending (`docker-ID.scope`, `cri-containerd-ID.scope`, `crio-ID.scope`, `libpod-ID.scope`); LXC by a name (`/lxc/NAME`,
/// `/lxc.payload.NAME`). The monitors that stand beside a container (`…-conmon-…`) belong to the host.
enum ContainerPath {
    struct Found {
        let short: Bytes
        let full: Bytes
    }

    /// The id in `subsystem=path` entries, NUL-terminated; nil on the host. The innermost container of the first path that has one.
    static func find(inCgroups cgroups: Bytes) -> Found? {
        var start = 0
        while start < cgroups.count {
            let rest = cgroups.from(start)
            let entry = rest.untilNul
            if let equals = entry.firstIndex(of: UInt8(ascii: "=")), let found = find(inPath: entry.from(equals + 1)) {
                return found
            }
            start += entry.count + 1
        }
        return nil
    }

    static func find(inPath path: Bytes) -> Found? {
        var end = path.count
        while end > 0 {
            let head = path.prefix(end)
            let slash = head.lastIndex(of: UInt8(ascii: "/"))
            let start = slash.map { $0 + 1 } ?? 0
            if let found = find(inComponent: head.from(start), parent: head.prefix(max(0, start - 1))) { return found }
            guard let slash else { return nil }
            end = slash
        }
        return nil
    }

    private static let scope: StaticString = ".scope"
    private static let conmon: StaticString = "conmon"
    private static let payload: StaticString = "lxc.payload."
    private static let lxc: StaticString = "/lxc"
    private static let lxcPayload: StaticString = "/lxc.payload"

    private static func find(inComponent whole: Bytes, parent: Bytes) -> Found? {
        var name = whole
        if name.hasSuffix(staticBytes(scope)) { name = name.prefix(name.count - scope.utf8CodeUnitCount) }
        if name.hasPrefix(staticBytes(payload)), name.count > payload.utf8CodeUnitCount {
            let id = name.from(payload.utf8CodeUnitCount)
            return Found(short: id, full: id)
        }
        if parent.hasSuffix(staticBytes(lxc)) || parent.hasSuffix(staticBytes(lxcPayload)), !name.isEmpty {
            return Found(short: name, full: name)
        }
        guard name.count >= 64 else { return nil }
        let id = name.from(name.count - 64)
        for index in 0..<64 where !isHex(id.base[index]) { return nil }
        let prefix = name.prefix(name.count - 64)
        if !prefix.isEmpty {
            // `docker-`, `cri-containerd-`, `crio-`, `libpod-`, `nerdctl-`, or containerd's `slice:runtime:`
            let last = prefix.base[prefix.count - 1]
            guard last == UInt8(ascii: "-") || last == UInt8(ascii: ":") || last == UInt8(ascii: "_") else { return nil }
            if prefix.contains(staticBytes(conmon)) { return nil }
        }
        return Found(short: id.prefix(12), full: id)
    }

    private static func isHex(_ byte: UInt8) -> Bool {
        (byte >= 48 && byte <= 57) || (byte >= 97 && byte <= 102)
    }
}
