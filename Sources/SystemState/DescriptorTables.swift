// SPDX-License-Identifier: Apache-2.0
import EventModel

/// Descriptor tables: a dense array each, indexed by descriptor number, with a dictionary for the few numbers far above the
/// others (`dup2(0, 1000000)` must not cost a megabyte of empty rows). Threads and processes that share a table (CLONE_FILES) hold
/// a reference each; the last one that lets go destroys it.
///
/// Arrays come from free lists by size, so forking and exiting in a steady state does not allocate.
/// At most `countMax` descriptors are kept; more are refused and counted.
public final class DescriptorTables {
    private struct Table {
        var base: UnsafeMutablePointer<DescriptorRecord>?
        var capacity: Int32 = 0
        var count: Int32 = 0
        /// Threads that have this table; 0: the entry is free.
        var holders: Int32 = 0
        var hasSpill = false
        var isUsed: Bool { holders > 0 }
    }
    private var tables: UnsafeMutablePointer<Table>
    private var tableCapacity = 256
    private var tableCount = 0
    private var freeTables: [Int32] = []
    /// Arrays of 8, 16, 32 … rows that wait for the next process.
    private var freeArrays: [[UnsafeMutablePointer<DescriptorRecord>]] = .init(repeating: [], count: 24)
    private var spill: [Int32: [Int64: DescriptorRecord]] = [:]
    /// Ports that a table's inet sockets listen on or have as the far end.
    private let ports = PortCounts()
    public let countMax: Int
    public private(set) var count = 0
    public private(set) var refused: UInt64 = 0
    public private(set) var added: UInt64 = 0
    public private(set) var removed: UInt64 = 0

    static let present = DescriptorFlags(rawValue: 1 << 15)

    init(countMax: Int = 1 << 20) {
        self.countMax = countMax
        tables = .allocate(capacity: tableCapacity)
        freeTables.reserveCapacity(1024)
    }

    deinit {
        for index in 0..<tableCount { tables[index].base?.deallocate() }
        for size in freeArrays { for array in size { array.deallocate() } }
        tables.deallocate()
    }

    /// An empty table with one holder.
    func create() -> Int32 {
        if let index = freeTables.popLast() {
            tables[Int(index)] = Table(base: nil, holders: 1)
            return index
        }
        if tableCount == tableCapacity {
            let bigger = UnsafeMutablePointer<Table>.allocate(capacity: tableCapacity * 2)
            bigger.moveInitialize(from: tables, count: tableCount)
            tables.deallocate()
            tables = bigger
            tableCapacity *= 2
        }
        (tables + tableCount).initialize(to: Table(base: nil, holders: 1))
        tableCount += 1
        return Int32(tableCount - 1)
    }

    /// One more thread has this table.
    func retain(_ index: Int32) -> Int32 {
        precondition(index >= 0 && tables[Int(index)].isUsed, "a table that is shared exists")
        tables[Int(index)].holders += 1
        return index
    }

    /// One thread less. The last one takes the table with it: O(rows).
    func release(_ index: Int32) {
        guard index >= 0, tables[Int(index)].isUsed else { return }
        if tables[Int(index)].holders == 1 {
            removeAll(index)
            freeArray(of: &tables[Int(index)])
            freeTables.append(index)
        }
        tables[Int(index)].holders -= 1
    }

    func holders(of index: Int32) -> Int { index >= 0 ? Int(tables[Int(index)].holders) : 0 }

    private func sizeClass(_ capacity: Int32) -> Int { Int(31 - max(8, capacity).leadingZeroBitCount) }

    private func freeArray(of table: inout Table) {
        if let base = table.base {
            let size = sizeClass(table.capacity)
            if freeArrays[size].count < 64 { freeArrays[size].append(base) } else { base.deallocate() }
        }
        table.base = nil
        table.capacity = 0
    }

