// SPDX-License-Identifier: Apache-2.0
import Diagnostics
import EventModel
import Fields
import Foundation
import Testing

@testable import Agent

/// `--list`, `--list-events`, `-i` and `--version` against what today's Falco prints, where that lies beside the repository.
/// Descriptions are our own; everything else is the same to the byte.
@Suite struct ListingTests {
    private static func reference(_ name: String) throws -> String? {
        guard let root = Corpus.root else {
            print("\(name): skipped, no conformance corpus beside the repository")
            return nil
        }
        let file = root.deletingLastPathComponent().appending(path: "upstream/falco-head-cli/\(name)")
        return String(decoding: try Data(contentsOf: file), as: UTF8.self)
    }
    private static func json(_ name: String) throws -> Corpus.Case? {
        try reference(name).map { try JSONSerialization.jsonObject(with: Data($0.utf8)) as? Corpus.Case ?? [:] }
    }

    /// Classes that Falco has without plugins; ours behind them are additional.
    private static func core(_ classes: [FieldClass]) -> ArraySlice<FieldClass> { classes.prefix { $0.name != "container" } }
    private static func listed(_ heading: FieldClass) -> [FieldDefinition] {
        heading.definitions.filter { $0.flags.isDisjoint(with: [.hidden, .deprecated, .printOnly]) }
    }

    @Test func fieldsTheirTypesAndArguments() throws {
        guard let reference = try Self.json("list.json") else { return }
        let listing = try #require(FieldListing(source: ""))
        let ours = try JSONSerialization.jsonObject(with: Data(listing.json().indented.utf8)) as? Corpus.Case
        let wanted = reference["fieldclasses"] as? [Corpus.Case] ?? []
        let got = (ours?["fieldclasses"] as? [Corpus.Case] ?? []).prefix(wanted.count)
        #expect(wanted.count == 8)
        #expect(wanted.map { $0["name"] as? String } == got.map { $0["name"] as? String })
        var compared = 0
        for (want, heading) in zip(wanted, got) {
            #expect(want["event_sources"] as? [String] == heading["event_sources"] as? [String])
            let fields = want["fields"] as? [Corpus.Case] ?? []
            let own = heading["fields"] as? [Corpus.Case] ?? []
            #expect(fields.map { $0["name"] as? String } == own.map { $0["name"] as? String })
            for (field, mine) in zip(fields, own) {
                compared += 1
                func withoutDescription(_ field: Corpus.Case) -> NSDictionary {
                    (field.filter { $0.key != "desc" }) as NSDictionary
                }
                #expect(withoutDescription(field) == withoutDescription(mine), "\(field["name"] ?? "")")
                #expect(field["desc"] as? String != mine["desc"] as? String, "\(field["name"] ?? ""): not in our own words")
            }
        }
        #expect(compared == 207)
        let names = try #require(try Self.reference("list-N.txt"))
        #expect(listing.names().hasPrefix(names))
    }

    /// The same catalogue with Falco's descriptions for ours comes out as Falco's own text, markdown and JSON.
    @Test func layout() throws {
        guard let reference = try Self.json("list.json") else { return }
        var descriptions: [String: String] = [:]
        var headings: [String] = []
        for heading in reference["fieldclasses"] as? [Corpus.Case] ?? [] {
            headings.append(heading["desc"] as? String ?? "")
            for field in heading["fields"] as? [Corpus.Case] ?? [] {
                descriptions[field["name"] as? String ?? ""] = field["desc"] as? String
            }
        }
        let classes = zip(Self.core(FieldCatalogue.builtin.classes), headings).map { heading, description in
            FieldClass(
                name: heading.name, shortDescription: heading.shortDescription, description: description,
                sources: heading.sources, isFromPlugin: heading.isFromPlugin,
                definitions: Self.listed(heading).map {
                    FieldDefinition(
                        id: $0.id, name: $0.name, type: $0.type, flags: $0.flags, format: $0.format,
                        summary: descriptions[$0.name] ?? "")
                })
        }
        let listing = try #require(FieldListing(catalogue: FieldCatalogue(classes: classes), source: "syscall"))
        Self.same(listing.text(verbose: false), try Self.reference("list.txt"))
        Self.same(listing.markdown(), try Self.reference("list.md"))
        Self.same(listing.json().indented + "\n", try Self.reference("list.json"))
        Self.same(listing.names(), try Self.reference("list-N.txt"))
    }

