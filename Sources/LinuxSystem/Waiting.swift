// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc

/// Wakes a waiting thread from another one. `signal` is safe from any thread.
public final class WakeUp: Sendable {
    public let descriptor: Int32
    public init() throws(Errno) {
        descriptor = linux_eventfd()
        guard descriptor >= 0 else { throw Errno.last }
    }
    deinit { close(descriptor) }

    public func signal() {
        var one: UInt64 = 1
        _ = write(descriptor, &one, 8)  // fails only when it is signalled already
    }

    /// True when it had been signalled since the last call.
    public func consume() -> Bool {
        var count: UInt64 = 0
        return read(descriptor, &count, 8) == 8
    }
}

/// Waits for several descriptors at once.
public final class Poller {
    private let descriptor: Int32
    private let tokens: UnsafeMutablePointer<UInt64>
    private static let tokensMax = 64

    public init() throws(Errno) {
        descriptor = linux_epoll_create()
        guard descriptor >= 0 else { throw Errno.last }
        tokens = .allocate(capacity: Self.tokensMax)
        tokens.initialize(repeating: 0, count: Self.tokensMax)
    }
    deinit {
        close(descriptor)
        tokens.deallocate()
    }

    /// Edge-triggered: reported once per wake-up of the descriptor, not for as long as it is readable.
    public func add(_ fd: Int32, token: UInt64, edgeTriggered: Bool = false) throws(Errno) {
        guard linux_epoll_add(descriptor, fd, edgeTriggered ? 1 : 0, token) == 0 else { throw Errno.last }
    }

    /// Waits up to `timeoutNs` (for ever when negative); the number of ready descriptors, 0 also when a signal interrupted it.
    @discardableResult
    public func wait(timeoutNs: Int64) throws(Errno) -> Int {
        let count = linux_epoll_wait(descriptor, tokens, Int32(Self.tokensMax), timeoutNs)
        if count >= 0 { return Int(count) }
        if errno == EINTR { return 0 }
        throw Errno.last
    }

    /// Token of the n-th ready descriptor of the last `wait`.
    public func token(_ index: Int) -> UInt64 {
        precondition(index < Self.tokensMax)
        return tokens[index]
    }
}

/// Signals as something to read, so that no code runs in a handler.
///
/// Made before other threads are, since they inherit the blocked signals; otherwise a thread without the mask takes them.
public final class SignalReader: Sendable {
    public let descriptor: Int32
    public init(_ signals: [Int32]) throws(Errno) {
        descriptor = linux_signalfd(signals, Int32(signals.count))
        guard descriptor >= 0 else { throw Errno.last }
    }
    deinit { close(descriptor) }

    /// The next pending signal, nil when there is none.
    public func next() -> Int32? {
        let number = linux_signalfd_read(descriptor, nil)
        return number > 0 ? number : nil
    }
}

/// A shared mapping of a file or of a kernel object, unmapped with its owner.
public final class MappedMemory {
    public let base: UnsafeMutableRawPointer
    public let count: Int

    public init(fd: Int32, offset: Int = 0, count: Int, writable: Bool) throws(Errno) {
        let protection = writable ? PROT_READ | PROT_WRITE : PROT_READ
        guard let mapped = mmap(nil, count, protection, MAP_SHARED, fd, off_t(offset)), mapped != MAP_FAILED else {
            throw Errno.last
        }
        base = mapped
        self.count = count
    }
    deinit { munmap(base, count) }

    public static var pageBytes: Int { Int(sysconf(Int32(_SC_PAGESIZE))) }
}
