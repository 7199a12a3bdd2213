// SPDX-License-Identifier: Apache-2.0
import CProbeABI
import Capture
import EventModel
import Testing

@testable import CaptureFile

/// Process lists of every version, under every identifier.
@Suite struct ProcessListTests {
    static let identifiers: [(UInt32, Int)] = [
        (0x202, 1), (0x8000_ABCD, 1), (0x207, 2), (0x8013_ABCD, 2), (0x209, 3), (0x8014_ABCD, 3), (0x210, 4), (0x211, 5),
        (0x212, 6), (0x213, 7), (0x214, 8), (0x215, 9),
    ]

    @Test(arguments: identifiers)
    func everyVersion(identifier: UInt32, version: Int) throws {
        var capture = TestCapture()
        capture.block(identifier, Self.entry(tid: 5, version: version) + Self.entry(tid: 6, version: version))
        let reading = Reading(capture)
        #expect(reading.error == nil)
        #expect(reading.snapshot.threads.map(\.tid) == [5, 6])
        let row = try #require(reading.snapshot.threads.last)
        #expect(row.pid == 20 && row.ptid == 21)
        #expect(row.sid == (version >= 6 ? 22 : -1))
        #expect(row.vpgid == (version >= 8 ? 23 : -1))
        #expect(row.comm == Array("comm".utf8) && row.exe == Array("exe".utf8))
        #expect(row.exepath == (version >= 7 ? Array("/exepath".utf8) : []))
        #expect(row.args == Array("-a\0-b\0".utf8), "the last NUL is added")
        #expect(row.cwd == Array("/cwd".utf8))
        #expect(row.fdlimit == 24 && row.flags == 25 && row.uid == 26 && row.gid == 27)
        #expect([row.vmsizeKb, row.vmrssKb, row.vmswapKb] == (version >= 2 ? [28, 29, 30] : [0, 0, 0]))
        #expect([row.pfmajor, row.pfminor] == (version >= 2 ? [31, 32] : [0, 0]))
        #expect(row.env == (version >= 3 ? Array("A=1\0".utf8) : []))
        #expect([row.vtid, row.vpid] == (version >= 4 ? [33, 34] : [-1, -1]))
        #expect(row.cgroups == (version >= 4 ? Array("cpu=/\0".utf8) : []))
        #expect(row.root == (version >= 5 ? Array("/root".utf8) : []))
        #expect(row.loginuid == (version >= 9 ? 37 : 0xffff_ffff))
        #expect(row.tty == (version >= 9 ? 36 : 0))
        #expect(row.pgid == (version >= 9 ? 42 : -1))
    }

    /// Fields that came one by one: each length that ends between two of them.
    @Test(arguments: [
        (0, "none"), (4, "loginuid"), (5, "writable"), (29, "caps"), (41, "pidns"), (42, "upper"), (50, "ino"), (58, "ctime"),
        (66, "mtime"), (67, "memfd"), (68, "lower"), (76, "pgid"), (80, "unknown"),
    ])
    func tail(byteCount: Int, reaches: String) throws {
        // Up to 29 bytes the tail begins with the login uid, else with two fields before it.
        let full = Self.tail
        let tail = byteCount <= 29 ? Array(full[12..<12 + byteCount]) : Array((full + [9, 9, 9, 9])[..<byteCount])
        var capture = TestCapture()
        capture.block(0x215, Self.entry(tid: 5, version: 9, tail: tail))
        let reading = Reading(capture)
        #expect(reading.error == nil)
        let row = try #require(reading.snapshot.threads.first)
        #expect(row.loginuid == (byteCount >= 4 ? 37 : 0xffff_ffff))
        #expect(row.exeWritable == (byteCount >= 5))
        #expect(row.capEffective == (byteCount >= 29 ? 40 : 0))
        #expect(row.pidnsInitStartNs == (byteCount >= 41 ? 35 : 0))
        #expect(row.exeUpperLayer == (byteCount >= 42))
        #expect(row.exeIno == (byteCount >= 50 ? 43 : 0))
        #expect(row.exeInoMtimeNs == (byteCount >= 66 ? 45 : 0))
        #expect(row.exeLowerLayer == (byteCount >= 68))
        #expect(row.pgid == (byteCount >= 76 ? 42 : -1))
    }

