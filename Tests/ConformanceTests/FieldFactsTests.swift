// SPDX-License-Identifier: Apache-2.0
import EventModel
import Fields
import Foundation
import Testing

/// The rows of the field catalogue against the published table, column by column.
@Suite struct FieldFactsTests {
    private static let formats: [String: PrintFormat] = [
        "PF_NA": .na, "PF_DEC": .dec, "PF_HEX": .hex, "PF_10_PADDED_DEC": .paddedDec, "PF_ID": .id, "PF_DIR": .dir,
        "PF_OCT": .oct,
    ]
    private static let flags: [(String, FieldFlags)] = [
        ("NO_RHS", .noRightSide), ("NO_TRANSFORMER", .noTransformer), ("TABLE_ONLY", .hidden), ("FILTER_ONLY", .filterOnly),
        ("PRINT_ONLY", .printOnly), ("DEPRECATED", .deprecated), ("FORMAT_SUGGESTED", .suggestedOutput),
    ]

    @Test func everyField() throws {
        guard let facts = try EventTableFactsTests.document("facts/fields.json") as? [Corpus.Case] else { return }
        var core = 0
        var container = 0
        for row in facts {
            let plugin = row["plugin"] as? String
            guard plugin == nil || plugin == "container" else { continue }
            let name = row["name"] as? String ?? ""
            let field = try #require(FieldCatalogue.builtin.definition(named: name), "\(name)")
            if plugin == nil { core += 1 } else { container += 1 }
            let heading = FieldCatalogue.builtin.classes.first { $0.definitions.contains { $0.id == field.id } }
            #expect(heading?.name == (row["class"] as? String)?.split(separator: " ").first.map(String.init), "\(name)")
            #expect("PT_" + field.type.name == row["type"] as? String, "\(name)")
            if let format = row["display_format"] as? String { #expect(field.format == Self.formats[format], "\(name)") }
            #expect(field.flags.contains(.list) == (row["list"] as? Bool), "\(name)")
            #expect(field.flags.contains(.deprecated) == (row["deprecated"] as? Bool), "\(name)")
            // The table says "listed" of deprecated fields too, which `--list` leaves out: see ListingTests.
            #expect(field.flags.contains(.hidden) == !(row["listed"] as? Bool ?? false), "\(name)")
            let argument = row["arg"] as? String
            #expect(field.flags.contains(.argumentRequired) == (argument == "required"), "\(name)")
            #expect(field.flags.contains(.argumentOptional) == (argument == "optional"), "\(name)")
            // What kinds of argument a core field takes stands in no table; a plugin's field says it.
            if plugin != nil {
                let kinds = row["arg_kind"] as? [String] ?? []
                #expect(field.flags.contains(.argumentIndex) == kinds.contains("index"), "\(name)")
                #expect(field.flags.contains(.argumentKey) == kinds.contains("key"), "\(name)")
            }
            let wanted = row["flags"] as? [String] ?? []
            for (word, flag) in Self.flags where plugin == nil || word == "FORMAT_SUGGESTED" {
                #expect(field.flags.contains(flag) == wanted.contains(word), "\(name) \(word)")
            }
        }
        #expect(core == 232 && container == 61)
        let own = FieldCatalogue.builtin.classes.flatMap(\.definitions).map(\.name)
        print("fields: \(core) core, \(container) of containers compared; \(own.count - core - container) of our own")
    }
}
