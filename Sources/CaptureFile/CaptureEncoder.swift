// SPDX-License-Identifier: Apache-2.0
import CProbeABI
import Capture
import EventModel

/// Blocks of a capture as bytes, in the newest layout of each: what `CaptureWriter` puts into a file.
public struct CaptureEncoder: Sendable {
    public private(set) var bytes: [UInt8] = []

    /// What readers accept at most; longer texts are cut.
    static let pathBytesMax = 1024
    static let listBytesMax = 4096
    private static let accountBytesMax = 255

    public init() {}

    public mutating func removeAll() { bytes.removeAll(keepingCapacity: true) }

    public mutating func appendSection() {
        appendBlock(0x0A0D_0D0A) { encoder in
            encoder.put(CaptureFormat.magic)
            encoder.put(CaptureFormat.majorVersion)
            encoder.put(CaptureFormat.minorVersion)
            encoder.put(Int64(-1))
        }
    }

    public mutating func append(_ row: MachineRow) {
        appendBlock(0x201) { encoder in
            encoder.put(row.cpuCount)
            encoder.put(row.memoryBytes)
            encoder.put(row.pidMax)
            let name = row.hostname.prefix(CaptureFormat.machineHostnameBytes - 1)
            encoder.bytes.append(contentsOf: name)
            encoder.bytes.append(contentsOf: repeatElement(0, count: CaptureFormat.machineHostnameBytes - name.count))
            encoder.put(row.bootTimeNs)
            encoder.put(row.flags)
            for _ in 0..<2 { encoder.put(UInt64(0)) }
        }
    }

    public mutating func append(_ rows: [InterfaceRow]) {
        appendBlock(0x219) { encoder in
            for row in rows {
                encoder.appendEntry(lengthCountsItself: false) { encoder in
                    let name = row.name.prefix(Self.accountBytesMax)
                    encoder.put(UInt16(row.isIPv6 ? 2 : 1))
                    encoder.put(UInt16(name.count))
                    for address in [row.address, row.netmask, row.broadcast] { encoder.put(address, isIPv6: row.isIPv6) }
                    encoder.put(row.speedBps)
                    encoder.bytes.append(contentsOf: name)
                }
            }
        }
    }

    public mutating func append(users: [UserRow], groups: [GroupRow]) {
        appendBlock(0x220) { encoder in
            for user in users {
                encoder.appendEntry { encoder in
                    encoder.put(UInt8(0))
                    encoder.put(user.uid)
                    encoder.put(user.gid)
                    for text in [user.name, user.home, user.shell] { encoder.put(text, max: Self.accountBytesMax) }
                }
            }
            for group in groups {
                encoder.appendEntry { encoder in
                    encoder.put(UInt8(1))
                    encoder.put(group.gid)
                    encoder.put(group.name, max: Self.accountBytesMax)
                }
            }
        }
    }

    /// With what only the state knows in front, where rows have it.
    public mutating func append(_ rows: [ThreadRow]) {
        appendDetails(of: rows)
        appendBlock(0x215) { encoder in
            for row in rows { encoder.appendEntry { $0.put(row) } }
        }
    }

    /// One thread's descriptors.
    public mutating func append(_ rows: [DescriptorRow], tid: Int64) {
        appendDetails(of: rows, tid: tid)
        appendBlock(0x218) { encoder in
            encoder.put(tid)
            for row in rows where row.kind != .unknown { encoder.appendEntry { $0.put(row) } }
        }
    }

    /// The event as it is, with the view's timestamp. False, and nothing appended, for one that no block can hold.
    public mutating func append(_ event: EventView, isStateOnly: Bool = false) -> Bool {
        guard let block = EventBlock(event, isStateOnly: isStateOnly) else { return false }
        let start = bytes.count
        bytes.append(contentsOf: repeatElement(0, count: block.byteCount))
        bytes.withUnsafeMutableBytes { block.write(to: $0.baseAddress! + start) }
        return true
    }

    // MARK: Parts

    /// A block around what `body` appends: lengths in front and behind, padded to four bytes.
    mutating func appendBlock(_ identifier: UInt32, _ body: (inout CaptureEncoder) -> Void) {
        let start = bytes.count
        put(identifier)
        put(UInt32(0))
        body(&self)
        while (bytes.count - start) % 4 != 0 { bytes.append(0) }
        let total = UInt32(bytes.count - start + 4)
        patch(total, at: start + 4)
        put(total)
    }

    mutating func appendEntry(lengthCountsItself: Bool = true, _ body: (inout CaptureEncoder) -> Void) {
        let start = bytes.count
        put(UInt32(0))
        body(&self)
        patch(UInt32(bytes.count - start - (lengthCountsItself ? 0 : 4)), at: start)
    }

