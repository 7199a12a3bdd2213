// SPDX-License-Identifier: Apache-2.0
import CProbeABI
import EventModel
import Foundation
import Testing

/// ia32.def and multiplexed.def against the x86-64 table and, where it is installed, the kernel's own header.
@Suite struct Ia32TableTests {
    private struct Row {
        let number: Int
        let name: String
        let target: String
        let isOnly: Bool
    }
    private static func text(_ path: String) throws -> String {
        let root = URL(filePath: #filePath).appending(path: "../../..").standardized
        return try String(contentsOf: root.appending(path: path), encoding: .utf8)
    }
    private static func rows() throws -> [Row] {
        try text("Sources/CProbeABI/include/ia32.def").matches(of: /(?m)^IA32(_ONLY)?\((\d+), "(\w+)", ([^,)]+)/).map {
            Row(number: Int($0.2)!, name: String($0.3), target: String($0.4), isOnly: $0.1 != nil)
        }
    }
    private static let names = Dictionary(uniqueKeysWithValues: EventTable.syscalls.map { ($0.number, $0.name) })

    @Test func everyNumberHasOneRow() throws {
        let rows = try Self.rows()
        #expect(rows.count > 440 && Set(rows.map(\.number)).count == rows.count)
        #expect(rows.allSatisfy { $0.number < Int(PROBE_X86_64_MAX) })
    }

    /// The same name is the same call, and another name differs by what tells its width or age.
    @Test func theRelativeIsTheSameCall() throws {
        let others = [
            "umount": "umount2", "ugetrlimit": "getrlimit", "mmap2": "mmap", "_llseek": "lseek", "_newselect": "select",
            "fstatat64": "newfstatat", "fadvise64_64": "fadvise64",
        ]
        for row in try Self.rows() where !row.isOnly {
            guard let number = Int(row.target) else {
                #expect(["socketcall", "ipc"].contains(row.name))
                continue
            }
            let name = try #require(Self.names[number], "\(row.name): no x86-64 call \(number)")
            var plain = row.name
            for suffix in ["_time64", "64", "32"] where name != row.name && plain.hasSuffix(suffix) {
                plain.removeLast(suffix.count)
                break
            }
            #expect(name == (others[row.name] ?? plain), "\(row.number) \(row.name)")
        }
    }

    @Test func whatOnly32BitsHaveIsKnownByName() throws {
        for row in try Self.rows() where row.isOnly {
            let code = try #require(Int(row.target))
            #expect(EventTable.systemCallCodes[code].name == row.name)
            #expect(EventTable.ia32Calls.contains { $0.number == Int(PROBE_IA32_BASE) + row.number && Int($0.sc) == code })
        }
    }

    @Test func callsBehindOneNumberAreThoseOfTheirNames() throws {
        let rows = try Self.text("Sources/CProbeABI/include/multiplexed.def")
            .matches(of: /(?m)^(?:SOCKETCALL|IPC)\(\d+, "(\w+)", (\w+)/)
        #expect(rows.count == 20 + 12)
        for row in rows {
            guard let number = Int(row.2) else { continue }
            #expect(Self.names[number] == String(row.1))
        }
    }

    @Test func numbersAreTheKernels() throws {
        let paths = ["/usr/include/x86_64-linux-gnu/asm/unistd_32.h", "/usr/include/asm/unistd_32.h"]
        guard let header = paths.lazy.compactMap({ try? String(contentsOfFile: $0, encoding: .utf8) }).first else {
            print("32-bit numbers are not compared: the kernel's headers are not installed")
            return
        }
        let numbers = Dictionary(
            header.matches(of: /#define __NR_(\w+) (\d+)/).map { (String($0.1), Int($0.2)!) },
            uniquingKeysWith: { first, _ in first })
        for row in try Self.rows() {
            guard let number = numbers[row.name] else { continue }
            #expect(number == row.number, "\(row.name)")
        }
    }
}
