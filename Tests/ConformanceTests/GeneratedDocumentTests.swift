// SPDX-License-Identifier: Apache-2.0
import EventModel
import Fields
import Foundation
import Testing

@testable import Agent

/// docs/fields.md comes from the rows of the field catalogue: `make golden` writes it, this test compares it.
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

    @Test func fieldsDocumentIsUpToDate() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let file = root.appending(path: "docs/fields.md")
        if ProcessInfo.processInfo.environment["FALCO_RECORD"] != nil {
            try Self.fields.write(to: file, atomically: true, encoding: .utf8)
            Issue.record("docs/fields.md was written anew; look at the difference, then test without FALCO_RECORD")
            return
        }
        let text = try String(contentsOf: file, encoding: .utf8)
        #expect(text == Self.fields, "docs/fields.md is out of date: make golden")
    }
}
