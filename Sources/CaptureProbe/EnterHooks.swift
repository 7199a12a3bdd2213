// SPDX-License-Identifier: Apache-2.0
import CLinux
import CProbeABI
import Capture
import EventModel
import LinuxSystem

/// Attaches the programs that tell what a call finds in the caller's memory at its beginning, for the calls that are wanted.
/// Without them a thread that rewrites the memory while the call runs decides what the event of its end names.
final class EnterHooks {
    private let loaded: LoadedProbe
    private let option: ProbeOptions.EnterEvents
    private let refusesTracepoints: Bool
    private(set) var mode = PROBE_ENTER_NONE
    /// Why no tracepoint is attached, once one was tried.
    private var refusal: String?
    private var isWanted = false
    /// By call, read once; nil before.
    private var tracepoints: [UInt64]?

    private static let calls: [(program: ProbeProgram, name: String, event: ppm_event_code)] = [
        (.enterOpen, "open", PPME_SYSCALL_OPEN_X), (.enterOpenat, "openat", PPME_SYSCALL_OPENAT_2_X),
        (.enterOpenat2, "openat2", PPME_SYSCALL_OPENAT2_X), (.enterCreat, "creat", PPME_SYSCALL_CREAT_X),
        (.enterConnect, "connect", PPME_SOCKET_CONNECT_X),
    ]

    init(_ loaded: LoadedProbe, _ options: ProbeOptions) {
        self.loaded = loaded
        option = options.enterEvents
        refusesTracepoints = options.refusesTracepoints
    }

    /// Programs that these options never attach: they need not be loaded.
    static func unused(_ options: ProbeOptions) -> Set<ProbeProgram> {
        switch options.enterEvents {
        case .none: Set(ProbeProgram.enters + [.sysEnter])
        case .tracepoints: [.sysEnter]
        case .tracepointsOrEveryCall: []
        }
    }

    /// Attaches what `interest` needs and detaches the rest. `setMode` hears how before anything can tell.
    func attach(_ interest: InterestSet, setMode: (probe_enter_mode) -> Void) {
        let wanted = Self.calls.map { call in
            EventTable.syscalls.contains { $0.name == call.name && interest.contains(syscall: $0.number) }
        }
        isWanted = wanted.contains(true)
        guard isWanted, option != .none else {
            ProbeProgram.enters.forEach(loaded.detach)
            loaded.detach(.sysEnter)
            mode = PROBE_ENTER_NONE
            setMode(mode)
            return
        }
        do throws(CaptureError) {
            let ids = try tracepointIDs()
            mode = PROBE_ENTER_TRACEPOINTS
            setMode(mode)
            for (index, call) in Self.calls.enumerated() {
                if wanted[index] {
                    guard loaded.has(call.program) else {
                        throw CaptureError("could not attach '\(call.program.rawValue)': the kernel refused it")
                    }
                    try loaded.attach(call.program, tracepoint: ids[index])
                } else {
                    loaded.detach(call.program)
                }
            }
            refusal = nil
        } catch {
            refusal = error.description
            ProbeProgram.enters.forEach(loaded.detach)
            attachEveryCall(setMode)
        }
    }

    private func attachEveryCall(_ setMode: (probe_enter_mode) -> Void) {
        mode = PROBE_ENTER_NONE
        guard option == .tracepointsOrEveryCall else { return setMode(mode) }
        do throws(CaptureError) {
            guard loaded.has(.sysEnter) else { throw CaptureError("could not attach 'sys_enter': the kernel refused it") }
            setMode(PROBE_ENTER_EVERY_CALL)
            try loaded.attach(.sysEnter)
            mode = PROBE_ENTER_EVERY_CALL
        } catch {
            refusal = "\(refusal.map { $0 + "; " } ?? "")\(error)"
            setMode(mode)
        }
    }

    private func tracepointIDs() throws(CaptureError) -> [UInt64] {
        if let tracepoints { return tracepoints }
        guard !refusesTracepoints else { throw CaptureError("could not open tracefs: refused for a test") }
        let tracefs: Descriptor
        do throws(Errno) { tracefs = try Descriptor(taking: linux_tracefs_open()) } catch {
            throw CaptureError(
                "could not open tracefs: \(error); it is not mounted at /sys/kernel/tracing, and to mount it takes CAP_SYS_ADMIN")
        }
        var ids: [UInt64] = []
        for call in Self.calls {
            let id = linux_tracepoint_id(tracefs.number, "syscalls/sys_enter_\(call.name)")
            guard id != 0 else {
                throw CaptureError("could not read the id of tracepoint 'sys_enter_\(call.name)': \(Errno.last)")
            }
            ids.append(id)
        }
        tracepoints = ids
        return ids
    }

    /// One line for the agent's first ones: when paths and addresses are read, and what that leaves open. Nil if no rule and
    /// no part of the state wants a call that they are for.
    var report: String? {
        guard isWanted else { return nil }
        let told = "Paths and addresses: as the caller's memory holds them when open and connect begin"
        switch mode {
        case PROBE_ENTER_TRACEPOINTS: return told + "; of 32-bit callers, when they return"
        case PROBE_ENTER_EVERY_CALL: return told + ", by a program that every system call passes"
        default:
            return
                "Not seen: what the caller's memory held when open and connect began; a thread that rewrites it while they run "
                + "decides what their events name (\(refusal ?? "engine.modern_ebpf.enter_events is none"))"
        }
    }
}
