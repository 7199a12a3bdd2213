// SPDX-License-Identifier: Apache-2.0
import CProbeABI
import Diagnostics
import EventModel
import Rules

/// `--list-events` and `-i`: both come from the event table alone.
enum EventListing {
    struct Row {
        let name: String
        let isEnter: Bool
        let isDefault: Bool
        let parameters: [ParameterInfo]
    }
    struct Section {
        let title: String
        let rows: [Row]
    }

    static var sections: [Section] {
        var rows: [UInt16: [Row]] = [:]
        let kinds = [EC_SYSCALL, EC_TRACEPOINT, EC_PLUGIN, EC_METAEVENT].map { UInt16($0.rawValue) }
        for event in EventTable.events where isListed(event) {
            guard let kind = kinds.first(where: { event.category & $0 != 0 }) else { continue }
            rows[kind, default: []].append(
                Row(
                    name: event.name, isEnter: event.isEnter, isDefault: !IgnoredSyscalls.contains(event.name),
                    parameters: event.parameters))
        }
        // Calls without an event type of their own share the generic one.
        let generic = EventTable.events[Int(PPME_GENERIC_X.rawValue)].parameters
        for call in EventTable.systemCallCodes where call.isGeneric && !call.name.isEmpty {
            for isEnter in [true, false] {
                rows[kinds[0], default: []].append(Row(name: call.name, isEnter: isEnter, isDefault: true, parameters: generic))
            }
        }
        let titles = ["Syscall events", "Tracepoint events", "Plugin events", "Metaevents"]
        return zip(titles, kinds).map { Section(title: $0, rows: rows[$1] ?? []) }
    }

    private static func isListed(_ event: EventInfo) -> Bool {
        let isGeneric = event.code == UInt16(PPME_GENERIC_E.rawValue) || event.code == UInt16(PPME_GENERIC_X.rawValue)
        return !isGeneric && !event.isOldVersion && !event.isUnused
    }

    static func text() -> String {
        var lines = [heading]
        for section in sections {
            lines += ["## \(section.title)", ""]
            lines += section.rows.map { row in
                "\(row.isEnter ? ">" : "<") \(row.name)(\(row.parameters.map { describe($0, flagMark: "") }.joined(separator: ", ")))"
            }
            lines.append("")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    static func markdown() -> String {
        var lines = [heading]
        for section in sections {
            lines += ["## \(section.title)", "", "Default | Dir | Name | Params ", ":-------|:----|:-----|:-----"]
            lines += section.rows.map { row in
                let parameters = row.parameters.map { describe($0, flagMark: "*") }.joined(separator: ", ")
                return "\(row.isDefault ? "Yes" : "No") | `\(row.isEnter ? ">" : "<")` | `\(row.name)` | \(parameters)"
            }
            lines.append("")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    static func json() -> JSONNode {
        var root: [String: JSONNode] = ["schema_version": .string(Version.driverSchema)]
        for section in sections {
            root[section.title] = .array(
                section.rows.map { row in
                    .object([
                        "available": .bool(row.isDefault), "dir": .string(row.isEnter ? ">" : "<"), "name": .string(row.name),
                        "params": .array(row.parameters.map(json)),
                    ])
                })
        }
        return .object(root)
    }

    static func ignored() -> String {
        var names: [String] = []
        for event in EventTable.events where IgnoredSyscalls.names.contains(event.name) && !names.contains(event.name) {
            names.append(event.name)
        }
        return (["Ignored syscall(s):"] + names.map { "- \($0)" } + [""]).joined(separator: "\n") + "\n"
    }

    private static var heading: String { "The events below are valid for Falco *Schema Version*: \(Version.driverSchema)" }

    private static func flagNames(_ parameter: ParameterInfo) -> [String] {
        // Modes have names too, but are listed as numbers.
        parameter.flagTable < 0 || parameter.type == .mode ? [] : EventTable.flagTables[parameter.flagTable].map(\.name)
    }
    private static func describe(_ parameter: ParameterInfo, flagMark: String) -> String {
        let flags = flagNames(parameter).map { flagMark + $0 + flagMark }.joined(separator: ", ")
        return "\(typeName(parameter.type)) **\(parameter.name)**" + (flags.isEmpty ? "" : ": \(flags)")
    }
    private static func json(_ parameter: ParameterInfo) -> JSONNode {
        var object: [String: JSONNode] = ["name": .string(parameter.name), "type": .string(typeName(parameter.type))]
        let flags = flagNames(parameter)
        if !flags.isEmpty { object["flags"] = .array(flags.map { .string($0) }) }
        return .object(object)
    }
    /// `--list-events` and `--list` say DYNAMIC where the wire's word is DYN.
    static func typeName(_ type: ParameterType) -> String { type == .dyn ? "DYNAMIC" : type.name }
}