    private func array(_ capacity: Int32) -> UnsafeMutablePointer<DescriptorRecord> {
        let fresh: UnsafeMutablePointer<DescriptorRecord>
        if let reused = freeArrays[sizeClass(capacity)].popLast() {
            fresh = reused
        } else {
            fresh = .allocate(capacity: Int(capacity))
        }
        fresh.initialize(repeating: DescriptorRecord(), count: Int(capacity))
        return fresh
    }

    /// The row, or nil. Valid until the next change of any table. O(1).
    @inline(__always)
    func find(_ index: Int32, _ fd: Int64) -> UnsafeMutablePointer<DescriptorRecord>? {
        guard index >= 0, fd >= 0 else { return nil }
        let table = tables + Int(index)
        if fd < Int64(table.pointee.capacity) {
            let row = table.pointee.base! + Int(fd)
            return row.pointee.flags.contains(Self.present) ? row : nil
        }
        return nil
    }

    func get(_ index: Int32, _ fd: Int64) -> DescriptorRecord? {
        if let row = find(index, fd) { return row.pointee }
        guard index >= 0, tables[Int(index)].hasSpill else { return nil }
        return spill[index]?[fd]
    }

    func set(_ index: Int32, _ fd: Int64, _ record: DescriptorRecord) {
        guard index >= 0, fd >= 0, fd < 1 << 31 else { return }
        var record = record
        record.flags.insert(Self.present)
        let table = tables + Int(index)
        // Shells keep their script at 255: that one is in the array, too.
        if fd >= Int64(table.pointee.capacity), fd < max(256, 4 * Int64(table.pointee.count + 16)) {
            grow(table, to: Int32(fd + 1))
            unspill(index)
        }
        if fd < Int64(table.pointee.capacity) {
            let row = table.pointee.base! + Int(fd)
            if row.pointee.flags.contains(Self.present) {
                ports.remove(index, row.pointee)
            } else {
                guard countOne() else { return }
                table.pointee.count += 1
            }
            row.pointee = record
            ports.add(index, record)
            return
        }
        table.pointee.hasSpill = true
        if let old = spill[index, default: [:]].updateValue(record, forKey: fd) {
            ports.remove(index, old)
        } else {
            guard countOne() else {
                spill[index]![fd] = nil
                return
            }
            table.pointee.count += 1
        }
        ports.add(index, record)
    }

    /// Rows that the grown array has room for move there: a descriptor is in one place only.
    private func unspill(_ index: Int32) {
        let table = tables + Int(index)
        guard table.pointee.hasSpill, let others = spill[index] else { return }
        for (fd, record) in others where fd < Int64(table.pointee.capacity) {
            table.pointee.base![Int(fd)] = record
            spill[index]![fd] = nil
        }
    }

    /// Does one of the table's inet sockets listen on this port, or have it as the far end? O(1).
    func hasPort(_ index: Int32, _ port: UInt16) -> Bool { index >= 0 && ports.contains(index, port) }

    private func countOne() -> Bool {
        guard count < countMax else {
            refused &+= 1
            return false
        }
        count += 1
        added &+= 1
        return true
    }

    private func grow(_ table: UnsafeMutablePointer<Table>, to needed: Int32) {
        var capacity: Int32 = 8
        while capacity < needed { capacity *= 2 }
        let bigger = array(capacity)
        if let base = table.pointee.base { bigger.update(from: base, count: Int(table.pointee.capacity)) }
        freeArray(of: &table.pointee)
        table.pointee.base = bigger
        table.pointee.capacity = capacity
    }

    func remove(_ index: Int32, _ fd: Int64) {
        if let row = find(index, fd) {
            ports.remove(index, row.pointee)
            row.pointee.flags = []
        } else {
            guard index >= 0, tables[Int(index)].hasSpill, let old = spill[index]?.removeValue(forKey: fd) else { return }
            ports.remove(index, old)
        }
        tables[Int(index)].count -= 1
        count -= 1
        removed &+= 1
    }

