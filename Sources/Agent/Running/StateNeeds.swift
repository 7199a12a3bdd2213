// SPDX-License-Identifier: Apache-2.0
import CProbeABI
import EventModel
import Fields
import FilterLanguage
import Rules
import SystemState

/// What the state must be told so that the fields of the rules, in conditions and outputs, are right: from rules to columns of the
/// state, from columns to the system calls that change them. The tables are `StateColumns` and `FieldDefinition.stateColumns`.
enum StateNeeds {
    static func columns(of rules: [Rule]) -> StateColumns {
        var columns: StateColumns = []
        for rule in rules {
            rule.condition.collectFields { columns.formUnion($0.definition.stateColumns) }
            for text in [rule.output] + rule.extraFields.map({ $0.name == nil ? "%" + $0.key : $0.format }) {
                guard let template = try? OutputTemplate(text, catalogue: .builtin) else { return .all }
                template.collectFields { columns.formUnion($0.definition.stateColumns) }
            }
        }
        return columns
    }

    /// Does a rule or its output read a field that only the kernel's own records fill?
    static func readsKernelRecords(_ rules: [Rule]) -> Bool {
        var reads = false
        for rule in rules {
            rule.condition.collectFields { if KernelField.owns($0.definition) { reads = true } }
            for text in [rule.output] + rule.extraFields.map({ $0.name == nil ? "%" + $0.key : $0.format }) {
                guard let template = try? OutputTemplate(text, catalogue: .builtin) else { return true }
                template.collectFields { if KernelField.owns($0.definition) { reads = true } }
            }
        }
        return reads
    }

    /// Portable codes of the calls behind the columns. Processes need none: the scheduler's hooks tell them.
    static func systemCalls(changing columns: StateColumns) -> Set<UInt16> {
        let names = columns.systemCalls
        return SystemCallSelection.codes { call, _ in names.contains(call.name) }
    }

    /// Events without which no process would be known.
    static let schedulerEvents: Set<UInt16> = [
        PPME_SYSCALL_CLONE_20_X.code, PPME_SYSCALL_EXECVE_19_X.code, PPME_PROCEXIT_1_E.code,
    ]

    /// Does the rule ask for starts of programs alone, and only for those that succeed? The scheduler tells these; a failed execve is
    /// seen at the end of the system call alone.
    static func isToldByScheduler(_ rule: Rule) -> Bool {
        let starts = SystemCallSelection.codes(named: ["execve", "execveat"])
        return rule.condition.systemCallCodes.isSubset(of: starts) && impliesSuccess(rule.expandedCondition)
    }

    private static func impliesSuccess(_ condition: Condition) -> Bool {
        switch condition {
        case .and(let parts, _): parts.contains(where: impliesSuccess)
        case .or(let parts, _): !parts.isEmpty && parts.allSatisfy(impliesSuccess)
        case .not, .macro: false
        case .check(let check): impliesSuccess(check)
        }
    }

    private static func impliesSuccess(_ check: Check) -> Bool {
        guard case .field(let field) = check.left, case .value(let value, _) = check.right, check.modifier == nil else {
            return false
        }
        return switch (field.name, check.comparison) {
        case ("evt.res", .equal): value == "SUCCESS"
        case ("evt.failed", .equal): value == "false"
        case ("evt.rawres", .equal), ("evt.rawarg.res", .equal): Int64(value) == 0
        case ("evt.rawres", .greaterOrEqual), ("evt.rawarg.res", .greaterOrEqual): (Int64(value) ?? -1) >= 0
        case ("evt.arg.res", .equal): value == "0" || value == "SUCCESS"
        default: false
        }
    }
}
