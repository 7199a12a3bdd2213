// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc

/// Why the kernel said no. Prints as `EPERM (operation not permitted)`.
public struct Errno: Error, Sendable, Equatable, Hashable, CustomStringConvertible {
    public let code: Int32
    public init(_ code: Int32) { self.code = code }

    /// Of the call that just failed in this thread.
    public static var last: Errno { Errno(errno) }

    public static let notFound = Errno(ENOENT)
    public static let notPermitted = Errno(EPERM)
    public static let accessDenied = Errno(EACCES)
    public static let interrupted = Errno(EINTR)
    public static let tryAgain = Errno(EAGAIN)
    public static let invalid = Errno(EINVAL)
    public static let noSuchProcess = Errno(ESRCH)
    public static let tooLarge = Errno(EFBIG)
    public static let isDirectory = Errno(EISDIR)
    public static let brokenPipe = Errno(EPIPE)

    /// `EPERM`
    public var name: String { linux_errno_name(code).map { String(cString: $0) } ?? "errno \(code)" }
    /// glibc's sentence, as Falco prints it.
    public var text: String { String(cString: strerror(code)) }
    public var description: String { "\(name) (\(text.prefix(1).lowercased() + text.dropFirst()))" }
}

/// Repeats a call that a signal interrupted; -1 becomes a thrown errno.
@discardableResult
@inline(__always)
func retrying<T: FixedWidthInteger & SignedInteger>(_ call: () -> T) throws(Errno) -> T {
    while true {
        let result = call()
        if result != -1 { return result }
        if errno != EINTR { throw Errno.last }
    }
}
