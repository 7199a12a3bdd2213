// SPDX-License-Identifier: Apache-2.0
import EventModel
import Glibc

/// Processes as /proc shows them: the first scan where iterators are refused, and the look-up of a thread nobody has told of.
///
/// Everything here may vanish between two reads; a process that ends meanwhile gives nil or fewer rows, never an error.
public struct ProcFilesystem: Sendable {
    /// `/proc`, or the host's under `HOST_ROOT`.
    public let path: String
    private let clockTicks = max(1, sysconf(Int32(_SC_CLK_TCK)))
    /// Epoch minus boot time. Whoever sees the clock set puts the new one here.
    public var bootEpochNs: UInt64

    static let argumentsBytesMax = 4096
    static let cgroupsBytesMax = 4096

    public init(hostRoot: String = "") {
        path = hostRoot + "/proc"
        bootEpochNs = ClockAnchor().offsetNs
    }

    public func processIDs() -> [Int64] { (try? Files.numbers(in: path)) ?? [] }
    public func threadIDs(of pid: Int64) -> [Int64] { (try? Files.numbers(in: "\(path)/\(pid)/task")) ?? [] }

    /// Parent of a process; nil when it is gone. One small read.
    public func parent(of pid: Int64) -> Int64? { stat("\(path)/\(pid)").map(\.parent) }

    /// The process that a thread belongs to; nil when it is gone.
    public func process(of tid: Int64) -> Int64? {
        guard tid > 0, let status = try? Files.read("\(path)/\(tid)/status", bytesMax: 16384) else { return nil }
        return ProcText.integer(ProcText.value("Tgid:", in: status))
    }

    /// Every process and its parent.
    public func parents() -> [(pid: Int64, parent: Int64)] {
        processIDs().compactMap { pid in parent(of: pid).map { (pid, $0) } }
    }

    /// The thread's row; nil when it is gone.
    public func thread(_ tid: Int64) -> ThreadRow? {
        let directory = "\(path)/\(tid)"
        guard let status = try? Files.read(directory + "/status", bytesMax: 16384), let numbers = stat(directory) else {
            return nil
        }
        var row = ThreadRow()
        row.tid = tid
        Self.fill(&row, status: status)
        // Of the two, status escapes what is not printable.
        row.comm = numbers.name
        row.ptid = ProcText.integer(ProcText.value("PPid:", in: status)) ?? numbers.parent
        row.sid = numbers.session
        if row.pgid < 0 { row.pgid = numbers.processGroup }
        row.tty = UInt32(truncatingIfNeeded: numbers.tty)
        (row.pfminor, row.pfmajor) = (numbers.minorFaults, numbers.majorFaults)
        row.startTimeNs = bootEpochNs &+ numbers.startTicks &* (1_000_000_000 / UInt64(clockTicks))
        if row.tid != row.pid { row.flags = Self.threadFlags }
        fillImage(&row, directory)
        return row
    }

    /// CLONE_THREAD and CLONE_FILES as the event table numbers them.
    public static let threadFlags: UInt32 = 8192 | 1

    package static func fill(_ row: inout ThreadRow, status: [UInt8]) {
        func first(_ key: StaticString) -> Int64? { ProcText.integer(ProcText.value(key, in: status)) }
        func word(_ key: StaticString, _ index: Int) -> Int64? {
            guard let value = ProcText.value(key, in: status) else { return nil }
            let words = ProcText.words(value)
            return ProcText.integer(index < 0 ? words.last : index < words.count ? words[index] : nil)
        }
        func bits(_ key: StaticString) -> UInt64 { ProcText.value(key, in: status).flatMap { ProcText.hexadecimal($0) } ?? 0 }
        row.pid = first("Tgid:") ?? row.tid
        row.comm = ProcText.value("Name:", in: status).map { Array($0) } ?? []
        row.vtid = word("NSpid:", -1) ?? row.tid
        row.vpid = word("NStgid:", -1) ?? row.pid
        row.vpgid = word("NSpgid:", -1) ?? -1
        row.pgid = word("NSpgid:", 0) ?? -1
        // The second of real, effective, saved, file system: what the probe reports.
        row.uid = word("Uid:", 1).map { UInt32(truncatingIfNeeded: $0) } ?? 0
        row.gid = word("Gid:", 1).map { UInt32(truncatingIfNeeded: $0) } ?? 0
        row.vmsizeKb = first("VmSize:").map { UInt32(truncatingIfNeeded: $0) } ?? 0
        row.vmrssKb = first("VmRSS:").map { UInt32(truncatingIfNeeded: $0) } ?? 0
        row.vmswapKb = first("VmSwap:").map { UInt32(truncatingIfNeeded: $0) } ?? 0
        row.capInheritable = bits("CapInh:")
        row.capPermitted = bits("CapPrm:")
        row.capEffective = bits("CapEff:")
    }

