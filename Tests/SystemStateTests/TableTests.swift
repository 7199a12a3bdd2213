// SPDX-License-Identifier: Apache-2.0
import EventModel
import Testing

@testable import SystemState

/// Repeatable random numbers.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}

@Suite struct BytePoolTests {
    @Test func equalBytesHaveOneID() {
        let pool = BytePool()
        let first = Array("/etc/passwd".utf8).withBytes { pool.intern($0) }
        let again = Array("/etc/passwd".utf8).withBytes { pool.intern($0) }
        let other = Array("/etc/shadow".utf8).withBytes { pool.intern($0) }
        #expect(first == again)
        #expect(first != other)
        #expect(pool[first].string == "/etc/passwd")
        #expect(pool.intern(.empty).isEmpty)
    }

    @Test func sweepFreesWhatNobodyMarkedAndReusesIt() {
        let pool = BytePool()
        var ids: [PoolID] = []
        for index in 0..<5000 { ids.append(Array("path-\(index)".utf8).withBytes { pool.intern($0) }) }
        let reserved = pool.reservedBytes
        pool.beginMarking()
        for index in stride(from: 0, to: 5000, by: 2) { pool.mark(ids[index]) }
        pool.sweep()
        #expect(pool.count == 2500)
        for index in stride(from: 0, to: 5000, by: 2) {
            #expect(pool[ids[index]].string == "path-\(index)")
            #expect(Array("path-\(index)".utf8).withBytes { pool.find($0) } == ids[index])
        }
        #expect(Array("path-1".utf8).withBytes { pool.find($0) } == nil)
        for index in 0..<2500 { _ = Array("new-\(index)".utf8).withBytes { pool.intern($0) } }
        #expect(pool.reservedBytes == reserved)
    }

    @Test func aFullPoolRefusesAndCounts() {
        let pool = BytePool(bytesMax: 256 << 10)
        for index in 0..<20000 { _ = Array("a string of some length \(index)".utf8).withBytes { pool.intern($0) } }
        #expect(pool.refused > 0)
        #expect(pool.reservedBytes <= 256 << 10)
    }

    /// Else a machine that once filled it would be without names for ever.
    @Test(arguments: [(200, 10), (10, 200), (10, 10)]) func aFullPoolAsksForASweepAndRecovers(firstBytes: Int, thenBytes: Int) {
        let pool = BytePool(bytesMax: 1 << 20)
        func fill(_ bytes: Int, _ mark: UInt8, _ count: Int) -> Int {
            (0..<count).filter { index in
                let text = Array("\(index)".utf8) + [UInt8](repeating: mark, count: bytes)
                return text.withBytes { pool.intern($0) }.isEmpty
            }.count
        }
        _ = fill(firstBytes, 1, 80_000)
        #expect(pool.refused > 0)
        #expect(pool.needsSweep)
        pool.beginMarking()
        pool.sweep()
        #expect(!pool.needsSweep)
        // Memory of short texts is there for long ones, too.
        #expect(fill(thenBytes, 2, 1000) == 0)
    }

