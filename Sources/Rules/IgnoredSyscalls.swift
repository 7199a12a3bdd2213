// SPDX-License-Identifier: Apache-2.0
import CProbeABI
import EventModel

/// System calls that are not delivered unless `base_syscalls.all` (or `-A`) is on: they only move data, happen all the time,
/// and the state needs none of them. What `-i` lists.
public enum IgnoredSyscalls {
    public static let names: Set<String> = {
        Set(
            EventTable.events.filter { event in
                !event.isEnter && event.category & UInt16(EC_SYSCALL.rawValue) != 0 && isDataMoving(event.category)
                    && !event.has(EF_MODIFIES_STATE)
            }.map(\.name))
    }()

    /// Names of the founding documentation for calls whose events have other names today.
    public static let aliases: [String: String] = ["pread64": "pread", "pwrite64": "pwrite"]

    public static func contains(_ name: String) -> Bool { names.contains(aliases[name] ?? name) }

    private static func isDataMoving(_ category: UInt16) -> Bool {
        // Categories below 512 are numbers, not bits.
        let number = category & 0x1ff
        return number == UInt16(EC_IO_READ.rawValue) || number == UInt16(EC_IO_WRITE.rawValue)
    }
}
