// SPDX-License-Identifier: Apache-2.0

/// Working directories. Threads and processes that share one (CLONE_FS) hold a reference each. No allocation once grown.
final class DirectoryTable {
    private struct Entry {
        var path: PoolID
        var holders: Int32
    }
    private var entries: UnsafeMutablePointer<Entry>
    private var capacity = 256
    private var used = 0
    private var free: [Int32] = []

    init() {
        entries = .allocate(capacity: capacity)
        free.reserveCapacity(1024)
    }
    deinit { entries.deallocate() }

    /// With one holder.
    func create(_ path: PoolID) -> Int32 {
        if let index = free.popLast() {
            entries[Int(index)] = Entry(path: path, holders: 1)
            return index
        }
        if used == capacity {
            let bigger = UnsafeMutablePointer<Entry>.allocate(capacity: capacity * 2)
            bigger.moveInitialize(from: entries, count: used)
            entries.deallocate()
            entries = bigger
            capacity *= 2
        }
        (entries + used).initialize(to: Entry(path: path, holders: 1))
        used += 1
        return Int32(used - 1)
    }

    func retain(_ index: Int32) -> Int32 {
        precondition(index >= 0 && entries[Int(index)].holders > 0, "a directory that is shared exists")
        entries[Int(index)].holders += 1
        return index
    }

    func release(_ index: Int32) {
        guard index >= 0, entries[Int(index)].holders > 0 else { return }
        entries[Int(index)].holders -= 1
        if entries[Int(index)].holders == 0 { free.append(index) }
    }

    func holders(of index: Int32) -> Int { index >= 0 ? Int(entries[Int(index)].holders) : 0 }

    @inline(__always)
    subscript(index: Int32) -> PoolID {
        get { index >= 0 ? entries[Int(index)].path : .empty }
        set { if index >= 0 { entries[Int(index)].path = newValue } }
    }

    func markPool(_ pool: BytePool) {
        for index in 0..<used where entries[index].holders > 0 { pool.mark(entries[index].path) }
    }
}