    /// Memory moves between lengths without disturbing the texts that stay.
    @Test func whatStaysIsUntouchedWhenChunksAreUsedAgain() {
        let pool = BytePool(bytesMax: 2 << 20)
        func id(_ text: String, _ length: Int) -> PoolID {
            (Array(text.utf8) + [UInt8](repeating: 46, count: length)).withBytes { pool.intern($0) }
        }
        var kept: [(text: String, length: Int, id: PoolID)] = []
        for round in 0..<12 {
            let length = [5, 900, 40, 4000][round % 4]
            for index in 0..<400 {
                let new = id("\(round)-\(index)", length)
                if index % 97 == 0, !new.isEmpty { kept.append(("\(round)-\(index)", length, new)) }
            }
            pool.beginMarking()
            if round % 3 == 2 { kept.removeFirst(kept.count / 2) }
            for text in kept { pool.mark(text.id) }
            pool.sweep()
            for text in kept { #expect(id(text.text, text.length) == text.id) }
        }
        #expect(pool.count == kept.count)
    }

    @Test func theLastEighthIsKeptFromSpareTexts() {
        let pool = BytePool(bytesMax: 4 << 20)
        var refused = 0
        for index in 0..<6000 {
            let text = Array("spare \(index)".utf8) + [UInt8](repeating: 46, count: 1000)
            if text.withBytes({ pool.internSpare($0) }).isEmpty { refused += 1 }
        }
        #expect(refused > 0 && pool.refused == UInt64(refused))
        for index in 0..<100 {
            let text = Array("name \(index)".utf8) + [UInt8](repeating: 46, count: 1000)
            #expect(!text.withBytes { pool.intern($0) }.isEmpty)
        }
    }

    @Test func everyLengthUpToTheLimit() {
        let pool = BytePool()
        for length in [1, 7, 8, 9, 15, 16, 17, 48, 49, 1000, 4096, 65535, 65536] {
            let bytes = [UInt8](repeating: UInt8(length & 0xff), count: length)
            #expect(pool[bytes.withBytes { pool.intern($0) }].array == bytes)
        }
        let long = [UInt8](repeating: 1, count: 70000)
        #expect(pool[long.withBytes { pool.intern($0) }].count == BytePool.stringBytesMax)
    }
}

@Suite struct ThreadTableTests {
    @Test(arguments: [UInt64(1), 2, 3]) func agreesWithADictionary(seed: UInt64) {
        var random = SeededGenerator(state: seed)
        let table = ThreadTable(countMax: 100_000)
        var model: [Int64: Int64] = [:]
        for _ in 0..<20_000 {
            let tid = Int64.random(in: 1...600, using: &random)
            let slot = table.find(tid)
            #expect(slot.exists == (model[tid] != nil))
            if slot.exists {
                #expect(table.rows[Int(slot.index)].pid == model[tid])
                table.remove(slot)
                model[tid] = nil
            } else {
                var record = ThreadRecord()
                record.tid = tid
                record.pid = Int64.random(in: 1...9, using: &random)
                _ = table.insert(record)
                model[tid] = record.pid
            }
        }
        #expect(table.count == model.count)
    }

