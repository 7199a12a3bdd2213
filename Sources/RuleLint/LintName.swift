// SPDX-License-Identifier: Apache-2.0
import Diagnostics

/// Everything lint can find. The raw value is the stable name that reports show and `# falco-lint: allow` takes.
public enum LintName: String, CaseIterable, Sendable {
    // what a condition can be
    case neverTrue = "never-true"
    case deadBranch = "dead-branch"
    case alwaysTrue = "always-true"
    case redundantCheck = "redundant-check"
    case shadowedRule = "shadowed-rule"
    // events
    case branchWithoutEventType = "branch-without-event-type"
    case eventTypeOperator = "event-type-operator"
    case unknownEventName = "unknown-event-name"
    case undeliveredEvent = "undelivered-event"
    case enterEvent = "enter-event"
    case fieldNotInEvent = "field-not-in-event"
    case fieldWithoutSource = "field-without-source"
    // values
    case nameTooLong = "name-too-long"
    case pathForm = "path-form"
    case wildcardAsText = "wildcard-as-text"
    case emptyValue = "empty-value"
    case emptyList = "empty-list"
    case valueCut = "value-cut"
    case listInComparison = "list-in-comparison"
    case macroAsValue = "macro-as-value"
    case misspeltList = "misspelt-list"
    case missingValueText = "missing-value-text"
    case inWithOneValue = "in-with-one-value"
    case repeatedValue = "repeated-value"
    // exceptions
    case exceptionNeverMatches = "exception-never-matches"
    case exceptionRepeated = "exception-repeated"
    // macros and lists
    case unreachableMacro = "unreachable-macro"
    case unreachableList = "unreachable-list"
    case redefinedItem = "redefined-item"
    // what a rule costs
    case costlyEvent = "costly-event"
    case simplerThanRegex = "simpler-than-regex"
    case payloadCheck = "payload-check"
    case kernelRecords = "kernel-records"
    case failedStarts = "failed-starts"
    // outputs, priorities and tags
    case belowPriority = "below-priority"
    case outputFieldEmpty = "output-field-empty"
    case outputWithoutContext = "output-without-context"
    case tagForm = "tag-form"
    // lint itself
    case unknownAllow = "unknown-allow"
    case needlessAllow = "needless-allow"

    /// Worth a thought, but rules with it may be right as they are.
    public var isHint: Bool {
        switch self {
        case .redundantCheck, .inWithOneValue, .repeatedValue, .exceptionRepeated, .unreachableMacro, .unreachableList,
            .costlyEvent,
            .simplerThanRegex, .payloadCheck, .kernelRecords, .failedStarts, .belowPriority, .outputWithoutContext, .tagForm,
            .needlessAllow:
            true
        default: false
        }
    }

    /// One sentence for docs/lint.md and the JSON report.
    public var summary: String {
        switch self {
        case .neverTrue: "No event can satisfy the rule's condition, so the rule never alerts."
        case .deadBranch: "An alternative of an 'or' can never hold where it stands."
        case .alwaysTrue: "The condition, or a part of it, holds for every event."
        case .redundantCheck: "The checks beside it make this one hold already, or an alternative is covered by another."
        case .shadowedRule: "Under rule_matching: first an earlier rule takes every event that this one matches."
        case .branchWithoutEventType:
            "One alternative names no event types, so the rule is asked for every event although the others are narrow."
        case .eventTypeOperator: "This operator on evt.type does not narrow down for which events the rule is asked."
        case .unknownEventName: "No event has a name that fits the text compared with evt.type."
        case .undeliveredEvent: "The event exists in the table, but no live source delivers it."
        case .enterEvent: "Only the ends of system calls are events; evt.dir = > never holds."
        case .fieldNotInEvent: "The events the rule asks for never give the field a value."
        case .fieldWithoutSource: "Nothing that is set up supplies the field's values."
        case .nameTooLong: "The kernel keeps 15 bytes of a process's name; a longer text never equals one."
        case .pathForm: "A path is written in a form that the field never has."
        case .wildcardAsText: "The operator compares text; '*' stands for itself."
        case .emptyValue: "Every text contains, begins and ends with the empty text."
        case .emptyList: "Nothing is in an empty list."
        case .valueCut: "The number does not fit the field's type; what is left of it is compared."
        case .listInComparison: "A list's name stands where one value belongs; its items are put in as text."
        case .macroAsValue: "A macro's name stands among values, where it is only text."
        case .misspeltList: "A value looks like the name of a list that exists."
        case .missingValueText: "A missing value equals nothing, so comparing with '<NA>' does not find it."
        case .inWithOneValue: "A list of one value is an equality."
        case .repeatedValue: "A value is in a list twice."
        case .exceptionNeverMatches: "The exception's values contradict the rule's condition, so it excepts nothing."
        case .exceptionRepeated: "The exception's values are there already."
        case .unreachableMacro: "Only macros that no rule uses refer to the macro."
        case .unreachableList: "Only macros and lists that no rule uses refer to the list."
        case .redefinedItem: "A later definition in the same file takes the place of this one."
        case .costlyEvent: "The event is so frequent that asking for it costs the host noticeably."
        case .simplerThanRegex: "A simpler operator says the same as the pattern and costs a fraction."
        case .payloadCheck: "Looking at transferred data costs for every read and write, and sees only their beginning."
        case .kernelRecords: "The field makes the probe write a second record for many calls."
        case .failedStarts: "The rule asks for failed starts of programs too, which makes every system call cost something."
        case .belowPriority: "The configured priority keeps the rule from being enabled at all."
        case .outputFieldEmpty: "The rule's events never give the output's field a value."
        case .outputWithoutContext: "The output does not say which process raised the event."
        case .tagForm: "A tag is nearly, but not quite, one of the usual ones."
        case .unknownAllow: "A comment allows a finding that does not exist."
        case .needlessAllow: "A comment allows a finding that is not there."
        }
    }

    var label: LintLabel { LintLabel(rawValue, isHint: isHint) }
}

/// One thing found: where, what, and how to mend it.
public struct LintFinding: Sendable {
    public let name: LintName
    public let diagnostic: Diagnostic
    /// `rule 'X'`; empty for the file.
    public let item: String
    public let file: String
    /// From 1.
    public let line: Int
    public let column: Int
    public var isHint: Bool { name.isHint }
}
