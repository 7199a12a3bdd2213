// SPDX-License-Identifier: Apache-2.0
import Diagnostics
import FilterLanguage

/// Which of the two formats a rules file has.
public enum RuleFileKind: Sendable, Equatable {
    case yaml
    /// `condition | PRIORITY output`, one item per line.
    case oneLine

    /// `.yaml` and `.yml` are YAML, `.conf` is one-line; any other name is YAML if its first line that says something begins
    /// with `- ` or `---`.
    public init(name: String, content: [UInt8]) {
        if name.hasSuffix(".yaml") || name.hasSuffix(".yml") {
            self = .yaml
        } else if name.hasSuffix(".conf") {
            self = .oneLine
        } else {
            self = .oneLine
            for line in content.split(separator: UInt8(ascii: "\n"), maxSplits: 10_000) {
                let text = line.drop { $0 == 32 || (9...13).contains($0) }
                guard let first = text.first, first != UInt8(ascii: "#") else { continue }
                if text.starts(with: "- ".utf8) || text.starts(with: "---".utf8) || text.elementsEqual("-".utf8) { self = .yaml }
                return
            }
        }
    }
}

/// Reads the founding one-line format into the collector: comments, `macro: condition` and `condition | PRIORITY output`.
struct FoundingReader {
    let checker: ExceptionChecker
    var collector: RuleCollector
    var report: LoadReport

    static let fileBytesMax = 64 << 20
    /// Some editors begin a file of UTF-8 with it.
    private static let byteOrderMark: [UInt8] = [0xef, 0xbb, 0xbf]
    /// The founding default without its leading time (the alert line has one), and who and what besides.
    static let defaultOutput = "%evt.num %evt.cpu %proc.name (%thread.tid) %evt.dir %evt.type %evt.args %user.name %fd.name"
    static let defaultPriority = Priority.warning

    init(checker: ExceptionChecker, collector: RuleCollector, report: LoadReport) {
        (self.checker, self.collector, self.report) = (checker, collector, report)
    }

    mutating func read(_ file: SourceFile) {
        let root = ItemContext(file)
        guard file.bytes.count <= Self.fileBytesMax else {
            report.fail(root.diagnostic(.validate, "the file has \(file.bytes.count) bytes, the limit is \(Self.fileBytesMax)"))
            return
        }
        for number in 1...max(1, file.lineCount) {
            var range = file.lineRange(number)
            if number == 1, file.bytes.starts(with: Self.byteOrderMark) { range = range.dropFirst(Self.byteOrderMark.count) }
            guard let first = range.first(where: { !Self.isBlank(file.bytes[$0]) }), file.bytes[first] != UInt8(ascii: "#") else {
                continue
            }
            if let bad = range.first(where: { file.bytes[$0] < 32 && !Self.isBlank(file.bytes[$0]) }) {
                let byte = String(file.bytes[bad], radix: 16)
                report.fail(
                    root.item(.rulesContentItem, "", start: file.position(at: bad), end: bad + 1).diagnostic(
                        .validate, "the file is not text: byte 0x\(byte) in line \(number)"))
                return
            }
            do throws(Diagnostic) { try readLine(file, first..<range.upperBound, root) } catch { report.fail(error) }
        }
    }

    private mutating func readLine(_ file: SourceFile, _ line: Range<Int>, _ root: ItemContext) throws(Diagnostic) {
        if let (name, body) = Self.macroDefinition(file, line) {
            let macroName = file.text(name)
            let context = root.item(.macro, macroName, start: file.position(at: name.lowerBound), end: line.upperBound)
            guard !body.isEmpty else {
                throw context.diagnostic(.validate, "the macro '\(macroName)' has no condition", hint: "write 'name: condition'")
            }
            let conditionContext = context.item(
                .macroCondition, "", start: file.position(at: body.lowerBound), end: body.upperBound)
            let condition = Self.traced(file, body)
            if let bar = Self.outputBar(file.bytes, body) {
                throw context.item(.macroCondition, "", start: file.position(at: bar), end: bar + 1).diagnostic(
                    .compileCondition, "a macro has no output: unexpected '|'", hint: "only rules have an output part")
            }
            collector.define(
                MacroInfo(
                    name: macroName, condition: condition, context: context, conditionContext: conditionContext,
                    dialect: .founding))
            return
        }
        try readRule(file, line, root)
    }

