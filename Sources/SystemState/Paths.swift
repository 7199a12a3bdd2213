// SPDX-License-Identifier: Apache-2.0
import CLinux
import EventModel

/// Paths as the state keeps them: joined and normalised textually, as Falco does (no look at the file system).
public enum Paths {
    public static let bytesMax = 1024
    private static let tooLong: StaticString = "/DIR_TOO_LONG/FILENAME_TOO_LONG"

    /// `path` alone when absolute, else `directory` with `path` behind it as it stands (a directory ends with `/`);
    /// `.` , `..` and repeated `/` of `path` are resolved, a final `/` is taken off. Bytes written to `output`.
    /// Longer than 1024: `/DIR_TOO_LONG/FILENAME_TOO_LONG`, as in Falco.
    public static func concatenate(_ directory: Bytes, _ path: Bytes, into output: UnsafeMutableBufferPointer<UInt8>) -> Int {
        let isAbsolute = !path.isEmpty && path.base[0] == UInt8(ascii: "/")
        let prefix = isAbsolute ? 0 : directory.count
        guard prefix + path.count + 1 <= bytesMax, output.count >= bytesMax else {
            precondition(output.count >= tooLong.utf8CodeUnitCount, "the path buffer holds at least 1024 bytes")
            memcpy(output.baseAddress!, tooLong.utf8Start, tooLong.utf8CodeUnitCount)
            return tooLong.utf8CodeUnitCount
        }
        let out = output.baseAddress!
        var count = 0
        if isAbsolute {
            out[0] = UInt8(ascii: "/")
            count = 1
        } else {
            memcpy(out, directory.base, directory.count)
            count = directory.count
        }
        var at = 0
        while at < path.count {
            while at < path.count, path.base[at] == UInt8(ascii: "/") { at &+= 1 }
            var end = at
            while end < path.count, path.base[end] != UInt8(ascii: "/") { end &+= 1 }
            let length = end &- at
            if length == 0 { break }
            if length == 1, path.base[at] == UInt8(ascii: ".") {
                // stays here
            } else if length == 2, path.base[at] == UInt8(ascii: "."), path.base[at + 1] == UInt8(ascii: ".") {
                count = parent(out, count)
            } else {
                memcpy(out + count, path.base + at, length)
                count &+= length
                if end < path.count {
                    out[count] = UInt8(ascii: "/")
                    count &+= 1
                }
            }
            at = end
        }
        while count > 1, out[count - 1] == UInt8(ascii: "/"), !path.isEmpty { count &-= 1 }
        return count
    }

    /// Length without the last component, the separator before it kept.
    private static func parent(_ bytes: UnsafeMutablePointer<UInt8>, _ count: Int) -> Int {
        var end = count
        if end > 0, bytes[end - 1] == UInt8(ascii: "/") { end &-= 1 }
        while end > 0, bytes[end - 1] != UInt8(ascii: "/") { end &-= 1 }
        if end == 0, count > 0, bytes[0] == UInt8(ascii: "/") { return 1 }
        return end
    }
}
