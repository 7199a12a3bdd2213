// SPDX-License-Identifier: Apache-2.0
import CLibbpf
import CProbeABI
import Capture
import EventModel
import LinuxSystem

/// One ring of the kernel, mapped: its two positions and its bytes, which lie twice in a row so that no record is split.
struct MappedRing {
    let consumer: UnsafeMutablePointer<UInt64>
    let producer: UnsafePointer<UInt64>
    let data: UnsafePointer<UInt8>
    let bytes: UInt64
    /// Position of the next record to look at; the kernel gets it at the next `release`.
    var read: UInt64
    /// Position that the kernel had written up to when the drain began.
    var limit: UInt64 = 0
    /// Length of the record at `read`, once looked at.
    var headBytes = 0
}

/// All rings: takes their records out merged by time. Data plane: no allocation after `init`.
package final class RingSet {
    private let rings: UnsafeMutablePointer<MappedRing>
    /// Rings with a record at hand, as a binary heap by timestamp.
    private let heap: UnsafeMutablePointer<(timestampNs: UInt64, ring: Int)>
    private var heapCount = 0
    let count: Int
    private let mappings: [MappedMemory]
    /// Records that were no events.
    package private(set) var malformed: UInt64 = 0
    /// Timestamp of the oldest record left behind by the last drain, nil when there was none.
    private(set) var nextTimestampNs: UInt64?

    static let headerBytes: UInt64 = 8
    private static let busyBit: UInt32 = 1 << 31
    private static let discardBit: UInt32 = 1 << 30
    private static let prefixBytes = MemoryLayout<probe_record_prefix>.size

    /// For waiting; closed with the set.
    let descriptors: [Int32]

    /// Maps the rings behind `descriptors`, each of `bytes` bytes, and owns them from now on, also when it fails.
    package init(descriptors: [Int32], bytes: Int) throws(Errno) {
        let page = MappedMemory.pageBytes
        var mappings: [MappedMemory] = []
        count = descriptors.count
        rings = .allocate(capacity: max(1, count))
        heap = .allocate(capacity: max(1, count))
        heap.initialize(repeating: (0, 0), count: max(1, count))
        var made = 0
        do throws(Errno) {
            for descriptor in descriptors {
                let own = try MappedMemory(fd: descriptor, count: page, writable: true)
                let shared = try MappedMemory(fd: descriptor, offset: page, count: page + 2 * bytes, writable: false)
                mappings += [own, shared]
                let consumer = own.base.assumingMemoryBound(to: UInt64.self)
                (rings + made).initialize(
                    to: MappedRing(
                        consumer: consumer, producer: UnsafePointer(shared.base.assumingMemoryBound(to: UInt64.self)),
                        data: UnsafePointer((shared.base + page).assumingMemoryBound(to: UInt8.self)), bytes: UInt64(bytes),
                        read: ring_load_acquire(consumer)))
                made += 1
            }
        } catch {
            rings.deallocate()
            heap.deallocate()
            descriptors.forEach(closeDescriptor)
            throw error
        }
        self.mappings = mappings
        self.descriptors = descriptors
    }

    deinit {
        descriptors.forEach(closeDescriptor)
        rings.deallocate()
        heap.deallocate()
    }

    /// Gives the kernel back what earlier drains delivered.
    package func release() {
        for index in 0..<count where rings[index].consumer.pointee != rings[index].read {
            ring_store_release(rings[index].consumer, rings[index].read)
        }
    }

    var hasRecords: Bool {
        for index in 0..<count where ring_load_acquire(rings[index].producer) != rings[index].read { return true }
        return false
    }

    /// Appends events whose boot-clock time is at most `deadlineNs` to the batch, oldest first over all rings, until it is full.
    package func drain(into batch: EventBatch, deadlineNs: UInt64, anchor: ClockAnchor) {
        heapCount = 0
        nextTimestampNs = nil
        for index in 0..<count {
            rings[index].limit = ring_load_acquire(rings[index].producer)
            if let timestamp = look(index) { push(timestamp, index) }
        }
        while heapCount > 0 {
            let (timestamp, index) = heap[0]
            guard timestamp <= deadlineNs, !batch.isFull else {
                nextTimestampNs = timestamp
                return
            }
            deliver(index, into: batch, anchor: anchor)
            if let next = look(index) { replaceTop(next, index) } else { pop() }
        }
    }

    /// Timestamp of the ring's next record; nil when there is none yet, or when the kernel is still writing it.
    private func look(_ index: Int) -> UInt64? {
        while rings[index].read != rings[index].limit {
            let read = rings[index].read
            let start = rings[index].data + Int(read & (rings[index].bytes - 1))
            let header = UnsafeRawPointer(start).assumingMemoryBound(to: UInt32.self)
            let word = ring_load_header(header)
            if word & Self.busyBit != 0 { return nil }
            let length = UInt64(word & ~(Self.busyBit | Self.discardBit))
            let left = rings[index].limit &- read
            guard left <= rings[index].bytes, Self.roundedUp(length) <= left else {
                // Positions that contradict each other: start over where the kernel stands.
                malformed &+= 1
                rings[index].read = rings[index].limit
                return nil
            }
            if word & Self.discardBit == 0, length >= UInt64(Self.prefixBytes + EventView.headerBytes) {
                rings[index].headBytes = Int(length)
                return (UnsafeRawPointer(start) + Int(Self.headerBytes) + Self.prefixBytes).loadUnaligned(as: UInt64.self)
            }
            if word & Self.discardBit == 0 { malformed &+= 1 }
            rings[index].read = read &+ Self.roundedUp(length)
        }
        return nil
    }

    private static func roundedUp(_ length: UInt64) -> UInt64 { (length &+ headerBytes &+ 7) & ~7 }

    private func deliver(_ index: Int, into batch: EventBatch, anchor: ClockAnchor) {
        let record = rings[index].data + Int(rings[index].read & (rings[index].bytes - 1)) + Int(Self.headerBytes)
        let length = rings[index].headBytes
        rings[index].read &+= Self.roundedUp(UInt64(length))
        let raw = UnsafeRawPointer(record)
        let cpu = raw.loadUnaligned(as: UInt16.self)
        let flags = raw.loadUnaligned(fromByteOffset: 2, as: UInt16.self)
        let stamp = (raw + Self.prefixBytes).loadUnaligned(as: UInt64.self)
        do throws(DecodeError) {
            batch.insertByTime(
                try EventView(
                    checking: Bytes(base: record + Self.prefixBytes, count: length - Self.prefixBytes), cpu: cpu,
                    isStateOnly: flags & UInt16(PROBE_RECORD_STATE_ONLY.rawValue) != 0,
                    isHidden: flags & UInt16(PROBE_RECORD_HIDDEN.rawValue) != 0,
                    timestampNs: anchor.epochNs(boottimeNs: stamp)))
        } catch {
            malformed &+= 1
        }
    }

    // MARK: heap

    private func push(_ timestamp: UInt64, _ ring: Int) {
        var at = heapCount
        heapCount += 1
        while at > 0, heap[(at - 1) / 2].timestampNs > timestamp {
            heap[at] = heap[(at - 1) / 2]
            at = (at - 1) / 2
        }
        heap[at] = (timestamp, ring)
    }

    private func pop() {
        heapCount -= 1
        if heapCount > 0 { replaceTop(heap[heapCount].timestampNs, heap[heapCount].ring) }
    }

    private func replaceTop(_ timestamp: UInt64, _ ring: Int) {
        var at = 0
        while true {
            var child = 2 * at + 1
            guard child < heapCount else { break }
            if child + 1 < heapCount, heap[child + 1].timestampNs < heap[child].timestampNs { child += 1 }
            guard heap[child].timestampNs < timestamp else { break }
            heap[at] = heap[child]
            at = child
        }
        heap[at] = (timestamp, ring)
    }
}
