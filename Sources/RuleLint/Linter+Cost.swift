// SPDX-License-Identifier: Apache-2.0
import Diagnostics
import EventModel
import Fields
import FilterLanguage
import RuleEngine
import Rules

/// What rules cost the host, and what their alerts tell.
extension Linter {
    /// Calls that ordinary programs make all the time. High-volume reads and writes have a warning of their own.
    static let frequent: Set<String> = [
        "futex", "poll", "ppoll", "select", "pselect6", "epoll_wait", "epoll_pwait", "epoll_pwait2", "nanosleep",
        "clock_nanosleep",
        "clock_gettime", "gettimeofday", "mmap", "munmap", "mprotect", "madvise", "brk", "lseek", "sched_yield", "rt_sigaction",
        "rt_sigprocmask", "stat", "fstat", "lstat", "newfstatat", "statx", "access", "fcntl", "ioctl", "page_fault",
    ]

    func checkCost(of subject: Subject) {
        guard subject.rule.isEnabled, !subject.isNeverTrue else { return }
        var written: [(name: String, place: RulesPlace)] = []
        subject.part.base.forEachCheckHere { check in
            guard case .field(let field) = check.left, field.name == "evt.type" || field.name == "syscall.type",
                [.equal, .in].contains(check.comparison)
            else { return }
            for (text, range) in check.constantTexts {
                written.append((text, anatomy.place(of: range, within: subject.part.conditionPlace)))
            }
        }
        for (name, place) in written where isCostly(name) && asks(for: name, subject) {
            report(
                .costlyEvent, "'\(name)' is among the most frequent events: asking for it costs every program that makes it",
                at: place,
                hint: "if the rule can do without it, take it out", also: [subject.part.place])
        }
        subject.part.unresolved.forEachCheckHere { check in
            guard let reading = vocabulary.reading(check) else { return }
            let place = anatomy.place(of: check.range, within: subject.part.conditionPlace)
            for field in reading.fields {
                let name = field.definition.name
                if name == "evt.buffer" {
                    report(
                        .payloadCheck,
                        "evt.buffer is looked at for every transfer, and holds its first bytes only (snaplen)", at: place,
                        hint: "narrow down by process and descriptor before it")
                } else if KernelField.owns(field.definition) {
                    report(
                        .kernelRecords, "'\(name)' makes the probe write a second record for each call it is about", at: place,
                        hint: "worth it where links or mounts may hide a path; else use fd.name")
                }
            }
        }
        checkFailedStarts(subject)
    }

    private func isCostly(_ name: String) -> Bool {
        Self.frequent.contains(name) || settings.deliversIgnoredSyscalls && IgnoredSyscalls.contains(name)
    }
    private func asks(for name: String, _ subject: Subject) -> Bool {
        (EventTable.codes(named: name) ?? []).contains(where: subject.rule.condition.eventCodes.contains)
    }

    /// A rule about started programs that would match a failed execve as well.
    private func checkFailedStarts(_ subject: Subject) {
        let names = Set(subject.codes.codes.map { EventTable.events[Int($0)].name })
        guard !names.isEmpty, names.isSubset(of: ["execve", "execveat"]) else { return }
        var parser = ConditionParser("evt.rawres >= 0")
        guard let success = try? parser.parse() else { return }
        let formula = vocabulary.formula(success)
        guard !refuter.follows(formula, from: [subject.formula]), !saysHowItEnded(subject.part.base) else { return }
        // Rules share a macro for this: said once, where it names the event.
        var place = subject.part.conditionPlace
        subject.part.base.forEachCheckHere { check in
            if case .field(let field) = check.left, field.name == "evt.type" {
                place = anatomy.place(of: check.range, within: subject.part.conditionPlace)
            }
        }
        report(
            .failedStarts, "this asks for failed execve calls too, which only the end of system calls tells", at: place,
            hint: "write 'and evt.res = SUCCESS' if only programs that did start matter", also: [subject.part.place])
    }

    private func saysHowItEnded(_ condition: Condition) -> Bool {
        var says = false
        condition.forEachCheckHere { check in
            if case .field(let field) = check.left,
                ["evt.res", "evt.rawres", "evt.failed", "evt.arg.res", "evt.rawarg.res", "evt.count.error"].contains(field.name)
            {
                says = true
            }
        }
        return says
    }

    // MARK: patterns

    func checkRegex(_ check: Check, _ place: RulesPlace) {
        guard check.comparison == .regex, case .value(let pattern, _) = check.right,
            !vocabulary.compiler.warnsOfRegex(pattern), let simpler = SimplePattern(pattern)
        else { return }
        report(
            .simplerThanRegex, "this pattern needs no regex", at: place,
            hint: "write '\(check.left.normalised) \(simpler.text)'")
    }

    // MARK: outputs and tags

    func checkOutput(of subject: Subject) {
        guard let template = try? OutputTemplate(subject.part.output, catalogue: .builtin) else { return }
        var hasContext = false
        var fields: [FieldReference] = []
        template.collectFields { field in
            fields.append(field)
            let name = field.definition.name
            hasContext = hasContext || name.hasPrefix("proc.") || name.hasPrefix("thread.")
        }
        let bytes = Array(subject.part.output.utf8)
        for field in fields {
            let place = subject.part.outputPlace.part(Self.range(of: field.text, in: bytes) ?? 0..<0)
            checkSupplier(field, nil, place)
            guard !subject.codes.isEmpty, !subject.canHaveValue(field) else { continue }
            report(
                .outputFieldEmpty,
                "'%\(field.text)' is always <NA> here: \(Self.names(subject.codes)) events do not give it a value",
                at: place, hint: Self.eventsWith(field))
        }
        if !hasContext, !subject.part.isFounding {
            report(
                .outputWithoutContext, "the output of rule '\(subject.part.name)' does not say which process raised the event",
                at: subject.part.outputPlace, hint: "add %proc.name, %proc.cmdline or %proc.exepath", also: [subject.part.place])
        }
    }

