// SPDX-License-Identifier: Apache-2.0
import EventModel
import FilterLanguage
import Foundation
import SystemState
import Testing

@testable import Fields

/// Transformers, path joining and UTF-8 repair on the corpus' values.
@Suite struct TransformerCorpusTests {
    private static func type(_ name: Any?) -> ParameterType {
        ParameterType.allCases.first { "PT_" + $0.name == name as? String }!
    }

    @Test func transformers() throws {
        for transformerCase in try Corpus.cases("filter-eval.json", kinds: ["transformer"]) {
            let name = transformerCase["name"] as? String ?? ""
            let transformer = try #require(TransformerName(rawValue: transformerCase["transformer"] as! String))
            let type = Self.type(transformerCase["input_type"])
            let isList = transformerCase["is_list"] as? Bool ?? false
            let input = transformerCase["input"] as? [Any] ?? []
            var keys: [FieldKey] = []
            let values: [FieldValue] = input.map {
                if let number = $0 as? NSNumber { return .uint(number.uint64Value) }
                keys.append(FieldKey(Corpus.bytes($0)!))
                return .bytes(keys.last!.bytes)
            }
            var scratch = ExtractionScratch()
            let value: FieldValue
            if isList {
                for value in values { scratch.push(value) }
                value = Transformers.apply(
                    transformer, .list(start: 0, count: values.count), type: type, isList: true, scratch: &scratch)
            } else if values.count == 1 {
                value = Transformers.apply(transformer, values[0], type: type, isList: false, scratch: &scratch)
            } else {
                // One after the other, as upstream's vector of values.
                for value in values { scratch.push(value) }
                value = Transformers.apply(
                    transformer, .list(start: 0, count: values.count), type: type, isList: false, scratch: &scratch)
            }
            var got: [String] = []
            switch value {
            case .list(let start, let count):
                for offset in 0..<count { if case .bytes(let bytes) = scratch.list[start + offset] { got.append(bytes.string) } }
            case .bytes(let bytes): got = [bytes.string]
            case .uint(let number): got = [String(number)]
            default: break
            }
            let expected = (transformerCase["output"] as? [Any] ?? []).map {
                ($0 as? NSNumber)?.stringValue ?? $0 as? String ?? ""
            }
            // An empty text is written as no value there.
            #expect(got == expected || (expected.isEmpty && got == [""]), "\(name)")
            #expect(Transformers.accepts(transformer, type, isList: isList), "\(name)")
            withExtendedLifetime(keys) {}
        }
    }

    @Test func types() throws {
        for typesCase in try Corpus.cases("filter-eval.json", kinds: ["transformer_types"]) {
            let transformer = try #require(TransformerName(rawValue: typesCase["transformer"] as! String))
            let supported = Set(typesCase["supported_types"] as? [String] ?? [])
            for type in ParameterType.allCases where type != .none {
                #expect(Transformers.accepts(transformer, type, isList: false) == supported.contains("PT_" + type.name))
            }
        }
    }

    @Test func expressions() throws {
        for expressionCase in try Corpus.cases("filter-eval.json", kinds: ["expr"]) {
            // The left side of each is a value without an event; comparing it is the rule engine's.
            guard let text = (expressionCase["expr"] ?? expressionCase["expression"]) as? String,
                let (operand, _) = try? ConditionParser.parseOperandPrefix(text[...])
            else { continue }
            let isRefused = (try? ValueExpression(operand, catalogue: .builtin)) == nil
            if expressionCase["expect"] as? String != "throws" { #expect(!isRefused, "\(text)") }
        }
    }

    @Test func functions() throws {
        let state = SystemState(threadsMax: 1)
        for functionCase in try Corpus.cases("filter-eval.json", kinds: ["function"]) {
            let name = functionCase["name"] as? String ?? ""
            let arguments = (functionCase["args"] as? [Any] ?? []).map { FieldKey(Corpus.bytes($0) ?? []) }
            let expected = Corpus.bytes(functionCase["result"]) ?? []
            var scratch = ExtractionScratch()
            switch functionCase["function"] as? String {
            case "concatenate_paths":
                let joined = PathText.join(arguments[0].bytes, arguments[1].bytes, state, &scratch)
                #expect(joined.array == expected, "\(name)")
            case "utf8_sanitize":
                scratch.begin()
                UTF8Repair.append(arguments[0].bytes, to: &scratch)
                #expect(scratch.finish().array == expected, "\(name)")
            default: Issue.record("\(name): unknown function")
            }
            withExtendedLifetime(arguments) {}
        }
    }
}
