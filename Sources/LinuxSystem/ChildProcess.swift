// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc

/// A child process that exists but has not started its program: it waits at a gate until it is in the probe's scope.
///
/// `init` → (scope it by `pid`) → `start()` → `poll()` until it has ended.
public final class ChildProcess {
    public let pid: Int64
    private var child: linux_gated_child
    private var isGated = true
    /// As a shell shows it: the exit code, or 128 + the signal that killed it.
    public private(set) var exitStatus: Int32?

    /// Forks. `arguments[0]` is looked up in PATH when started; `environment` nil keeps ours.
    public init(_ arguments: [String], environment: [String]? = nil) throws(Errno) {
        precondition(!arguments.isEmpty, "a command has at least its name")
        var child = linux_gated_child()
        let error = withCStrings(arguments) { argv in
            guard let environment else { return linux_spawn_gated(argv, nil, &child) }
            return withCStrings(environment) { linux_spawn_gated(argv, $0, &child) }
        }
        guard error == 0 else { throw Errno(error) }
        self.child = child
        pid = Int64(child.pid)
    }

    deinit {
        if isGated { linux_gate_abandon(&child) }
        if exitStatus == nil { _ = linux_wait_status(child.pid, 0) }
    }

    /// Lets it exec; throws what exec said (ENOENT: no such command), after which the child is gone.
    public func start() throws(Errno) {
        precondition(isGated, "a child starts once")
        isGated = false
        let error = linux_gate_open(&child)
        guard error == 0 else {
            exitStatus = max(0, linux_wait_status(child.pid, 1))
            throw Errno(error)
        }
    }

    /// Its exit status once it has ended, nil while it runs.
    @discardableResult
    public func poll() -> Int32? {
        if exitStatus == nil {
            let status = linux_wait_status(child.pid, 0)
            if status >= 0 { exitStatus = status }
        }
        return exitStatus
    }

    public func wait() -> Int32 {
        if exitStatus == nil { exitStatus = max(0, linux_wait_status(child.pid, 1)) }
        return exitStatus!
    }

    public func signal(_ number: Int32) {
        if exitStatus == nil { _ = kill(child.pid, number) }
    }

    /// Becomes readable when the child ends. The caller closes it.
    public func openPidDescriptor() throws(Errno) -> Descriptor { try Descriptor(taking: linux_pidfd_open(child.pid)) }
}

/// C's NULL-terminated array of strings for the length of a call.
private func withCStrings<R>(_ strings: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> R) -> R {
    let copies = strings.map { strdup($0) }
    defer { copies.forEach { free($0) } }
    return (copies + [nil]).withUnsafeBufferPointer { body($0.baseAddress!) }
}
