// SPDX-License-Identifier: Apache-2.0
import CProbeABI
import EventModel
import LinuxSystem

/// Reads the records that the iterator programs write (as in a ring: prefix, then event) and hands them on as rows.
package final class IteratorReader {
    private let sink: any SnapshotSink
    private let anchor: ClockAnchor
    private let hostStartNs: UInt64
    /// Processes that it has seen.
    private(set) var processes: Set<Int64> = []
    private(set) var threads = 0
    private(set) var descriptors = 0
    private(set) var malformed = 0

    private static let prefixBytes = MemoryLayout<probe_record_prefix>.size

    /// `hostStartNs`: when the host's first process started; for threads that the probe finds in no pid namespace any more.
    package init(sink: any SnapshotSink, anchor: ClockAnchor, hostStartNs: UInt64) {
        self.sink = sink
        self.anchor = anchor
        self.hostStartNs = hostStartNs
    }

    func readAll(_ descriptor: consuming Descriptor) throws(Errno) {
        let reading = IteratorReading(descriptor)
        while try reading.read(self) {}
    }

    /// Takes whole records from the front; the number of bytes taken.
    package func consume(_ bytes: Bytes) -> Int {
        var at = 0
        while true {
            guard let length: UInt32 = bytes.integer(at: at + Self.prefixBytes + 16), length >= UInt32(EventView.headerBytes),
                at + Self.prefixBytes + Int(length) <= bytes.count
            else { return at }
            let start = at + Self.prefixBytes
            let tgid: UInt32 = bytes.integer(at: at + 4) ?? 0
            if let event = try? EventView(checking: bytes[start..<(start + Int(length))], cpu: 0) {
                let flags: UInt16 = bytes.integer(at: at + 2) ?? 0
                take(event, pid: Int64(tgid), closesOnExec: flags & UInt16(PROBE_RECORD_CLOSE_ON_EXEC.rawValue) != 0)
            } else {
                malformed += 1
            }
            at = start + Int(length)
        }
    }

    private func take(_ event: EventView, pid: Int64, closesOnExec: Bool) {
        if event.type == PPME_ITER_TASK_E.code {
            sink.thread(thread(event, pid: pid))
            threads += 1
            processes.insert(pid)
        } else if var row = descriptor(event) {
            row.closesOnExec = closesOnExec
            sink.descriptor(row, tid: event.tid)
            descriptors += 1
        } else {
            malformed += 1
        }
    }

    /// Parameter order as in events.def, PPME_ITER_TASK_E.
    private func thread(_ event: EventView, pid: Int64) -> ThreadRow {
        func bytes(_ index: Int) -> [UInt8] { event.parameter(index)?.array ?? [] }
        func text(_ index: Int) -> [UInt8] { event.text(index)?.array ?? [] }
        func word(_ index: Int) -> UInt64 { event.unsigned(index) ?? 0 }
        var row = ThreadRow()
        row.tid = event.tid
        row.pid = pid
        row.ptid = event.integer(0) ?? 0
        row.pgid = event.integer(1) ?? -1
        row.vpgid = event.integer(2) ?? -1
        row.sid = event.integer(3) ?? -1
        row.comm = text(4)
        let arguments = bytes(5)
        let end = arguments.firstIndex(of: 0) ?? arguments.count
        row.exe = Array(arguments[..<end])
        row.args = Array(arguments.dropFirst(end + 1))
        row.exepath = text(6)
        let flags = word(7)
        row.exeWritable = flags & 1 != 0
        row.exeUpperLayer = flags & 2 != 0
        row.exeFromMemfd = flags & 4 != 0
        row.exeLowerLayer = flags & 8 != 0
        row.env = bytes(8)
        row.cwd = text(9)
        row.fdlimit = event.integer(10) ?? -1
        row.uid = event.uint32(11) ?? 0
        row.gid = event.uint32(12) ?? 0
        (row.capPermitted, row.capEffective, row.capInheritable) = (word(13), word(14), word(15))
        (row.exeIno, row.exeInoCtimeNs, row.exeInoMtimeNs) = (word(16), word(17), word(18))
        (row.vmsizeKb, row.vmrssKb, row.vmswapKb) = (event.uint32(19) ?? 0, event.uint32(20) ?? 0, event.uint32(21) ?? 0)
        (row.pfmajor, row.pfminor) = (word(22), word(23))
        row.vpid = event.integer(24) ?? -1
        row.vtid = event.integer(25) ?? -1
        row.pidnsInitStartNs = word(26) == 0 ? hostStartNs : anchor.epochNs(boottimeNs: word(26))
        row.cgroups = bytes(27)
        row.root = text(28)
        row.startTimeNs = anchor.epochNs(boottimeNs: word(29))
        row.tty = event.uint32(30) ?? 0
        row.loginuid = event.uint32(31) ?? .max
        if row.tid != row.pid { row.flags = ProcFilesystem.threadFlags }
        return row
    }

    private func descriptor(_ event: EventView) -> DescriptorRow? {
        var row = DescriptorRow()
        row.fd = event.integer(0) ?? -1
        switch event.type {
        case PPME_ITER_TASK_FILE_PIPE_E: named(&row, .fifo, event)
        case PPME_ITER_TASK_FILE_MEMFD_E: named(&row, .memfd, event)
        case PPME_ITER_TASK_FILE_DIRECTORY_E: named(&row, .directory, event)
        case PPME_ITER_TASK_FILE_REGULAR_E:
            row.kind = .fileV2
            row.name = path(event)
            row.openFlags = event.uint32(2) ?? 0
            row.mountID = event.uint32(3) ?? 0
            row.inode = event.unsigned(4) ?? 0
        case PPME_ITER_TASK_FILE_SOCKET_INET_E: inet(&row, event, isIPv6: false)
        case PPME_ITER_TASK_FILE_SOCKET_INET6_E: inet(&row, event, isIPv6: true)
        case PPME_ITER_TASK_FILE_SOCKET_UNIX_E:
            row.kind = .unixSocket
            row.unixSource = event.unsigned(3) ?? 0
            row.name = event.text(4)?.array ?? []
            row.inode = event.unsigned(5) ?? 0
        case PPME_ITER_TASK_FILE_SOCKET_NETLINK_E:
            row.kind = .netlink
            row.inode = event.unsigned(3) ?? 0
        case PPME_ITER_TASK_FILE_ANON_INODE_E:
            row.kind = Self.anonymousKind(event.unsigned(1) ?? 0)
            row.name = event.text(2)?.array ?? []
            row.inode = event.unsigned(3) ?? 0
        default: return nil
        }
        return row
    }

    private func named(_ row: inout DescriptorRow, _ kind: DescriptorKind, _ event: EventView) {
        row.kind = kind
        row.name = path(event)
        row.inode = event.unsigned(2) ?? 0
    }

    private func path(_ event: EventView) -> [UInt8] { ProcFilesystem.withoutDeletedMark(event.text(1)?.array ?? []) }

    /// `fd, type, protocol, local address, local port, remote address, remote port, inode`; without a remote end it is a server.
    private func inet(_ row: inout DescriptorRow, _ event: EventView, isIPv6: Bool) {
        let remote = address(event, 5)
        let isServer = remote.isZero
        row.kind = isIPv6 ? (isServer ? .ipv6Server : .ipv6Socket) : (isServer ? .ipv4Server : .ipv4Socket)
        row.sourceAddress = address(event, 3)
        row.sourcePort = UInt16(truncatingIfNeeded: event.unsigned(4) ?? 0)
        if !isServer {
            row.destinationAddress = remote
            row.destinationPort = UInt16(truncatingIfNeeded: event.unsigned(6) ?? 0)
        }
        row.l4Protocol =
            switch event.unsigned(2) ?? 0 {
            case 6: 2
            case 17: 3
            case 1, 58: 4
            default: event.unsigned(1) == 3 ? 5 : 0
            }
        row.inode = event.unsigned(7) ?? 0
    }

    private func address(_ event: EventView, _ index: Int) -> AddressBytes {
        guard let bytes = event.parameter(index) else { return AddressBytes() }
        if bytes.count >= 16 { return AddressBytes(high: bytes.integer(at: 0) ?? 0, low: bytes.integer(at: 8) ?? 0) }
        return AddressBytes(ipv4NetworkOrder: bytes.integer(at: 0) ?? 0)
    }

    /// `anon_inode_fd_types` of flags.def.
    private static func anonymousKind(_ type: UInt64) -> DescriptorKind {
        switch type {
        case 1: .eventfd
        case 2: .epoll
        case 3: .inotify
        case 4: .signalfd
        case 5: .timerfd
        case 6: .ioUring
        case 7: .userfaultfd
        case 8: .pidfd
        case 9...12: .bpf
        default: .unsupported
        }
    }
}