    static let tail: [UInt8] = {
        var encoder = CaptureEncoder()
        encoder.put(35 as UInt64)
        encoder.put(36 as UInt32)
        encoder.put(37 as UInt32)
        encoder.put(1 as UInt8)
        for value in [38, 39, 40] as [UInt64] { encoder.put(value) }
        encoder.put(1 as UInt8)
        for value in [43, 44, 45] as [UInt64] { encoder.put(value) }
        encoder.put(1 as UInt8)
        encoder.put(1 as UInt8)
        encoder.put(42 as Int64)
        return encoder.bytes
    }()

    static func entry(tid: UInt64, version: Int, tail: [UInt8] = tail) -> [UInt8] {
        var encoder = CaptureEncoder()
        func body(_ encoder: inout CaptureEncoder) {
            func text(_ value: String) { encoder.put(Array(value.utf8), max: 4096) }
            for value in [tid, 20, 21] { encoder.put(value) }
            if version >= 6 { encoder.put(22 as UInt64) }
            if version >= 8 { encoder.put(23 as UInt64) }
            text("comm")
            text("exe")
            if version >= 7 { text("/exepath") }
            text("-a\0-b")
            text("/cwd")
            encoder.put(24 as Int64)
            for value in [25, 26, 27] as [UInt32] { encoder.put(value) }
            if version >= 2 {
                for value in [28, 29, 30] as [UInt32] { encoder.put(value) }
                for value in [31, 32] as [UInt64] { encoder.put(value) }
            }
            if version >= 3 { text("A=1\0") }
            if version >= 4 {
                for value in [33, 34] as [UInt64] { encoder.put(value) }
                text("cpu=/\0")
            }
            if version >= 5 { text("/root") }
            if version >= 9 { encoder.put(raw: tail) }
        }
        if version >= 9 { encoder.appendEntry { body(&$0) } } else { body(&encoder) }
        return encoder.bytes
    }
}

@Suite struct DescriptorListTests {
    /// One row of every kind that a capture holds.
    static let rows: [DescriptorRow] = DescriptorKind.allCases.filter { $0 != .unknown }.map { kind in
        var row = DescriptorRow()
        row.kind = kind
        row.fd = Int64(kind.rawValue)
        row.inode = 77
        switch kind {
        case .ipv4Socket, .ipv4Server, .ipv6Socket, .ipv6Server:
            let isIPv6 = kind == .ipv6Socket || kind == .ipv6Server
            row.sourceAddress = isIPv6 ? AddressBytes(high: 1, low: 2) : AddressBytes(ipv4NetworkOrder: 0x0100_007f)
            row.sourcePort = 80
            row.l4Protocol = 2
            if kind == .ipv4Socket || kind == .ipv6Socket {
                row.destinationAddress = isIPv6 ? AddressBytes(high: 3, low: 4) : AddressBytes(ipv4NetworkOrder: 0x0200_007f)
                row.destinationPort = 443
            }
        case .unixSocket:
            row.unixSource = 1
            row.unixDestination = 2
            row.name = Array("/run/s".utf8)
        case .fileV2:
            row.openFlags = 3
            row.device = 9
            row.name = Array("/etc/passwd".utf8)
        default: row.name = Array("name".utf8)
        }
        return row
    }

