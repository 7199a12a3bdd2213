// SPDX-License-Identifier: Apache-2.0
import EventModel
import CLinux

/// Names a byte string in a `BytePool`. Equal ids are equal bytes (while neither was swept). 0 is the empty string.
public struct PoolID: Sendable, Equatable, Hashable {
    public let index: UInt32
    @inline(__always) public init(index: UInt32) { self.index = index }
    public static let empty = PoolID(index: 0)
    @inline(__always) public var isEmpty: Bool { index == 0 }
}

/// Interned bytes: paths, names, command lines. An id is four bytes, comparing ids compares bytes.
///
/// Nobody releases an id. When `needsSweep` says so, the owner marks the ids its tables hold and calls `sweep()`,
/// between two batches: a `Bytes` or an unmarked id does not outlive that.
///
/// Storage: size classes carved from chunks of 256 KiB, freed slots reused, and chunks in which nothing is left carved anew; bounded
/// by `bytesMax`, past which interning answers `.empty` and counts it. The last eighth is kept from texts that can be done without
/// (`internSpare`). No allocation per call once the chunks are there.
public final class BytePool {
    private struct Entry {
        var pointer: UnsafeMutablePointer<UInt8>
        var count: UInt32
        var sizeClass: UInt8
        var isMarked: Bool
        var isUsed: Bool
        var hash: UInt64
    }
    private var entries: UnsafeMutablePointer<Entry>
    private var entryCapacity: Int
    private var entryCount = 1  // entry 0 is the empty string
    private var freeEntries: UnsafeMutablePointer<UInt32>
    private var freeEntryCount = 0
    private var slots: UnsafeMutablePointer<UInt32>
    private var slotMask: Int
    private var usedCount = 0
    private let seed: UInt64
    private var freeLists: [UnsafeMutablePointer<UInt8>?] = .init(repeating: nil, count: BytePool.classSizes.count)
    /// Each begins with the number of its slots that hold a text, -1 where it waits in `freeChunks`.
    private var chunks: [UnsafeMutableRawPointer] = []
    private var freeChunks: [UnsafeMutableRawPointer] = []
    private var chunkNext: UnsafeMutablePointer<UInt8>?
    private var chunkLeft = 0
    public let bytesMax: Int
    public private(set) var liveBytes = 0
    private var sweepAt: Int
    private var refusedAtSweep: UInt64 = 0
    /// Strings that found no room.
    public private(set) var refused: UInt64 = 0
    public private(set) var reservedBytes = 0

    private static let classSizes: [Int] = [
        16, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 2048, 4096, 8192, 16384, 32768, 65536,
    ]
    private static let classOf: [UInt8] = (0...4096).map { quarter in
        UInt8(classSizes.firstIndex { $0 >= quarter * 16 }!)
    }
    /// Chunks are aligned to their size: a slot's address tells its chunk.
    private static let chunkBytes = 256 << 10
    private static let chunkHeaderBytes = 16
    private static let sweepBytesMin = 8 << 20
    public static let stringBytesMax = 65536

    public init(bytesMax: Int = 512 << 20, seed: UInt64 = UInt64.random(in: 1...UInt64.max)) {
        self.bytesMax = bytesMax
        self.seed = seed
        sweepAt = min(Self.sweepBytesMin, bytesMax / 2)
        entryCapacity = 1 << 12
        entries = .allocate(capacity: entryCapacity)
        freeEntries = .allocate(capacity: entryCapacity)
        slotMask = (1 << 13) - 1
        slots = .allocate(capacity: slotMask + 1)
        slots.initialize(repeating: 0, count: slotMask + 1)
        let nothing = UnsafeMutablePointer<UInt8>.allocate(capacity: 1)
        entries[0] = Entry(pointer: nothing, count: 0, sizeClass: 0, isMarked: true, isUsed: true, hash: 0)
    }

    deinit {
        entries[0].pointer.deallocate()
        for chunk in chunks { chunk.deallocate() }
        entries.deallocate()
        freeEntries.deallocate()
        slots.deallocate()
    }

    public var count: Int { usedCount }
    /// Also when strings find no room, but not for each of them: where a sweep freed little, the next one would too.
    public var needsSweep: Bool {
        liveBytes > sweepAt || refused > refusedAtSweep && refused - refusedAtSweep > UInt64(usedCount / 8)
    }

