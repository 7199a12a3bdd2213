// SPDX-License-Identifier: Apache-2.0
import Capture
import EventModel

/// The metadata blocks of every version, as rows for a snapshot sink.
extension MetadataCursor {
    mutating func readSection() throws(CaptureError) {
        let magic = try u32()
        guard magic == CaptureFormat.magic else {
            let swapped = magic == CaptureFormat.magic.byteSwapped
            throw CaptureError(
                swapped
                    ? "capture file '\(stream.path)' was written on a machine of the other byte order"
                    : "'\(stream.path)' is not a capture file: its section header has a wrong magic number")
        }
        let major = try u16()
        let minor = try u16()
        guard major <= CaptureFormat.majorVersion else {
            throw CaptureError(
                "capture file '\(stream.path)' has format version \(major).\(minor); versions up to \(CaptureFormat.majorVersion) can be read"
            )
        }
    }

    mutating func readMachine(into sink: any SnapshotSink) throws(CaptureError) {
        var row = MachineRow()
        row.cpuCount = try u32()
        row.memoryBytes = try u64()
        row.pidMax = try u64()
        row.hostname = try take(CaptureFormat.machineHostnameBytes).untilNul.array
        if left >= 8 { row.bootTimeNs = try u64() }
        if left >= 8 { row.flags = try u64() }
        sink.machine(row)
    }

    mutating func readInterfaces(version: Int, into sink: any SnapshotSink) throws(CaptureError) {
        while hasEntry {
            if version >= 2 { try beginEntry(lengthCountsItself: false) } else { beginEntryWithoutLength() }
            let kind = try u16()
            let nameBytes = Int(try u16())
            guard (1...4).contains(kind) else {
                guard version >= 2 else {
                    throw stream.damaged(at: stream.offset, "\(self.kind.name) holds unknown kind \(kind)")
                }
                try endEntry()
                continue
            }
            var row = InterfaceRow()
            row.isIPv6 = kind == 2 || kind == 4
            row.address = try address(isIPv6: row.isIPv6)
            row.netmask = try address(isIPv6: row.isIPv6)
            row.broadcast = try address(isIPv6: row.isIPv6)
            if kind <= 2 { row.speedBps = try u64() }
            row.name = try take(nameBytes).untilNul.array
            if version >= 2 { try endEntry() }
            sink.interface(row)
        }
    }

    mutating func readAccounts(version: Int, into sink: any SnapshotSink) throws(CaptureError) {
        while hasEntry {
            if version >= 2 { try beginEntry(lengthCountsItself: true) } else { beginEntryWithoutLength() }
            switch try u8() {
            case 0:
                var row = UserRow()
                row.uid = try u32()
                row.gid = try u32()
                row.name = try string()
                row.home = try string()
                row.shell = try string()
                sink.user(row)
            case 1:
                var row = GroupRow()
                row.gid = try u32()
                row.name = try string()
                sink.group(row)
            case let type:
                // With lengths the entry can be left out, without them the rest is noise.
                guard version >= 2 else { throw stream.damaged(at: stream.offset, "\(kind.name) holds an entry of type \(type)") }
            }
            if version >= 2 { try endEntry() }
        }
    }

    mutating func readThreads(version: Int, _ details: inout PendingDetails, into sink: any SnapshotSink) throws(CaptureError) {
        while hasEntry {
            if version >= 9 { try beginEntry(lengthCountsItself: true) } else { beginEntryWithoutLength() }
            var row = ThreadRow()
            row.tid = try i64()
            row.pid = try i64()
            row.ptid = try i64()
            if version >= 6 { row.sid = try i64() }
            if version >= 8 { row.vpgid = try i64() }
            row.comm = try string()
            row.exe = try string()
            if version >= 7 { row.exepath = try string() }
            row.args = try stringList()
            row.cwd = try string()
            row.fdlimit = try i64()
            row.flags = try u32()
            row.uid = try u32()
            row.gid = try u32()
            if version >= 2 {
                row.vmsizeKb = try u32()
                row.vmrssKb = try u32()
                row.vmswapKb = try u32()
                row.pfmajor = try u64()
                row.pfminor = try u64()
            }
            if version >= 3 { row.env = try stringList() }
            if version >= 4 {
                row.vtid = try i64()
                row.vpid = try i64()
                row.cgroups = try stringList()
            }
            if version >= 5 { row.root = try string() }
            if version >= 9 {
                try readThreadTail(into: &row)
                try endEntry()
            }
            if !details.threads.isEmpty { details.join(&row) }
            sink.thread(row)
        }
    }

