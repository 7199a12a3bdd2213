// SPDX-License-Identifier: Apache-2.0
import EventModel
import Glibc
import LinuxSystem
import RuleEngine
import Synchronization
import SystemState

/// Looks up the hosts that rules name (`fd.sip.name = example.org`) on a thread of its own, again and again: after 10 s, then twice
/// as long each time up to 320 s, as today's Falco does. The thread of the events only takes the finished table.
final class HostNameResolver: Sendable {
    private let names: [String]
    private let finished = Mutex<HostNameTable?>(nil)
    private let stopped = Atomic<Bool>(false)
    private static let firstPauseS = 10
    private static let longestPauseS = 320

    /// Nil when no rule names a host.
    init?(_ conditions: [CompiledCondition]) {
        var names: Set<String> = []
        for condition in conditions {
            condition.collectTexts(where: { $0.definition.isHostName }) { if !$0.isEmpty { names.insert($0) } }
        }
        guard !names.isEmpty else { return nil }
        self.names = names.sorted()
    }

    func start() {
        var thread = pthread_t()
        let context = Unmanaged.passRetained(self).toOpaque()
        let failure = pthread_create(
            &thread, nil,
            { context in
                Unmanaged<HostNameResolver>.fromOpaque(context!).takeRetainedValue().run()
                return nil
            }, context)
        guard failure == 0 else { return Unmanaged<HostNameResolver>.fromOpaque(context).release() }
        pthread_detach(thread)
    }
    func stop() { stopped.store(true, ordering: .relaxed) }

    /// The newest table, once.
    func take() -> HostNameTable? {
        finished.withLock { table in
            defer { table = nil }
            return table
        }
    }

    private func run() {
        var pauseS = Self.firstPauseS
        while !stopped.load(ordering: .relaxed) {
            let rows = names.flatMap { name in
                HostLookup.addresses(of: name).map { (name: name, address: $0.address, isIPv6: $0.isIPv6) }
            }
            finished.withLock { $0 = HostNameTable(rows) }
            for _ in 0..<pauseS where !stopped.load(ordering: .relaxed) { sleep(1) }
            pauseS = min(Self.longestPauseS, pauseS * 2)
        }
    }
}
