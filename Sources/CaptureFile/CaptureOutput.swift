// SPDX-License-Identifier: Apache-2.0
import CZlib
import Capture
import Glibc

/// The file a capture is written to, deflated on the way if asked for.
final class CaptureOutput {
    private let path: String
    private var descriptor: Int32
    private var stream = z_stream()
    private let isCompressed: Bool
    private let deflated: UnsafeMutableBufferPointer<UInt8>

    init(path: String, isCompressed: Bool) throws(CaptureError) {
        self.path = path
        self.isCompressed = isCompressed
        deflated = .allocate(capacity: 64 * 1024)
        descriptor = Glibc.open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o640)
        guard descriptor >= 0 else { throw Self.failure("create", path, errno) }
        if isCompressed && cz_deflate_gzip_init(&stream) != Z_OK { throw Self.failure("compress", path, ENOMEM) }
    }

    deinit {
        if isCompressed { deflateEnd(&stream) }
        deflated.deallocate()
        if descriptor >= 0 { Glibc.close(descriptor) }
    }

    func write(_ bytes: [UInt8]) throws(CaptureError) {
        guard isCompressed else {
            let code = bytes.withUnsafeBufferPointer { Self.writeAll(descriptor, $0) }
            if code != 0 { throw Self.failure("write to", path, code) }
            return
        }
        try deflate(bytes, flush: Z_NO_FLUSH)
    }

    func close() throws(CaptureError) {
        if isCompressed { try deflate([], flush: Z_FINISH) }
        let result = Glibc.close(descriptor)
        descriptor = -1
        if result != 0 { throw Self.failure("close", path, errno) }
    }

    private func deflate(_ bytes: [UInt8], flush: Int32) throws(CaptureError) {
        let code = bytes.withUnsafeBufferPointer { input -> Int32 in
            stream.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
            stream.avail_in = UInt32(input.count)
            repeat {
                stream.next_out = deflated.baseAddress
                stream.avail_out = UInt32(deflated.count)
                CZlib.deflate(&stream, flush)
                let produced = deflated.count - Int(stream.avail_out)
                let code = Self.writeAll(descriptor, UnsafeBufferPointer(start: deflated.baseAddress, count: produced))
                if code != 0 { return code }
            } while stream.avail_out == 0
            return 0
        }
        if code != 0 { throw Self.failure("write to", path, code) }
    }

    /// 0, or the errno.
    private static func writeAll(_ descriptor: Int32, _ bytes: UnsafeBufferPointer<UInt8>) -> Int32 {
        var done = 0
        while done < bytes.count {
            let count = Glibc.write(descriptor, bytes.baseAddress! + done, bytes.count - done)
            if count < 0 {
                if errno == EINTR { continue }
                return errno
            }
            done += count
        }
        return 0
    }

    private static func failure(_ action: String, _ path: String, _ code: Int32) -> CaptureError {
        CaptureError("could not \(action) capture file '\(path)': \(String(cString: strerror(code)))")
    }
}
