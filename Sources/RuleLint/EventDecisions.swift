// SPDX-License-Identifier: Apache-2.0
import CProbeABI
import EventModel
import Fields
import FilterLanguage
import RuleEngine

/// Names of events, as checks of `evt.type` see them.
struct EventNames: Sendable {
    let all: Set<String>

    init() {
        // Calls that are known by their number only share one pair of event codes.
        let generic = EventTable.systemCallCodes.filter { $0.isGeneric && !$0.name.isEmpty }.map(\.name)
        all = Set(generic).union(EventTable.events.filter { !$0.isUnused }.map(\.name)).subtracting(["NA", ""])
    }
}

/// What the code of an event says about one check.
struct EventDecisions: Sendable {
    private enum Verdict: UInt8 { case open, holds, fails }
    /// Empty where all codes leave the check open.
    private let verdicts: [Verdict]

    var decidesAny: Bool { !verdicts.isEmpty }

    subscript(code: UInt16) -> Bool? {
        guard !verdicts.isEmpty else { return nil }
        return switch verdicts[Int(code)] {
        case .open: nil
        case .holds: true
        case .fails: false
        }
    }

    init(_ atom: Atom) {
        // Fields of processes and accounts have values whatever the event.
        guard let reading = atom.reading, reading.idiom == nil, reading.leftFields.count == 1,
            reading.leftKey == reading.leftFields[0].text,
            ["evt", "syscall", "fd", "fs"].contains(reading.leftFields[0].definition.name.prefix { $0 != "." })
        else {
            verdicts = []
            return
        }
        let verdicts = EventTable.events.map { event -> Verdict in
            Self.decide(atom, reading, event).map { $0 ? .holds : .fails } ?? .open
        }
        self.verdicts = verdicts.allSatisfy { $0 == .open } ? [] : verdicts
    }

    private static func decide(_ atom: Atom, _ reading: CheckReading, _ event: EventInfo) -> Bool? {
        // A plain field without a value makes every comparison false; so does one on the right.
        let field = reading.leftFields[0]
        if !field.mayHaveValue(in: event.code) { return false }
        if reading.hasFieldOnRight { return nil }
        func isFlag(_ holds: Bool) -> Bool? { atom.holds(.number(holds ? 1 : 0)) }
        switch field.definition.name {
        case "evt.type", "syscall.type":
            // An asynchronous event brings its own name, a call without an event of its own that of the call.
            guard event.code > PPME_GENERIC_X.code, event.code != PPME_ASYNCEVENT_E.code else { return nil }
            return atom.holds(.text(Array(event.name.utf8)))
        case "evt.type.is":
            if let number = field.number { return isFlag(Int64(event.code) == number) }
            guard event.code > PPME_GENERIC_X.code, event.code != PPME_ASYNCEVENT_E.code else { return nil }
            return isFlag(event.name == field.argument)
        case "evt.dir": return atom.holds(.text(Array((event.isEnter ? ">" : "<").utf8)))
        case "evt.is_io": return isFlag(event.has(EF_READS_FROM_FD) || event.has(EF_WRITES_TO_FD))
        case "evt.is_io_read": return isFlag(event.has(EF_READS_FROM_FD))
        case "evt.is_io_write": return isFlag(event.has(EF_WRITES_TO_FD))
        case "evt.is_wait": return isFlag(event.has(EF_WAITS))
        case "evt.is_async": return isFlag(event.code == PPME_ASYNCEVENT_E.code)
        case "evt.is_open_read", "evt.is_open_write", "evt.is_open_exec", "evt.is_open_create":
            return opening.contains(event.name) ? nil : isFlag(false)
        default: return nil
        }
    }

    private static let opening: Set<String> = ["open", "openat", "openat2", "open_by_handle_at", "creat"]
}
