// SPDX-License-Identifier: Apache-2.0
import CProbeABI
import EventModel

/// Sets of system calls that decide what the kernel sends; all derived from the event table.
enum SystemCallSets {
    /// Reads and writes that change no state: left out unless `base_syscalls.all` asks for them.
    static func isHighVolume(_ event: EventInfo) -> Bool {
        let kind = event.category & ~UInt16(EC_SYSCALL.rawValue | EC_TRACEPOINT.rawValue | EC_PLUGIN.rawValue | EC_METAEVENT.rawValue)
        let moves = kind == UInt16(EC_IO_READ.rawValue) || kind == UInt16(EC_IO_WRITE.rawValue)
        return moves && event.category & UInt16(EC_SYSCALL.rawValue) != 0 && !event.has(EF_MODIFIES_STATE)
    }
    /// Event names: `pread` stands for `pread64` too.
    static let highVolumeNames: [String] = {
        var names: [String] = []
        for event in EventTable.events where !event.isOldVersion && isHighVolume(event) && !names.contains(event.name) {
            names.append(event.name)
        }
        return names
    }()
}
