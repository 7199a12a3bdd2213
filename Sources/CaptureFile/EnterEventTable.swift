// SPDX-License-Identifier: Apache-2.0
import Glibc

/// The latest enter event of every thread, kept until the exit event asks for its parameters.
///
/// Bounded: when it would hold more threads or bytes than allowed, it forgets everything and starts again, and says how
/// much it forgot. Buffers are kept, so a steady stream does not allocate.
struct EnterEventTable: ~Copyable {
    /// An enter event: its lengths (u16 or u32, as its type asks) and data, as on the wire.
    struct Entry {
        var tid: Int64
        var type: UInt16
        var parameterCount: UInt16
        var byteCount: Int
        var isUsed: Bool
        var capacity: Int
        var bytes: UnsafeMutableRawPointer?
    }

    private var slots: UnsafeMutableBufferPointer<Entry>
    private var used = 0
    private var bytesHeld = 0
    let threadsMax: Int
    let bytesMax: Int
    private(set) var forgotten: UInt64 = 0

    /// Bytes that fit every enter event without a path: most slots never grow.
    private static let entryBytesMin = 128

    init(threadsMax: Int = 262_144, bytesMax: Int = 64 * 1024 * 1024) {
        precondition(threadsMax > 0, "a table needs room for one thread")
        self.threadsMax = threadsMax
        self.bytesMax = bytesMax
        slots = Self.allocate(256)
    }

    deinit {
        for slot in slots { free(slot.bytes) }
        slots.deallocate()
    }

    /// Room for `byteCount` bytes that the caller fills; live until the next change of the table.
    mutating func store(tid: Int64, type: UInt16, parameterCount: UInt16, byteCount: Int) -> UnsafeMutableRawPointer {
        var at = find(tid)
        if !slots[at].isUsed {
            if used >= threadsMax {
                forgetAll()
                at = find(tid)
            } else if (used + 1) * 4 > slots.count * 3 {
                grow()
                at = find(tid)
            }
            slots[at].isUsed = true
            slots[at].tid = tid
            used += 1
        }
        if slots[at].capacity < max(byteCount, 1) {
            if bytesHeld - slots[at].capacity + byteCount > bytesMax {
                used -= 1  // this one is not forgotten
                forgetAll()
                at = find(tid)
                slots[at].isUsed = true
                slots[at].tid = tid
                used = 1
            }
            var size = Self.entryBytesMin
            while size < byteCount { size *= 2 }
            bytesHeld += size - slots[at].capacity
            slots[at].bytes = realloc(slots[at].bytes, size)
            slots[at].capacity = size
        }
        slots[at].type = type
        slots[at].parameterCount = parameterCount
        slots[at].byteCount = byteCount
        guard let bytes = slots[at].bytes else { fatalError("out of memory for an enter event") }
        return bytes
    }

    @inline(__always)
    func entry(tid: Int64) -> Entry? {
        let slot = slots[find(tid)]
        return slot.isUsed ? slot : nil
    }

    /// The thread is gone. Its buffer goes to whoever moves into the slot.
    mutating func remove(tid: Int64) {
        var hole = find(tid)
        guard slots[hole].isUsed else { return }
        used -= 1
        slots[hole].isUsed = false
        // Entries behind the hole that would no longer be found move into it.
        var next = (hole + 1) & (slots.count - 1)
        while slots[next].isUsed {
            let home = Self.home(slots[next].tid, slots.count)
            if (next &- home) & (slots.count - 1) >= (next &- hole) & (slots.count - 1) {
                slots.swapAt(hole, next)
                hole = next
            }
            next = (next + 1) & (slots.count - 1)
        }
    }

    var count: Int { used }

    private mutating func forgetAll() {
        forgotten += UInt64(used)
        for at in slots.indices {
            free(slots[at].bytes)
            slots[at] = Self.vacant
        }
        used = 0
        bytesHeld = 0
    }

    /// Another run begins: a thread of the same number is another one. As small as at first.
    mutating func restart() {
        for slot in slots { free(slot.bytes) }
        slots.deallocate()
        slots = Self.allocate(256)
        (used, bytesHeld) = (0, 0)
    }

    private mutating func grow() {
        let old = slots
        slots = Self.allocate(old.count * 2)
        for slot in old {
            if slot.isUsed {
                slots[find(slot.tid)] = slot
            } else {
                bytesHeld -= slot.capacity
                free(slot.bytes)
            }
        }
        old.deallocate()
    }

    @inline(__always)
    private func find(_ tid: Int64) -> Int {
        var at = Self.home(tid, slots.count)
        while slots[at].isUsed && slots[at].tid != tid { at = (at &+ 1) & (slots.count &- 1) }
        return at
    }

    @inline(__always)
    private static func home(_ tid: Int64, _ count: Int) -> Int {
        let mixed = UInt64(bitPattern: tid) &* 0x9e37_79b9_7f4a_7c15
        return Int(truncatingIfNeeded: mixed >> 32) & (count &- 1)
    }

    private static var vacant: Entry {
        Entry(tid: 0, type: 0, parameterCount: 0, byteCount: 0, isUsed: false, capacity: 0, bytes: nil)
    }

    private static func allocate(_ count: Int) -> UnsafeMutableBufferPointer<Entry> {
        let slots = UnsafeMutableBufferPointer<Entry>.allocate(capacity: count)
        slots.initialize(repeating: vacant)
        return slots
    }
}
