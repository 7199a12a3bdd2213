// SPDX-License-Identifier: Apache-2.0
import Diagnostics
import EventModel
import Fields
import FilterLanguage
import RuleEngine

/// A check that parses but does not compile, explained from the check itself. Ranges are those of the condition's tree.
struct CompileAdvice {
    var headline: String?
    var range: SourceRange
    var hint: String?
    var help: String?

    /// Every check of a condition that does not compile on its own, in order. The compiler stops at the first.
    static func problems(in condition: Condition, _ compiler: ConditionCompiler, max: Int) -> [(
        check: Check, problem: CompileProblem
    )] {
        var found: [(check: Check, problem: CompileProblem)] = []
        condition.forEachCheck { check, _ in
            guard found.count < max else { return }
            do throws(CompileProblem) { _ = try compiler.compile(.check(check)) } catch {
                found.append((check, error))
                // The other items of a list.
                guard case .list(let items) = check.right, items.count > 1, items.count <= 1000 else { return }
                for item in items where found.count < max {
                    var single = check
                    single.right = .list([item])
                    single.rightRange = item.range
                    do throws(CompileProblem) { _ = try compiler.compile(.check(single)) } catch {
                        if !found.contains(where: { $0.problem.message == error.message && $0.check.range == check.range }) {
                            found.append((single, error))
                        }
                    }
                }
            }
        }
        return found
    }

    static func advice(_ problem: CompileProblem, _ check: Check, _ catalogue: FieldCatalogue) -> CompileAdvice {
        CompileAdvice(problem, check, catalogue)
    }

    private let check: Check
    private let catalogue: FieldCatalogue

    private init(_ problem: CompileProblem, _ check: Check, _ catalogue: FieldCatalogue) {
        (self.check, self.catalogue) = (check, catalogue)
        range = check.left.range
        let message = problem.message
        if message.contains("nonexistent field") || message.hasPrefix("filter syntax error: ") {
            field(message)
        } else if message.contains("operator not supported") || message.contains("list filters are not supported") {
            operation()
        } else if message.contains("right-hand") || message.contains("right side") {
            if case .operand(let operand) = check.right { range = operand.range }
            rightSide(message)
        } else if message.contains("transformer") || message.contains("'join'") || message.contains("'getopt'") {
            transformer(message, problem.position)
        } else if message.hasPrefix("unknown event argument") {
            let name = Self.lastWord(message)
            headline = "no event has an argument '\(name)'"
            hint = Suggestion.hint(for: name, among: Self.parameterNames)
            help = "`falco --list-events` prints all events with their arguments"
        } else {
            constant(message)
        }
    }

    // MARK: fields

    private mutating func field(_ message: String) {
        let text = Self.lastPart(
            message, after: message.contains("nonexistent field ") ? "nonexistent field " : "filter syntax error: ")
        var named: FieldName?
        check.forEachField { name in
            let full = name.argument.map { name.name + "[" + $0 + "]" } ?? name.name
            if named == nil, full == text { named = name }
        }
        if let named { range = named.range }
        (headline, hint, help) = Self.unknownField(text, catalogue)
    }

    /// What to say of a field that is not there; outputs say the same.
    static func unknownField(_ text: String, _ catalogue: FieldCatalogue) -> (headline: String, hint: String?, help: String?) {
        let name = String(text.prefix { $0 != "[" })
        if let definition = catalogue.definition(named: name) {
            guard text != name else {
                let example =
                    definition.flags.contains(.argumentAfterDot)
                    ? "\(name).name" : definition.flags.contains(.argumentKey) ? "\(name)[key]" : "\(name)[1]"
                return ("field '\(name)' needs an argument", "write '\(example)'", "\(name): \(definition.summary)")
            }
            if definition.flags.contains(.argumentAfterDot) {
                return (
                    "the argument of '\(name)' follows a dot", "write '\(name).\(text.dropFirst(name.count + 1).dropLast())'", nil
                )
            }
            if definition.flags.contains(.argumentIndex) {
                return ("the argument of '\(name)' is a number", "write '\(name)[1]'", "\(name): \(definition.summary)")
            }
            return ("field '\(name)' takes no argument", "write '\(name)'", "\(name): \(definition.summary)")
        }
        if name.hasPrefix("evt.type.is.") || name.hasPrefix("evt.abspath.") {
            return ("'\(text)' does not exist", nil, "`falco --list` prints all fields")
        }
        if let dot = name.lastIndex(of: "."), let definition = catalogue.definition(named: String(name[..<dot])),
            !definition.flags.isDisjoint(with: [.argumentKey, .argumentIndex]), !definition.flags.contains(.argumentAfterDot)
        {
            return (
                "the argument of '\(definition.name)' stands in brackets",
                "write '\(definition.name)[\(name[name.index(after: dot)...])]'", "\(definition.name): \(definition.summary)"
            )
        }
        let near = ParseAdvice.field(likelyMeantBy: name, catalogue.suggestedNames)
        let heading = String(name.prefix { $0 != "." })
        if near == nil, let plugin = Self.plugins[heading] {
            return (
                "field '\(text)' comes with the plugin '\(plugin)', which is not loaded", nil,
                "load the plugin, or give the rule 'skip-if-unknown-filter: true' so that it is left out without it"
            )
        }
        let isClass = catalogue.fieldNames.contains { $0.hasPrefix(heading + ".") }
        let help =
            isClass || near != nil
            ? "`falco --list -N | grep '^\(isClass ? heading : String(near!.prefix { $0 != "." })).'` prints the fields of this kind"
            : "no field begins with '\(heading).'; `falco --list` prints all fields"
        return ("unknown field '\(text)'", near.map { "did you mean '\($0)'?" }, DisplayWord.isPlain(heading) ? help : nil)
    }

