// SPDX-License-Identifier: Apache-2.0
import Diagnostics
import FilterLanguage
import Foundation
import Testing

/// The condition parser against the `parse` and `escaping` cases of the corpus.
@Suite struct FilterSyntax {
    @Test func parse() throws {
        for test in try Corpus.cases("filter-syntax.json", kinds: ["parse"]) {
            var text = test["expr"] as? String ?? ""
            if let repeated = test["expr_repeat"] as? [String: Any] {
                text = String(repeating: repeated["text"] as! String, count: repeated["count"] as! Int)
            }
            var texts = [text]
            if test["whitespace_variants"] as? Bool == true {
                texts.append(" \(text) ")
                texts.append(" \(text) ".replacingOccurrences(of: " ", with: "\n"))
                texts.append(" \(text) ".replacingOccurrences(of: " ", with: "\t"))
            }
            for variant in texts { check(test, variant, isVariant: variant != text) }
        }
    }

    private func check(_ test: Corpus.Case, _ text: String, isVariant: Bool) {
        var parser = ConditionParser(text, depthMax: 100)
        let name = Comment(rawValue: "\(test["name"] as? String ?? ""): \(text.prefix(200))")
        let condition: Condition
        do throws(ConditionParseError) {
            condition = try parser.parse()
            #expect(test["valid"] as? Bool == true, name)
        } catch {
            #expect(test["valid"] as? Bool == false, "\(name) \(error.message)")
            if let message = test["error"] as? String { #expect(error.message == message, name) }
            return
        }
        if isVariant { return }
        if let end = test["end_pos"] as? [String: Int] {
            let expected = SourcePosition(offset: end["idx"]!, line: end["line"]!, column: end["col"]!)
            #expect(parser.position == expected, name)
        }
        if let normalised = test["normalised"] as? String { #expect(condition.normalised == normalised, name) }
        if test["roundtrip"] as? Bool == true {
            var again = ConditionParser(condition.normalised, depthMax: 100)
            let second = try? again.parse()
            #expect(second.map { dump($0) == dump(condition) } == true, "\(name) → \(condition.normalised)")
        }
        if let ast = test["ast"] { #expect(dump(condition) == withoutNulls(ast) as? NSDictionary, name) }
        if let positions = test["positions"] as? String { #expect(Positions.of(condition) == positions, name) }
        if let part = test["positions_contains"] as? String { #expect(Positions.of(condition).contains(part), name) }
    }

    @Test func escaping() throws {
        for test in try Corpus.cases("filter-syntax.json", kinds: ["escaping"]) {
            let name = Comment(rawValue: test["name"] as? String ?? "")
            let input = try #require(Corpus.bytes(test["input"]), name)
            switch test["op"] as? String {
            case "escape": #expect(FilterEscapes.escape(input) == Corpus.bytes(test["output"]), name)
            case "unescape": #expect(try FilterEscapes.unescape(input) == Corpus.bytes(test["output"]), name)
            case "unescape_error": #expect(throws: FilterEscapes.EscapeError.self, name) { try FilterEscapes.unescape(input) }
            case "roundtrip": #expect(try FilterEscapes.unescape(FilterEscapes.escape(input)) == input, name)
            default: Issue.record("unknown escaping case \(test)")
            }
        }
    }

    private func withoutNulls(_ value: Any) -> Any {
        if let dictionary = value as? [String: Any] {
            return dictionary.filter { !($0.value is NSNull) }.mapValues(withoutNulls) as NSDictionary
        }
        if let array = value as? [Any] { return array.map(withoutNulls) as NSArray }
        return value
    }

    /// The corpus's form of a tree.
    private func dump(_ condition: Condition) -> NSDictionary {
        switch condition {
        case .and(let children, _): ["type": "and", "children": children.map(dump)]
        case .or(let children, _): ["type": "or", "children": children.map(dump)]
        case .not(let child, _): ["type": "not", "child": dump(child)]
        case .macro(let name, _): ["type": "identifier", "name": name]
        case .check(let check) where check.comparison == .exists: ["type": "unary", "op": "exists", "left": dump(check.left)]
        case .check(let check):
            [
                "type": "binary", "op": check.operatorText + (check.modifier.map { " \($0.rawValue)" } ?? ""),
                "left": dump(check.left), "right": dump(check.right),
            ]
        }
    }
    private func dump(_ side: RightSide) -> NSDictionary {
        switch side {
        case .none: [:]
        case .value(let text, _): ["type": "value", "value": text]
        case .list(let items): ["type": "list", "values": items.map(\.text)]
        case .operand(let operand): dump(operand)
        }
    }
    private func dump(_ operand: Operand) -> NSDictionary {
        switch operand {
        case .field(let field):
            return field.argument.map { ["type": "field", "name": field.name, "arg": $0] } ?? [
                "type": "field", "name": field.name,
            ]
        case .transformer(let transformer):
            let result: NSMutableDictionary = [
                "type": "transformer", "name": transformer.name, "args": transformer.arguments.map(dump),
            ]
            if let selector = transformer.selector { result["arg"] = selector }
            return result
        case .literal(let text, _): return ["type": "value", "value": text]
        case .list(let elements, _): return ["type": "transformer_list", "children": elements.map(dump)]
        }
    }
}

/// Depth-first kinds and starts of the nodes: `binary0 1 1field0 1 1value11 1 12`.
private enum Positions {
    static func of(_ condition: Condition) -> String {
        switch condition {
        case .and(let children, let range): at("and", range) + children.map(of).joined()
        case .or(let children, let range): at("or", range) + children.map(of).joined()
        case .not(let child, let range): at("not", range) + of(child)
        case .macro(_, let range): at("identifier", range)
        case .check(let check) where check.comparison == .exists: at("unary", check.range) + of(check.left)
        case .check(let check): at("binary", check.range) + of(check.left) + of(check.right, check.rightRange)
        }
    }
    private static func of(_ side: RightSide, _ range: SourceRange) -> String {
        switch side {
        case .none: ""
        case .value: at("value", range)
        case .list: at("list", range)
        case .operand(let operand): of(operand)
        }
    }
    private static func of(_ operand: Operand) -> String {
        switch operand {
        case .field(let field): at("field", field.range)
        case .transformer(let transformer): at("transformer", transformer.range) + transformer.arguments.map(of).joined()
        case .literal(_, let range): at("value", range)
        case .list(let elements, let range): at("transformer_list", range) + elements.map(of).joined()
        }
    }
    private static func at(_ kind: String, _ range: SourceRange) -> String {
        "\(kind)\(range.start.offset) \(range.start.line) \(range.start.column)"
    }
}