    @inline(__always)
    public subscript(id: PoolID) -> Bytes {
        precondition(Int(id.index) < entryCount, "the id is from another pool")
        let entry = entries + Int(id.index)
        return Bytes(base: UnsafePointer(entry.pointee.pointer), count: Int(entry.pointee.count))
    }

    /// The id of these bytes, which are copied when new. Longer than 64 KiB is cut. O(length), no allocation in the steady state.
    public func intern(_ full: Bytes) -> PoolID {
        if full.isEmpty { return .empty }
        let bytes = full.prefix(Self.stringBytesMax)
        let hash = bytes.hash(seed: seed)
        return lookUp(bytes, hash: hash) ?? insert(bytes, hash: hash, roomMax: bytesMax)
    }

    /// As `intern`, for what may be missing when the pool is nearly full: environments and second forms of a name.
    public func internSpare(_ full: Bytes) -> PoolID {
        if full.isEmpty { return .empty }
        let bytes = full.prefix(Self.stringBytesMax)
        let hash = bytes.hash(seed: seed)
        return lookUp(bytes, hash: hash) ?? insert(bytes, hash: hash, roomMax: bytesMax - bytesMax / 8)
    }

    /// Length of the text. O(1).
    @inline(__always) public func byteCount(_ id: PoolID) -> Int {
        precondition(Int(id.index) < entryCount, "the id is from another pool")
        return Int(entries[Int(id.index)].count)
    }

    /// Id of bytes that may or may not be here, without copying them.
    public func find(_ bytes: Bytes) -> PoolID? {
        bytes.isEmpty ? .empty : lookUp(bytes, hash: bytes.hash(seed: seed))
    }

    @inline(__always)
    private func lookUp(_ bytes: Bytes, hash: UInt64) -> PoolID? {
        var slot = Int(truncatingIfNeeded: hash) & slotMask
        while slots[slot] != 0 {
            let entry = entries + Int(slots[slot])
            if entry.pointee.hash == hash, Int(entry.pointee.count) == bytes.count,
                memcmp(entry.pointee.pointer, bytes.base, bytes.count) == 0
            {
                return PoolID(index: slots[slot])
            }
            slot = (slot &+ 1) & slotMask
        }
        return nil
    }

    private func insert(_ bytes: Bytes, hash: UInt64, roomMax: Int) -> PoolID {
        guard liveBytes + bytes.count <= roomMax else {
            refused &+= 1
            return .empty
        }
        if (usedCount + 1) * 2 > slotMask { growSlots() }
        // Where no memory is left to carve, a larger slot that is free will do.
        var sizeClass = Int(Self.classOf[(bytes.count + 15) / 16])
        var found = take(sizeClass, roomMax: max(roomMax, Self.chunkBytes))
        while found == nil, sizeClass + 1 < Self.classSizes.count {
            sizeClass += 1
            found = takeFreed(sizeClass)
        }
        guard let storage = found else {
            refused &+= 1
            return .empty
        }
        memcpy(storage, bytes.base, bytes.count)
        Self.chunk(of: storage).pointee += 1
        let index: Int
        if freeEntryCount > 0 {
            freeEntryCount -= 1
            index = Int(freeEntries[freeEntryCount])
        } else {
            if entryCount == entryCapacity { growEntries() }
            index = entryCount
            entryCount += 1
        }
        entries[index] = Entry(
            pointer: storage, count: UInt32(bytes.count), sizeClass: UInt8(sizeClass), isMarked: true, isUsed: true, hash: hash)
        usedCount += 1
        liveBytes += Self.classSizes[sizeClass]
        place(index, hash)
        return PoolID(index: UInt32(index))
    }

    private func place(_ index: Int, _ hash: UInt64) {
        var slot = Int(truncatingIfNeeded: hash) & slotMask
        while slots[slot] != 0 { slot = (slot &+ 1) & slotMask }
        slots[slot] = UInt32(index)
    }

    private func takeFreed(_ sizeClass: Int) -> UnsafeMutablePointer<UInt8>? {
        guard let head = freeLists[sizeClass] else { return nil }
        freeLists[sizeClass] = UnsafeRawPointer(head).load(as: UnsafeMutablePointer<UInt8>?.self)
        return head
    }

    /// Slots in use of the chunk that this one is in.
    private static func chunk(of slot: UnsafeMutablePointer<UInt8>) -> UnsafeMutablePointer<Int> {
        UnsafeMutablePointer(bitPattern: UInt(bitPattern: slot) & ~UInt(chunkBytes - 1))!
    }