    private mutating func readRule(_ file: SourceFile, _ line: Range<Int>, _ root: ItemContext) throws(Diagnostic) {
        let bar = Self.outputBar(file.bytes, line)
        let conditionRange = Self.trimmed(file.bytes, line.lowerBound..<(bar ?? line.upperBound))
        var name = file.text(conditionRange)
        let lineNumber = file.position(at: line.lowerBound).line
        if collector.rules[name] != nil { name += " (line \(lineNumber))" }
        if collector.rules[name] != nil { name += " (\(file.name))" }
        let context = root.item(.rule, name, start: file.position(at: line.lowerBound), end: line.upperBound)
        guard !conditionRange.isEmpty else {
            throw context.diagnostic(.compileCondition, "the rule has no condition before its '|'")
        }
        var priority = Self.defaultPriority
        var output = TracedText(Self.defaultOutput)
        var outputContext = context.item(.ruleOutput, "", start: file.position(at: line.lowerBound), end: line.upperBound)
        if let bar {
            let rest = Self.skippingBlanks(file.bytes, bar + 1..<line.upperBound)
            var end = rest.lowerBound
            while end < rest.upperBound, Self.isWord(file.bytes[end]) { end += 1 }
            let word = file.text(rest.lowerBound..<end)
            let wordContext = context.item(
                .rulePriority, "", start: file.position(at: rest.lowerBound), end: max(end, rest.lowerBound + 1))
            guard !word.isEmpty else {
                throw wordContext.diagnostic(
                    .validate, "a priority is missing after '|'", hint: "write 'condition | WARNING text with %fields'")
            }
            guard let found = Priority(foundingPrefix: word) else {
                throw wordContext.diagnostic(
                    .validate, "Invalid severity level: \(word)",
                    hint: Suggestion.hint(for: word.lowercased(), among: Priority.allCases.map { $0.title.lowercased() })
                        ?? "one of emergency, alert, critical, error, warning, notice, informational, debug")
            }
            priority = found
            let text = Self.skippingBlanks(file.bytes, end..<line.upperBound)
            // Without a text after the priority there is still something to say.
            if !text.isEmpty {
                output = Self.traced(file, text)
                outputContext = context.item(.ruleOutput, "", start: file.position(at: text.lowerBound), end: text.upperBound)
            }
        }
        let rule = RuleInfo(
            name: name, condition: Self.traced(file, conditionRange), output: output, description: "", priority: priority,
            context: context,
            conditionContext: context.item(
                .ruleCondition, "", start: file.position(at: conditionRange.lowerBound), end: conditionRange.upperBound),
            outputContext: outputContext, dialect: .founding)
        try collector.define(rule, checking: checker, into: &report)
    }

    // MARK: the line's parts

    /// `identifier blanks ':'` at the start of the line.
    private static func macroDefinition(_ file: SourceFile, _ line: Range<Int>) -> (name: Range<Int>, body: Range<Int>)? {
        let bytes = file.bytes
        var place = line.lowerBound
        guard place < line.upperBound, isWord(bytes[place]), !(48...57).contains(bytes[place]) else { return nil }
        while place < line.upperBound, isWord(bytes[place]) { place += 1 }
        let name = line.lowerBound..<place
        while place < line.upperBound, isBlank(bytes[place]) { place += 1 }
        guard place < line.upperBound, bytes[place] == UInt8(ascii: ":") else { return nil }
        return (name, trimmed(bytes, place + 1..<line.upperBound))
    }

    /// Operators behind which a bare word is a value, and `|` one of its characters.
    private static let valueOperators = Set(ConditionParser.textOperatorTexts).union(["oneof", "anyof", "allof"])

    /// The `|` that ends the condition: not one within quotes, nor one in a value (`a.b=x|y`).
    private static func outputBar(_ bytes: [UInt8], _ line: Range<Int>) -> Int? {
        var place = line.lowerBound
        var isValueNext = false
        var isInList = false
        var lastWord = ""
        while place < line.upperBound {
            let byte = bytes[place]
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "'"):
                // A quote that is never closed is an ordinary character of a bare word.
                place = closingQuote(bytes, place, line.upperBound).map { $0 + 1 } ?? place + 1
                isValueNext = isInList
            case UInt8(ascii: "="), UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "!"):
                isValueNext = true
                place += 1
            case UInt8(ascii: "("):
                isInList = ConditionParser.listOperatorTexts.contains(lastWord)
                isValueNext = isInList
                place += 1
            case UInt8(ascii: ")"):
                (isInList, isValueNext, lastWord) = (false, false, "")
                place += 1
            case UInt8(ascii: "|") where !isValueNext: return place
            case _ where isBlank(byte) || byte == UInt8(ascii: ","): place += 1
            default:
                let start = place
                let ends = isValueNext ? "()=," : "()=,<>!|"
                repeat { place += 1 } while place < line.upperBound && !isBlank(bytes[place]) && !ends.utf8.contains(bytes[place])
                lastWord = isValueNext ? "" : String(decoding: bytes[start..<place], as: UTF8.self)
                isValueNext = isInList || valueOperators.contains(lastWord)
            }
        }
        return nil
    }

    private static func closingQuote(_ bytes: [UInt8], _ open: Int, _ end: Int) -> Int? {
        var place = open + 1
        while place < end {
            if bytes[place] == UInt8(ascii: "\\") {
                place += 2
                continue
            }
            if bytes[place] == bytes[open] { return place }
            place += 1
        }
        return nil
    }

    private static func traced(_ file: SourceFile, _ range: Range<Int>) -> TracedText {
        var text = TracedText()
        for offset in range { text.append(file.bytes[offset], from: file, at: offset) }
        return text
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 32 || byte == 9 || byte == 13 }
    private static func isWord(_ byte: UInt8) -> Bool {
        (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte) || byte == UInt8(ascii: "_")
    }
    private static func skippingBlanks(_ bytes: [UInt8], _ range: Range<Int>) -> Range<Int> {
        var start = range.lowerBound
        while start < range.upperBound, isBlank(bytes[start]) { start += 1 }
        return start..<range.upperBound
    }
    private static func trimmed(_ bytes: [UInt8], _ range: Range<Int>) -> Range<Int> {
        let body = skippingBlanks(bytes, range)
        var end = body.upperBound
        while end > body.lowerBound, isBlank(bytes[end - 1]) { end -= 1 }
        return body.lowerBound..<end
    }
}
