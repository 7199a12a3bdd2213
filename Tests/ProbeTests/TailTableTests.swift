// SPDX-License-Identifier: Apache-2.0
import CProbeABI
import EventModel
import Foundation
import Testing

/// tail_calls.def and simple_calls.def against the table of system calls.
@Suite struct TailTableTests {
    private static func text(_ path: String) throws -> String {
        let root = URL(filePath: #filePath).appending(path: "../../..").standardized
        return try String(contentsOf: root.appending(path: path), encoding: .utf8)
    }
    /// The x86-64 numbers of the rows that begin so.
    private static func numbers(_ file: String, _ macro: String) throws -> [Int] {
        try text("Sources/CProbeABI/include/\(file)").matches(
            of: try Regex("(?m)^\(macro)\\((\\d+),", as: (Substring, Substring).self)
        )
        .map { Int($0.1)! }.filter { $0 < Int(PROBE_X86_64_MAX) }
    }

    /// A call with an event of its own has one program that encodes it, and no other has one.
    @Test func everyCallWithAnEventHasOneProgram() throws {
        let rows = try Self.numbers("tail_calls.def", "PROBE_TAIL") + Self.numbers("simple_calls.def", "SIMPLE")
        #expect(Set(rows).count == rows.count)
        let dedicated = Set(EventTable.syscalls.filter { !$0.isGeneric }.map(\.number))
        let missing = dedicated.subtracting(rows), surplus = Set(rows).subtracting(dedicated)
        #expect(
            missing.isEmpty && surplus.isEmpty, "without a program \(missing.sorted()), with one too many \(surplus.sorted())")
        #expect(dedicated.count == 154 && EventTable.syscalls.count - dedicated.count == 219)
    }

    /// A row names the event that the table has for its number.
    @Test func aSimpleRowHasTheEventOfItsCall() throws {
        let pattern = try Regex("(?m)^SIMPLE\\((\\d+), (PPME_\\w+),", as: (Substring, Substring, Substring).self)
        for match in try Self.text("Sources/CProbeABI/include/simple_calls.def").matches(of: pattern) {
            let call = try #require(EventTable.syscalls.first { $0.number == Int(match.1)! })
            #expect(EventTable.events[Int(call.exitEvent)].identifier == String(match.2), "\(call.name)")
        }
    }
}
