// SPDX-License-Identifier: Apache-2.0
import EventModel

/// How many inet sockets of a descriptor table listen on a port, or have it as the far end: what tells client from server for
/// datagrams, in O(1). Open addressing over (table, port); removing shifts back. No allocation once grown.
final class PortCounts {
    private var keys: UnsafeMutablePointer<UInt64>
    private var counts: UnsafeMutablePointer<Int32>
    private var mask = 255
    private(set) var used = 0
    private let secret = UInt64.random(in: 1...UInt64.max)
    /// IPv4 sockets of all tables that listen, by port.
    let listening = UnsafeMutablePointer<Int32>.allocate(capacity: 1 << 16)

    init() {
        keys = .allocate(capacity: mask + 1)
        keys.initialize(repeating: 0, count: mask + 1)
        counts = .allocate(capacity: mask + 1)
        counts.initialize(repeating: 0, count: mask + 1)
        listening.initialize(repeating: 0, count: 1 << 16)
    }

    deinit {
        listening.deallocate()
        keys.deallocate()
        counts.deallocate()
    }

    /// The port that counts for a descriptor, 0 for none.
    @inline(__always)
    static func port(of record: DescriptorRecord) -> UInt16 {
        switch record.kind {
        case .ipv4Server, .ipv6Server: record.sourcePort
        case .ipv4Socket, .ipv6Socket: record.destinationPort
        default: 0
        }
    }

    /// Never 0, since the port is not.
    @inline(__always) private static func key(_ table: Int32, _ port: UInt16) -> UInt64 {
        UInt64(UInt32(bitPattern: table)) << 16 | UInt64(port)
    }
    @inline(__always) private func home(_ key: UInt64) -> Int { Int(truncatingIfNeeded: SecretHash.of(key, secret)) & mask }

    func contains(_ table: Int32, _ port: UInt16) -> Bool {
        guard port != 0 else { return false }
        let key = Self.key(table, port)
        var index = home(key)
        while keys[index] != 0 {
            if keys[index] == key { return true }
            index = (index &+ 1) & mask
        }
        return false
    }

    @inline(__always)
    func add(_ table: Int32, _ record: DescriptorRecord) {
        let port = Self.port(of: record)
        guard port != 0 else { return }
        add(Self.key(table, port), 1)
        if record.kind == .ipv4Server { listening[Int(port)] += 1 }
    }

    @inline(__always)
    func remove(_ table: Int32, _ record: DescriptorRecord) {
        let port = Self.port(of: record)
        guard port != 0 else { return }
        remove(Self.key(table, port))
        if record.kind == .ipv4Server { listening[Int(port)] -= 1 }
    }

    private func add(_ key: UInt64, _ count: Int32) {
        if (used + 1) * 2 > mask { grow() }
        var index = home(key)
        while keys[index] != 0 {
            if keys[index] == key {
                counts[index] &+= count
                return
            }
            index = (index &+ 1) & mask
        }
        keys[index] = key
        counts[index] = count
        used += 1
    }

    private func remove(_ key: UInt64) {
        var index = home(key)
        while keys[index] != key {
            precondition(keys[index] != 0, "a socket that is taken out was counted")
            index = (index &+ 1) & mask
        }
        counts[index] -= 1
        guard counts[index] == 0 else { return }
        used -= 1
        var hole = index
        var next = (hole &+ 1) & mask
        while keys[next] != 0 {
            if ((next &- home(keys[next])) & mask) >= ((next &- hole) & mask) {
                keys[hole] = keys[next]
                counts[hole] = counts[next]
                hole = next
            }
            next = (next &+ 1) & mask
        }
        keys[hole] = 0
    }

    private func grow() {
        let (oldKeys, oldCounts, oldSize) = (keys, counts, mask + 1)
        mask = oldSize * 2 - 1
        keys = .allocate(capacity: mask + 1)
        keys.initialize(repeating: 0, count: mask + 1)
        counts = .allocate(capacity: mask + 1)
        counts.initialize(repeating: 0, count: mask + 1)
        used = 0
        for index in 0..<oldSize where oldKeys[index] != 0 { add(oldKeys[index], oldCounts[index]) }
        oldKeys.deallocate()
        oldCounts.deallocate()
    }
}

/// Mixes a number that strangers choose with a secret of this run, so that they cannot choose numbers that collide.
enum SecretHash {
    @inline(__always)
    static func of(_ number: UInt64, _ secret: UInt64) -> UInt64 {
        let product = (number ^ secret).multipliedFullWidth(by: (secret &* 0x9e37_79b9_7f4a_7c15) | 1)
        return product.high ^ product.low
    }
}
