// SPDX-License-Identifier: Apache-2.0
import EventModel
import Glibc

extension ProcFilesystem {
    /// The process's descriptors. `sockets` names its sockets, and may be shared by processes of one network namespace.
    public func descriptors(of pid: Int64, sockets: SocketTable) -> [DescriptorRow] {
        let directory = "\(path)/\(pid)/fd"
        return ((try? Files.numbers(in: directory)) ?? []).compactMap { number in
            guard let target = try? Files.link("\(directory)/\(number)") else { return nil }
            var row = DescriptorRow()
            row.fd = number
            let info = "\(path)/\(pid)/fdinfo/\(number)"
            let text = (try? Files.read(info, bytesMax: 4096)) ?? []
            let flags = ProcText.value("flags:", in: text).flatMap { ProcText.octal($0) } ?? 0
            row.closesOnExec = flags & 0o2000000 != 0
            fill(&row, target: target, link: "\(directory)/\(number)", info: text, sockets: sockets)
            return row
        }
    }

    /// Identity of the process's network namespace, nil when it is gone or may not be read.
    public func networkNamespace(of pid: Int64) -> UInt64? { (try? Files.status("\(path)/\(pid)/ns/net"))?.inode }
    /// Identity of the process's pid namespace.
    public func pidNamespace(of pid: Int64) -> UInt64? { (try? Files.status("\(path)/\(pid)/ns/pid"))?.inode }

    private func fill(_ row: inout DescriptorRow, target: [UInt8], link: String, info: [UInt8], sockets: SocketTable) {
        if let inode = Self.bracketed(target, "socket:[") {
            sockets.fill(&row, inode: inode, name: target)
            return
        }
        row.name = target
        if let inode = Self.bracketed(target, "pipe:[") {
            (row.kind, row.inode) = (.fifo, inode)
            return
        }
        if Self.hasPrefix(target, "anon_inode:") {
            row.kind = Self.anonymousKind(target.dropFirst("anon_inode:".utf8.count))
            return
        }
        guard let status = try? Files.status(link) else {
            row.kind = .unsupported
            return
        }
        row.inode = status.inode
        if Self.hasPrefix(target, "/memfd:") {
            row.kind = .memfd
            row.name = Self.withoutDeletedMark(target)
            return
        }
        switch status.kind {
        case .directory: row.kind = .directory
        case .fifo: row.kind = .fifo
        case .regular, .characterDevice, .blockDevice:
            row.kind = .fileV2
            row.device = status.device
            row.name = Self.withoutDeletedMark(target)
            fillFlags(&row, info)
        default: row.kind = .unsupported
        }
    }

    /// `flags:` and `mnt_id:` of fdinfo.
    private func fillFlags(_ row: inout DescriptorRow, _ text: [UInt8]) {
        if let flags = ProcText.value("flags:", in: text).flatMap({ ProcText.octal($0) }) {
            row.openFlags = OpenFlags.wire(kernel: UInt32(truncatingIfNeeded: flags))
        }
        row.mountID = ProcText.integer(ProcText.value("mnt_id:", in: text)).map { UInt32(truncatingIfNeeded: $0) } ?? 0
    }

    /// 123 of `socket:[123]`.
    private static func bracketed(_ target: [UInt8], _ prefix: StaticString) -> UInt64? {
        guard hasPrefix(target, prefix) else { return nil }
        return Machine.decimal(target.dropFirst(prefix.utf8CodeUnitCount))
    }

    private static func anonymousKind(_ name: ArraySlice<UInt8>) -> DescriptorKind {
        switch String(decoding: name.drop { $0 == UInt8(ascii: "[") }.prefix { $0 != UInt8(ascii: "]") }, as: UTF8.self) {
        case "eventfd": .eventfd
        case "eventpoll": .epoll
        case "inotify": .inotify
        case "signalfd": .signalfd
        case "timerfd": .timerfd
        case "io_uring": .ioUring
        case "userfaultfd": .userfaultfd
        case "pidfd": .pidfd
        case "bpf-map", "bpf-prog", "bpf_link", "bpf-link", "bpf_iter": .bpf
        default: .unsupported
        }
    }
}

/// Open flags as the event table numbers them (`file_flags`).
public enum OpenFlags {
    private static let rows: [(kernel: UInt32, wire: UInt32)] = {
        let table = EventTable.flagTableNames.firstIndex(of: "file_flags").map { EventTable.flagTables[$0] } ?? []
        let kernel: [String: UInt32] = [
            "O_CREAT": 0o100, "O_EXCL": 0o200, "O_TRUNC": 0o1000, "O_APPEND": 0o2000, "O_NONBLOCK": 0o4000, "O_DSYNC": 0o10000,
            "O_DIRECT": 0o40000, "O_LARGEFILE": 0o100000, "O_DIRECTORY": 0o200000, "O_CLOEXEC": 0o2000000, "O_SYNC": 0o4010000,
            "O_TMPFILE": 0o20200000,
        ]
        return table.compactMap { row in kernel[row.name].map { ($0, row.value) } }
    }()

    public static func wire(kernel flags: UInt32) -> UInt32 {
        var wire = (flags & 3) + 1  // O_RDONLY 1, O_WRONLY 2, O_RDWR 3
        if flags & 3 == 3 { wire = 0 }
        for row in rows where flags & row.kernel == row.kernel { wire |= row.wire }
        return wire
    }
}