    private static func range(of field: String, in output: [UInt8]) -> Range<Int>? {
        let wanted = Array(field.utf8)
        guard output.count >= wanted.count else { return nil }
        for start in 0...(output.count - wanted.count) where output[start...].starts(with: wanted) {
            return start..<start + wanted.count
        }
        return nil
    }

    private static let tactics: [String] = [
        "mitre_reconnaissance", "mitre_resource_development", "mitre_initial_access", "mitre_execution", "mitre_persistence",
        "mitre_privilege_escalation", "mitre_defense_evasion", "mitre_credential_access", "mitre_discovery",
        "mitre_lateral_movement", "mitre_collection", "mitre_command_and_control", "mitre_exfiltration", "mitre_impact",
    ]
    private static let maturities = ["maturity_stable", "maturity_incubating", "maturity_sandbox", "maturity_deprecated"]

    func checkTags(of subject: Subject) {
        if subject.rule.isBelowMinimumPriority {
            report(
                .belowPriority, "rule '\(subject.part.name)' is never enabled: its priority is below the configured one",
                at: subject.part.place, hint: "raise it, or lower 'priority' in falco.yaml")
        }
        for tag in subject.part.tags {
            var hint: String?
            if tag.lowercased().hasPrefix("mitre_"), !Self.tactics.contains(tag) {
                hint =
                    Suggestion.hint(for: tag.lowercased(), among: Self.tactics)
                    ?? "the tactics of ATT&CK are \(Self.tactics[3]) and others"
            } else if tag.hasPrefix("maturity_"), !Self.maturities.contains(tag) {
                hint = Suggestion.hint(for: tag, among: Self.maturities) ?? "one of \(Self.maturities.joined(separator: ", "))"
            } else if let wanted = Self.technique(tag), wanted != tag {
                hint = "write '\(wanted)'"
            }
            guard let hint else { continue }
            report(
                .tagForm, "tag '\(tag)' of rule '\(subject.part.name)' is not quite one of the usual ones",
                at: subject.part.place,
                hint: hint)
        }
    }

    /// `t1059.1` is meant to be `T1059.001`; nil for what is no technique at all.
    private static func technique(_ tag: String) -> String? {
        guard let first = tag.utf8.first, first | 0x20 == UInt8(ascii: "t") else { return nil }
        let parts = tag.dropFirst().split(whereSeparator: { ".:_-/".contains($0) })
        guard parts.count == 1 || parts.count == 2, parts.allSatisfy({ $0.utf8.allSatisfy { (48...57).contains($0) } }),
            parts[0].count == 4, parts.count == 1 || parts[1].count <= 3
        else { return nil }
        guard parts.count == 2 else { return "T\(parts[0])" }
        return "T\(parts[0])." + String(repeating: "0", count: 3 - parts[1].count) + parts[1]
    }
}

/// A pattern that is only text with `.*` at its ends, or a choice of texts.
struct SimplePattern {
    /// `endswith .sh`
    let text: String

    init?(_ pattern: String) {
        var body = Substring(pattern)
        if body.hasPrefix("^") { body = body.dropFirst() }
        if body.hasSuffix("$"), !body.hasSuffix("\\$") { body = body.dropLast() }
        var (opens, ends) = (false, false)
        if body.hasPrefix(".*") { (opens, body) = (true, body.dropFirst(2)) }
        if body.hasSuffix(".*"), !body.hasSuffix("\\.*") { (ends, body) = (true, body.dropLast(2)) }
        if body.hasPrefix("("), body.hasSuffix(")"), !body.hasSuffix("\\)") {
            let choices = body.dropFirst().dropLast().split(separator: "|", omittingEmptySubsequences: false).map(Self.literal)
            guard choices.count > 1, !choices.contains(nil) else { return nil }
            let list = choices.map { ListItemText.quoted($0!) }.joined(separator: ", ")
            switch (opens, ends) {
            case (false, false): text = "in (\(list))"
            case (false, true): text = "startswith anyof (\(list))"
            case (true, false): text = "endswith anyof (\(list))"
            case (true, true): text = "contains anyof (\(list))"
            }
            return
        }
        guard let literal = Self.literal(body), !literal.isEmpty else { return nil }
        let value = ListItemText.quoted(literal)
        switch (opens, ends) {
        case (false, false): text = "= \(value)"
        case (false, true): text = "startswith \(value)"
        case (true, false): text = "endswith \(value)"
        case (true, true): text = "contains \(value)"
        }
    }

    /// The text that a pattern without anything special stands for.
    private static func literal(_ pattern: Substring) -> String? {
        var out = ""
        var isEscaped = false
        for character in pattern {
            if isEscaped {
                guard character.isASCII, !character.isLetter, !character.isNumber else { return nil }
                out.append(character)
                isEscaped = false
            } else if character == "\\" {
                isEscaped = true
            } else {
                guard !".+*?^$()[]{}|".contains(character) else { return nil }
                out.append(character)
            }
        }
        return isEscaped ? nil : out
    }
}
