// SPDX-License-Identifier: Apache-2.0
import CProbeABI
import EventModel
import FilterLanguage
import Testing

@testable import RuleEngine

/// For which events a condition asks. That it asks for enough, random conditions show (`OracleTests`); here, that it asks for no
/// more than its checks of the event type say.
@Suite struct CodeDerivationTests {
    private static let all = Set(0..<UInt16(EventTable.count))
    private static let async = PPME_ASYNCEVENT_E.code

    private static func named(_ names: String...) -> Set<UInt16> { Set(names.flatMap { EventTable.codes(named: $0) ?? [] }) }

    private static let open = named("open")
    private static let close = named("close")

    @Test(
        arguments: [
            ("evt.type = open", open), ("evt.type == open", open), ("syscall.type = open", open),
            ("evt.type in (open, close)", open.union(close)),
            ("evt.type != open", all.subtracting(open)), ("not evt.type = open", all.subtracting(open)),
            ("not not evt.type = open", open), ("not evt.type != open", open), ("evt.type in ()", []),
            ("not evt.type in ()", all),
            ("not evt.type in (open, close)", all.subtracting(open).subtracting(close)),
            ("not (evt.type = open or evt.type = close)", all.subtracting(open).subtracting(close)),
            ("not (evt.type != open and evt.type != close)", open.union(close)), ("evt.type = open and evt.type = close", []),
            ("evt.type = open or evt.type = close", open.union(close)), ("not (evt.type = open and evt.type = close)", all),
            // What says nothing of the type, negated or not.
            ("evt.type = open and proc.name = x", open), ("evt.type = open or proc.name = x", all),
            ("not (evt.type = open and proc.name = x)", all), ("not (evt.type = open or proc.name = x)", all.subtracting(open)),
            ("evt.type = open and not proc.name = x", open),
            ("evt.type = open and not (proc.name = x or evt.type = close)", open),
            ("not proc.name = x", all), ("evt.type exists", all), ("not evt.type exists", all), ("evt.type contains open", all),
            ("not evt.type startswith o", all), ("evt.type intersects (open)", all), ("evt.type = oneof (open)", all),
            ("not evt.type = anyof (open)", all), ("tolower(evt.type) = open", all), ("evt.category = file", all),
            ("evt.type.is.open = 1", all), ("evt.is_async = true", all), ("evt.dir = <", all), ("fd.name exists", all),
            // A call without events of its own has the generic pair, which others share.
            ("evt.type = mbind", [0, 1]), ("evt.type in (mbind, open)", open.union([0, 1])), ("evt.type != mbind", all),
            ("not evt.type in (mbind, open)", all.subtracting(open)),
            // The number of an event begins with 1.
            ("evt.num = 0", []), ("evt.num < 1", []), ("evt.num <= 0", []), ("evt.num in (0)", []), ("evt.num in ()", []),
            ("not evt.num = 0", all), ("evt.num != 0", all), ("evt.num > 0", all), ("evt.num >= 1", all), ("not evt.num > 0", []),
            ("evt.num = 1", all), ("not evt.num = 1", all), ("evt.num in (0, 1)", all), ("evt.type = open and evt.num = 0", []),
            ("evt.type = open or evt.num = 0", open), ("evt.type = open and not evt.num = 0", open), ("evt.num = oneof (0)", all),
            // Meta events have names too.
            ("evt.type = procexit", named("procexit")), ("evt.type = container", named("container")),
            ("evt.type = pluginevent", [PPME_PLUGINEVENT_E.code]),
        ] as [(String, Set<UInt16>)])
    func codes(_ text: String, _ expected: Set<UInt16>) throws {
        let derived = Set(try compiled(text).eventCodes.codes)
        // An asynchronous event can bear any name.
        #expect(derived == expected.union([Self.async]))
        #expect(Set(try compiled(text, source: "k8s_audit").eventCodes.codes) == [PPME_PLUGINEVENT_E.code, Self.async])
    }

    /// Enter and exit, and what earlier versions wrote.
    @Test func aNameStandsForAllItsEvents() {
        #expect(Self.open == [PPME_SYSCALL_OPEN_E.code, PPME_SYSCALL_OPEN_X.code])
        let execve = Self.named("execve")
        for code in [PPME_SYSCALL_EXECVE_8_E, PPME_SYSCALL_EXECVE_8_X, PPME_SYSCALL_EXECVE_19_E, PPME_SYSCALL_EXECVE_19_X] {
            #expect(execve.contains(code.code))
        }
        for event in EventTable.events { #expect(EventTable.codes(named: event.name)?.contains(event.code) == true) }
        for call in EventTable.systemCallCodes where call.isGeneric && !call.name.isEmpty && call.code != 0 {
            #expect(EventTable.codes(named: call.name) != nil, "\(call.name)")
        }
    }

    @Test(
        arguments: [
            ("evt.type = open", ["open"]), ("evt.type in (open, mbind)", ["mbind", "open"]), ("evt.type = mbind", ["mbind"]),
            ("evt.type = open and evt.type = mbind", []), ("evt.num = 0", []),
            ("not (evt.type != open and evt.type != mbind)", ["mbind", "open"]),
        ] as [(String, [String])])
    func systemCalls(_ text: String, _ expected: [String]) throws {
        let codes = try compiled(text).systemCallCodes
        let names = EventTable.systemCallCodes.filter { codes.contains($0.code) }.map(\.name)
        #expect(names.sorted() == expected)
    }

    /// One generic call ruled out rules out no other.
    @Test func theOthersOfAGenericPairStay() throws {
        let codes = try compiled("evt.type != mbind").systemCallCodes
        let mbind = try #require(EventTable.systemCallCodes.first { $0.name == "mbind" }).code
        #expect(codes.count == CodeDerivation.allSystemCalls.count - 1 && !codes.contains(mbind))
    }

    @Test(arguments: ["evt.type = val(proc.name)", "evt.type in val(evt.type)", "syscall.type != toupper(proc.name)"])
    func fieldsOnTheRightAreRefused(_ text: String) {
        #expect(throws: CompileProblem.self) { try compiled(text) }
    }
}
