// SPDX-License-Identifier: Apache-2.0
import CZlib
import Capture
import Glibc

/// The file a capture is written to, deflated on the way if asked for. Only its owner may read it.
///
/// Symbolic links are never followed and files of others never written: captures are written by root, often into `/tmp`.
public final class CaptureOutput {
    public enum Creation: Sendable {
        /// Nothing may be there.
        case new
        /// A regular file that is there is taken away first, so whoever has it open, or another name for it, keeps its content.
        /// Pipes and devices are written as they are.
        case replacing
    }

    private let path: String
    private var descriptor: Int32
    private var stream = z_stream()
    private let isCompressed: Bool
    private let isRegular: Bool
    private let deflated: UnsafeMutableBufferPointer<UInt8>
    private var isDirty = false
    /// Bytes in the file.
    public private(set) var fileBytes: UInt64 = 0

    public init(path: String, isCompressed: Bool, creation: Creation = .replacing) throws(CaptureError) {
        self.path = path
        self.isCompressed = isCompressed
        deflated = .allocate(capacity: 64 * 1024)
        descriptor = -1
        var code: Int32 = 0
        (descriptor, isRegular, code) = Self.create(path, creation)
        guard descriptor >= 0 else { throw Self.cannotCreate(path, code) }
        if isCompressed && cz_deflate_gzip_init(&stream) != Z_OK { throw Self.failure("compress", path, ENOMEM) }
    }

    deinit {
        if isCompressed { deflateEnd(&stream) }
        deflated.deallocate()
        if descriptor >= 0 { Glibc.close(descriptor) }
    }

    private static func create(_ path: String, _ creation: Creation) -> (Int32, isRegular: Bool, code: Int32) {
        let flags = O_WRONLY | O_CLOEXEC | O_NOFOLLOW
        // Twice: something may come between looking and creating.
        for _ in 0..<2 {
            let made = linuxOpen(path, flags | O_CREAT | O_EXCL)
            if made >= 0 { return (made, true, 0) }
            guard errno == EEXIST, creation == .replacing else { return (-1, true, errno) }
            var status = stat()
            guard fstatat(AT_FDCWD, path, &status, AT_SYMLINK_NOFOLLOW) == 0 else { continue }
            switch status.st_mode & S_IFMT {
            case S_IFREG: if unlink(path) != 0 { return (-1, true, errno) }
            case S_IFCHR, S_IFIFO:
                let opened = linuxOpen(path, flags)
                return (opened, false, opened < 0 ? errno : 0)
            case S_IFLNK: return (-1, true, ELOOP)
            case S_IFDIR: return (-1, true, EISDIR)
            default: return (-1, true, EEXIST)
            }
        }
        return (-1, true, EEXIST)
    }

    private static func linuxOpen(_ path: String, _ flags: Int32) -> Int32 {
        while true {
            let opened = Glibc.open(path, flags, 0o600)
            if opened >= 0 || errno != EINTR { return opened }
        }
    }

    /// Whole blocks. When it fails, what was there before the call stays readable.
    public func write(_ bytes: UnsafeRawBufferPointer) throws(CaptureError) {
        guard !bytes.isEmpty else { return }
        isDirty = true
        if isCompressed { return try deflate(bytes, flush: Z_NO_FLUSH) }
        let before = fileBytes
        let code = writeAll(bytes)
        guard code != 0 else { return }
        if isRegular, ftruncate(descriptor, off_t(before)) == 0 { fileBytes = before }
        throw Self.failure("write to", path, code)
    }

    public func write(_ bytes: [UInt8]) throws(CaptureError) {
        var failure: CaptureError?
        bytes.withUnsafeBytes { buffer in
            do throws(CaptureError) { try write(buffer) } catch { failure = error }
        }
        if let failure { throw failure }
    }

    /// Brings what was written so far into the file, in a form that can be read should nothing follow. Not onto the disk itself.
    public func flush() throws(CaptureError) {
        guard isDirty else { return }
        isDirty = false
        if isCompressed { try deflate(UnsafeRawBufferPointer(start: nil, count: 0), flush: Z_SYNC_FLUSH) }
    }

    public func close() throws(CaptureError) {
        if isCompressed { try deflate(UnsafeRawBufferPointer(start: nil, count: 0), flush: Z_FINISH) }
        let result = Glibc.close(descriptor)
        descriptor = -1
        if result != 0 { throw Self.failure("close", path, errno) }
    }

    private func deflate(_ bytes: UnsafeRawBufferPointer, flush: Int32) throws(CaptureError) {
        stream.next_in = UnsafeMutablePointer(mutating: bytes.baseAddress?.assumingMemoryBound(to: UInt8.self))
        stream.avail_in = UInt32(bytes.count)
        repeat {
            stream.next_out = deflated.baseAddress
            stream.avail_out = UInt32(deflated.count)
            CZlib.deflate(&stream, flush)
            let produced = deflated.count - Int(stream.avail_out)
            let code = writeAll(UnsafeRawBufferPointer(start: deflated.baseAddress, count: produced))
            if code != 0 { throw Self.failure("write to", path, code) }
        } while stream.avail_out == 0
    }

    /// 0, or the errno.
    private func writeAll(_ bytes: UnsafeRawBufferPointer) -> Int32 {
        var done = 0
        while done < bytes.count {
            let count = Glibc.write(descriptor, bytes.baseAddress! + done, bytes.count - done)
            if count < 0 {
                if errno == EINTR { continue }
                return errno
            }
            done += count
            fileBytes += UInt64(count)
        }
        return 0
    }

    private static func cannotCreate(_ path: String, _ code: Int32) -> CaptureError {
        switch code {
        case ELOOP: CaptureError("could not create capture file '\(path)': it is a symbolic link, and links are not followed")
        case EEXIST: CaptureError("could not create capture file '\(path)': there is something of that name already")
        default: failure("create", path, code)
        }
    }

    private static func failure(_ action: String, _ path: String, _ code: Int32) -> CaptureError {
        let hint =
            switch code {
            case ENOSPC, EDQUOT: "; make room, or limit what is kept (--rotate-size, --files, capture.max_file_size_mb)"
            case EFBIG: "; the file has reached the limit of file sizes"
            case EROFS, EACCES, EPERM, ENOENT, ENOTDIR: "; choose a directory that can be written to"
            default: ""
            }
        return CaptureError("could not \(action) capture file '\(path)': \(String(cString: strerror(code)))\(hint)")
    }
}