    @Test func aFullTableRefusesAndCounts() {
        let table = ThreadTable(countMax: 2)
        for tid in 1...3 {
            var record = ThreadRecord()
            record.tid = Int64(tid)
            #expect(table.insert(record).exists == (tid < 3))
        }
        #expect(table.refused == 1)
    }
}

@Suite struct DescriptorTableTests {
    @Test(arguments: [UInt64(11), 12]) func agreesWithADictionary(seed: UInt64) {
        var random = SeededGenerator(state: seed)
        let tables = DescriptorTables()
        var model: [Int32: [Int64: UInt64]] = [:]
        var indices = (0..<4).map { _ in tables.create() }
        for step in 0..<20_000 {
            let which = Int.random(in: 0..<4, using: &random)
            let index = indices[which]
            let fd =
                Bool.random(using: &random)
                ? Int64.random(in: 0..<40, using: &random) : Int64.random(in: 0..<1_000_000, using: &random)
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<6:
                var record = DescriptorRecord()
                record.inode = UInt64(step)
                record.kind = Bool.random(using: &random) ? .ipv4Socket : .file
                record.destinationPort = UInt16(step % 7)
                tables.set(index, fd, record)
                model[index, default: [:]][fd] = UInt64(step)
            case 6..<8:
                tables.remove(index, fd)
                model[index]?[fd] = nil
            case 8:
                let target = indices[(which + 1) % 4]
                tables.copy(from: index, to: target)
                model[target] = model[index]
            default:
                if Int.random(in: 0..<50, using: &random) == 0 {
                    tables.release(index)
                    model[index] = nil
                    indices[which] = tables.create()
                }
            }
            #expect(
                tables.get(index, fd)?.inode == (indices[which] == index ? model[index]?[fd] : nil) || indices[which] != index)
        }
        for index in indices {
            var seen: [Int64: UInt64] = [:]
            tables.forEach(index) { seen[$0] = $1.inode }
            #expect(seen == model[index] ?? [:])
            #expect(tables.count(of: index) == seen.count)
            for port in UInt16(1)...6 {
                var listed = false
                tables.forEach(index) { if $1.kind == .ipv4Socket, $1.destinationPort == port { listed = true } }
                #expect(tables.hasPort(index, port) == listed)
            }
        }
        #expect(tables.count == indices.reduce(0) { $0 + tables.count(of: $1) })
    }

    @Test func aDistantDescriptorCostsOneRow() {
        let tables = DescriptorTables()
        let index = tables.create()
        tables.set(index, 1_000_000, DescriptorRecord())
        #expect(tables.get(index, 1_000_000) != nil)
        #expect(tables.find(index, 1_000_000) == nil)
        tables.set(index, -1, DescriptorRecord())
        #expect(tables.count(of: index) == 1)
    }

    /// A number far above the others, then so many others that the array reaches it: closed is closed.
    @Test func aRowThatWasFarAboveTheOthersIsInOnePlace() {
        let tables = DescriptorTables()
        let table = tables.create()
        var record = DescriptorRecord()
        record.inode = 1
        tables.set(table, 1000, record)
        tables.set(table, 700, record)
        for fd in 0..<300 { tables.set(table, Int64(fd), record) }
        record.inode = 2
        tables.set(table, 1000, record)
        #expect(tables.count(of: table) == 302)
        #expect(tables.get(table, 1000)?.inode == 2)
        #expect(tables.get(table, 700)?.inode == 1)
        tables.remove(table, 1000)
        tables.remove(table, 700)
        #expect(tables.get(table, 1000) == nil && tables.get(table, 700) == nil)
        #expect(tables.count(of: table) == 300 && tables.count == 300)
    }

    /// Who once had many descriptors does not make each child pay for them.
    @Test(arguments: [true, false]) func anArrayShrinksWithItsRows(fromAbove: Bool) {
        let tables = DescriptorTables()
        let table = tables.create()
        for fd in 0..<60_000 { tables.set(table, Int64(fd), DescriptorRecord()) }
        #expect(tables.largeRows >= 60_000 && tables.largeRows <= 4 * 60_100)
        for fd in fromAbove ? Array((3..<59_990).reversed()) : Array(3..<59_990) { tables.remove(table, Int64(fd)) }
        #expect(tables.largeRows == 0)
        var seen: Set<Int64> = []
        tables.forEach(table) { fd, _ in seen.insert(fd) }
        #expect(seen == Set<Int64>([0, 1, 2]).union(59_990..<60_000))
        let copies = (0..<50).map { _ in tables.create() }
        for copy in copies { tables.copy(from: table, to: copy) }
        #expect(tables.largeRows == 0 && copies.allSatisfy { tables.count(of: $0) == 13 && tables.get($0, 59_995) != nil })
    }

    /// Arrays of all tables together stay within a bound, what they cannot hold is found all the same.
    @Test func largeArraysAreBounded() {
        let tables = DescriptorTables(countMax: 4000)
        let all = (0..<40).map { _ in tables.create() }
        for table in all {
            for fd in Array(0..<100) + [300] { tables.set(table, Int64(fd), DescriptorRecord()) }
            for fd in 0..<60 { tables.remove(table, Int64(fd)) }
        }
        #expect(tables.largeRows > 8000 && tables.largeRows <= 16_000)
        #expect(all.allSatisfy { table in (60..<100).allSatisfy { tables.get(table, Int64($0)) != nil } })
        #expect(all.allSatisfy { tables.get($0, 300) != nil && tables.count(of: $0) == 41 })
        for table in all { tables.release(table) }
        #expect(tables.largeRows == 0 && tables.count == 0)
    }

    @Test(arguments: [UInt64(31), 32, 33]) func growingAndShrinkingLosesNothing(seed: UInt64) {
        var random = SeededGenerator(state: seed)
        let tables = DescriptorTables()
        let table = tables.create()
        var model: [Int64: UInt64] = [:]
        for phase in 0..<12 {
            let reach = [Int64(40), 3000, 700, 100_000][Int.random(in: 0..<4, using: &random)]
            for step in 0..<1500 {
                let fd = Int64.random(in: 0..<reach, using: &random)
                if Int.random(in: 0..<10, using: &random) < (phase % 2 == 0 ? 9 : 1) {
                    var record = DescriptorRecord()
                    record.inode = UInt64(phase * 10_000 + step)
                    tables.set(table, fd, record)
                    model[fd] = record.inode
                } else {
                    let closed = phase % 2 == 0 ? fd : model.keys.randomElement(using: &random) ?? fd
                    tables.remove(table, closed)
                    model[closed] = nil
                }
            }
            if phase % 3 == 0 {
                tables.removeAll(table) { fd, _ in fd % 5 != 0 }
                model = model.filter { $0.key % 5 == 0 }
            }
            let copy = tables.create()
            tables.copy(from: table, to: copy)
            for index in [table, copy] {
                var seen: [Int64: UInt64] = [:]
                tables.forEach(index) { seen[$0] = $1.inode }
                #expect(seen == model && tables.count(of: index) == model.count)
                #expect(model.allSatisfy { tables.get(index, $0.key)?.inode == $0.value })
            }
            tables.release(copy)
            #expect(tables.count == model.count)
        }
    }

    /// One process does not take the room of all others.
    @Test func oneTableGetsItsShare() {
        let tables = DescriptorTables(countMax: 10_000)
        let hogs = (0..<4).map { _ in tables.create() }
        for hog in hogs { for fd in 0..<20_000 { tables.set(hog, Int64(fd), DescriptorRecord()) } }
        #expect(tables.count(of: hogs[0]) == 2000 && tables.refused > 60_000)
        let other = tables.create()
        for fd in 0..<500 { tables.set(other, Int64(fd), DescriptorRecord()) }
        #expect(tables.count(of: other) == 500)
        let child = tables.create()
        tables.copy(from: other, to: child)
        #expect(tables.count(of: child) == 500)
    }

    @Test func oneTableDoesNotFillThePool() {
        let pool = BytePool(bytesMax: 8 << 20)
        let tables = DescriptorTables(pool: pool)
        func file(_ name: String, _ length: Int) -> DescriptorRecord {
            var record = DescriptorRecord()
            record.name = (Array(name.utf8) + [UInt8](repeating: 46, count: length)).withBytes { pool.intern($0) }
            record.rawName = (Array(name.utf8) + [UInt8](repeating: 45, count: length)).withBytes { pool.internSpare($0) }
            return record
        }
        let hog = tables.create()
        for fd in 0..<20_000 {
            tables.set(hog, Int64(fd), file("/h\(fd)", 1000))
            if pool.needsSweep {
                pool.beginMarking()
                tables.markPool()
                pool.sweep()
            }
        }
        #expect(tables.textsCut > 10_000 && tables.count(of: hog) == 20_000)
        let other = tables.create()
        for fd in 0..<100 { tables.set(other, Int64(fd), file("/o\(fd)", 1000)) }
        #expect((0..<100).allSatisfy { tables.get(other, Int64($0)).map { !$0.name.isEmpty && !$0.rawName.isEmpty } ?? false })
        // Room that was given back is there again, also the hog's.
        tables.removeAll(hog)
        pool.beginMarking()
        tables.markPool()
        pool.sweep()
        tables.set(hog, 5, file("/again", 1000))
        #expect(tables.get(hog, 5)?.name.isEmpty == false)
    }

    @Test func everyTableIsVisitedOnce() {
        let tables = DescriptorTables()
        let first = tables.create()
        for _ in 0..<100 { _ = tables.retain(first) }
        let second = tables.create()
        tables.release(tables.create())
        var seen: [Int32] = []
        tables.forEachTable { seen.append($0) }
        #expect(seen == [first, second])
    }

    @Test func theLimitHolds() {
        let tables = DescriptorTables(countMax: 5)
        let index = tables.create()
        for fd in 0..<9 { tables.set(index, Int64(fd), DescriptorRecord()) }
        #expect(tables.count == 5)
        #expect(tables.refused == 4)
    }
}

