// SPDX-License-Identifier: Apache-2.0
import CProbeABI
import EventModel

/// The programs of the probe that the agent handles by name. Tail-called ones are listed in tail_calls.def.
enum ProbeProgram: String, CaseIterable, Sendable {
    case sysExit = "sys_exit"
    case exec = "sched_process_exec"
    case fork = "sched_process_fork"
    case exit = "sched_process_exit"
    case signalDeliver = "signal_deliver"
    case schedSwitch = "sched_switch"
    case pageFaultUser = "page_fault_user"
    case pageFaultKernel = "page_fault_kernel"
    case enterOpen = "enter_open"
    case enterOpenat = "enter_openat"
    case enterOpenat2 = "enter_openat2"
    case enterCreat = "enter_creat"
    case enterConnect = "enter_connect"
    case sysEnter = "sys_enter"
    case iterTask = "iter_task"
    case iterTaskFile = "iter_task_file"

    /// Attached for as long as the probe is.
    static let always: [ProbeProgram] = [.fork, .exec, .exit]
    static let iterators: [ProbeProgram] = [.iterTask, .iterTaskFile]

    /// Those that tell what a call finds in the caller's memory at its beginning, each at its call's tracepoint.
    static let enters: [ProbeProgram] = [.enterOpen, .enterOpenat, .enterOpenat2, .enterCreat, .enterConnect]

    /// The event that makes an optional program worth its cost; nil for the others.
    var optionalEvent: UInt16? {
        switch self {
        case .signalDeliver: PPME_SIGNALDELIVER_E.code
        case .schedSwitch: PPME_SCHEDSWITCH_6_E.code
        case .pageFaultUser, .pageFaultKernel: PPME_PAGE_FAULT_E.code
        default: nil
        }
    }

    /// May be missing: then the probe works without it, and says so.
    var isDispensable: Bool {
        optionalEvent != nil || self == .sysEnter || Self.iterators.contains(self) || Self.enters.contains(self)
    }
}
