// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// A ring of bytes between the pipeline, which alone appends, and the writing thread, which alone takes. No lock.
///
/// Entries are multiples of four bytes and lie in one piece: where the end of the ring is too short for one, a zero word says so and
/// the entry begins at the front.
final class RecordRing: @unchecked Sendable {
    let capacity: Int
    private let base: UnsafeMutableRawPointer
    /// Bytes ever appended, respectively taken; their difference is what is in the ring.
    private let appended = Atomic<UInt64>(0)
    private let taken = Atomic<UInt64>(0)
    // The appending side's own.
    private var head: UInt64 = 0
    private var knownTail: UInt64 = 0
    private var pending = 0
    // The taking side's own.
    private var tail: UInt64 = 0

    /// Kept free of events, so that the end of a recording always finds room.
    static let reserveBytes = 4096

    init(capacity: Int) {
        precondition(capacity >= 2 * Self.reserveBytes && capacity & (capacity - 1) == 0, "a power of two of 8 KiB or more")
        self.capacity = capacity
        base = .allocate(byteCount: capacity, alignment: 64)
    }
    deinit { base.deallocate() }

    // MARK: appending side

    /// Room for an entry, filled and then given away by `commit`; nil when the ring is too full. No allocation.
    @inline(__always)
    func reserve(_ count: Int, keepingFree free: Int = RecordRing.reserveBytes) -> UnsafeMutableRawPointer? {
        let at = Int(head & UInt64(capacity &- 1))
        let skipped = at &+ count > capacity ? capacity &- at : 0
        let needed = UInt64(skipped &+ count &+ free)
        if UInt64(capacity) &- (head &- knownTail) < needed {
            knownTail = taken.load(ordering: .acquiring)
            guard UInt64(capacity) &- (head &- knownTail) >= needed else { return nil }
        }
        if skipped > 0 { (base + at).storeBytes(of: 0, as: UInt32.self) }
        pending = skipped &+ count
        return skipped > 0 ? base : base + at
    }

    @inline(__always)
    func commit() {
        head &+= UInt64(pending)
        appended.store(head, ordering: .releasing)
    }

    /// Has everything been taken?
    var isEmpty: Bool { taken.load(ordering: .acquiring) == head }
    /// What waits to be taken.
    var waitingBytes: Int { Int(head &- taken.load(ordering: .acquiring)) }

    // MARK: taking side

    /// The bytes that can be read in one piece, empty when there are none.
    func next() -> UnsafeRawBufferPointer {
        let end = appended.load(ordering: .acquiring)
        guard end != tail else { return UnsafeRawBufferPointer(start: nil, count: 0) }
        let at = Int(tail & UInt64(capacity - 1))
        let count = min(Int(end - tail), capacity - at)
        if (base + at).load(as: UInt32.self) == 0 {
            release(capacity - at)
            return next()
        }
        return UnsafeRawBufferPointer(start: base + at, count: count)
    }

    func release(_ count: Int) {
        tail &+= UInt64(count)
        taken.store(tail, ordering: .releasing)
    }
}
