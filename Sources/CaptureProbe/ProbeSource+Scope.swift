// SPDX-License-Identifier: Apache-2.0
import CProbeABI
import Capture
import LinuxSystem

extension ProbeSource {
    /// Enters the trees below `pids` into the scope. The fork hook is attached, so whatever a known process starts from now on
    /// enters by itself; what exists is found by walking /proc until a whole walk finds nothing new.
    func enterTrees(_ pids: [Int64]) throws(CaptureError) {
        var members = Set(pids)
        for pid in pids { try enter(pid, PROBE_SCOPE_IN) }
        var isComplete = false
        while !isComplete {
            isComplete = true
            let parents = proc.parents()
            var grew = true
            while grew {
                grew = false
                for (pid, parent) in parents where members.contains(parent) && members.insert(pid).inserted {
                    try enter(pid, PROBE_SCOPE_IN)
                    (grew, isComplete) = (true, false)
                }
            }
        }
        // Known to the scan alone, so that a rule can name the parents of the tree.
        for pid in pids {
            var ancestor = proc.parent(of: pid) ?? 0
            var depth = 0
            while ancestor > 0, depth < 64, !members.contains(ancestor) {
                try loaded.update(
                    "scope_tasks", UInt32(truncatingIfNeeded: ancestor), UInt32(PROBE_SCOPE_ANCESTOR.rawValue), onlyNew: true)
                ancestor = proc.parent(of: ancestor) ?? 0
                depth += 1
            }
        }
    }

    private func enter(_ pid: Int64, _ value: probe_scope_value) throws(CaptureError) {
        try loaded.update("scope_tasks", UInt32(truncatingIfNeeded: pid), UInt32(value.rawValue))
    }

    /// Processes of a tree scope that are alive now; empty for other scopes. For naming what outlives a command.
    public var livingInScope: [Int64] {
        guard case .tree = options.scope else { return [] }
        return loaded.keys("scope_tasks").filter { key in
            loaded.value("scope_tasks", key, initial: UInt32(0)) == UInt32(PROBE_SCOPE_IN.rawValue) && proc.isAlive(Int64(key))
        }.map(Int64.init).sorted()
    }

    /// Tasks that a scan may report: nil for all of them.
    var scannable: Set<Int64>? {
        switch options.scope {
        case .host: nil
        case .tree: Set(loaded.keys("scope_tasks").map(Int64.init))
        case .cgroups(let references):
            Set(
                proc.processIDs().filter { pid in references.contains { proc.isInside($0, pid: pid, hostRoot: options.hostRoot) }
                })
        }
    }

    func enter(_ references: [CgroupReference]) throws(CaptureError) {
        for reference in references {
            let id: UInt64
            switch reference {
            case .id(let number): id = number
            case .path(let path):
                guard let found = CgroupTree.directory(path, hostRoot: options.hostRoot).flatMap({ try? Files.status($0).inode })
                else {
                    throw CaptureError("could not limit the scope to cgroup '\(path)': no such cgroup in the unified hierarchy")
                }
                id = found
            }
            try loaded.update("scope_cgroups", id, UInt32(PROBE_SCOPE_IN.rawValue))
        }
    }

    /// Our process id as the kernel's hooks see it from our pid namespace.
    func ownPid() -> Int32 { ProcFilesystem.ownPid }
}

/// The unified cgroup hierarchy as it is mounted here.
enum CgroupTree {
    /// Mount point of cgroup2, from mountinfo: `id parent major:minor root mount options … - type source options`.
    static func mountPoint(hostRoot: String) -> String? {
        guard let text = try? Files.read("/proc/self/mountinfo", bytesMax: 1 << 20) else { return nil }
        for line in String(decoding: text, as: UTF8.self).split(separator: "\n") {
            let words = line.split(separator: " ")
            guard let dash = words.firstIndex(of: "-"), dash + 1 < words.count, words[dash + 1] == "cgroup2", words.count > 4
            else { continue }
            return String(words[4])
        }
        return nil
    }

    /// The directory of a cgroup given as a directory or as a path below the mount point.
    static func directory(_ path: String, hostRoot: String) -> String? {
        guard let mount = mountPoint(hostRoot: hostRoot) else { return nil }
        let candidates =
            path == mount || path.hasPrefix(mount + "/") ? [path] : [mount + (path.hasPrefix("/") ? path : "/" + path)]
        return candidates.first { (try? Files.status($0).kind) == .directory }
    }
}

extension ProcFilesystem {
    /// Whether a process is in a cgroup of the unified hierarchy or below it.
    func isInside(_ reference: CgroupReference, pid: Int64, hostRoot: String) -> Bool {
        guard let text = try? Files.read("\(path)/\(pid)/cgroup", bytesMax: 16384),
            let mount = CgroupTree.mountPoint(hostRoot: hostRoot),
            let line = String(decoding: text, as: UTF8.self).split(separator: "\n").first(where: { $0.hasPrefix("0::") })
        else { return false }
        var own = String(line.dropFirst(3))
        switch reference {
        case .path(let wanted):
            guard let directory = CgroupTree.directory(wanted, hostRoot: hostRoot) else { return false }
            let full = mount + own
            return full == directory || full.hasPrefix(directory.hasSuffix("/") ? directory : directory + "/")
        case .id(let id):
            while true {
                if (try? Files.status(mount + own).inode) == id { return true }
                guard own.count > 1, let slash = own.lastIndex(of: "/") else { return false }
                own = slash == own.startIndex ? "/" : String(own[..<slash])
            }
        }
    }
}