@Suite struct PathTests {
    @Test(arguments: [
        ("/home/a/", "b", "/home/a/b"), ("/home/a/", "../b", "/home/b"), ("/home/a/", "/etc//passwd", "/etc/passwd"),
        ("/", "../../x", "/x"), ("/a/b/", "./c/./d/", "/a/b/c/d"), ("", "..", ""), ("", "dir/term", "dir/term"),
        ("/app", "custom", "/appcustom"), ("../x/", "dir/../../y", "../y"), ("/a/", "", "/a/"), ("/", "", "/"),
        ("/x/", "..", "/"),
        ("/x/y/", "...", "/x/y/..."), ("<UNKNOWN>", "f", "<UNKNOWN>f"), ("", "/", "/"), ("", "/..", "/"),
    ])
    func joins(directory: String, path: String, expected: String) {
        let output = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: 1024)
        defer { output.deallocate() }
        let count = Array(directory.utf8).withBytes { directory in
            Array(path.utf8).withBytes { Paths.concatenate(directory, $0, into: output) }
        }
        #expect(String(decoding: output[0..<count], as: UTF8.self) == expected)
    }

    @Test func tooLongIsSaidSo() {
        let output = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: 1024)
        defer { output.deallocate() }
        let count = [UInt8](repeating: 65, count: 1020).withBytes { directory in
            Array("name".utf8).withBytes { Paths.concatenate(directory, $0, into: output) }
        }
        #expect(String(decoding: output[0..<count], as: UTF8.self) == "/DIR_TOO_LONG/FILENAME_TOO_LONG")
    }
}

