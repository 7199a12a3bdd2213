// SPDX-License-Identifier: Apache-2.0
import Diagnostics
import Fields

/// `--list` from the rows of the field catalogue.
struct FieldListing {
    let classes: [FieldClass]

    /// Nil when no class belongs to that source.
    init?(catalogue: FieldCatalogue = .builtin, source: String) {
        classes = catalogue.classes.filter { source.isEmpty || $0.sources.contains(source) }
        if classes.isEmpty { return nil }
    }

    private func fields(_ heading: FieldClass) -> [FieldDefinition] {
        let left: FieldFlags = heading.isFromPlugin ? [.hidden, .printOnly] : [.hidden, .deprecated, .printOnly]
        return heading.definitions.filter { $0.flags.isDisjoint(with: left) }
    }

    func names() -> String {
        classes.flatMap { fields($0).map { $0.name + "\n" } }.joined()
    }

    private static let nameWidth = 30
    private static let textWidth = 120 - nameWidth

    func text(verbose: Bool) -> String {
        var output = ""
        for heading in classes {
            output += String(repeating: "-", count: Self.nameWidth + 1) + "\n"
            let short = heading.shortDescription.isEmpty ? "" : " (\(heading.shortDescription))"
            output += Self.entry("Field Class:", heading.name + short, trailingBlank: false)
            output += Self.entry("Description:", heading.description)
            output += Self.entry("Event Sources:", heading.sources.sorted().joined(separator: " "))
            output += "\n"
            for field in fields(heading) {
                var tags: [String] = []
                if verbose { tags.append("(Type: \(Self.typeText(field)))") }
                let marks = Self.marks.filter { field.flags.contains($0.flag) }.map(\.word)
                if !marks.isEmpty { tags.append("(\(marks.joined(separator: ",")))") }
                output += Self.entry(field.name, (tags + [field.summary]).joined(separator: " "))
            }
            output += "\n"
        }
        return output
    }

    /// What a user has to know to use the field, in the order of the alphabet.
    private static let marks: [(flag: FieldFlags, word: String)] = [
        (.argumentOptional, "ARG_ALLOWED"), (.argumentRequired, "ARG_REQUIRED"), (.list, "EPF_IS_LIST"),
        (.noRightSide, "EPF_NO_RHS"), (.noTransformer, "EPF_NO_TRANSFORMER"), (.filterOnly, "FILTER_ONLY"),
    ]
    private static func typeText(_ field: FieldDefinition) -> String {
        let name = EventListing.typeName(field.type)
        return field.flags.contains(.list) ? "LIST(\(name))" : name
    }

    /// A name in its column, the text wrapped in the next; every word but a heading's is followed by a blank.
    private static func entry(_ name: String, _ text: String, trailingBlank: Bool = true) -> String {
        var lines = [""]
        for word in text.split(separator: " ") {
            if lines[lines.count - 1].count + word.count >= textWidth, !lines[lines.count - 1].isEmpty { lines.append("") }
            lines[lines.count - 1] += word + " "
        }
        if !trailingBlank { lines[lines.count - 1].removeLast() }
        let column = String(repeating: " ", count: nameWidth)
        guard name.count < nameWidth else { return name + "\n" + lines.map { column + $0 + "\n" }.joined() }
        let first = name + String(repeating: " ", count: nameWidth - name.count) + lines[0] + "\n"
        return first + lines.dropFirst().map { column + $0 + "\n" }.joined()
    }

    func markdown() -> String {
        var output = ""
        for heading in classes {
            output += "## Field Class: \(heading.name)\n\n\(heading.description)\n\n"
            output += "Event Sources: \(heading.sources.sorted().joined(separator: " ")) \n\n"
            output += "Name | Type | Description\n:----|:-----|:-----------\n"
            for field in fields(heading) { output += "`\(field.name)` | \(Self.typeText(field)) | \(field.summary)\n" }
            output += "\n"
        }
        return output
    }

    func json() -> JSONNode {
        .object([
            "fieldclasses": .array(
                classes.map { heading in
                    .object([
                        "name": .string(heading.name), "desc": .string(heading.description),
                        "event_sources": .strings(heading.sources),
                        "fields": .array(fields(heading).map { Self.json($0, withKinds: heading.isFromPlugin) }),
                    ])
                })
        ])
    }
    func namesJSON() -> JSONNode { .object(["fieldnames": .strings(classes.flatMap { fields($0).map(\.name) })]) }

    private static func json(_ field: FieldDefinition, withKinds: Bool) -> JSONNode {
        var argument = JSONNode.null
        if field.flags.contains(.argumentRequired) || field.flags.contains(.argumentOptional) {
            var types: [JSONNode] = []
            if withKinds, field.flags.contains(.argumentIndex) { types.append("INDEX") }
            if withKinds, field.flags.contains(.argumentKey) { types.append("KEY") }
            argument = .object(["required": .bool(field.flags.contains(.argumentRequired)), "type": .array(types)])
        }
        var members: [String: JSONNode] = [
            "name": .string(field.name), "type": .string(EventListing.typeName(field.type)), "desc": .string(field.summary),
            "is_list": .bool(field.flags.contains(.list)), "argument": argument,
        ]
        if field.flags.contains(.deprecated) { members["is_deprecated"] = true }
        return .object(members)
    }
}