    /// Program, arguments, environment, directories, control groups.
    private func fillImage(_ row: inout ThreadRow, _ directory: String) {
        let cmdline = (try? Files.read(directory + "/cmdline", bytesMax: Self.argumentsBytesMax)) ?? []
        let end = cmdline.firstIndex(of: 0) ?? cmdline.count
        row.exe = Array(cmdline[..<end])
        row.args = Self.terminated(cmdline.dropFirst(end + 1))
        row.env = Self.terminated(((try? Files.read(directory + "/environ", bytesMax: Self.argumentsBytesMax)) ?? [])[...])
        if let target = try? Files.link(directory + "/exe") {
            row.exepath = Self.withoutDeletedMark(target)
            row.exeFromMemfd = Self.hasPrefix(target, "/memfd:")
            if let status = try? Files.status(directory + "/exe") {
                (row.exeIno, row.exeInoCtimeNs, row.exeInoMtimeNs) = (status.inode, status.changedNs, status.modifiedNs)
                row.exeWritable = Self.isWritable(status, uid: row.uid, gid: row.gid)
            }
        }
        row.cwd = (try? Files.link(directory + "/cwd")).map(Self.withoutDeletedMark) ?? []
        row.root = (try? Files.link(directory + "/root")).map(Self.withoutDeletedMark) ?? []
        if let text = try? Files.read(directory + "/loginuid", bytesMax: 32) {
            row.loginuid = ProcText.integer(text[...]).map { UInt32(truncatingIfNeeded: $0) } ?? row.loginuid
        }
        if let limits = try? Files.read(directory + "/limits", bytesMax: 8192),
            let value = ProcText.value("Max open files", in: limits)
        {
            row.fdlimit = ProcText.integer(ProcText.words(value).first) ?? -1
        }
        row.cgroups = Self.cgroups((try? Files.read(directory + "/cgroup", bytesMax: 16384)) ?? [])
    }

    /// What /proc/PID/cgroup says as the probe does: `subsystem=path`, NUL-terminated. The unified hierarchy stands for
    /// every controller that no old hierarchy holds.
    package static func cgroups(_ text: [UInt8]) -> [UInt8] {
        let wanted = ["cpuset", "cpu", "cpuacct", "io", "memory"]
        var paths: [String: ArraySlice<UInt8>] = [:]
        var unified: ArraySlice<UInt8>?
        for line in text.split(separator: 10) {
            let parts = line.split(separator: UInt8(ascii: ":"), maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3 else { continue }
            if parts[1].isEmpty {
                unified = parts[2]
                continue
            }
            for name in String(decoding: parts[1], as: UTF8.self).split(separator: ",") {
                paths[name == "blkio" ? "io" : String(name)] = parts[2]
            }
        }
        var result: [UInt8] = []
        for name in wanted {
            guard let path = paths[name] ?? unified, result.count + name.utf8.count + path.count + 2 <= cgroupsBytesMax else {
                continue
            }
            result += Array(name.utf8) + [UInt8(ascii: "=")] + path + [0]
        }
        return result
    }

    /// May the thread write the file it runs? The kernel's three steps, without access control lists.
    private static func isWritable(_ status: FileStatus, uid: UInt32, gid: UInt32) -> Bool {
        if uid == 0 { return true }
        if status.uid == uid { return status.mode & 0o200 != 0 }
        return status.mode & (status.gid == gid ? 0o020 : 0o002) != 0
    }

    private static func terminated(_ list: ArraySlice<UInt8>) -> [UInt8] {
        list.isEmpty || list.last == 0 ? Array(list) : Array(list.prefix(argumentsBytesMax - 1)) + [0]
    }

    /// The kernel marks the path of a removed file; the probe reports the path without it.
    public static func withoutDeletedMark(_ target: [UInt8]) -> [UInt8] {
        let mark = Array(" (deleted)".utf8)
        return target.count > mark.count && target.suffix(mark.count).elementsEqual(mark)
            ? Array(target.dropLast(mark.count)) : target
    }

    static func hasPrefix(_ text: [UInt8], _ prefix: StaticString) -> Bool {
        text.withUnsafeBytes { Bytes($0).hasPrefix(prefix) }
    }

    package struct StatNumbers {
        package var name: [UInt8] = []
        package var parent: Int64 = 0
        package var processGroup: Int64 = -1
        package var session: Int64 = -1
        package var tty: Int64 = 0
        package var minorFaults: UInt64 = 0
        package var majorFaults: UInt64 = 0
        package var startTicks: UInt64 = 0
    }

    private func stat(_ directory: String) -> StatNumbers? {
        (try? Files.read(directory + "/stat", bytesMax: 4096)).flatMap { Self.statNumbers($0) }
    }

    /// `pid (comm) state ppid pgrp session tty …`; the name may hold anything, so what follows is counted from its last `)`.
    package static func statNumbers(_ text: [UInt8]) -> StatNumbers? {
        guard let close = text.lastIndex(of: UInt8(ascii: ")")), let open = text.firstIndex(of: UInt8(ascii: "(")), open < close
        else { return nil }
        let words = ProcText.words(text[(close + 1)...])
        guard words.count >= 20 else { return nil }
        func number(_ index: Int) -> Int64 { ProcText.integer(words[index]) ?? 0 }
        return StatNumbers(
            name: Array(text[(open + 1)..<close]), parent: number(1), processGroup: number(2), session: number(3), tty: number(4),
            minorFaults: UInt64(max(0, number(7))), majorFaults: UInt64(max(0, number(9))), startTicks: UInt64(max(0, number(19)))
        )
    }
}

extension ProcFilesystem {
    public static var ownPid: Int32 { getpid() }
    public func isAlive(_ pid: Int64) -> Bool { parent(of: pid) != nil }
}
