// SPDX-License-Identifier: Apache-2.0
import EventModel

/// Descriptor tables: a dense array each, indexed by descriptor number, with a dictionary for the few numbers far above the
/// others (`dup2(0, 1000000)` must not cost a megabyte of empty rows). Threads and processes that share a table (CLONE_FILES) hold
/// a reference each; the last one that lets go destroys it.
///
/// Arrays come from free lists by size, so forking and exiting in a steady state does not allocate. An array whose rows were mostly
/// closed is exchanged for a smaller one, and a copy is as large as its rows ask for: a process that once had many descriptors does
/// not make each of its children pay for them.
///
/// At most `countMax` descriptors are kept; more are refused and counted. One table gets no more than a quarter of what is left
/// free, of rows and of the pool's bytes, so that nobody leaves the others without: a row past that is refused, its texts are cut.
public final class DescriptorTables {
    private struct Table {
        var base: UnsafeMutablePointer<DescriptorRecord>?
        var capacity: Int32 = 0
        /// No row of the array at or above this is present; it need not be the lowest such number.
        var top: Int32 = 0
        var count: Int32 = 0
        /// Threads that have this table; 0: the entry is free.
        var holders: Int32 = 0
        var hasSpill = false
        /// Bytes of the texts that the rows name.
        var textBytes = 0
        var isUsed: Bool { holders > 0 }
    }
    private var tables: UnsafeMutablePointer<Table>
    private var tableCapacity = 256
    private var tableCount = 0
    private var freeTables: [Int32] = []
    /// Arrays of 8, 16, 32 … rows that wait for the next process.
    private var freeArrays: [[UnsafeMutablePointer<DescriptorRecord>]] = .init(repeating: [], count: DescriptorTables.keptClasses)
    private var spill: [Int32: [Int64: DescriptorRecord]] = [:]
    /// Ports that a table's inet sockets listen on or have as the far end.
    private let ports = PortCounts()
    private let pool: BytePool
    public let countMax: Int
    public private(set) var count = 0
    public private(set) var refused: UInt64 = 0
    public private(set) var added: UInt64 = 0
    public private(set) var removed: UInt64 = 0
    /// Descriptors whose names were not kept, because their table has more of them than its share.
    public private(set) var textsCut: UInt64 = 0
    /// Rows in arrays larger than `arrayMin`, bounded by `largeRowsMax`.
    private(set) var largeRows = 0
    private let largeRowsMax: Int

    static let present = DescriptorFlags(rawValue: 1 << 15)
    /// One process has at most so many; and so many always, while there is room at all.
    static let tableMax = 65536
    static let tableMin = 64
    /// Texts of one table that are kept while there is room at all.
    static let tableTextMin = 4096
    /// Shells keep their script at 255: that one is in the array, too.
    private static let arrayMin = 256
    /// Arrays up to 1024 rows wait for their next use, larger ones are given back.
    private static let keptClasses = 11

