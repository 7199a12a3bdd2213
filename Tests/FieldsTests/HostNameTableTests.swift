// SPDX-License-Identifier: Apache-2.0
import EventModel
import SystemState
import Testing

@testable import Fields

@Suite struct HostNameTableTests {
    private static func address(_ last: UInt8) -> AddressBytes { AddressBytes(ipv4NetworkOrder: UInt32(last) << 24 | 10) }
    private static let six = AddressBytes(high: 1, low: 2)

    @Test func namesOfAnAddressStandSideBySide() {
        let table = HostNameTable([
            ("z.org", Self.address(1), false), ("b.org", Self.address(2), false), ("a.org", Self.address(1), false),
            ("six.org", Self.six, true), ("b.org", Self.address(3), false),
        ])
        func names(_ address: AddressBytes, _ isIPv6: Bool = false) -> [String] {
            table.names(of: address, isIPv6: isIPv6).map { table[$0].string }
        }
        #expect(names(Self.address(1)) == ["a.org", "z.org"])
        #expect(names(Self.address(2)) == ["b.org"])
        #expect(names(Self.address(9)) == [])
        #expect(names(Self.six, true) == ["six.org"])
        #expect(names(Self.six) == [])
        #expect(HostNameTable([]).names(of: Self.six, isIPv6: true).isEmpty)
    }

    @Test func endsOfAConnection() throws {
        let scene = Scene()
        try scene.socket(fd: 4)
        let fields = ["fd.cip.name", "fd.sip.name", "fd.lip.name", "fd.rip.name"]
        let tuple = Scene.tuple([127, 0, 0, 1], 40000, [10, 0, 0, 2], 80)
        #expect(try scene.connect(fd: 4, tuple: tuple, fields) == ["<NA>", "<NA>", "<NA>", "<NA>"])
        scene.state.hostNames = HostNameTable([
            ("me.org", AddressBytes(ipv4NetworkOrder: 0x0100_007f), false), ("web.org", Self.address(2), false),
            ("alias.org", Self.address(2), false),
        ])
        #expect(try scene.connect(fd: 4, tuple: tuple, fields) == ["me.org", "alias.org", "me.org", "alias.org"])
    }
}
