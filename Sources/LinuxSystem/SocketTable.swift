// SPDX-License-Identifier: Apache-2.0
import EventModel

/// Sockets of one network namespace by inode, from /proc/PID/net. Control plane: the first scan only.
public final class SocketTable {
    private struct Inet {
        let isIPv6: Bool
        let l4Protocol: UInt8
        let source: AddressBytes
        let sourcePort: UInt16
        let destination: AddressBytes
        let destinationPort: UInt16
    }
    private var inet: [UInt64: Inet] = [:]
    private var unix: [UInt64: (address: UInt64, path: [UInt8])] = [:]
    private var netlink: Set<UInt64> = []

    /// Of the namespace that `pid` lives in; a file that cannot be read leaves its sockets unnamed.
    public convenience init(_ proc: ProcFilesystem, pid: Int64) {
        let directory = "\(proc.path)/\(pid)/net/"
        self.init { try? Files.read(directory + $0) }
    }

    /// `text` gives a file of /proc/PID/net by its name (`tcp6`), nil where there is none.
    package init(text: (String) -> [UInt8]?) {
        for (name, l4Protocol) in [("tcp", 2), ("udp", 3), ("icmp", 4), ("raw", 5)] as [(String, UInt8)] {
            for isIPv6 in [false, true] {
                guard let text = text(name + (isIPv6 ? "6" : "")) else { continue }
                for words in Self.lines(text) where words.count >= 10 { addInet(words, isIPv6: isIPv6, l4Protocol: l4Protocol) }
            }
        }
        // Num RefCount Protocol Flags Type St Inode Path
        for words in text("unix").map(Self.lines) ?? [] where words.count >= 7 {
            guard let inode = Machine.decimal(words[6]) else { continue }
            unix[inode] = (
                ProcText.hexadecimal(words[0].prefix { $0 != UInt8(ascii: ":") }) ?? 0, words.count > 7 ? Array(words[7]) : []
            )
        }
        // sk Eth Pid Groups Rmem Wmem Dump Locks Drops Inode
        for words in text("netlink").map(Self.lines) ?? [] where words.count >= 10 {
            if let inode = Machine.decimal(words[9]) { netlink.insert(inode) }
        }
    }

    /// Without the heading line.
    private static func lines(_ text: [UInt8]) -> [[ArraySlice<UInt8>]] {
        text.split(separator: 10).dropFirst().map(ProcText.words)
    }

    /// `sl local remote st queues timer retransmits uid timeout inode`
    private func addInet(_ words: [ArraySlice<UInt8>], isIPv6: Bool, l4Protocol: UInt8) {
        guard let inode = Machine.decimal(words[9]), let local = Self.endpoint(words[1], isIPv6: isIPv6),
            let remote = Self.endpoint(words[2], isIPv6: isIPv6)
        else { return }
        inet[inode] = Inet(
            isIPv6: isIPv6, l4Protocol: l4Protocol, source: local.address, sourcePort: local.port, destination: remote.address,
            destinationPort: remote.port)
    }

    /// `0100007F:1F90`: words of 32 bits as the machine stores them, port in hexadecimal.
    static func endpoint(_ text: ArraySlice<UInt8>, isIPv6: Bool) -> (address: AddressBytes, port: UInt16)? {
        let parts = text.split(separator: UInt8(ascii: ":"))
        guard parts.count == 2, parts[0].count == (isIPv6 ? 32 : 8), let port = ProcText.hexadecimal(parts[1]) else { return nil }
        var address: [UInt64] = []
        var rest = parts[0]
        while !rest.isEmpty {
            guard let word = ProcText.hexadecimal(rest.prefix(8)) else { return nil }
            address.append(word)
            rest = rest.dropFirst(8)
        }
        let bytes =
            isIPv6
            ? AddressBytes(high: address[0] | address[1] << 32, low: address[2] | address[3] << 32)
            : AddressBytes(ipv4NetworkOrder: UInt32(truncatingIfNeeded: address[0]))
        return (bytes, UInt16(truncatingIfNeeded: port))
    }

    package func fill(_ row: inout DescriptorRow, inode: UInt64, name: [UInt8]) {
        row.inode = inode
        if let socket = inet[inode] {
            let isServer = socket.destination.isZero
            row.kind = socket.isIPv6 ? (isServer ? .ipv6Server : .ipv6Socket) : (isServer ? .ipv4Server : .ipv4Socket)
            (row.sourceAddress, row.sourcePort) = (socket.source, socket.sourcePort)
            if !isServer { (row.destinationAddress, row.destinationPort) = (socket.destination, socket.destinationPort) }
            row.l4Protocol = socket.l4Protocol
        } else if let socket = unix[inode] {
            row.kind = .unixSocket
            row.unixSource = socket.address
            row.name = socket.path
        } else if netlink.contains(inode) {
            row.kind = .netlink
        } else {
            row.kind = .unsupported
            row.name = name
        }
    }
}
