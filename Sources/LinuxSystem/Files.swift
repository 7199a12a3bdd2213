// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc

/// An open file descriptor, closed with its owner.
public struct Descriptor: ~Copyable, Sendable {
    public let number: Int32

    /// Takes over a descriptor; -1 throws the errno of the call that made it.
    public init(taking number: Int32) throws(Errno) {
        guard number >= 0 else { throw Errno.last }
        self.number = number
    }

    /// Always opened with O_CLOEXEC.
    public init(open path: String, _ flags: Int32 = O_RDONLY, mode: UInt32 = 0o644) throws(Errno) {
        while true {
            let opened = linux_open(path, flags, mode)
            if opened >= 0 {
                number = opened
                return
            }
            if errno != EINTR { throw Errno.last }
        }
    }

    deinit { _ = Glibc.close(number) }

    /// Gives the number away; the owner is now the caller.
    public consuming func release() -> Int32 {
        let given = number
        discard self
        return given
    }

    /// 0 at the end of the file.
    public borrowing func read(into buffer: UnsafeMutableRawBufferPointer) throws(Errno) -> Int {
        guard let base = buffer.baseAddress else { return 0 }
        return try retrying { Glibc.read(number, base, buffer.count) }
    }

    public borrowing func readToEnd(bytesMax: Int = .max) throws(Errno) -> [UInt8] {
        var content: [UInt8] = []
        try appendToEnd(&content, bytesMax: bytesMax)
        return content
    }

    /// Appends what is left of the file, at most `bytesMax` bytes of it.
    public borrowing func appendToEnd(_ content: inout [UInt8], bytesMax: Int = .max) throws(Errno) {
        let chunk = UnsafeMutableRawBufferPointer.allocate(byteCount: 16 * 1024, alignment: 16)
        defer { chunk.deallocate() }
        var left = bytesMax
        while left > 0 {
            let count = try read(into: UnsafeMutableRawBufferPointer(rebasing: chunk[..<min(left, chunk.count)]))
            guard count > 0 else { return }
            content.append(contentsOf: UnsafeRawBufferPointer(rebasing: chunk[..<count]))
            left -= count
        }
    }

    /// Writes everything, whatever number of calls it takes.
    public borrowing func write(_ bytes: UnsafeRawBufferPointer) throws(Errno) {
        var done = 0
        while done < bytes.count {
            done += try retrying { Glibc.write(number, bytes.baseAddress! + done, bytes.count - done) }
        }
    }

    public borrowing func write(_ bytes: [UInt8]) throws(Errno) {
        var failure: Errno?
        bytes.withUnsafeBytes { buffer in
            do throws(Errno) { try write(buffer) } catch { failure = error }
        }
        if let failure { throw failure }
    }
}

/// Closes a descriptor that has no owner in Swift.
public func closeDescriptor(_ number: Int32) { _ = Glibc.close(number) }

/// A file that alerts are appended to. Lines of one `append` stay together: one `write` call with O_APPEND.
public struct AppendFile: ~Copyable, Sendable {
    private let descriptor: Descriptor
    public init(_ path: String, mode: UInt32 = 0o644) throws(Errno) {
        descriptor = try Descriptor(open: path, O_WRONLY | O_APPEND | O_CREAT, mode: mode)
    }
    public borrowing func append(_ bytes: [UInt8]) throws(Errno) { try descriptor.write(bytes) }
    public borrowing func append(_ bytes: UnsafeRawBufferPointer) throws(Errno) { try descriptor.write(bytes) }
}

public struct FileStatus: Sendable {
    public enum Kind: Sendable { case regular, directory, fifo, socket, characterDevice, blockDevice, link, other }
    public let kind: Kind
    public let mode: UInt32
    public let uid: UInt32
    public let gid: UInt32
    public let inode: UInt64
    /// As the kernel's `new_encode_dev` packs it (what the probe sends).
    public let device: UInt32
    public let bytes: UInt64
    public let modifiedNs: UInt64
    public let changedNs: UInt64

    init(_ status: stat) {
        mode = status.st_mode
        kind =
            switch status.st_mode & S_IFMT {
            case S_IFREG: .regular
            case S_IFDIR: .directory
            case S_IFIFO: .fifo
            case S_IFSOCK: .socket
            case S_IFCHR: .characterDevice
            case S_IFBLK: .blockDevice
            case S_IFLNK: .link
            default: .other
            }
        (uid, gid, inode) = (status.st_uid, status.st_gid, UInt64(status.st_ino))
        let raw = UInt64(status.st_dev)
        let major = UInt32(truncatingIfNeeded: ((raw >> 8) & 0xfff) | ((raw >> 32) & ~0xfff))
        let minor = UInt32(truncatingIfNeeded: (raw & 0xff) | ((raw >> 12) & ~0xff))
        device = (minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12)
        bytes = UInt64(max(0, status.st_size))
        modifiedNs = UInt64(max(0, status.st_mtim.tv_sec)) &* 1_000_000_000 &+ UInt64(max(0, status.st_mtim.tv_nsec))
        changedNs = UInt64(max(0, status.st_ctim.tv_sec)) &* 1_000_000_000 &+ UInt64(max(0, status.st_ctim.tv_nsec))
    }
}

/// Whole-file and directory operations by path.
public enum Files {
    /// The whole file, at most `bytesMax` bytes of it.
    public static func read(_ path: String, bytesMax: Int = .max) throws(Errno) -> [UInt8] {
        try Descriptor(open: path).readToEnd(bytesMax: bytesMax)
    }

    /// Creates or empties the file first.
    public static func write(_ bytes: [UInt8], to path: String, mode: UInt32 = 0o644) throws(Errno) {
        try Descriptor(open: path, O_WRONLY | O_CREAT | O_TRUNC, mode: mode).write(bytes)
    }

    /// Follows links.
    public static func status(_ path: String) throws(Errno) -> FileStatus {
        var status = stat()
        try retrying { fstatat(AT_FDCWD, path, &status, 0) }
        return FileStatus(status)
    }

    public static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    /// Target of a symbolic link, as the kernel gives it.
    public static func link(_ path: String) throws(Errno) -> [UInt8] {
        var failure: Errno?
        let target = [UInt8](unsafeUninitializedCapacity: 4096) { buffer, count in
            let length = buffer.withMemoryRebound(to: CChar.self) { readlink(path, $0.baseAddress!, $0.count) }
            if length < 0 { failure = Errno.last }
            count = max(0, length)
        }
        if let failure { throw failure }
        return target
    }

    /// Names in a directory without `.` and `..`, in the kernel's order.
    public static func names(in path: String) throws(Errno) -> [String] {
        guard let directory = opendir(path) else { throw Errno.last }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    /// Numbers among the names of a directory (process, thread and descriptor ids under /proc), ascending.
    public static func numbers(in path: String) throws(Errno) -> [Int64] {
        guard let directory = opendir(path) else { throw Errno.last }
        defer { closedir(directory) }
        var numbers: [Int64] = []
        while let entry = readdir(directory) {
            let number = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: UInt8.self, capacity: 256) { text -> Int64? in
                    var value: Int64 = 0
                    var index = 0
                    while text[index] != 0 {
                        guard text[index] >= 48, text[index] <= 57, index < 18 else { return nil }
                        value = value * 10 + Int64(text[index] - 48)
                        index += 1
                    }
                    return index > 0 ? value : nil
                }
            }
            if let number { numbers.append(number) }
        }
        numbers.sort()
        return numbers
    }
}
