// SPDX-License-Identifier: Apache-2.0
import CProbeABI
import EventModel
import SystemState
import Testing

@testable import CaptureProbe

extension LiveSession {
    /// Every end of open, openat, openat2, creat and connect comes right behind the beginning of the same call, 32-bit or lost
    /// ones behind an empty one. Returns how many there are.
    @discardableResult
    func expectBeginnings() -> Int {
        let ends: Set<UInt16> = [
            PPME_SYSCALL_OPEN_X.code, PPME_SYSCALL_OPENAT_2_X.code, PPME_SYSCALL_OPENAT2_X.code, PPME_SYSCALL_CREAT_X.code,
            PPME_SOCKET_CONNECT_X.code,
        ]
        var last: [Int64: RecordedEvent] = [:]
        var bare: Set<String> = []
        var count = 0
        for event in all where event.info.category & UInt16(EC_SYSCALL.rawValue) != 0 {
            if ends.contains(event.type) {
                count += 1
                if last[event.tid]?.type != event.type - 1 { bare.insert("\(event.name) \(event.text("name") ?? "")") }
            }
            last[event.tid] = event
        }
        #expect(bare.isEmpty, "without a beginning: \(bare.sorted().prefix(10))")
        return count
    }
}

extension Live {
    /// A thread that rewrites a path or an address while the call runs that was given it.
    @Suite(.timeLimit(.minutes(10))) struct Enters {
        struct Hook: CustomTestStringConvertible, Sendable {
            let testDescription: String
            let enterEvents: ProbeOptions.EnterEvents
            let refusesTracepoints: Bool
            let mode: probe_enter_mode
        }
        static let hooks = [
            Hook(
                testDescription: "tracepoints", enterEvents: .tracepoints, refusesTracepoints: false,
                mode: PROBE_ENTER_TRACEPOINTS),
            Hook(
                testDescription: "every call", enterEvents: .tracepointsOrEveryCall, refusesTracepoints: true,
                mode: PROBE_ENTER_EVERY_CALL),
            Hook(testDescription: "refused", enterEvents: .tracepoints, refusesTracepoints: true, mode: PROBE_ENTER_NONE),
            Hook(testDescription: "none", enterEvents: .none, refusesTracepoints: false, mode: PROBE_ENTER_NONE),
        ]

        /// Names of the descriptors that the state made of the action's calls, and the session. Nil where tracefs is impossible.
        private func race(_ action: String, _ hook: Hook, _ ends: UInt16) throws -> (session: LiveSession, names: [String])? {
            let scratch = Scratch()
            let interest = InterestSet(
                named: "open", "openat", "openat2", "creat", "connect", "socket", "bind", "listen", "accept4", "close", "clone",
                "clone3")
            let session = try LiveSession([actions, action, scratch.path], interest: interest) {
                $0.enterEvents = hook.enterEvents
                $0.refusesTracepoints = hook.refusesTracepoints
            }
            if session.source.enterHooks.mode != hook.mode, !hook.refusesTracepoints {
                print("probe: refused '\(action)' with tracepoints: \(session.source.enterHooks.report ?? "")")
                return nil
            }
            #expect(session.source.enterHooks.mode == hook.mode)
            let isSaid = session.source.visibility.contains { $0.hasPrefix("Not seen: what the caller's memory held") }
            #expect(isSaid == (hook.mode == PROBE_ENTER_NONE))
            let state = SystemState(threadsMax: 1000)
            state.finishSnapshot()
            var names: [String] = []
            try session.run { event in
                var context = EventContext(event: event)
                state.admit(event, into: &context)
                if event.type == ends, context.hasDescriptor { names.append(state.pool[context.descriptor.name].string) }
                state.retire(context)
            }
            try #require(session.child.wait() == 0, "the action itself failed")
            if hook.mode != PROBE_ENTER_NONE { session.expectBeginnings() }
            return (session, names)
        }

        @Test(arguments: hooks) func theNameIsWhatWasOpened(_ hook: Hook) throws {
            guard let (_, names) = try race("race open", hook, PPME_SYSCALL_OPEN_X.code) else { return }
            let name = try #require(names.last { $0.hasPrefix("/tmp/") })
            // Without a beginning the second thread decides.
            #expect(name.hasSuffix(hook.mode == PROBE_ENTER_NONE ? "/fake" : "/real"), "\(name)")
        }

        @Test(arguments: hooks) func theFarEndIsWhatWasConnected(_ hook: Hook) throws {
            guard let (session, names) = try race("race connect", hook, PPME_SOCKET_CONNECT_X.code) else { return }
            let last = try #require(session.all.last { $0.type == PPME_SOCKET_CONNECT_X.code })
            #expect(last.text("addr")?.hasSuffix("/fake") ?? false, "what the caller's memory holds when the call returns")
            // The tuple has the name that the listener is bound to, with or without a beginning.
            #expect(names.count == 2 && names.allSatisfy { $0.hasSuffix("/real") }, "\(names)")
            let told = session.all.last { $0.type == PPME_SOCKET_CONNECT_E.code }
            #expect((told?.text("addr")?.hasSuffix("/real") ?? false) == (hook.mode != PROBE_ENTER_NONE))
        }

        /// A ring of a page overflows all the time; what arrives is never taken for the end of another call.
        @Test func lostBeginningsAreToldAsEmptyOnes() throws {
            let session = try LiveSession(
                [actions, "flood", "30000"], interest: InterestSet(named: "openat", "close"), ringBytes: 4096
            ) { $0.enterEvents = .tracepoints }
            guard session.source.enterHooks.mode == PROBE_ENTER_TRACEPOINTS else {
                print("probe: refused 'flood' with tracepoints: \(session.source.enterHooks.report ?? "")")
                return
            }
            try session.run()
            #expect(session.expectBeginnings() > 0)
            #expect(session.source.counters.drops > 0, "the ring was meant to overflow")
        }

        @Test func onlyWantedCallsAreHooked() throws {
            let session = try LiveSession([actions, "flood", "10"], interest: InterestSet(named: "close")) {
                $0.enterEvents = .tracepoints
            }
            #expect(session.source.enterHooks.mode == PROBE_ENTER_NONE && session.source.enterHooks.report == nil)
            #expect(try session.run().allSatisfy { $0.name != "openat" })
            #expect(session.all.count == session.events.count)
        }
    }
}
