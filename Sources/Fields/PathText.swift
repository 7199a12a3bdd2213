// SPDX-License-Identifier: Apache-2.0
import EventModel
import SystemState

/// Paths of events, made absolute.
enum PathText {
    /// AT_FDCWD
    static let currentDirectory: Int64 = -100
    /// What stands before a relative path when its directory is not known.
    static let unknown: StaticString = "<UNKNOWN>"

    /// `path` relative to the directory of descriptor `dirfd`, normalised; with `<UNKNOWN>` before it when nobody knows that
    /// directory.
    static func absolute(
        _ path: Bytes, dirfd: Int64, _ context: borrowing EventContext, _ state: SystemState, _ scratch: inout ExtractionScratch
    ) -> Bytes {
        if isAbsolute(path) { return join(.empty, path, state, &scratch) }
        guard let directory = state.directory(fd: dirfd, of: context.thread) else { return behindUnknown(path, &scratch) }
        return join(withFinalSlash(directory, &scratch), path, state, &scratch)
    }

    static func isAbsolute(_ path: Bytes) -> Bool { !path.isEmpty && path[0] == UInt8(ascii: "/") }

    /// `<UNKNOWN>` and the path as it stands.
    static func behindUnknown(_ path: Bytes, _ scratch: inout ExtractionScratch) -> Bytes {
        scratch.begin()
        scratch.append(unknown)
        scratch.append(path)
        return scratch.finish()
    }

    static func withFinalSlash(_ directory: Bytes, _ scratch: inout ExtractionScratch) -> Bytes {
        if directory.isEmpty || directory[directory.count - 1] == UInt8(ascii: "/") { return directory }
        scratch.begin()
        scratch.append(directory)
        scratch.append(UInt8(ascii: "/"))
        return scratch.finish()
    }

    /// See `SystemState.concatenatePath`: `directory` ends with `/`.
    static func join(_ directory: Bytes, _ path: Bytes, _ state: SystemState, _ scratch: inout ExtractionScratch) -> Bytes {
        scratch.begin()
        guard let room = scratch.room(4096) else {
            _ = scratch.finish()
            return path
        }
        scratch.advance(by: state.concatenatePath(directory, path, into: room))
        return scratch.finish()
    }
}
