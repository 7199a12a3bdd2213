// SPDX-License-Identifier: Apache-2.0
import Diagnostics
import EventModel
import Fields
import Foundation
import Rules
import Testing

@testable import Agent

/// docs/fields.md comes from the rows of the field catalogue, docs/diagnostics.md from what the loader says of typical mistakes:
/// `make golden` writes them, this test compares them.
@Suite struct GeneratedDocumentTests {
    private static var fields: String {
        var text = """
            <!-- SPDX-License-Identifier: Apache-2.0 -->
            <!-- Generated from the rows in Sources/Fields; `make golden` writes it anew. -->
            # Fields

            What conditions compare and outputs print. `falco --list` shows the same, `-v` with types, `--format json` for programs. A
            field without a value prints as `<NA>` and makes every comparison false, `!=` too.

            An argument follows in brackets (`proc.aname[2]`, `proc.env[HOME]`) or, where the table says so, after a dot
            (`evt.arg.flags`). Notes: *arg?* takes an argument, *arg!* needs one, *filter* only in conditions, *print* only in
            outputs, *no right side* and *no transformer* as they say, *any* several values of which one must fit.


            """
        for heading in FieldCatalogue.builtin.classes {
            let short = heading.shortDescription.isEmpty ? "" : ": \(heading.shortDescription.lowercased())"
            text += "## \(heading.name)\(short)\n\n\(heading.description)\n\n"
            let hidden: FieldFlags = [.hidden, .deprecated]
            text += table(heading.definitions.filter { $0.flags.isDisjoint(with: hidden) })
            let others = heading.definitions.filter { !$0.flags.isDisjoint(with: hidden) }
            if !others.isEmpty {
                text += "Not in `--list`: still valid, for old rules.\n\n" + table(others)
            }
        }
        return text
    }

    private static func table(_ fields: [FieldDefinition]) -> String {
        "Field | Type | Notes | Description\n:-----|:-----|:------|:-----------\n"
            + fields.map { field in
                let type = EventListing.typeName(field.type)
                return
                    "`\(field.name)` | \(field.flags.contains(.list) ? "LIST(\(type))" : type) | \(notes(field)) | \(field.summary)\n"
            }.joined() + "\n"
    }

    private static let noteWords: [(FieldFlags, String)] = [
        (.argumentOptional, "arg?"), (.argumentRequired, "arg!"), (.argumentAfterDot, "after a dot"), (.filterOnly, "filter"),
        (.printOnly, "print"), (.noRightSide, "no right side"), (.noTransformer, "no transformer"), (.anyOf, "any"),
        (.deprecated, "deprecated"), (.suggestedOutput, "suggested for outputs"),
    ]
    private static func notes(_ field: FieldDefinition) -> String {
        noteWords.filter { field.flags.contains($0.0) }.map(\.1).joined(separator: ", ")
    }

    // MARK: diagnostics

    private static var diagnostics: String {
        var text = """
            <!-- SPDX-License-Identifier: Apache-2.0 -->
            <!-- Generated from Tests/ConformanceTests/DiagnosticsGallery.swift; `make golden` writes it anew. -->
            # Diagnostics

            Mistakes in rules files, and what is said of them. On a terminal, or with `--diagnostics=annotated`, the lines of the file are
            shown with the text at fault underlined, wherever it stands: in a folded or quoted text, in a macro or a list that the rule
            uses, in another file. One run shows every mistake that does not follow from another. Programs get Falco's own text, which
            stops at the first error of a file: it is printed when the output is no terminal, and with `--diagnostics=falco`. With
            `json_output` both are out of the picture.

            Falco's form of warnings goes to the log, where a file that has nothing worse is `Ok, with warnings`. What is wrong with
            YAML itself is said in libyaml's words here and in yaml-cpp's in Falco.


            """
        for (chapter, mistakes) in Mistake.chapters {
            text += "## \(chapter)\n\n"
            for mistake in mistakes { text += section(mistake) }
        }
        return text
    }

    private static func section(_ mistake: Mistake) -> String {
        var text = "### \(mistake.title)\n\n"
        for file in mistake.files {
            let name = mistake.files.count > 1 ? "# \(file.name)\n" : ""
            text += "```yaml\n\(name)\(file.text)```\n\n"
        }
        let result = RuleLoader().load(files: mistake.files.map { ($0.name, Array($0.text.utf8)) }, keepsGoing: true).last!
        text += "```text\n\(RulesReport.annotatedText(result))```\n\n"
        let falco = RulesReport.verboseText(result)
        return text + "Falco's form:\n\n```text\n\(falco)\(falco.hasSuffix("\n") ? "" : "\n")```\n\n"
    }

    /// A gallery shows something in each frame.
    @Test func everyMistakeIsFound() {
        for mistake in Mistake.chapters.flatMap(\.mistakes) {
            let results = RuleLoader().load(files: mistake.files.map { ($0.name, Array($0.text.utf8)) }, keepsGoing: true)
            for good in results.dropLast() { #expect(good.successful && good.warnings.isEmpty, "\(mistake.title): \(good.name)") }
            let found = results.last.map { $0.errors + $0.warnings + $0.notices } ?? []
            #expect(!found.isEmpty, "\(mistake.title)")
            // What to do is beside the underline or below it.
            for diagnostic in found {
                #expect(diagnostic.excerpt != nil, "\(mistake.title): no place")
                #expect(diagnostic.hint != nil || Advice.on(diagnostic).help != nil, "\(mistake.title): no advice")
            }
        }
    }

    // MARK: comparing

    @Test(arguments: ["docs/fields.md", "docs/diagnostics.md"]) func documentIsUpToDate(_ path: String) throws {
        let expected = path == "docs/fields.md" ? Self.fields : Self.diagnostics
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let file = root.appending(path: path)
        if ProcessInfo.processInfo.environment["FALCO_RECORD"] != nil {
            try expected.write(to: file, atomically: true, encoding: .utf8)
            Issue.record("\(path) was written anew; look at the difference, then test without FALCO_RECORD")
            return
        }
        let text = try String(contentsOf: file, encoding: .utf8)
        #expect(text == expected, "\(path) is out of date: make golden")
    }
}
