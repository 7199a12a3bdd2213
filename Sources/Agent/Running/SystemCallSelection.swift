// SPDX-License-Identifier: Apache-2.0
import CProbeABI
import EventModel
import Rules
import Settings

/// Which system calls a live source delivers: what the enabled rules ask for, and what the state needs so that the fields those rules
/// read are right. Numbers are portable system call codes (`ppm_sc`).
struct SystemCallSelection {
    let rules: Set<UInt16>
    let state: Set<UInt16>
    /// Asked for by rules or state and left out, because such calls come in masses.
    let ignored: Set<UInt16>
    let selected: Set<UInt16>
    /// Named by rules, yet not delivered.
    let unsupported: [String]
    /// `base_syscalls.custom_set` entries that are no system call.
    let unknownNames: [String]

    /// `records`: a recording is to hold everything that changes the state, whatever our rules read of it.
    init(rules ruleSet: RuleSet, base: Settings.BaseSyscalls, records: Bool = false) {
        let enabled = ruleSet.rules.filter(\.isEnabled)
        rules = enabled.reduce(into: Set()) { $0.formUnion(Self.wanted(by: $1)) }
        let custom = CustomSet(base.customSet)
        unknownNames = custom.unknown
        if base.repair {
            state = custom.positive.union(Self.repairSet(for: rules.union(custom.positive)))
        } else if !custom.positive.isEmpty {
            state = custom.positive
        } else {
            state = StateNeeds.systemCalls(changing: records ? .all : StateNeeds.columns(of: enabled))
        }
        let wanted = rules.union(state)
        ignored = base.all ? [] : wanted.intersection(Self.highVolume).subtracting(state)
        selected = wanted.subtracting(ignored).subtracting(custom.negative)
        let named = enabled.reduce(into: Set<UInt16>()) { if Self.namesCalls($1) { $0.formUnion(Self.wanted(by: $1)) } }
        unsupported = Set(named.subtracting(selected).map { Self.name($0) }).sorted()
    }

    /// A rule without event types asks for everything; the scheduler's own events, which come in floods, only who names them.
    private static func wanted(by rule: Rule) -> Set<UInt16> {
        if StateNeeds.isToldByScheduler(rule) { return [] }
        return namesCalls(rule) ? rule.condition.systemCallCodes : rule.condition.systemCallCodes.subtracting(Self.tracepoints)
    }
    private static func namesCalls(_ rule: Rule) -> Bool { !tracepoints.isSubset(of: rule.condition.systemCallCodes) }

    /// Reads and writes that leave the state as it is.
    static let highVolume: Set<UInt16> = codes { call, event in !call.isGeneric && IgnoredSyscalls.contains(event.name) }
    static let tracepoints: Set<UInt16> = codes { _, event in event.category & UInt16(EC_TRACEPOINT.rawValue) != 0 }

    static func name(_ code: UInt16) -> String { EventTable.systemCallCodes[Int(code)].name }

    static func codes(where holds: (SystemCallCode, EventInfo) -> Bool) -> Set<UInt16> {
        Set(EventTable.systemCallCodes.filter { !$0.name.isEmpty && holds($0, EventTable.events[Int($0.event)]) }.map(\.code))
    }
    static func codes(named names: Set<String>) -> Set<UInt16> { codes { call, _ in names.contains(call.name) } }

    /// The minimum that keeps processes right, completed by what the wanted calls need.
    static func repairSet(for wanted: Set<UInt16>) -> Set<UInt16> {
        var names: Set<String> = [
            "clone", "clone3", "fork", "vfork", "execve", "execveat", "chdir", "fchdir", "chroot", "capset", "setuid", "setuid32",
            "setgid", "setgid32", "setresuid", "setresuid32", "setresgid", "setresgid32", "setpgid", "setsid", "prctl", "setns",
            "unshare",
        ]
        let events = wanted.map { EventTable.events[Int(EventTable.systemCallCodes[Int($0)].event)] }
        let network = events.contains { $0.category & ~UInt16(EC_SYSCALL.rawValue) == UInt16(EC_NET.rawValue) }
        if network { names.formUnion(["socket", "getsockopt", "bind"]) }
        if network || events.contains(where: { $0.has(EF_USES_FD) || $0.has(EF_CREATES_FD) }) { names.insert("close") }
        return codes(named: names)
    }

    /// Why `sys_exit`, which costs every system call of the machine something, has to be attached; nil when it has not.
    func reason(_ ruleSet: RuleSet) -> String? {
        for rule in ruleSet.rules where rule.isEnabled {
            let calls = Self.wanted(by: rule).intersection(selected).subtracting(Self.tracepoints)
            guard !calls.isEmpty else { continue }
            let names = calls.map(Self.name).sorted()
            let shown = names.count > 5 ? "\(names.count) system calls" : names.joined(separator: ", ")
            return "System calls are watched because of rule '\(rule.name)' (\(shown)) and what the state needs for it"
        }
        return selected.isEmpty ? nil : "System calls are watched because the state needs them"
    }

    /// For the source: the calls' numbers, and the events of the scheduler's hooks.
    var interest: InterestSet {
        var interest = InterestSet()
        for call in EventTable.syscalls where selected.contains(call.sc) { interest.insert(syscall: call.number) }
        for call in EventTable.ia32Calls where selected.contains(call.sc) { interest.insert(syscall: call.number) }
        for code in selected.intersection(Self.tracepoints) {
            interest.events.insert(EventTable.systemCallCodes[Int(code)].event)
        }
        // Starts and ends of processes are free of `sys_exit`: the scheduler tells them.
        interest.events.formUnion(StateNeeds.schedulerEvents)
        return interest
    }
}

/// `base_syscalls.custom_set`: names, and names to take away.
private struct CustomSet {
    var positive: Set<UInt16> = []
    var negative: Set<UInt16> = []
    var unknown: [String] = []

    init(_ names: [String]) {
        for entry in names where !entry.isEmpty {
            let removes = entry.hasPrefix("!")
            let codes = SystemCallSelection.codes(named: [removes ? String(entry.dropFirst()) : entry])
            if codes.isEmpty { unknown.append(entry) }
            if removes { negative.formUnion(codes) } else { positive.formUnion(codes) }
        }
    }
}