    init(pool: BytePool = BytePool(), countMax: Int = 1 << 20) {
        self.pool = pool
        self.countMax = countMax
        largeRowsMax = 4 * countMax
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
            freeTables.append(index)
        }
        tables[Int(index)].holders -= 1
    }

    func holders(of index: Int32) -> Int { index >= 0 ? Int(tables[Int(index)].holders) : 0 }

    /// Of every table in use, once each.
    func forEachTable(_ body: (Int32) -> Void) {
        for index in 0..<tableCount where tables[index].isUsed { body(Int32(index)) }
    }

    /// The row, or nil: then it may still be one far above the others, see `get`. Valid until the next change of any table. O(1).
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

    /// Changes the flags of a descriptor that is known, and returns it as it is then.
    @discardableResult
    func change(_ index: Int32, _ fd: Int64, _ body: (inout DescriptorFlags) -> Void) -> DescriptorRecord? {
        if let row = find(index, fd) {
            body(&row.pointee.flags)
            return row.pointee
        }
        guard index >= 0, tables[Int(index)].hasSpill, var record = spill[index]?[fd] else { return nil }
        body(&record.flags)
        spill[index]![fd] = record
        return record
    }

    func set(_ index: Int32, _ fd: Int64, _ record: DescriptorRecord) {
        guard index >= 0, fd >= 0, fd < 1 << 31 else { return }
        var record = record
        record.flags.insert(Self.present)
        let table = tables + Int(index)
        fitTexts(&record, table)
        if fd >= Int64(table.pointee.capacity), fd < Self.reach(Int(table.pointee.count)) {
            grow(table, to: Int32(fd + 1), index)
        }
        if fd < Int64(table.pointee.capacity) {
            let row = table.pointee.base! + Int(fd)
            if row.pointee.flags.contains(Self.present) {
                forget(index, row.pointee)
            } else {
                guard countOne(table) else { return }
                table.pointee.top = max(table.pointee.top, Int32(fd + 1))
            }
            row.pointee = record
        } else if let old = spill[index]?[fd] {
            forget(index, old)
            spill[index]![fd] = record
        } else {
            guard countOne(table) else { return }
            table.pointee.hasSpill = true
            spill[index, default: [:]][fd] = record
        }
        table.pointee.textBytes += Int(record.textBytes)
        ports.add(index, record)
    }

    /// Does one of the table's inet sockets listen on this port, or have it as the far end? O(1).
    func hasPort(_ index: Int32, _ port: UInt16) -> Bool { index >= 0 && ports.contains(index, port) }

    /// Does an IPv4 socket of any table listen on this port? O(1).
    func isListening(_ port: UInt16) -> Bool { ports.listening[Int(port)] > 0 }

    func remove(_ index: Int32, _ fd: Int64) {
        drop(index, fd)
        if index >= 0 { fit(index) }
    }

    func removeAll(_ index: Int32) {
        guard index >= 0 else { return }
        let table = tables + Int(index)
        for fd in 0..<Int(table.pointee.top) {
            let row = table.pointee.base! + fd
            if row.pointee.flags.contains(Self.present) { ports.remove(index, row.pointee) }
        }
        freeArray(of: table)
        if table.pointee.hasSpill {
            for old in (spill[index] ?? [:]).values { ports.remove(index, old) }
            spill[index] = nil
        }
        table.pointee.hasSpill = false
        count -= Int(table.pointee.count)
        removed &+= UInt64(table.pointee.count)
        table.pointee.count = 0
        table.pointee.textBytes = 0
    }

    /// Closes what `shouldClose` says. O(rows).
    func removeAll(_ index: Int32, where shouldClose: (Int64, DescriptorRecord) -> Bool) {
        guard index >= 0 else { return }
        let table = tables + Int(index)
        for fd in 0..<Int64(table.pointee.top) {
            let row = table.pointee.base! + Int(fd)
            if row.pointee.flags.contains(Self.present), shouldClose(fd, row.pointee) { drop(index, fd) }
        }
        if table.pointee.hasSpill, let others = spill[index] {
            for (fd, record) in others where shouldClose(fd, record) { drop(index, fd) }
        }
        lowerTop(table)
        // A program that a shell started has lost the shell's far descriptor by now.
        if table.pointee.capacity >= 64, table.pointee.capacity <= Self.arrayMin, table.pointee.top * 4 <= table.pointee.capacity
        {
            rehouse(table, index, needed: Int(table.pointee.top))
        } else {
            fit(index)
        }
    }

    /// The target becomes a copy, its rows marked as inherited where it is a fork's. O(rows).
    func copy(from source: Int32, to target: Int32, marksCloned: Bool = true) {
        guard source >= 0, target >= 0, source != target else { return }
        removeAll(target)
        let (from, to) = (tables + Int(source), tables + Int(target))
        lowerTop(from)
        if from.pointee.top > 0 {
            let top = min(Int(from.pointee.top), Self.reach(Int(from.pointee.count)))
            (to.pointee.base, to.pointee.capacity) = array(top)
        }
        let flag: DescriptorFlags = marksCloned ? .cloned : []
        for fd in 0..<Int(from.pointee.top) where from.pointee.base![fd].flags.contains(Self.present) {
            var record = from.pointee.base![fd]
            record.flags.formUnion(flag)
            append(record, Int64(fd), target)
        }
        if from.pointee.hasSpill, let others = spill[source] {
            for (fd, record) in others { append(record, fd, target) }
        }
    }

    /// A row of a copy: the texts are there already.
    private func append(_ record: DescriptorRecord, _ fd: Int64, _ index: Int32) {
        let table = tables + Int(index)
        guard countOne(table) else { return }
        if fd < Int64(table.pointee.capacity) {
            table.pointee.base![Int(fd)] = record
            table.pointee.top = max(table.pointee.top, Int32(fd + 1))
        } else {
            table.pointee.hasSpill = true
            spill[index, default: [:]][fd] = record
        }
        table.pointee.textBytes += Int(record.textBytes)
        ports.add(index, record)
    }

    func count(of index: Int32) -> Int { index >= 0 ? Int(tables[Int(index)].count) : 0 }

    func forEach(_ index: Int32, _ body: (Int64, DescriptorRecord) -> Void) {
        guard index >= 0 else { return }
        let table = tables + Int(index)
        for fd in 0..<Int(table.pointee.top) {
            let row = table.pointee.base! + fd
            if row.pointee.flags.contains(Self.present) { body(Int64(fd), row.pointee) }
        }
        if table.pointee.hasSpill, let others = spill[index] { for (fd, record) in others { body(fd, record) } }
    }

    func markPool() {
        for index in 0..<tableCount where tables[index].isUsed { forEach(Int32(index)) { mark($1) } }
    }

    private func mark(_ record: DescriptorRecord) {
        pool.mark(record.name)
        pool.mark(record.rawName)
        pool.mark(record.kernelPath)
        pool.mark(record.kernelFSPath)
    }

    // MARK: shares

    private func countOne(_ table: UnsafeMutablePointer<Table>) -> Bool {
        let share = max(Self.tableMin, min(Self.tableMax, (countMax - count) / 4))
        guard count < countMax, Int(table.pointee.count) < share else {
            refused &+= 1
            return false
        }
        count += 1
        table.pointee.count += 1
        added &+= 1
        return true
    }

    /// Past its share of the pool a table keeps no texts but short names.
    private func fitTexts(_ record: inout DescriptorRecord, _ table: UnsafeMutablePointer<Table>) {
        let name = pool.byteCount(record.name)
        var bytes = name
        if record.rawName != record.name { bytes += pool.byteCount(record.rawName) }
        bytes += pool.byteCount(record.kernelPath) + pool.byteCount(record.kernelFSPath)
        let share = max(Self.tableTextMin, (pool.bytesMax - pool.liveBytes) / 4)
        if table.pointee.textBytes + bytes > share {
            textsCut &+= 1
            (record.rawName, record.kernelPath, record.kernelFSPath) = (.empty, .empty, .empty)
            bytes = name
            if name > 64 { (record.name, bytes) = (.empty, 0) }
        }
        record.textBytes = UInt32(truncatingIfNeeded: bytes)
    }

    /// What the table had in this row is no longer counted.
    private func forget(_ index: Int32, _ old: DescriptorRecord) {
        ports.remove(index, old)
        tables[Int(index)].textBytes -= Int(old.textBytes)
    }

    private func drop(_ index: Int32, _ fd: Int64) {
        if let row = find(index, fd) {
            forget(index, row.pointee)
            row.pointee.flags = []
        } else {
            guard index >= 0, tables[Int(index)].hasSpill, let old = spill[index]?.removeValue(forKey: fd) else { return }
            forget(index, old)
        }
        tables[Int(index)].count -= 1
        count -= 1
        removed &+= 1
    }

    // MARK: arrays

    /// Numbers below this are in the array of a table with so many rows, if there is room; those above are in the dictionary.
    private static func reach(_ count: Int) -> Int { max(arrayMin, 2 * (count + 64)) }

    private static func sizeClass(_ capacity: Int32) -> Int { Int(31 - capacity.leadingZeroBitCount) }

    private func freeArray(of table: UnsafeMutablePointer<Table>) {
        if let base = table.pointee.base {
            let size = Self.sizeClass(table.pointee.capacity)
            if table.pointee.capacity > Self.arrayMin { largeRows -= Int(table.pointee.capacity) }
            if size < Self.keptClasses, freeArrays[size].count < 64 { freeArrays[size].append(base) } else { base.deallocate() }
        }
        table.pointee.base = nil
        table.pointee.capacity = 0
        table.pointee.top = 0
    }

    /// For at least so many rows, all absent; for fewer where all arrays together would become too large.
    private func array(_ needed: Int) -> (base: UnsafeMutablePointer<DescriptorRecord>, capacity: Int32) {
        var capacity: Int32 = 8
        while Int(capacity) < needed { capacity *= 2 }
        if capacity > Self.arrayMin {
            if largeRows + Int(capacity) > largeRowsMax { capacity = Int32(Self.arrayMin) } else { largeRows += Int(capacity) }
        }
        let size = Self.sizeClass(capacity)
        let fresh: UnsafeMutablePointer<DescriptorRecord>
        if size < Self.keptClasses, let reused = freeArrays[size].popLast() {
            fresh = reused
        } else {
            fresh = .allocate(capacity: Int(capacity))
        }
        fresh.initialize(repeating: DescriptorRecord(), count: Int(capacity))
        return (fresh, capacity)
    }

    private func grow(_ table: UnsafeMutablePointer<Table>, to needed: Int32, _ index: Int32) {
        guard Int(needed) <= Self.arrayMin || largeRows + 2 * Int(needed) <= largeRowsMax else { return }
        rehouse(table, index, needed: Int(needed))
    }

    private func lowerTop(_ table: UnsafeMutablePointer<Table>) {
        while table.pointee.top > 0, !table.pointee.base![Int(table.pointee.top) - 1].flags.contains(Self.present) {
            table.pointee.top -= 1
        }
    }

    /// A smaller array where few rows of a large one are left. Growing again takes many more rows than that, so that neither happens
    /// often; what does not fit goes to the dictionary.
    private func fit(_ index: Int32) {
        let table = tables + Int(index)
        let (capacity, count) = (Int(table.pointee.capacity), Int(table.pointee.count))
        guard capacity > Self.arrayMin, count * 16 < capacity else { return }
        rehouse(table, index, needed: Self.reach(count))
    }

    /// Moves the rows into an array for `needed` numbers, from the dictionary and into it as that asks for.
    private func rehouse(_ table: UnsafeMutablePointer<Table>, _ index: Int32, needed: Int) {
        lowerTop(table)
        let (base, capacity) = array(needed)
        let (old, oldTop) = (table.pointee.base, table.pointee.top)
        let kept = min(oldTop, capacity)
        if let old {
            base.update(from: old, count: Int(kept))
            for fd in Int(kept)..<Int(max(kept, oldTop)) where old[fd].flags.contains(Self.present) {
                spill[index, default: [:]][Int64(fd)] = old[fd]
                table.pointee.hasSpill = true
            }
        }
        freeArray(of: table)
        (table.pointee.base, table.pointee.capacity, table.pointee.top) = (base, capacity, kept)
        lowerTop(table)
        guard table.pointee.hasSpill, let others = spill[index] else { return }
        for (fd, record) in others where fd < Int64(capacity) {
            base[Int(fd)] = record
            table.pointee.top = max(table.pointee.top, Int32(fd + 1))
            spill[index]![fd] = nil
        }
    }
}
