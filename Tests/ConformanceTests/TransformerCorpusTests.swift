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
                let isExpected = supported.contains("PT_" + type.name)
                #expect(Transformers.accepts(transformer, type, isList: false) == isExpected, "\(transformer) \(type.name)")
                // Lists of the same types, or those that are named.
                let lists = typesCase["supported_list_types"]
                let isListExpected =
                    (lists as? [String])?.contains("PT_" + type.name) ?? (lists as? String == "same" ? isExpected : nil)
                guard let isListExpected else { continue }
                #expect(
                    Transformers.accepts(transformer, type, isList: true) == isListExpected, "\(transformer) \(type.name) list")
            }
        }
    }

    /// Whole conditions that do not depend on the event.
    @Test func expressions() throws {
        let scenario = Scenario()
        scenario.add(thread: ["default_init": true])
        scenario.state.finishSnapshot()
        try scenario.playAnything()
        defer { scenario.finish() }
        let cases = try Corpus.cases("filter-eval.json", kinds: ["expr"])
        for expressionCase in cases {
            let text = try #require((expressionCase["expr"] ?? expressionCase["expression"]) as? String)
            let holds = try? scenario.holds(text)
            #expect(holds == expressionCase["expect"] as? Bool, "\(text)")
        }
        print("filter-eval.json: \(cases.count) cases of kind expr")
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