    mutating func put<T: FixedWidthInteger>(_ value: T) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }

    mutating func put(raw: some Collection<UInt8>) { bytes.append(contentsOf: raw) }

    mutating func put(_ text: [UInt8], max: Int) {
        put(UInt16(min(text.count, max)))
        bytes.append(contentsOf: text.prefix(max))
    }

    /// NUL-terminated strings back to back; a cut list still ends with a NUL.
    private mutating func put(list: [UInt8]) {
        guard list.count > Self.listBytesMax else { return put(list, max: Self.listBytesMax) }
        put(Array(list.prefix(Self.listBytesMax - 1)) + [0], max: Self.listBytesMax)
    }

    private mutating func patch(_ value: UInt32, at place: Int) {
        withUnsafeBytes(of: value.littleEndian) { bytes.replaceSubrange(place..<place + 4, with: $0) }
    }

    private mutating func put(_ address: AddressBytes, isIPv6: Bool) {
        guard isIPv6 else { return put(address.ipv4NetworkOrder) }
        put(address.high)
        put(address.low)
    }

    private mutating func put(_ row: ThreadRow) {
        for id in [row.tid, row.pid, row.ptid, row.sid, row.vpgid] { put(id) }
        for text in [row.comm, row.exe, row.exepath] { put(text, max: Self.pathBytesMax) }
        put(list: row.args)
        put(row.cwd, max: Self.pathBytesMax)
        put(row.fdlimit)
        for value in [row.flags, row.uid, row.gid, row.vmsizeKb, row.vmrssKb, row.vmswapKb] { put(value) }
        put(row.pfmajor)
        put(row.pfminor)
        put(list: row.env)
        put(row.vtid)
        put(row.vpid)
        put(list: row.cgroups)
        put(row.root, max: Self.pathBytesMax)
        put(row.pidnsInitStartNs)
        put(row.tty)
        put(row.loginuid)
        put(UInt8(row.exeWritable ? 1 : 0))
        for capabilities in [row.capInheritable, row.capPermitted, row.capEffective] { put(capabilities) }
        put(UInt8(row.exeUpperLayer ? 1 : 0))
        for value in [row.exeIno, row.exeInoCtimeNs, row.exeInoMtimeNs] { put(value) }
        put(UInt8(row.exeFromMemfd ? 1 : 0))
        put(UInt8(row.exeLowerLayer ? 1 : 0))
        put(row.pgid)
    }

    private mutating func put(_ row: DescriptorRow) {
        put(row.fd)
        put(row.inode)
        put(row.kind.rawValue)
        switch row.kind {
        case .unknown: break
        case .ipv4Socket, .ipv6Socket:
            let isIPv6 = row.kind == .ipv6Socket
            put(row.sourceAddress, isIPv6: isIPv6)
            put(row.destinationAddress, isIPv6: isIPv6)
            put(row.sourcePort)
            put(row.destinationPort)
            put(row.l4Protocol)
        case .ipv4Server, .ipv6Server:
            put(row.sourceAddress, isIPv6: row.kind == .ipv6Server)
            put(row.sourcePort)
            put(row.l4Protocol)
        case .unixSocket:
            put(row.unixSource)
            put(row.unixDestination)
            put(row.name, max: Self.pathBytesMax)
        case .fileV2:
            put(row.openFlags)
            put(row.name, max: Self.pathBytesMax)
            put(row.device)
        case .file, .directory, .fifo, .eventfd, .unsupported, .signalfd, .epoll, .inotify, .timerfd, .netlink, .bpf,
            .userfaultfd, .ioUring, .memfd, .pidfd:
            put(row.name, max: Self.pathBytesMax)
        }
    }
}

extension CaptureEncoder {
    /// A section: its header and what existed before its first event. Lists that hold nothing are left out.
    public mutating func appendSection(_ snapshot: CaptureSnapshot, position: RunPosition? = nil) {
        appendSection()
        append(snapshot, position: position)
    }

    mutating func append(_ snapshot: CaptureSnapshot, position: RunPosition?) {
        if let machine = snapshot.machine { append(machine) }
        if !snapshot.interfaces.isEmpty { append(snapshot.interfaces) }
        if !snapshot.users.isEmpty || !snapshot.groups.isEmpty { append(users: snapshot.users, groups: snapshot.groups) }
        if let position { append(position) }
        if !snapshot.threads.isEmpty { append(snapshot.threads) }
        for (tid, rows) in snapshot.descriptors { append(rows, tid: tid) }
    }
}