    @Test func newestLayoutHoldsEveryKind() throws {
        var capture = TestCapture()
        capture.encoder.append(Self.rows, tid: 10)
        let reading = Reading(capture)
        #expect(reading.error == nil)
        let list = try #require(reading.snapshot.descriptors.first)
        #expect(list.tid == 10)
        #expect(list.rows.map(\.kind) == Self.rows.map(\.kind))
        for (read, written) in zip(list.rows, Self.rows) { #expect(Self.same(read, written), "\(written.kind)") }
    }

    @Test(arguments: [0x203, 0x8001_ABCD] as [UInt32])
    func oldLayoutHasNoLengths(identifier: UInt32) throws {
        // The same rows without the length in front of each, and without the device at the end of a file.
        var encoder = CaptureEncoder()
        encoder.append(Self.rows.filter { $0.kind != .fileV2 }, tid: 10)
        var payload = Array(encoder.bytes[8..<16])
        var at = 16
        while at + 8 < encoder.bytes.count {
            let length = Int(encoder.bytes[at]) | Int(encoder.bytes[at + 1]) << 8
            payload += encoder.bytes[at + 4..<at + length]
            at += length
        }
        payload += [16, 0, 0, 0, 0, 0, 0, 0] + [77, 0, 0, 0, 0, 0, 0, 0] + [16] + [3, 0, 0, 0] + [1, 0, 0x2f]
        var capture = TestCapture()
        capture.block(identifier, payload)
        let reading = Reading(capture)
        #expect(reading.error == nil)
        let list = try #require(reading.snapshot.descriptors.first)
        #expect(list.rows.map(\.kind) == Self.rows.map(\.kind).filter { $0 != .fileV2 } + [.fileV2])
        #expect(list.rows.last?.openFlags == 3 && list.rows.last?.name == [0x2f] && list.rows.last?.device == 0)
    }

    @Test func unknownKindIsKeptAsUnsupported() throws {
        var capture = TestCapture()
        capture.block(
            0x218,
            [10, 0, 0, 0, 0, 0, 0, 0] + [24, 0, 0, 0] + [4, 0, 0, 0, 0, 0, 0, 0] + [0, 0, 0, 0, 0, 0, 0, 0] + [99, 1, 2, 3])
        let rows = try #require(Reading(capture).snapshot.descriptors.first).rows
        #expect(rows.map(\.fd) == [4] && rows.map(\.kind) == [.unsupported])
    }

    static func same(_ left: DescriptorRow, _ right: DescriptorRow) -> Bool {
        left.fd == right.fd && left.kind == right.kind && left.inode == right.inode && left.openFlags == right.openFlags
            && left.device == right.device && left.name == right.name && left.sourceAddress == right.sourceAddress
            && left.destinationAddress == right.destinationAddress && left.sourcePort == right.sourcePort
            && left.destinationPort == right.destinationPort && left.l4Protocol == right.l4Protocol
            && left.unixSource == right.unixSource && left.unixDestination == right.unixDestination
    }
}

@Suite struct AccountAndInterfaceTests {
    @Test(arguments: [(0x206, 1), (0x8012_ABCD, 1), (0x220, 2)] as [(UInt32, Int)])
    func accounts(identifier: UInt32, version: Int) {
        let user: [UInt8] = [0] + [1, 0, 0, 0] + [2, 0, 0, 0] + [1, 0, 0x61] + [2, 0, 0x2f, 0x68] + [0, 0]
        let group: [UInt8] = [1] + [3, 0, 0, 0] + [1, 0, 0x67]
        func entry(_ bytes: [UInt8]) -> [UInt8] { version == 1 ? bytes : [UInt8(bytes.count + 4), 0, 0, 0] + bytes }
        var capture = TestCapture()
        capture.block(identifier, entry(user) + entry(group))
        let snapshot = Reading(capture).snapshot
        #expect(snapshot.users.map(\.uid) == [1] && snapshot.users.map(\.gid) == [2])
        #expect(snapshot.users.first?.name == [0x61] && snapshot.users.first?.home == [0x2f, 0x68])
        #expect(snapshot.groups.map(\.gid) == [3] && snapshot.groups.map(\.name) == [[0x67]])
    }

    @Test(arguments: [(0x205, 1), (0x8011_ABCD, 1), (0x219, 2)] as [(UInt32, Int)])
    func interfaces(identifier: UInt32, version: Int) {
        let v4: [UInt8] =
            [1, 0, 2, 0] + [127, 0, 0, 1] + [255, 0, 0, 0] + [127, 255, 255, 255] + [9, 0, 0, 0, 0, 0, 0, 0] + [0x6c, 0x6f]
        let v6: [UInt8] =
            [4, 0, 1, 0] + Array(repeating: 1, count: 16) + Array(repeating: 2, count: 16) + Array(repeating: 3, count: 16) + [
                0x65
            ]
        func entry(_ bytes: [UInt8]) -> [UInt8] { version == 1 ? bytes : [UInt8(bytes.count), 0, 0, 0] + bytes }
        var capture = TestCapture()
        capture.block(identifier, entry(v4) + entry(v6))
        let rows = Reading(capture).snapshot.interfaces
        #expect(rows.map(\.isIPv6) == [false, true])
        #expect(rows.map(\.name) == [[0x6c, 0x6f], [0x65]])
        #expect(rows.map(\.speedBps) == [9, 0])
        #expect(rows.first?.address == AddressBytes(ipv4NetworkOrder: 0x0100_007f))
        #expect(rows.last?.broadcast == AddressBytes(high: 0x0303_0303_0303_0303, low: 0x0303_0303_0303_0303))
    }
}
