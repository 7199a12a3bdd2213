// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Debian's sysdig, the peer that reads the same old captures: read, state and one filter in one process.
struct Sysdig {
    private let path: String

    static func find() -> Sysdig? {
        let path = "/usr/bin/sysdig"
        return FileManager.default.isExecutableFile(atPath: path) ? Sysdig(path: path) : nil
    }

    /// Processor time per event of a run whose filter matches nothing, so that it prints nothing. Its start is in it.
    func nsPerEvent(capture: String, events: Int, filter: String) throws -> Double? {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_CHILDREN.rawValue), &usage)
        let before = Self.ns(usage)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = ["-r", capture, filter]
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { return nil }
        getrusage(__rusage_who_t(RUSAGE_CHILDREN.rawValue), &usage)
        return (Self.ns(usage) - before) / Double(events)
    }

    private static func ns(_ usage: rusage) -> Double {
        func ns(_ time: timeval) -> Double { Double(time.tv_sec) * 1e9 + Double(time.tv_usec) * 1e3 }
        return ns(usage.ru_utime) + ns(usage.ru_stime)
    }
}