    /// Beginnings of fields that well-known plugins bring.
    private static let plugins = [
        "ka": "k8saudit", "ct": "cloudtrail", "json": "json", "jevt": "json", "okta": "okta", "github": "github",
        "gcp": "gcpaudit", "k8smeta": "k8smeta", "kernelmodule": "kernelmodule", "anomaly": "anomalydetection",
        "salesforce": "salesforce", "box": "box", "gitlab": "gitlab", "keycloak": "keycloak", "krsi": "krsi",
    ]

    private static let parameterNames = Set(EventTable.events.flatMap { $0.parameters.map(\.name) })

    // MARK: operators

    private mutating func operation() {
        range = operatorRange
        let word = check.operatorText
        guard let definition = leftDefinition, case .field = check.left else {
            headline = "'\(word)' does not work on '\(subject)'"
            return
        }
        let isList = definition.flags.contains(.list)
        let known = ConditionCompiler.comparisons(of: definition.type, isList: isList)
        let operators = Self.usualOrder.filter(known.contains).map(\.rawValue)
        headline = "'\(word)' does not work on '\(subject)'"
        hint = "\(subject) is \(isList ? "a list" : Self.described(definition.type))"
        help = "operators for it: \(operators.joined(separator: " "))"
        if isList, case .value(let value, _) = check.right {
            help! += "\nto ask whether it holds \(value): \(subject) intersects (\(value))"
        }
    }

    /// Between the left and the right side.
    private var operatorRange: SourceRange {
        var start = check.left.range.end
        var end = check.rightRange.start
        if check.rightRange == check.range { end = check.range.end }
        // Blanks belong to neither; their number is not known here, so the words' lengths tell.
        let words = check.operatorText.utf8.count
        let gap = end.offset - start.offset
        if gap > words { start = SourcePosition(offset: start.offset + 1, line: start.line, column: start.column + 1) }
        end = SourcePosition(offset: min(end.offset, start.offset + words), line: start.line, column: start.column + words)
        return SourceRange(start, end)
    }

    private var leftDefinition: FieldDefinition? {
        var name: String?
        check.left.forEachField { name = name ?? $0.name }
        return name.flatMap { try? catalogue.resolve(FieldName($0, range: check.left.range)).definition }
            ?? name.flatMap(catalogue.definition(named:))
    }
    private var subject: String { check.left.normalised }

    private static let usualOrder: [Comparison] =
        [.equal, .notEqual, .in, .less, .lessOrEqual, .greater, .greaterOrEqual]
        + Comparison.allCases.filter { ![.equal, .notEqual, .in, .less, .lessOrEqual, .greater, .greaterOrEqual].contains($0) }

    private static func described(_ type: ParameterType) -> String {
        switch ConditionCompiler.family(of: type) {
        case .number: "a number"
        case .truth: "true or false"
        case .text: "a text"
        case .bytes: "a run of bytes"
        case .address: "an IP address"
        case .network: "an IP network"
        case .other: "of a type that cannot be compared"
        }
    }

    // MARK: right sides

    private mutating func rightSide(_ message: String) {
        if message.contains("incompatible type") {
            headline = "the two sides of this check have different types"
            var names: [String] = []
            check.forEachField { names.append($0.name) }
            let types = names.compactMap { name in catalogue.definition(named: name).map { (name, $0) } }
            hint = types.map { "\($0.0) is \($0.1.flags.contains(.list) ? "a list" : Self.described($0.1.type))" }.joined(
                separator: ", ")
            help = "both sides have to be of one type"
        } else if message.hasPrefix("operator '") {
            headline = "'\(check.operatorText)' needs a constant on its right side, not a field"
        }
    }

    private mutating func transformer(_ message: String, _ position: SourcePosition) {
        if case .operand(let operand) = check.right, operand.range.start.offset <= position.offset { range = operand.range }
        if message.hasPrefix("can't add field transformer") {
            let parts = message.split(separator: "'").map(String.init)
            // The sentence begins with "can't".
            guard parts.count >= 7 else { return }
            headline = "'\(parts[4])' does not work on '\(parts[6])'"
            if let definition = catalogue.definition(named: parts[6]) {
                hint = "\(parts[6]) is \(definition.flags.contains(.list) ? "a list" : Self.described(definition.type))"
            }
        }
    }

