// SPDX-License-Identifier: Apache-2.0
import CProbeABI
import Diagnostics
import EventModel
import Fields
import FilterLanguage
import RuleEngine
import Rules

/// Reads a rule set that loaded, and says what is certainly or probably not meant.
public final class Linter {
    public struct Settings: Sendable {
        /// `rule_matching: first`: one alert per event, the first rule's.
        public var firstMatchOnly = true
        /// Events come from this machine, not from a capture file.
        public var isLive = true
        /// Something tells names, images and labels of containers and pods.
        public var suppliesContainerMetadata = false
        /// `base_syscalls.all`: high-volume calls are delivered.
        public var deliversIgnoredSyscalls = false
        public init() {}
    }

    let settings: Settings
    let anatomy: RulesAnatomy
    let ruleSet: RuleSet
    let vocabulary: Vocabulary
    let refuter: Refuter
    var subjects: [Subject] = []
    private(set) var findings: [LintFinding] = []
    private var allowances: Allowances
    private var reported: Set<String> = []
    var unsupplied: Set<String> = []
    var saidMissing: Set<String> = []
    let eventNames = EventNames()
    let listNames: Set<String>
    let macroNames: Set<String>

    /// A rule with what is asked about it again and again.
    struct Subject {
        let part: RulesAnatomy.RulePart
        let rule: Rule
        /// With exceptions; switches are constants.
        let formula: Formula
        let base: Formula
        /// Events it can match that some source delivers; asynchronous ones are not counted.
        var codes = EventCodeSet() { didSet { codeList = codes.codes } }
        private(set) var codeList: [UInt16] = []
        func canHaveValue(_ field: FieldReference) -> Bool { codeList.contains(where: field.mayHaveValue) }
        var isNeverTrue = false
        /// It is off on purpose: only an `evt.num = 0` keeps it from matching.
        var isSwitchedOff = false
    }

    /// The loader must have kept its anatomy.
    public init(_ loader: RuleLoader, settings: Settings = Settings()) {
        self.settings = settings
        anatomy = loader.anatomy ?? RulesAnatomy.empty
        ruleSet = loader.ruleSet
        vocabulary = Vocabulary(catalogue: .builtin)
        refuter = Refuter(vocabulary)
        allowances = Allowances(anatomy.files)
        listNames = Set(anatomy.lists.map(\.name))
        macroNames = Set(anatomy.macros.map(\.name))
    }

    /// Whether everything was tried; of very many or very large conditions some proofs are given up.
    public var isComplete: Bool { !refuter.isExhausted }

    /// In the order of files and lines.
    public func run() -> [LintFinding] {
        collectSubjects()
        for index in subjects.indices { checkTruth(of: index) }
        checkMacroTruth()
        for subject in subjects {
            checkEvents(of: subject)
            checkExceptions(of: subject)
            checkOutput(of: subject)
            checkTags(of: subject)
            checkCost(of: subject)
        }
        checkConditionTexts()
        checkItems()
        // Last: of very many rules it may use up all steps.
        if settings.firstMatchOnly { checkShadows() }
        checkAllowances()
        let order = Dictionary(anatomy.files.enumerated().map { ($1.name, $0) }) { first, _ in first }
        return findings.enumerated().sorted { left, right in
            let (l, r) = (left.element, right.element)
            return (order[l.file] ?? 0, l.line, l.column, left.offset) < (order[r.file] ?? 0, r.line, r.column, right.offset)
        }.map(\.element)
    }

    private func collectSubjects() {
        var parts: [String: RulesAnatomy.RulePart] = [:]
        for part in anatomy.rules { parts[part.name] = part }
        for rule in ruleSet.rules where rule.source == Rule.syscallSource {
            guard let part = parts[rule.name] else { continue }
            var subject = Subject(
                part: part, rule: rule, formula: vocabulary.formula(rule.expandedCondition), base: vocabulary.formula(part.base))
            subject.codes = rule.condition.eventCodes.intersection(refuter.codes(of: subject.formula)).intersection(
                Self.delivered)
            subjects.append(subject)
        }
    }

    /// What sources deliver: ends of system calls in their newest form, tracepoints; not what is only told to the state.
    static let delivered: EventCodeSet = EventCodeSet(
        EventTable.events.filter { event in
            guard !event.isUnused, !event.isOldVersion else { return false }
            if event.category & UInt16(EC_SYSCALL.rawValue) != 0 { return !event.isEnter }
            return event.category & UInt16(EC_TRACEPOINT.rawValue) != 0
        }.map(\.code))

    // MARK: saying it

    func report(
        _ name: LintName, _ message: String, at place: RulesPlace, hint: String? = nil, also sites: [RulesPlace] = []
    ) {
        if allowances.allows(name, at: place.sites + sites.flatMap(\.sites)) { return }
        let diagnostic = place.diagnostic(message, finding: name.label, hint: hint)
        let line = diagnostic.excerpt?.line ?? place.line
        let column = diagnostic.excerpt?.column ?? 1
        let file = diagnostic.excerpt?.file ?? place.file.name
        // What a macro or a list does wrong is wrong once, however often it is used.
        guard reported.insert("\(name.rawValue) \(file):\(line):\(column) \(message)").inserted else { return }
        findings.append(
            LintFinding(name: name, diagnostic: diagnostic, item: place.item, file: file, line: line, column: column))
    }

    private func checkAllowances() {
        let known = Set(LintName.allCases.map(\.rawValue))
        for comment in allowances.comments {
            let place = RulesPlace(comment.file, comment.range)
            if !known.contains(comment.name) {
                report(
                    .unknownAllow, "no finding is named '\(comment.name)'", at: place,
                    hint: Suggestion.hint(for: comment.name, among: known.sorted()) ?? "docs/lint.md lists the names")
            } else if !comment.isUsed {
                report(.needlessAllow, "there is no '\(comment.name)' to allow here", at: place, hint: "remove it")
            }
        }
    }

    /// `a, b and 3 more`
    static func names(_ codes: EventCodeSet, max: Int = 4) -> String {
        var set = Set(codes.codes.map { EventTable.events[Int($0)].name })
        // Calls without an event of their own: no name to anybody.
        if set.count > 1 { set.remove("syscall") }
        let names = set.sorted()
        guard names.count > max else { return names.joined(separator: ", ") }
        return names.prefix(max - 1).joined(separator: ", ") + " and \(names.count - max + 1) more"
    }
}
