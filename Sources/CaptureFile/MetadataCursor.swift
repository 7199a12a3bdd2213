// SPDX-License-Identifier: Apache-2.0
import Capture
import EventModel

/// Reads the payload of one metadata block field by field, so that a process list of any size needs one window.
/// Every read is bounded by the entry, the block and the file, in that order.
struct MetadataCursor {
    let stream: CaptureStream
    let kind: BlockKind
    let blockOffset: UInt64
    /// Payload bytes not yet read.
    private(set) var left: UInt64
    /// Bytes of the current entry not yet read; equal to `left` where entries have no length of their own.
    private(set) var entryLeft: UInt64

    init(stream: CaptureStream, kind: BlockKind, blockOffset: UInt64, payloadBytes: UInt64) {
        self.stream = stream
        self.kind = kind
        self.blockOffset = blockOffset
        left = payloadBytes
        entryLeft = payloadBytes
    }

    /// Up to three bytes at the end of a list are padding.
    var hasEntry: Bool { left >= 4 }

    /// An entry that begins with its own length, which counts itself or not.
    mutating func beginEntry(lengthCountsItself: Bool) throws(CaptureError) {
        entryLeft = left
        let length = UInt64(try u32())
        guard length >= (lengthCountsItself ? 4 : 0) else { throw damaged("an entry of \(kind.name) claims \(length) bytes") }
        let rest = lengthCountsItself ? length - 4 : length
        guard rest <= left else { throw damaged("an entry of \(kind.name) claims \(length) bytes where \(left) are left") }
        guard rest <= UInt64(CaptureFormat.entryBytesMax) else {
            throw damaged("an entry of \(kind.name) claims \(length) bytes")
        }
        entryLeft = rest
    }

    mutating func beginEntryWithoutLength() { entryLeft = left }

    /// Leaves out what a newer writer put behind the fields we know.
    mutating func endEntry() throws(CaptureError) {
        let rest = entryLeft
        _ = try take(Int(rest))
        entryLeft = left
    }

    /// Leaves out the rest of the block, padding too.
    mutating func endBlock() throws(CaptureError) {
        let rest = left
        guard stream.skip(rest) else { throw cut(missing: rest) }
        left = 0
        entryLeft = 0
    }

    /// The next `count` bytes; live until the next read.
    mutating func take(_ count: Int) throws(CaptureError) -> Bytes {
        guard count <= min(left, entryLeft) else {
            throw damaged("\(kind.name) needs \(count) bytes where \(min(left, entryLeft)) are left")
        }
        guard stream.ensure(count) else { throw cut(missing: UInt64(count - stream.available)) }
        let bytes = stream.window.prefix(count)
        stream.advance(count)
        left -= UInt64(count)
        entryLeft -= UInt64(count)
        return bytes
    }

    mutating func integer<T: FixedWidthInteger>(_ type: T.Type) throws(CaptureError) -> T {
        let bytes = try take(T.bitWidth / 8)
        guard let value: T = bytes.integer(at: 0) else { preconditionFailure("take returned fewer bytes than asked for") }
        return value
    }
    mutating func u8() throws(CaptureError) -> UInt8 { try integer(UInt8.self) }
    mutating func u16() throws(CaptureError) -> UInt16 { try integer(UInt16.self) }
    mutating func u32() throws(CaptureError) -> UInt32 { try integer(UInt32.self) }
    mutating func u64() throws(CaptureError) -> UInt64 { try integer(UInt64.self) }
    mutating func i64() throws(CaptureError) -> Int64 { try integer(Int64.self) }
    mutating func bool() throws(CaptureError) -> Bool { try u8() != 0 }
    /// `u16` length and bytes.
    mutating func string() throws(CaptureError) -> [UInt8] { try take(Int(u16())).array }
    /// Strings back to back, each closed by a NUL; the last NUL is added where the writer left it out.
    mutating func stringList() throws(CaptureError) -> [UInt8] {
        var bytes = try string()
        if let last = bytes.last, last != 0 { bytes.append(0) }
        return bytes
    }

    private func damaged(_ what: String) -> CaptureError { stream.damaged(at: stream.offset, what) }
    private func cut(missing: UInt64) -> CaptureError {
        stream.truncated(in: kind.name, beganAt: blockOffset, missing: missing)
    }
}