    // MARK: constants

    private mutating func constant(_ message: String) {
        let texts = check.rightTexts
        let culprit =
            texts.first { !$0.text.isEmpty && message.hasSuffix(" \($0.text)") }
            ?? texts.first { !$0.text.isEmpty && message.contains($0.text) } ?? texts.first
        range = culprit?.range ?? check.range
        let text = culprit?.text ?? ""
        if message.hasPrefix("unknown event type") {
            headline = "unknown event type '\(text)'"
            let lower = text.lowercased()
            hint = Suggestion.hint(for: lower, among: Self.eventNames)
            help = "`falco --list-events` prints all; system calls are written in lower case and without 'sys_'"
            if lower.hasPrefix("sys_"), Self.eventNames.contains(String(lower.dropFirst(4))) {
                hint = "did you mean '\(lower.dropFirst(4))'?"
            }
        } else if message.hasSuffix("is not a valid number") {
            headline = "'\(text)' is no number"
            hint = "\(subject) is a number"
            if ["user.uid", "proc.uid", "group.gid"].contains(subject) {
                help = "the name is in \(subject.hasPrefix("group") ? "group.name" : "user.name")"
            }
        } else if message.contains("unrecognized boolean value") {
            headline = "'\(text)' is neither true nor false"
            hint = Suggestion.hint(for: text.lowercased(), among: ["true", "false"]) ?? "write true or false"
        } else if message.contains("unrecognized protocol") {
            headline = "'\(text)' is no port"
            hint = "write a number from 0 to 65535, or the name of a service such as https"
        } else if message.contains("unrecognized IP network") {
            headline = "'\(text)' is no network"
            hint =
                ConditionCompiler.isAddress(text)
                ? "write '\(text)/\(text.contains(".") ? 32 : 128)'" : "write it as 10.0.0.0/8 or fd00::/8"
            help = "to compare with one address use fd.ip, fd.cip or fd.sip"
        } else if message.contains("invalid netmask") {
            headline = "the part behind '/' is wrong in '\(text)'"
            hint = "it is a number of bits, from 0 to \(text.contains(".") ? 32 : 128)"
        } else if message.contains("IPv4 address") || message.contains("IPv6 address") || message.contains("IP address") {
            headline = "'\(text)' is no IP address"
            if text.contains("/") {
                hint = "it looks like a network"
                help = "networks are compared with fd.net, fd.cnet, fd.snet, fd.lnet and fd.rnet"
            } else if text.contains(where: \.isLetter), !text.contains(":") {
                help = "names of hosts are compared with fd.cip.name, fd.sip.name, fd.lip.name and fd.rip.name"
            } else {
                hint = "an address is four numbers from 0 to 255 with dots, or IPv6 with colons"
            }
        } else if message.hasPrefix("invalid regex pattern: ") {
            headline = "the regular expression does not compile: \(message.dropFirst("invalid regex pattern: ".count))"
            if text.contains("(?=") || text.contains("(?!") || text.contains("(?<") {
                help = "the syntax is RE2's, which has no look-ahead and no look-behind"
            } else if text.contains("\\1") || text.contains("\\2") {
                help = "the syntax is RE2's, which has no back references"
            } else if text.hasPrefix("*") || text.hasPrefix("?") || text.hasPrefix("+") {
                help =
                    "a regular expression begins with something to repeat: '.*' is any text; for '*' and '?' as in file names use glob"
            } else {
                help = "the syntax is RE2's; a character that should stand for itself needs a backslash before it"
            }
        } else if message.contains("hex strings only") {
            headline = "'\(check.operatorText)' needs pairs of hexadecimal digits"
            hint = "'\(text)' is not that"
            help = "as in evt.buffer bcontains CAFEBABE; for text there is contains"
        } else if message.contains("NUL byte") {
            headline = "a value cannot hold a NUL byte"
        } else if message.contains("filter parameter too long") {
            headline = "the value is too long"
            hint = "it has \(text.utf8.count) bytes; 255 is the limit"
            help = "compare with the beginning (startswith) or a part of it (contains)"
        } else if message.contains("evt.around") {
            headline = "evt.around is only compared with '='"
        }
    }

    private static let eventNames = Set(EventTable.events.map(\.name)).union(EventTable.systemCallCodes.map(\.name))

    private static func lastWord(_ message: String) -> String { message.split(separator: " ").last.map(String.init) ?? "" }

    private static func lastPart(_ message: String, after part: String) -> String {
        message.range(ofPart: part).map { String(message[$0...]) } ?? message
    }
}

/// Words fit to be put into a command line that somebody copies.
enum DisplayWord {
    static func isPlain(_ word: String) -> Bool {
        !word.isEmpty && word.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) }
    }
}

extension String {
    /// Where the text behind the first `part` begins.
    fileprivate func range(ofPart part: String) -> String.Index? {
        guard !part.isEmpty else { return nil }
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(part) { return index(start, offsetBy: part.count) }
            start = index(after: start)
        }
        return nil
    }
}
