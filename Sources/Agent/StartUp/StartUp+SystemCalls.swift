// SPDX-License-Identifier: Apache-2.0
import EventModel
import Rules

extension StartUp {
    static func selectSystemCalls(_ session: Session) -> Int32? {
        let selection = SystemCallSelection(rules: session.ruleSet, base: session.settings.baseSyscalls, records: session.records)
        let log = session.log
        func names(_ codes: Set<UInt16>) -> String { codes.map(SystemCallSelection.name).sorted().joined(separator: ", ") }
        log.debug("(\(selection.rules.count)) syscalls in rules: \(names(selection.rules))")
        log.debug("+(\(selection.state.count)) syscalls (Falco's state engine set of syscalls): \(names(selection.state))")
        log.debug("-(\(selection.ignored.count)) ignored syscalls (-> activate via `-A` flag): \(names(selection.ignored))")
        log.debug("(\(selection.selected.count)) syscalls selected in total (final set): \(names(selection.selected))")
        for entry in selection.unknownNames {
            let kind = entry.hasPrefix("!") ? "negative" : "positive"
            log.warning("Invalid \(kind) syscall names: warning (base_syscalls override): \(entry)")
        }
        if !session.settings.baseSyscalls.all {
            let warning = RulesReport.ignoredSyscallsText(session.ruleSet)
            if !warning.isEmpty { StandardError.write(warning) }
        }
        let missing = selection.unsupported.filter { !IgnoredSyscalls.contains($0) }
        if !missing.isEmpty {
            StandardError.write(
                """
                Loaded rules match syscalls that are not activated: warning (unsupported-evttype): \(missing.joined(separator: ", "))
                base_syscalls.custom_set takes them away; these rules see no such event live.

                """)
        }
        if session.settings.engine == .modernEBPF, session.settings.modernEBPF.dropFailedExit {
            for rule in FailureNeeds.rules(of: session.ruleSet) {
                log.warning(
                    "Rule '\(rule)' matches failed system calls only, which engine.modern_ebpf.drop_failed_exit leaves out")
            }
        }
        session.interest = selection.interest
        session.interest.kernelRecords =
            session.records || StateNeeds.readsKernelRecords(session.ruleSet.rules.filter(\.isEnabled))
        session.systemCallReason =
            session.arguments.recordsOnly
            ? "System calls are watched because they are recorded" : selection.reason(session.ruleSet)
        return nil
    }
}
