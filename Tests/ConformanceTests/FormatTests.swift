// SPDX-License-Identifier: Apache-2.0
import EventModel
import Foundation
import SystemState
import Testing

@testable import Fields

/// Outputs of the corpus, at the one event they are made for.
@Suite struct FormatTests {
    /// Thread 3 (`child`) descends from 2 (`bash`), that from 1 (`init`).
    private static var lineage: [Corpus.Case] {
        [
            ["default_init": true], ["tid": 2, "pid": 2, "ptid": 1, "comm": "bash"],
            ["tid": 3, "pid": 3, "ptid": 2, "comm": "child"],
        ]
    }

    @Test func formats() throws {
        for formatCase in try Corpus.cases("filter-eval.json", kinds: ["format"]) {
            let name = formatCase["name"] as? String ?? ""
            let format = formatCase["format"] as! String
            if let throwing = formatCase["throws"] as? Bool {
                let isRefused = (try? OutputTemplate(format, catalogue: .builtin)) == nil
                #expect(isRefused == throwing, "\(name)")
                continue
            }
            let template = try OutputTemplate(format, catalogue: .builtin)
            let scenario = Scenario()
            let tid = (formatCase["tid"] as? String).flatMap { Int($0) } ?? 1
            for thread in tid == 1 ? [Self.lineage[0]] : Self.lineage { scenario.add(thread: thread) }
            scenario.state.finishSnapshot()
            try scenario.playAnything(tid: tid)
            defer { scenario.finish() }
            let withTransformed = formatCase["resolve_transformers"] as? Bool ?? true
            let (text, isComplete) = scenario.render(template)
            let (fields, fieldsAreComplete) = scenario.fields(template, withTransformed: withTransformed)
            if let result = formatCase["result"] as? Bool {
                #expect((formatCase["output_format"] as? String == "json" ? fieldsAreComplete : isComplete) == result, "\(name)")
            }
            if let output = formatCase["output"] as? String {
                if formatCase["output_format"] as? String == "json" {
                    // No field at all is null there, an empty object with us.
                    #expect(json(fields) == (output == "null" ? "{}" : output), "\(name)")
                } else {
                    #expect(String(decoding: text, as: UTF8.self) == output, "\(name)")
                }
            }
            if let count = formatCase["num_fields"] as? Int { #expect(fields.count == count, "\(name)") }
            for (key, value) in formatCase["fields"] as? [String: String] ?? [:] {
                let got: JSONValue? = fields[key]
                #expect(got == (value == "<NA>" ? .null : .string(value)), "\(name) \(key)")
            }
        }
    }

    private func json(_ fields: [String: JSONValue]) -> String {
        let entries = fields.keys.sorted().map { key in
            switch fields[key]! {
            case .string(let text): "\"\(key)\":\"\(text)\""
            case .null: "\"\(key)\":null"
            default: "\"\(key)\":?"
            }
        }
        return "{" + entries.joined(separator: ",") + "}"
    }
}