    /// A chunk to carve from, with its header; nil where there may be no more.
    private func takeChunk(_ roomMax: Int) -> UnsafeMutableRawPointer? {
        if let chunk = freeChunks.popLast() { return chunk }
        guard reservedBytes + Self.chunkBytes <= roomMax else { return nil }
        let chunk = UnsafeMutableRawPointer.allocate(byteCount: Self.chunkBytes, alignment: Self.chunkBytes)
        chunks.append(chunk)
        reservedBytes += Self.chunkBytes
        return chunk
    }

    private func take(_ sizeClass: Int, roomMax: Int) -> UnsafeMutablePointer<UInt8>? {
        if let head = takeFreed(sizeClass) { return head }
        let size = Self.classSizes[sizeClass]
        if chunkLeft < size {
            guard let chunk = takeChunk(roomMax) else { return nil }
            chunk.storeBytes(of: 0, as: Int.self)
            chunkNext = chunk.assumingMemoryBound(to: UInt8.self) + Self.chunkHeaderBytes
            chunkLeft = Self.chunkBytes - Self.chunkHeaderBytes
        }
        let storage = chunkNext!
        chunkNext = storage + size
        chunkLeft -= size
        return storage
    }

    private func growEntries() {
        let bigger = UnsafeMutablePointer<Entry>.allocate(capacity: entryCapacity * 2)
        bigger.moveInitialize(from: entries, count: entryCount)
        entries.deallocate()
        entries = bigger
        let free = UnsafeMutablePointer<UInt32>.allocate(capacity: entryCapacity * 2)
        free.moveInitialize(from: freeEntries, count: freeEntryCount)
        freeEntries.deallocate()
        freeEntries = free
        entryCapacity *= 2
    }

    private func growSlots() {
        let count = (slotMask + 1) * 2
        slots.deallocate()
        slots = .allocate(capacity: count)
        slots.initialize(repeating: 0, count: count)
        slotMask = count - 1
        for index in 1..<entryCount where entries[index].isUsed { place(index, entries[index].hash) }
    }

    // MARK: sweeping

    /// Step 1: forget all marks.
    public func beginMarking() { for index in 1..<entryCount { entries[index].isMarked = false } }
    /// Step 2, for each id that is still held.
    @inline(__always) public func mark(_ id: PoolID) { entries[Int(id.index)].isMarked = true }
    /// Step 3: frees what was not marked. O(entries).
    public func sweep() {
        for index in 1..<entryCount where entries[index].isUsed && !entries[index].isMarked {
            let sizeClass = Int(entries[index].sizeClass)
            let storage = entries[index].pointer
            UnsafeMutableRawPointer(storage).storeBytes(of: freeLists[sizeClass], as: UnsafeMutablePointer<UInt8>?.self)
            freeLists[sizeClass] = storage
            Self.chunk(of: storage).pointee -= 1
            liveBytes -= Self.classSizes[sizeClass]
            entries[index].isUsed = false
            entries[index].count = 0
            freeEntries[freeEntryCount] = UInt32(index)
            freeEntryCount += 1
            usedCount -= 1
        }
        collectChunks()
        slots.initialize(repeating: 0, count: slotMask + 1)
        for index in 1..<entryCount where entries[index].isUsed { place(index, entries[index].hash) }
        // Before the pool is full: half of the room that is left may fill up.
        sweepAt = min(max(Self.sweepBytesMin, liveBytes * 2), liveBytes + max(1 << 20, (bytesMax - liveBytes) / 2))
        refusedAtSweep = refused
    }

    /// Chunks without a text may hold texts of other lengths from now on: their slots are in no list any more.
    private func collectChunks() {
        let current = chunkNext.map { UnsafeMutableRawPointer(Self.chunk(of: $0 - 1)) }
        let before = freeChunks.count
        for chunk in chunks where chunk != current && chunk.load(as: Int.self) == 0 {
            chunk.storeBytes(of: -1, as: Int.self)
            freeChunks.append(chunk)
        }
        guard freeChunks.count > before else { return }
        for sizeClass in freeLists.indices {
            var next = freeLists[sizeClass]
            freeLists[sizeClass] = nil
            while let slot = next {
                next = UnsafeRawPointer(slot).load(as: UnsafeMutablePointer<UInt8>?.self)
                guard Self.chunk(of: slot).pointee >= 0 else { continue }
                UnsafeMutableRawPointer(slot).storeBytes(of: freeLists[sizeClass], as: UnsafeMutablePointer<UInt8>?.self)
                freeLists[sizeClass] = slot
            }
        }
    }
}
