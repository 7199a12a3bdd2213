// SPDX-License-Identifier: Apache-2.0
import CProbeABI

/// What the loaded rules and the state ask of a live source: system calls, and the scheduler's events. A call is named by its
/// x86-64 number and wanted of 32-bit callers too; one that only those have, by `PROBE_IA32_BASE` and its own number.
public struct InterestSet: Sendable, Equatable {
    /// Bit n: system call number n.
    public private(set) var words: [UInt64] = .init(repeating: 0, count: Int(PROBE_SYSCALL_MAX) / 64)
    /// Loaded rules name these besides system calls (`switch`, `page_fault`, `signaldeliver`, `procexit`).
    public var events: Set<UInt16> = []
    /// Somebody reads what the kernel knows beyond the events: its own path of a file, the length of long arguments.
    public var kernelRecords = false

    public init() {}
    public mutating func insert(syscall number: Int) { words[number / 64] |= 1 << UInt64(number % 64) }
    public mutating func remove(syscall number: Int) { words[number / 64] &= ~(1 << UInt64(number % 64)) }
    public func contains(syscall number: Int) -> Bool { words[number / 64] & (1 << UInt64(number % 64)) != 0 }
    public var isEmptyOfSyscalls: Bool { words.allSatisfy { $0 == 0 } }
    public var syscalls: [Int] { (0..<Int(PROBE_SYSCALL_MAX)).filter { contains(syscall: $0) } }
    public mutating func formUnion(_ other: InterestSet) {
        for index in words.indices { words[index] |= other.words[index] }
        events.formUnion(other.events)
        kernelRecords = kernelRecords || other.kernelRecords
    }
}
