// SPDX-License-Identifier: Apache-2.0
import CZlib
import Capture
import Glibc

/// The bytes of a capture, inflated when the file begins like a gzip file. Reads forward only.
final class CaptureInput {
    private let descriptor: Int32
    private let chunk: UnsafeMutableRawBufferPointer
    /// Of `chunk`: what was read and not yet used.
    private var pending: Range<Int> = 0..<0
    private var stream = z_stream()
    private let isCompressed: Bool
    /// A member of the gzip file is complete; another may follow.
    private var isBetweenMembers = false
    private var isAtEnd = false
    /// From the file, before inflating.
    private(set) var bytesRead: UInt64 = 0
    /// 0 for what is no regular file.
    let bytesTotal: UInt64

    private static let chunkBytes = 64 * 1024

    /// The error's text is the reason alone (`No such file or directory`): the caller knows what it wanted of the file.
    init(path: String) throws(CaptureError) {
        descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw CaptureError(Self.reason(errno)) }
        var status = stat()
        let isRegular = fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
        bytesTotal = isRegular ? UInt64(max(0, status.st_size)) : 0
        chunk = .allocate(byteCount: Self.chunkBytes, alignment: 16)
        var filled = 0
        var failure: Int32 = 0
        while filled < 2 {
            let count = Glibc.read(descriptor, chunk.baseAddress! + filled, chunk.count - filled)
            if count < 0 && errno == EINTR { continue }
            if count < 0 { failure = errno }
            if count <= 0 { break }
            filled += count
        }
        bytesRead = UInt64(filled)
        pending = 0..<filled
        isCompressed = filled >= 2 && chunk[0] == 0x1f && chunk[1] == 0x8b
        if failure != 0 { throw CaptureError(Self.reason(failure)) }
        if isCompressed && cz_inflate_gzip_init(&stream) != Z_OK { throw CaptureError(Self.reason(ENOMEM)) }
    }

    deinit {
        if isCompressed { inflateEnd(&stream) }
        chunk.deallocate()
        Glibc.close(descriptor)
    }

    /// Up to `target.count` bytes, at least one; 0 at the end. The error's text is the reason alone.
    func read(into target: UnsafeMutableRawBufferPointer) throws(CaptureError) -> Int {
        guard !target.isEmpty, !isAtEnd else { return 0 }
        return isCompressed ? try inflate(into: target) : try copy(into: target)
    }

    private func copy(into target: UnsafeMutableRawBufferPointer) throws(CaptureError) -> Int {
        if pending.isEmpty { return try readFile(into: target) }
        let count = min(pending.count, target.count)
        target.baseAddress!.copyMemory(from: chunk.baseAddress! + pending.lowerBound, byteCount: count)
        pending = pending.lowerBound + count..<pending.upperBound
        return count
    }

    private func readFile(into target: UnsafeMutableRawBufferPointer) throws(CaptureError) -> Int {
        while true {
            let count = Glibc.read(descriptor, target.baseAddress!, target.count)
            if count >= 0 {
                bytesRead += UInt64(count)
                return count
            }
            if errno != EINTR { throw CaptureError(Self.reason(errno)) }
        }
    }

    private func inflate(into target: UnsafeMutableRawBufferPointer) throws(CaptureError) -> Int {
        let wanted = min(target.count, Int(UInt32.max))
        stream.next_out = target.baseAddress!.assumingMemoryBound(to: UInt8.self)
        stream.avail_out = UInt32(wanted)
        while stream.avail_out == UInt32(wanted) {
            if pending.isEmpty { pending = 0..<(try readFile(into: chunk)) }
            if isBetweenMembers {
                // What is no further member is padding, which every gzip reader ignores.
                guard !pending.isEmpty, chunk[pending.lowerBound] == 0x1f else {
                    isAtEnd = true
                    return 0
                }
                inflateReset(&stream)
                isBetweenMembers = false
            }
            guard !pending.isEmpty else { throw CaptureError("the gzip data ends early") }
            stream.next_in = chunk.baseAddress!.assumingMemoryBound(to: UInt8.self) + pending.lowerBound
            stream.avail_in = UInt32(pending.count)
            let result = CZlib.inflate(&stream, Z_NO_FLUSH)
            pending = pending.upperBound - Int(stream.avail_in)..<pending.upperBound
            switch result {
            case Z_OK, Z_BUF_ERROR: break
            case Z_STREAM_END: isBetweenMembers = true
            default:
                let why = stream.msg.map { String(cString: $0) } ?? "code \(result)"
                throw CaptureError("the gzip data is damaged (\(why))")
            }
        }
        return wanted - Int(stream.avail_out)
    }

    private static func reason(_ code: Int32) -> String { String(cString: strerror(code)) }
}
