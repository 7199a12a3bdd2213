// SPDX-License-Identifier: Apache-2.0
import EventModel
import Glibc

/// A record of its own in memory, between canaries: who reads beyond it shows them, or trips over the sanitizer.
struct Enclosure: ~Copyable {
    static let canary: [UInt8] = Array("<<CANARY<<".utf8)
    private let base: UnsafeMutablePointer<UInt8>
    private let count: Int

    init(_ bytes: Bytes) {
        let margin = Self.canary.count * 4
        count = bytes.count
        base = .allocate(capacity: bytes.count + 2 * margin)
        for index in 0..<margin {
            base[index] = Self.canary[index % Self.canary.count]
            base[margin + bytes.count + index] = Self.canary[index % Self.canary.count]
        }
        (base + margin).update(from: bytes.base, count: bytes.count)
    }
    deinit { base.deallocate() }
    var bytes: Bytes { Bytes(base: UnsafePointer(base) + Self.canary.count * 4, count: count) }
}

/// Input: number of the rule set, then records: u16 length, flags, and so many bytes of an event.
enum EventTarget {
    static let eventsMax = 32

    static func run(_ input: Bytes) {
        guard input.count > 1 else { return }
        var run = HostileRun(rules: HostileRules.all[Int(input[0]) % HostileRules.count], canary: Enclosure.canary)
        var at = 1
        var events = 0
        while events < eventsMax, let length: UInt16 = input.integer(at: at), at + 3 <= input.count {
            let flags = input[at + 2]
            let end = min(input.count, at + 3 + Int(length))
            let record = Enclosure(input[at + 3..<end])
            if let event = try? EventView(
                checking: record.bytes, cpu: UInt16(flags >> 4), isStateOnly: flags & 1 != 0, isHidden: flags & 2 != 0)
            {
                run.take(event)
                events += 1
            }
            if flags & 4 != 0 { run.maintain() }
            at = end
        }
        run.maintain()
    }
}