    func removeAll(_ index: Int32) {
        guard index >= 0 else { return }
        let table = tables + Int(index)
        for fd in 0..<Int(table.pointee.capacity) {
            let row = table.pointee.base! + fd
            if row.pointee.flags.contains(Self.present) { ports.remove(index, row.pointee) }
            row.pointee.flags = []
        }
        if table.pointee.hasSpill {
            for old in (spill[index] ?? [:]).values { ports.remove(index, old) }
            spill[index] = nil
        }
        table.pointee.hasSpill = false
        count -= Int(table.pointee.count)
        removed &+= UInt64(table.pointee.count)
        table.pointee.count = 0
    }

    /// Closes what `shouldClose` says. O(rows).
    func removeAll(_ index: Int32, where shouldClose: (Int64, DescriptorRecord) -> Bool) {
        guard index >= 0 else { return }
        let table = tables + Int(index)
        for fd in 0..<Int64(table.pointee.capacity) {
            let row = table.pointee.base! + Int(fd)
            if row.pointee.flags.contains(Self.present), shouldClose(fd, row.pointee) { remove(index, fd) }
        }
        if table.pointee.hasSpill, let others = spill[index] {
            for (fd, record) in others where shouldClose(fd, record) { remove(index, fd) }
        }
    }

    /// The target becomes a copy, its rows marked as inherited where it is a fork's. O(rows).
    func copy(from source: Int32, to target: Int32, marksCloned: Bool = true) {
        guard source >= 0, target >= 0, source != target else { return }
        removeAll(target)
        let from = tables + Int(source)
        guard count + Int(from.pointee.count) <= countMax else {
            refused &+= UInt64(from.pointee.count)
            return
        }
        if from.pointee.capacity > 0 {
            freeArray(of: &tables[Int(target)])
            let fresh = array(from.pointee.capacity)
            fresh.update(from: from.pointee.base!, count: Int(from.pointee.capacity))
            for fd in 0..<Int(from.pointee.capacity) where fresh[fd].flags.contains(Self.present) {
                if marksCloned { fresh[fd].flags.insert(.cloned) }
                ports.add(target, fresh[fd])
            }
            tables[Int(target)].base = fresh
            tables[Int(target)].capacity = from.pointee.capacity
        }
        if from.pointee.hasSpill, let others = spill[source] {
            spill[target] = others
            for record in others.values { ports.add(target, record) }
            tables[Int(target)].hasSpill = true
        }
        tables[Int(target)].count = from.pointee.count
        count += Int(from.pointee.count)
        added &+= UInt64(from.pointee.count)
    }

    func count(of index: Int32) -> Int { index >= 0 ? Int(tables[Int(index)].count) : 0 }

    func forEach(_ index: Int32, _ body: (Int64, DescriptorRecord) -> Void) {
        guard index >= 0 else { return }
        let table = tables + Int(index)
        for fd in 0..<Int(table.pointee.capacity) {
            let row = table.pointee.base! + fd
            if row.pointee.flags.contains(Self.present) { body(Int64(fd), row.pointee) }
        }
        if table.pointee.hasSpill, let others = spill[index] { for (fd, record) in others { body(fd, record) } }
    }

    func markPool(_ pool: BytePool) {
        for index in 0..<tableCount where tables[index].isUsed {
            for fd in 0..<Int(tables[index].capacity) {
                pool.mark(tables[index].base![fd].name)
                pool.mark(tables[index].base![fd].rawName)
                pool.mark(tables[index].base![fd].kernelPath)
                pool.mark(tables[index].base![fd].kernelFSPath)
            }
        }
        for table in spill.values {
            for record in table.values {
                pool.mark(record.name)
                pool.mark(record.rawName)
                pool.mark(record.kernelPath)
                pool.mark(record.kernelFSPath)
            }
        }
    }
}