    /// The fields that version 9 added one by one; each is there only when the entry's length leaves room for it.
    private mutating func readThreadTail(into row: inout ThreadRow) throws(CaptureError) {
        // Login uid, the writable bit and the capabilities came before the two fields that stand in front of them.
        let bytesOfOlderTail: UInt64 = 29
        if entryLeft > bytesOfOlderTail {
            row.pidnsInitStartNs = try u64()
            if entryLeft >= 4 { row.tty = try u32() }
        }
        if entryLeft >= 4 { row.loginuid = try u32() }
        if entryLeft >= 1 { row.exeWritable = try bool() }
        if entryLeft >= 8 { row.capInheritable = try u64() }
        if entryLeft >= 8 { row.capPermitted = try u64() }
        if entryLeft >= 8 { row.capEffective = try u64() }
        if entryLeft >= 1 { row.exeUpperLayer = try bool() }
        if entryLeft >= 8 { row.exeIno = try u64() }
        if entryLeft >= 8 { row.exeInoCtimeNs = try u64() }
        if entryLeft >= 8 { row.exeInoMtimeNs = try u64() }
        if entryLeft >= 1 { row.exeFromMemfd = try bool() }
        if entryLeft >= 1 { row.exeLowerLayer = try bool() }
        if entryLeft >= 8 { row.pgid = try i64() }
    }

    mutating func readDescriptors(
        version: Int, _ details: inout PendingDetails, into sink: any SnapshotSink
    ) throws(CaptureError) {
        let tid = try i64()
        sink.descriptors(of: tid)
        while hasEntry {
            if version >= 2 { try beginEntry(lengthCountsItself: true) } else { beginEntryWithoutLength() }
            var row = DescriptorRow()
            row.fd = try i64()
            row.inode = try u64()
            let type = try u8()
            row.kind = DescriptorKind(rawValue: type) ?? .unsupported
            if DescriptorKind(rawValue: type) != nil {
                try readDescriptorBody(into: &row, hasLength: version >= 2)
            } else if version < 2 {
                throw stream.damaged(at: stream.offset, "\(kind.name) holds a descriptor of unknown type \(type)")
            }
            if version >= 2 { try endEntry() }
            if !details.descriptors.isEmpty { details.join(&row, tid: tid) }
            sink.descriptor(row, tid: tid)
        }
    }

    private mutating func readDescriptorBody(into row: inout DescriptorRow, hasLength: Bool) throws(CaptureError) {
        switch row.kind {
        case .unknown: break
        case .ipv4Socket, .ipv6Socket:
            let isIPv6 = row.kind == .ipv6Socket
            row.sourceAddress = try address(isIPv6: isIPv6)
            row.destinationAddress = try address(isIPv6: isIPv6)
            row.sourcePort = try u16()
            row.destinationPort = try u16()
            row.l4Protocol = try u8()
        case .ipv4Server, .ipv6Server:
            row.sourceAddress = try address(isIPv6: row.kind == .ipv6Server)
            row.sourcePort = try u16()
            row.l4Protocol = try u8()
        case .unixSocket:
            row.unixSource = try u64()
            row.unixDestination = try u64()
            row.name = try string()
        case .fileV2:
            row.openFlags = try u32()
            row.name = try string()
            if hasLength && entryLeft >= 4 { row.device = try u32() }
        case .file, .directory, .fifo, .eventfd, .unsupported, .signalfd, .epoll, .inotify, .timerfd, .netlink, .bpf,
            .userfaultfd, .ioUring, .memfd, .pidfd:
            row.name = try string()
        }
    }

    private mutating func address(isIPv6: Bool) throws(CaptureError) -> AddressBytes {
        guard isIPv6 else { return AddressBytes(ipv4NetworkOrder: try u32()) }
        let high = try u64()
        let low = try u64()
        return AddressBytes(high: high, low: low)
    }
}