    /// Records the first line that differs.
    private static func same(_ got: String, _ want: String?, sourceLocation: SourceLocation = #_sourceLocation) {
        let got = got.split(separator: "\n", omittingEmptySubsequences: false)
        let want = (want ?? "").split(separator: "\n", omittingEmptySubsequences: false)
        for index in 0..<max(got.count, want.count) {
            let (mine, theirs) = (index < got.count ? got[index] : "(end)", index < want.count ? want[index] : "(end)")
            if mine != theirs {
                Issue.record("line \(index + 1): got '\(mine)', want '\(theirs)'", sourceLocation: sourceLocation)
                return
            }
        }
    }

    @Test func unknownSourceHasNoListing() { #expect(FieldListing(source: "nosuch") == nil) }

    // MARK: events

    /// Calls without an event of their own stand in no particular order in Falco's listing; ours has them by portable number.
    private static func split(_ listing: String) -> (rest: [Substring], generic: [Substring]) {
        let lines = listing.replacingOccurrences(of: "*: 4.3.0", with: "*: \(Version.driverSchema)")
            .split(separator: "\n", omittingEmptySubsequences: false)
        let isGeneric = { (line: Substring) in line.contains("SYSCALLID **ID**") }
        return (lines.filter { !isGeneric($0) }, lines.filter(isGeneric).sorted())
    }

    @Test(arguments: [("list-events.txt", EventListing.text), ("list-events.md", EventListing.markdown)])
    func events(file: String, render: @Sendable () -> String) throws {
        guard let want = try Self.reference(file).map(Self.split) else { return }
        let got = Self.split(render())
        Self.same(got.rest.joined(separator: "\n"), want.rest.joined(separator: "\n"))
        #expect(got.generic == want.generic)
        #expect(got.generic.count == 544)
        // Together, and in the same place.
        let lines = render().split(separator: "\n", omittingEmptySubsequences: false)
        let places = lines.indices.filter { lines[$0].contains("SYSCALLID **ID**") }
        #expect(places.last! - places.first! == 543)
    }

    @Test func eventsAsJSON() throws {
        guard var want = try Self.json("list-events.json") else { return }
        want["schema_version"] = Version.driverSchema
        let got = try JSONSerialization.jsonObject(with: Data(EventListing.json().indented.utf8)) as? Corpus.Case ?? [:]
        #expect(Set(want.keys) == Set(got.keys))
        for section in ["Syscall events", "Tracepoint events", "Plugin events", "Metaevents"] {
            func rows(_ document: Corpus.Case) -> (fixed: [NSDictionary], generic: [NSDictionary]) {
                let rows = document[section] as? [Corpus.Case] ?? []
                let isGeneric = { (row: Corpus.Case) in
                    (row["params"] as? [Corpus.Case])?.first?["type"] as? String == "SYSCALLID"
                }
                func key(_ row: Corpus.Case) -> String { "\(row["name"] ?? "")\(row["dir"] ?? "")" }
                let generic = rows.filter(isGeneric).sorted { key($0) < key($1) }
                return (rows.filter { !isGeneric($0) }.map { $0 as NSDictionary }, generic.map { $0 as NSDictionary })
            }
            #expect(rows(want).fixed == rows(got).fixed, "\(section)")
            #expect(rows(want).generic == rows(got).generic, "\(section)")
            #expect(!rows(got).fixed.isEmpty)
        }
        let text = try #require(try Self.reference("list-events.json"))
        #expect(EventListing.json().indented.split(separator: "\n").count == text.split(separator: "\n").count)
    }

    @Test func ignoredCalls() throws {
        guard let want = try Self.reference("ignored-events.txt") else { return }
        // Falco's order is that of a hash set.
        func lines(_ text: String) -> [Substring] { text.split(separator: "\n", omittingEmptySubsequences: false) }
        #expect(lines(EventListing.ignored()).sorted() == lines(want).sorted())
        #expect(lines(EventListing.ignored()).first == lines(want).first)
        #expect(EventListing.ignored().suffix(2) == want.suffix(2))
    }

    @Test func version() throws {
        guard let text = try Self.reference("version.txt"), let json = try Self.json("version.json") else { return }
        func labels(_ text: String) -> [String] {
            text.split(separator: "\n").map { line in
                guard let end = line.lastIndex(of: " "), line.last != ":" else { return String(line) }
                return String(line[...end])
            }
        }
        #expect(labels(Version.text) == labels(text))
        let own = try JSONSerialization.jsonObject(with: Data(Version.json.text.utf8)) as? Corpus.Case ?? [:]
        #expect(Set(own.keys) == Set(json.keys))
        for key in ["engine_version", "engine_version_semver", "plugin_api_version"] {
            #expect(own[key] as? String == json[key] as? String, "\(key)")
        }
        #expect(own["driver_api_version"] as? String == "10.1.0" && own["driver_schema_version"] as? String == "4.5.1")
    }
}
