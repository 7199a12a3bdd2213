// SPDX-License-Identifier: Apache-2.0
import EventModel

/// Threads by tid: rows in one slab, found by open addressing. Removing shifts back, so there are no tombstones.
///
/// Bounded by `countMax`; more threads are refused and counted. No allocation once grown.
public final class ThreadTable {
    private(set) var rows: UnsafeMutablePointer<ThreadRecord>
    private var capacity = 1024
    /// Slots ever used; free ones among them are in `free`.
    private(set) var used = 0
    private var free: [Int32] = []
    private var slots: UnsafeMutablePointer<Int32>
    private static let indexMin = 4096
    private var mask = ThreadTable.indexMin - 1
    private let secret: UInt64
    public let countMax: Int
    public private(set) var count = 0
    public private(set) var refused: UInt64 = 0
    public private(set) var added: UInt64 = 0
    public private(set) var removed: UInt64 = 0

    init(countMax: Int, secret: UInt64 = UInt64.random(in: 1...UInt64.max)) {
        self.countMax = countMax
        self.secret = secret
        rows = .allocate(capacity: capacity)
        slots = .allocate(capacity: mask + 1)
        slots.initialize(repeating: -1, count: mask + 1)
        free.reserveCapacity(1024)
    }

    deinit {
        rows.deallocate()
        slots.deallocate()
    }

    /// Thread ids can be chosen (clone3's set_tid): without the secret they could all be put into one chain.
    @inline(__always)
    private func home(_ tid: Int64) -> Int {
        Int(truncatingIfNeeded: SecretHash.of(UInt64(bitPattern: tid), secret)) & mask
    }

    @inline(__always)
    func find(_ tid: Int64) -> ThreadSlot {
        var index = home(tid)
        while slots[index] >= 0 {
            if rows[Int(slots[index])].tid == tid { return ThreadSlot(slots[index]) }
            index = (index &+ 1) & mask
        }
        return .none
    }

    /// Adds a thread that is not there; `.none` when the table is full.
    func insert(_ record: ThreadRecord) -> ThreadSlot {
        guard count < countMax else {
            refused &+= 1
            return .none
        }
        if (count + 1) * 2 > mask { rehash((mask + 1) * 2) }
        let index: Int32
        if let reused = free.popLast() {
            index = reused
        } else {
            if used == capacity {
                let bigger = UnsafeMutablePointer<ThreadRecord>.allocate(capacity: capacity * 2)
                bigger.moveInitialize(from: rows, count: used)
                rows.deallocate()
                rows = bigger
                capacity *= 2
            }
            index = Int32(used)
            used += 1
        }
        (rows + Int(index)).initialize(to: record)
        rows[Int(index)].isInUse = true
        place(record.tid, index)
        count += 1
        added &+= 1
        return ThreadSlot(index)
    }

    private func place(_ tid: Int64, _ row: Int32) {
        var index = home(tid)
        while slots[index] >= 0 { index = (index &+ 1) & mask }
        slots[index] = row
    }

    func remove(_ slot: ThreadSlot) {
        let tid = rows[Int(slot.index)].tid
        var index = home(tid)
        while slots[index] != slot.index {
            precondition(slots[index] >= 0, "a thread in the table is in its index")
            index = (index &+ 1) & mask
        }
        // Shift back what the hole would hide.
        var hole = index
        var next = (hole &+ 1) & mask
        while slots[next] >= 0 {
            let wanted = home(rows[Int(slots[next])].tid)
            if ((next &- wanted) & mask) >= ((next &- hole) & mask) {
                slots[hole] = slots[next]
                hole = next
            }
            next = (next &+ 1) & mask
        }
        slots[hole] = -1
        rows[Int(slot.index)].isInUse = false
        rows[Int(slot.index)].tid = .min
        free.append(slot.index)
        count -= 1
        removed &+= 1
    }

    private func rehash(_ size: Int) {
        slots.deallocate()
        slots = .allocate(capacity: size)
        slots.initialize(repeating: -1, count: size)
        mask = size - 1
        for index in 0..<used where rows[index].isInUse { place(rows[index].tid, Int32(index)) }
    }

    func removeAll() {
        used = 0
        free.removeAll(keepingCapacity: true)
        count = 0
        // As small as at first: who forgets everything often pays for no more than was there.
        rehash(Self.indexMin)
    }
}