@Suite struct ContainerPathTests {
    static let id = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

    @Test(
        arguments: [
            ("/docker/\(id)", "0123456789ab"), ("/system.slice/docker-\(id).scope", "0123456789ab"),
            ("/kubepods/burstable/pod1f2/\(id)", "0123456789ab"),
            ("/kubepods.slice/kubepods-pod1.slice/cri-containerd-\(id).scope", "0123456789ab"),
            ("/kubepods.slice/kubepods-pod1.slice:cri-containerd:\(id)", "0123456789ab"),
            ("/machine.slice/libpod-\(id).scope/container", "0123456789ab"), ("/crio-\(id).scope", "0123456789ab"),
            ("/lxc/web-1", "web-1"), ("/lxc.payload.web-1", "web-1"), ("/lxc.payload/web-1/system.slice", "web-1"),
            ("/machine.slice/libpod-conmon-\(id).scope", nil), ("/crio-conmon-\(id).scope", nil),
            ("/user.slice/user-1000.slice", nil),
            ("/", nil), ("", nil), ("/docker/0123456789abcdef", nil), ("/docker/\(id.uppercased())", nil), ("/x\(id)", nil),
        ] as [(String, String?)])
    func finds(path: String, expected: String?) {
        let found = Array(path.utf8).withBytes { ContainerPath.find(inPath: $0)?.short.string }
        #expect(found == expected)
    }

    @Test func readsTheEntriesOfAllSubsystems() {
        let cgroups = "cpuset=/\0cpu=/docker/\(Self.id)\0memory=/docker/\(Self.id)\0"
        #expect(Array(cgroups.utf8).withBytes { ContainerPath.find(inCgroups: $0)?.full.string } == Self.id)
    }
}

@Suite struct HashTests {
    /// Bytes that collide under a hash of xor, odd multiplication and shift whatever its seed: they must not here.
    @Test func chosenBytesDoNotCollide() {
        var hashes: Set<UInt64> = []
        for bits in 0..<1024 {
            var words = [UInt64](repeating: 0x6161_6161_6161_6161, count: 20)
            for pair in 0..<10 where bits >> pair & 1 != 0 {
                words[2 * pair] ^= 1 << 63
                words[2 * pair + 1] ^= 1 << 63 | 1 << 34
            }
            hashes.insert(words.withUnsafeBytes { Bytes($0).hash(seed: 7) })
        }
        #expect(hashes.count == 1024)
    }

    @Test func everyByteOfEveryLengthCounts() {
        for length in 1...40 {
            let plain = [UInt8](repeating: 65, count: length)
            let reference = plain.withBytes { $0.hash(seed: 1) }
            for index in 0..<length {
                var changed = plain
                changed[index] = 66
                #expect(changed.withBytes { $0.hash(seed: 1) } != reference)
            }
            #expect((plain + [65]).withBytes { $0.hash(seed: 1) } != reference)
        }
    }
}
