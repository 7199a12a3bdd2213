// SPDX-License-Identifier: Apache-2.0

/// What `-w` and its companions ask for.
struct RecordingOptions: Sendable, Equatable {
    /// Set by `-w`.
    var path: String?
    /// Of `falco record`: which events.
    var filter: String?
    /// Begin a new file after so many bytes, so much event time; 0 for never.
    var rotateBytes: UInt64 = 0
    var rotateNs: UInt64 = 0
    /// Of rotated files the newest so many stay; 0 for all.
    var filesMax = 0
    var isCompressed = true

    var rotates: Bool { rotateBytes > 0 || rotateNs > 0 }

    /// The n-th file's name, from 1: `events.scap`, rotated `events_00001.scap`.
    func path(ofFile number: Int) -> String {
        let path = path ?? ""
        guard rotates else { return path }
        let digits = String(number)
        let text = "_" + String(repeating: "0", count: max(0, 5 - digits.count)) + digits
        let slash = path.lastIndex(of: "/").map { path.index(after: $0) } ?? path.startIndex
        guard let dot = path[slash...].lastIndex(of: "."), dot > slash else { return path + text }
        return String(path[..<dot]) + text + String(path[dot...])
    }
}
