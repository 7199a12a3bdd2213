// SPDX-License-Identifier: Apache-2.0
import CProbeABI
import Capture
import EventModel
import LinuxSystem

/// How the first scan was done and what it found.
public struct SnapshotReport: Sendable, Equatable, CustomStringConvertible {
    public enum Method: String, Sendable { case iterators = "BPF iterators", proc = "/proc" }
    public var method = Method.proc
    public var threads = 0
    public var descriptors = 0
    public var durationNs: UInt64 = 0
    /// Why not the iterators, where they were wanted.
    public var reason = ""

    public var description: String {
        "by \(method.rawValue), \(threads) threads and \(descriptors) descriptors in \(durationNs / 1_000_000) ms"
            + (reason.isEmpty ? "" : " (no BPF iterators: \(reason))")
    }
}

extension ProbeSource {
    /// Machine, interfaces, users, groups, then every thread in scope and its descriptors. Attach first: what happens meanwhile
    /// is in the rings and is merged by time.
    public func snapshot(into sink: any SnapshotSink) throws(CaptureError) {
        precondition(isAttached, "attach first, scan second: else what starts in between is lost")
        let startNs = Clock.monotonicNs
        followClock()
        sink.machine(Machine.row())
        Machine.interfaces().forEach(sink.interface)
        Accounts.users(root: options.hostRoot).forEach(sink.user)
        Accounts.groups(root: options.hostRoot).forEach(sink.group)
        var report = SnapshotReport()
        var refusal = ""
        if loaded.has(.iterTask), loaded.has(.iterTaskFile) {
            do throws(Errno) {
                report.method = .iterators
                let reader = IteratorReader(
                    sink: sink, anchor: anchor, hostStartNs: hostStartNs)
                try reader.readAll(try loaded.openIterator(.iterTask))
                try reader.readAll(try loaded.openIterator(.iterTaskFile))
                (report.threads, report.descriptors) = (reader.threads, reader.descriptors)
                // Hardened kernels keep processes from iterators that /proc shows, the first one for instance.
                scanProc(into: sink, &report, except: reader.processes)
            } catch { refusal = error.description }
        } else if options.useIterators {
            refusal = Self.isInHostPidNamespace ? "the kernel refused them" : "we are not in the host's pid namespace"
        }
        if !refusal.isEmpty || report.method == .proc {
            report = SnapshotReport()
            report.reason = refusal
            scanProc(into: sink, &report, except: [])
        }
        report.durationNs = Clock.monotonicNs &- startNs
        snapshotReport = report
    }

    /// Every thread in scope by /proc; one socket table for each network namespace.
    private func scanProc(into sink: any SnapshotSink, _ report: inout SnapshotReport, except known: Set<Int64>) {
        let scope = scannable
        var tables: [UInt64: SocketTable] = [:]
        var namespaces = PidNamespaceStarts(proc)
        for pid in proc.processIDs() where !known.contains(pid) && scope?.contains(pid) ?? true {
            for tid in proc.threadIDs(of: pid) {
                guard var row = proc.thread(tid) else { continue }
                row.pidnsInitStartNs = namespaces.startNs(of: pid)
                sink.thread(row)
                report.threads += 1
            }
            guard let namespace = proc.networkNamespace(of: pid) else { continue }
            let sockets = tables[namespace] ?? SocketTable(proc, pid: pid)
            tables[namespace] = sockets
            for row in proc.descriptors(of: pid, sockets: sockets) {
                sink.descriptor(row, tid: pid)
                report.descriptors += 1
            }
        }
    }
}

/// When the first process of each pid namespace started.
private struct PidNamespaceStarts {
    private let proc: ProcFilesystem
    private var starts: [UInt64: UInt64] = [:]

    init(_ proc: ProcFilesystem) {
        self.proc = proc
        // The first process may keep its namespace from us, but its start is no secret.
        starts[ProbeSource.hostPidNamespace] = proc.thread(1)?.startTimeNs ?? 0
    }

    mutating func startNs(of pid: Int64) -> UInt64 {
        guard let namespace = proc.pidNamespace(of: pid) else { return 0 }
        if let known = starts[namespace] { return known }
        var start: UInt64 = 0
        for candidate in proc.processIDs() where proc.pidNamespace(of: candidate) == namespace {
            guard let row = proc.thread(candidate), row.vpid == 1 else { continue }
            start = row.startTimeNs
            break
        }
        starts[namespace] = start
        return start
    }
}
