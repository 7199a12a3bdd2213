// SPDX-License-Identifier: Apache-2.0
import CProbeABI
import EventModel
import Foundation
import Testing

/// The rows of `CProbeABI` against the published tables, value by value, where these lie beside the repository.
@Suite struct EventTableFactsTests {
    typealias Row = Corpus.Case

    /// A JSON file of the facts or the corpus, by its path below `shared`; nil (with a reason) where there is none.
    static func document(_ path: String) throws -> Any? {
        guard let root = Corpus.root else {
            print("\(path): skipped, no facts beside the repository")
            return nil
        }
        let shared = root.deletingLastPathComponent().deletingLastPathComponent()
        return try JSONSerialization.jsonObject(with: Data(contentsOf: shared.appending(path: path)))
    }

    /// `PT_FLAGS32`, `PF_10_PADDED_DEC` as ours.
    private static func type(_ word: Any?) -> ParameterType? {
        ParameterType.allCases.first { "PT_" + $0.name == word as? String }
    }
    private static let formats: [String: PrintFormat] = [
        "PF_NA": .na, "PF_DEC": .dec, "PF_HEX": .hex, "PF_10_PADDED_DEC": .paddedDec, "PF_ID": .id, "PF_DIR": .dir,
        "PF_OCT": .oct,
    ]
    private static func set<Flag: RawRepresentable<UInt32>>(_ words: [String], _ flags: [String: Flag]) throws -> UInt16 {
        try words.reduce(0) { $0 | UInt16(try #require(flags[$1], "unknown word \($1)").rawValue) }
    }
    private static let flags: [String: ppm_event_flags] = [
        "EF_CREATES_FD": EF_CREATES_FD, "EF_DESTROYS_FD": EF_DESTROYS_FD, "EF_USES_FD": EF_USES_FD,
        "EF_READS_FROM_FD": EF_READS_FROM_FD, "EF_WRITES_TO_FD": EF_WRITES_TO_FD, "EF_MODIFIES_STATE": EF_MODIFIES_STATE,
        "EF_UNUSED": EF_UNUSED, "EF_WAITS": EF_WAITS, "EF_SKIPPARSERESET": EF_SKIPPARSERESET, "EF_OLD_VERSION": EF_OLD_VERSION,
        "EF_LARGE_PAYLOAD": EF_LARGE_PAYLOAD, "EF_CONVERTER_MANAGED": EF_CONVERTER_MANAGED,
    ]

    @Test func everyEventAndParameter() throws {
        guard let facts = try Self.document("facts/events.json") as? [Row] else { return }
        #expect(facts.count == 454 && EventTable.events.count == 454)
        var parameters = 0
        for (row, event) in zip(facts, EventTable.events) {
            let name = event.identifier
            #expect(row["enum"] as? String == name)
            #expect((row["code"] as? NSNumber)?.uint16Value == event.code, "\(name)")
            #expect(row["name"] as? String == event.name, "\(name)")
            #expect((row["dir"] as? String == ">") == event.isEnter, "\(name)")
            #expect((row["category_num"] as? NSNumber)?.uint16Value == event.category, "\(name)")
            #expect((row["flags_num"] as? NSNumber)?.uint16Value == event.flags, "\(name)")
            #expect(try Self.set(row["flags"] as? [String] ?? [], Self.flags) == event.flags, "\(name)")
            let wanted = row["params"] as? [Row] ?? []
            #expect(wanted.count == event.parameters.count, "\(name)")
            for (want, parameter) in zip(wanted, event.parameters) {
                parameters += 1
                let place = "\(name).\(parameter.name)"
                #expect(want["name"] as? String == parameter.name, "\(place)")
                #expect(Self.type(want["type"]) == parameter.type, "\(place)")
                #expect(Self.formats[want["fmt"] as? String ?? ""] == parameter.format, "\(place)")
                let table = parameter.flagTable < 0 ? nil : EventTable.flagTableNames[parameter.flagTable]
                #expect(want["enum"] as? String == table, "\(place)")
                #expect((want["dirfd_param"] as? NSNumber)?.intValue ?? -1 == parameter.dirfdParameter, "\(place)")
                let set = parameter.dynamicSet < 0 ? nil : EventTable.dynamicSetNames[parameter.dynamicSet]
                #expect(want["dyn"] as? String == set, "\(place)")
                if let set = parameter.dynamicSet < 0 ? nil : EventTable.dynamicSets[parameter.dynamicSet] {
                    #expect((want["ninfo"] as? NSNumber)?.intValue == set.count, "\(place)")
                }
            }
        }
        print("event table: \(facts.count) codes, \(parameters) parameters compared")
        #expect(parameters == 1345)
    }

    /// The same table as the driver tests were cut from, kept in another form.
    @Test func agreesWithTheDriverTable() throws {
        guard let document = try Self.document("conformance/driver-params/event-table.json") as? Row else { return }
        let events = try #require(document["events"] as? [String: Row])
        #expect(events.count == 454)
        for event in EventTable.events {
            let row = try #require(events[event.identifier], "\(event.identifier)")
            #expect((row["code"] as? NSNumber)?.uint16Value == event.code)
            let words = (row["flags"] as? String ?? "").split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
            #expect(try Self.set(words.filter { $0 != "EF_NONE" }, Self.flags) == event.flags, "\(event.identifier)")
            let parameters = row["params"] as? [Row] ?? []
            #expect(parameters.count == event.parameters.count, "\(event.identifier)")
            for (want, parameter) in zip(parameters, event.parameters) {
                let place = "\(event.identifier).\(parameter.name)"
                #expect(want["name"] as? String == parameter.name, "\(place)")
                #expect(Self.type(want["type"]) == parameter.type, "\(place)")
                #expect(Self.formats[want["format"] as? String ?? ""] == parameter.format, "\(place)")
                let info =
                    parameter.flagTable >= 0
                    ? EventTable.flagTableNames[parameter.flagTable]
                    : parameter.dynamicSet >= 0
                        ? EventTable.dynamicSetNames[parameter.dynamicSet]
                        : parameter.dirfdParameter >= 0 ? "DIRFD_PARAM ( \(parameter.dirfdParameter) )" : nil
                #expect(want["info"] as? String == info, "\(place)")
            }
        }
        // Which exit event a call is reported as, for the calls that this machine's architecture has.
        let calls = try #require(document["syscalls"] as? [String: Row])
        var compared = 0
        for call in EventTable.syscalls {
            guard let exit = calls[call.name]?["exit_event_type"] as? String else { continue }
            compared += 1
            #expect(exit == EventTable.events[Int(call.exitEvent)].identifier, "\(call.name)")
        }
        #expect(compared >= 154)
    }

    @Test func everyFlagTable() throws {
        guard let facts = try Self.document("facts/flags.json") as? Row else { return }
        let tables = try #require(facts["_tables"] as? [String: [Row]])
        #expect(Set(tables.keys) == Set(EventTable.flagTableNames))
        var names = 0
        for (name, table) in zip(EventTable.flagTableNames, EventTable.flagTables) {
            // The order counts: texts are put together from the first row down.
            let want = (tables[name] ?? []).map {
                FlagRow($0["name"] as? String ?? "", ($0["value"] as? NSNumber)?.uint32Value ?? 0)
            }
            #expect(want == table.map { FlagRow($0.name, $0.value) }, "\(name)")
            names += table.count
        }
        #expect(tables.count == 55 && names == 606)

        let sets = try #require(facts["_dynamic_params"] as? [String: [Row]])
        #expect(Set(sets.keys) == Set(EventTable.dynamicSetNames))
        for (name, set) in zip(EventTable.dynamicSetNames, EventTable.dynamicSets) {
            let want = try #require(sets[name])
            #expect(want.count == set.count, "\(name)")
            for (index, alternative) in want.enumerated() {
                #expect((alternative["index"] as? NSNumber)?.intValue == index)
                #expect(Self.type(alternative["type"]) == set[index].type, "\(name)")
                #expect(Self.formats[alternative["fmt"] as? String ?? ""] == set[index].format, "\(name)")
            }
        }
        let types = try #require((facts["_enums"] as? [String: [String: NSNumber]])?["ppm_param_type"])
        for type in ParameterType.allCases { #expect(types["PT_" + type.name]?.uint8Value == type.rawValue, "\(type)") }
        #expect(types.keys.filter { $0 != "PT_MAX" }.count == ParameterType.allCases.count)
    }
    private struct FlagRow: Equatable {
        let name: String
        let value: UInt32
        init(_ name: String, _ value: UInt32) { (self.name, self.value) = (name, value) }
    }

    @Test func everySystemCall() throws {
        guard let facts = try Self.document("facts/syscalls.json") as? Row else { return }
        let machine = try #require(facts["x86_64"] as? [Row])
        let calls = EventTable.syscalls.sorted { $0.number < $1.number }
        #expect(machine.count == 373 && calls.count == 373)
        for (want, call) in zip(machine.sorted { Self.number($0, "nr") < Self.number($1, "nr") }, calls) {
            #expect(Self.number(want, "nr") == call.number && want["name"] as? String == call.name, "\(call.name)")
            #expect(Self.number(want, "ppm_sc") == Int(call.sc), "\(call.name)")
            #expect(want["generic"] as? Bool == call.isGeneric, "\(call.name)")
            let flags: [String: UInt16] = [
                "UF_NONE": 0, "UF_USED": UInt16(UF_USED.rawValue), "UF_NEVER_DROP": UInt16(UF_NEVER_DROP.rawValue),
                "UF_ALWAYS_DROP": UInt16(UF_ALWAYS_DROP.rawValue),
            ]
            let words = want["flags"] as? [String] ?? []
            #expect(try words.reduce(0) { $0 | (try #require(flags[$1], "\($1)")) } == call.flags, "\(call.name)")
            let exit = want["exit_event"] as? String ?? "PPME_GENERIC_X"
            #expect(exit == EventTable.events[Int(call.exitEvent)].identifier, "\(call.name)")
        }
        #expect(calls.filter { !$0.isGeneric }.count == 154)

        let codes = try #require(facts["ppm_sc"] as? [Row])
        for want in codes {
            let code = EventTable.systemCallCodes[Self.number(want, "code")]
            #expect(want["name"] as? String == code.name)
            #expect(want["generic"] as? Bool == code.isGeneric, "\(code.name)")
            let events = want["events"] as? [String] ?? []
            #expect(events.isEmpty || events.contains(EventTable.events[Int(code.event)].identifier), "\(code.name)")
        }
        #expect(EventTable.systemCallCodes.filter { !$0.name.isEmpty }.count == codes.count)
        #expect(EventTable.systemCallCodes.count == Self.number(facts, "ppm_sc_max"))
    }
    private static func number(_ row: Row, _ key: String) -> Int { (row[key] as? NSNumber)?.intValue ?? -1 }

    @Test func everyConversion() throws {
        guard let facts = try Self.document("facts/conversion_table.json") as? [Row] else { return }
        var count: UInt32 = 0
        let rows = probe_conversion_rows(&count)!
        #expect(facts.count == 253 && count == 253)
        let actions: [UInt32: String] = [
            CONVERSION_PASS.rawValue: "PASS", CONVERSION_STORE.rawValue: "STORE",
            CONVERSION_STORE_AND_PASS.rawValue: "STORE_AND_PASS", CONVERSION_ADD_PARAMS.rawValue: "ADD_PARAMS",
            CONVERSION_CHANGE_TYPE.rawValue: "CHANGE_TYPE",
        ]
        var ours: [String: String] = [:]
        for index in 0..<Int(count) {
            let row = rows[index]
            let event = EventTable.events[Int(row.event)].identifier
            let to = row.event == row.new_event ? event : EventTable.events[Int(row.new_event)].identifier
            ours["\(event) \(row.parameter_count)"] =
                "\(actions[UInt32(row.action)] ?? "?") \(to) \(String(cString: row.instructions))"
        }
        for want in facts {
            let event = want["event"] as? String ?? ""
            let instructions = (want["instrs"] as? [Row] ?? []).map { instruction -> String in
                let parameter = Self.number(instruction, "param")
                return switch (instruction["from"] as? String, instruction["fallback"] as? String) {
                case ("OLD", _): "o\(parameter)"
                case ("ENTER", "empty"): "e\(parameter)"
                case ("ENTER", "default"): "d\(parameter)"
                case ("DEFAULT", _): "D"
                case ("EMPTY", _): "E"
                case ("CALLBACK", _): "C"
                default: "?"
                }
            }
            let text =
                "\(want["action"] as? String ?? "") \(want["to"] as? String ?? event) \(instructions.joined(separator: " "))"
            #expect(ours["\(event) \(Self.number(want, "nparams"))"] == text, "\(event)")
        }
    }
}
