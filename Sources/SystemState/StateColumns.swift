// SPDX-License-Identifier: Apache-2.0

/// Parts of the state that rules and outputs read, and that system calls change.
///
/// A live source must deliver the calls that change what is read: an unknown descriptor or a stale user id would turn a rule over.
/// Clone, exec and exit are not among the calls: the scheduler's hooks always tell them: the image and the
/// user ids as they are at that moment, and who gets the orphans.
public struct StateColumns: OptionSet, Sendable, Hashable {
    public let rawValue: UInt16
    public init(rawValue: UInt16) { self.rawValue = rawValue }
    /// What descriptor numbers mean.
    public static let descriptors = StateColumns(rawValue: 1)
    public static let directory = StateColumns(rawValue: 2)
    public static let identity = StateColumns(rawValue: 4)
    public static let session = StateColumns(rawValue: 8)
    public static let capabilities = StateColumns(rawValue: 16)
    public static let limits = StateColumns(rawValue: 32)
    /// Everything that a recording or a reader of any field may ask for.
    public static let all = StateColumns(rawValue: 63)

    /// The calls that change each column, by the names of ppm_sc.def.
    public static let changedBy: [(column: StateColumns, systemCalls: [String])] = [
        (
            .descriptors,
            [
                "open", "openat", "openat2", "creat", "open_by_handle_at", "close", "close_range", "dup", "dup2", "dup3", "fcntl",
                "pipe", "pipe2", "socket", "socketpair", "accept", "accept4", "bind", "connect", "eventfd", "eventfd2",
                "signalfd",
                "signalfd4", "timerfd_create", "inotify_init", "inotify_init1", "epoll_create", "epoll_create1", "memfd_create",
                "pidfd_open", "pidfd_getfd", "userfaultfd", "io_uring_setup", "bpf", "getsockopt", "chdir", "fchdir", "chroot",
                "setns", "unshare",
            ]
        ),
        // Who shares a directory with another is told apart by `unshare`, who enters a mount namespace stands at its root.
        (.directory, ["chdir", "fchdir", "chroot", "setns", "unshare"]),
        (.identity, ["setuid", "setgid", "setreuid", "setregid", "setresuid", "setresgid"]),
        (.session, ["setsid", "setpgid"]),
        (.capabilities, ["capset", "setns", "unshare"]),
        (.limits, ["setrlimit", "prlimit64"]),
    ]

    /// Names of the calls that change any of these columns.
    public var systemCalls: Set<String> {
        var names: Set<String> = []
        for (column, calls) in Self.changedBy where contains(column) { names.formUnion(calls) }
        return names
    }
}
