// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import CaptureFile

@Suite struct EnterEventTableTests {
    /// Random stores and removals against a dictionary.
    @Test func agreesWithADictionary() {
        var random = SeededRandom(state: 7)
        var table = EnterEventTable()
        var model: [Int64: [UInt8]] = [:]
        for _ in 0..<20_000 {
            let tid = Int64.random(in: 0..<700, using: &random)
            if Int.random(in: 0..<3, using: &random) == 0 {
                table.remove(tid: tid)
                model[tid] = nil
            } else {
                let bytes = (0..<Int.random(in: 0..<300, using: &random)).map { UInt8(truncatingIfNeeded: $0 &+ Int(tid)) }
                let room = table.store(tid: tid, type: 4, parameterCount: 1, byteCount: bytes.count)
                room.copyMemory(from: bytes, byteCount: bytes.count)
                model[tid] = bytes
            }
            #expect(table.count == model.count)
        }
        for tid in Int64(0)..<700 { #expect(contents(table, tid) == model[tid]) }
        #expect(table.forgotten == 0)
    }

    @Test func forgetsWhenThreadsAreTooMany() {
        var table = EnterEventTable(threadsMax: 4)
        for tid in Int64(0)..<6 { store(tid: tid, byteCount: 1, in: &table) }
        #expect(table.count == 2)
        #expect(table.forgotten == 4)
        #expect((0..<6).map { table.entry(tid: $0) != nil } == [false, false, false, false, true, true])
    }

    @Test func forgetsWhenBytesAreTooMany() {
        var table = EnterEventTable(bytesMax: 1024)
        for tid in Int64(0)..<6 { store(tid: tid, byteCount: 256, in: &table) }
        #expect(table.count == 2)
        #expect(table.forgotten >= 4)
    }

    private func store(tid: Int64, byteCount: Int, in table: inout EnterEventTable) {
        let room = table.store(tid: tid, type: 4, parameterCount: 0, byteCount: byteCount)
        room.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
    }
    private func contents(_ table: borrowing EnterEventTable, _ tid: Int64) -> [UInt8]? {
        guard let entry = table.entry(tid: tid) else { return nil }
        return Array(UnsafeRawBufferPointer(start: entry.bytes, count: entry.byteCount))
    }
}

/// splitmix64: the same numbers in every run.
struct SeededRandom: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = (state ^ (state >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
