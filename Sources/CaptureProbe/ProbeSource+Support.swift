// SPDX-License-Identifier: Apache-2.0
import CLibbpf
import CProbeABI
import Capture
import LinuxSystem

public enum ProbeSupport: Sendable, Equatable {
    case available
    /// One sentence: what is missing, and what helps.
    case unavailable(String)
}

extension ProbeSource {
    /// Can this process load the probe here? Loads nothing but a tiny map.
    public static func probeSupport() -> ProbeSupport {
        let effective = Capabilities.effective
        if !effective.contains(.sysAdmin) {
            var lacking: [String] = []
            if !effective.contains(.bpf) { lacking.append("CAP_BPF") }
            if !effective.contains(.perfmon) { lacking.append("CAP_PERFMON") }
            if !lacking.isEmpty {
                return .unavailable(
                    "could not load the probe: no privileges, \(lacking.joined(separator: " and ")) missing; run it as root, or "
                        + "with CAP_BPF, CAP_PERFMON and CAP_SYS_PTRACE")
            }
        }
        guard Files.exists("/sys/kernel/btf/vmlinux") else {
            return .unavailable(
                "could not load the probe: /sys/kernel/btf/vmlinux is missing; it needs a kernel built with CONFIG_DEBUG_INFO_BTF"
            )
        }
        let ring = probe_ring_create("falco_probe", UInt32(MappedMemory.pageBytes))
        guard ring >= 0 else {
            let reason = Errno(-ring)
            let hint =
                reason == .notPermitted
                ? "; a security module, seccomp or the container's runtime forbids bpf()"
                : reason == .invalid ? "; it needs Linux 5.8 or newer" : ""
            return .unavailable("could not load the probe: the kernel refused a BPF ring buffer: \(reason)\(hint)")
        }
        closeDescriptor(ring)
        return .available
    }

    /// Initial namespaces have fixed numbers.
    static let hostPidNamespace: UInt64 = 0xefff_fffc
    static var isInHostPidNamespace: Bool {
        guard let own = try? Files.status("/proc/self/ns/pid") else { return true }
        return own.inode == hostPidNamespace
    }

    /// What the engine is, and what it can and cannot see: for the agent's first lines.
    public var visibility: [String] {
        var lines = [
            "Engine: eBPF probe on Linux \(Machine.kernelRelease), \(ringCount) ring\(ringCount == 1 ? "" : "s") of "
                + "\(Self.size(options.ringBytes)) for \(Machine.onlineCPUs) CPUs"
        ]
        switch options.scope {
        case .host: lines.append("Scope: every process of this machine except ourselves")
        case .tree(let pids):
            lines.append(
                "Scope: the process tree of \(pids.map(String.init).joined(separator: ", ")); work handed to a daemon leaves it")
        case .cgroups(let references): lines.append("Scope: \(references.count) control group\(references.count == 1 ? "" : "s")")
        }
        if isAttached {
            lines.append(
                isSysExitAttached
                    ? "Attached: system calls (those that the rules and the state need), process starts and ends"
                    : "Attached: process starts and ends only; no rule needs another system call")
        }
        if let snapshotReport { lines.append("First scan: \(snapshotReport)") }
        if isAttached, let report = enterHooks.report { lines.append(report) }
        lines += missing.map { "Not seen: \($0)" }
        for (program, reason) in loaded.refused
        where program.optionalEvent == nil && program != .sysEnter && !ProbeProgram.enters.contains(program) {
            lines.append("Without '\(program.rawValue)': \(reason)")
        }
        return lines
    }

    private static func size(_ bytes: Int) -> String {
        bytes >= 1 << 20 ? "\(bytes >> 20) MiB" : "\(bytes >> 10) KiB"
    }
}
