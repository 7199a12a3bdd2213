// SPDX-License-Identifier: Apache-2.0
import EventModel
import Foundation
import Testing

/// The published cases of what a driver reports for a concrete call (`conformance/driver-params` beside the repository, where
/// this machine has it): every one of them is a case of the same name that the live tests ran, or is listed here with the
/// reason why it cannot be one.
struct PublishedCase {
    struct Parameter {
        let name: String
        let type: String
        /// What the case gives as a constant, nil where it depends on the run.
        let value: Any?
    }
    let name: String
    let priority: Int
    let event: String?
    let isAbsent: Bool
    /// About the beginning of a call.
    let isEnter: Bool
    let parameters: [Parameter]

    init?(_ row: [String: Any]) {
        guard let name = row["test"] as? String, let priority = row["priority"] as? Int else { return nil }
        (self.name, self.priority) = (name, priority)
        event = row["event_name"] as? String
        isAbsent = row["expect_absent"] as? Bool ?? false
        isEnter = row["direction"] as? String == "enter"
        parameters = (row["params"] as? [[String: Any]] ?? []).compactMap {
            guard let name = $0["name"] as? String, let type = $0["type"] as? String else { return nil }
            let isExact = $0["operator"] == nil && $0["when"] == nil
            return Parameter(name: name, type: type, value: isExact ? $0["value"] : nil)
        }
    }

    /// Nil where this machine has none.
    static func all() throws -> [PublishedCase]? {
        var directory = URL(filePath: #filePath).deletingLastPathComponent()
        while directory.path != "/" {
            let candidate = directory.appending(path: "shared/conformance/driver-params/driver-params.json")
            if let data = try? Data(contentsOf: candidate) {
                let document = try JSONSerialization.jsonObject(with: data) as? [String: Any]
                return (document?["cases"] as? [[String: Any]] ?? []).compactMap(PublishedCase.init)
            }
            directory.deleteLastPathComponent()
        }
        return nil
    }
}

extension PublishedCase.Parameter {
    private var bits: Int {
        if type.hasSuffix("8") || type == "PT_SIGTYPE" { return 8 }
        if type.hasSuffix("16") || type == "PT_SYSCALLID" || type == "PT_PORT" { return 16 }
        if type.hasSuffix("32") || ["PT_UID", "PT_GID", "PT_MODE", "PT_SIGSET"].contains(type) { return 32 }
        return 64
    }

    /// Whether our expectation says what the case says; where that has no constant, that there is one is enough.
    func agrees(with expectation: ExpectedEvent.Value) -> Bool {
        let mask = bits == 64 ? UInt64.max : (1 << UInt64(bits)) - 1
        switch (value, expectation) {
        case (nil, _), (is NSNull, _): return true
        // What the published program sets before the call begins as 0.
        case (0 as NSNumber, _) where type == "PT_FD": return true
        case (let text as String, .bytes(let bytes)):
            return bytes == Array(text.utf8) + [0] || bytes == Array(text.utf8) || bytes == [1] + Array(text.utf8) + [0]
        case (let number as NSNumber, .number(let ours)):
            return UInt64(bitPattern: number.int64Value) & mask == UInt64(bitPattern: ours) & mask
        case (let number as NSNumber, .bits(let ours, let looked)):
            return UInt64(bitPattern: number.int64Value) & mask & looked == ours & mask & looked
        case (let number as NSNumber, .bytes(let bytes)):
            // A dynamic parameter: the alternative 0, then the number.
            return bytes == [0] + withUnsafeBytes(of: number.int64Value, Array.init)
        default: return false
        }
    }
}

extension Live {
    @Suite(.timeLimit(.minutes(10))) struct PublishedCases {
        private static let otherArchitecture =
            "the child's event with the type and flags of no particular call is that of other architectures; on x86-64 it has its call's"

        /// Cases that cannot be one of this machine's, with the reason.
        static let refused: [String: String] = [
            "sched_proc_fork_case_clone3": otherArchitecture,
            "sched_proc_fork_case_clone3_create_child_with_2_threads": otherArchitecture,
            "sched_proc_fork_case_clone3_child_clone_parent_flag": otherArchitecture,
            "sched_proc_fork_case_clone3_child_new_namespace_from_child": otherArchitecture,
            "sched_proc_fork_case_clone3_child_new_namespace_create_thread": otherArchitecture,
            "sched_proc_fork_case_fork": otherArchitecture,
        ]

        /// Calls that x86-64 does not have: of a 32-bit caller they are reported as these, as by Falco.
        static let relatives = ["llseekX": "lseek", "mmap2X": "mmap", "umountX": "umount2"]

        /// Published with parameters and yet as absent, which holds for other architectures and drivers; here the event is
        /// there, with these parameters.
        static let presentHere: Set<String> = [
            "sendmsgX_null_iovec", "socketcall_sendmsgX_null_iovec", "socketcall_null_pointer",
            "clone3X_child", "clone3X_create_child_with_2_threads", "clone3X_child_clone_parent_flag",
            "clone3X_child_new_namespace_from_child", "clone3X_child_new_namespace_create_thread",
        ]

        /// Constants of the case that are its program's own: its name, and a name longer than any that the kernel keeps.
        static func isOfTheProgram(_ text: String) -> Bool { text == "drivers_test" || text.hasPrefix("AAABAACAADAAEAAF") }

        /// Constants that are the length of the published program's own text; ours sends another one.
        static let lengthsOfText: Set<[String]> = [
            ["socketcall_sendmsgX_no_snaplen", "size"], ["socketcall_sendmsgX_snaplen", "size"],
        ]

        @Test func everyCaseAgreesOrIsRefusedWithAReason() throws {
            guard let cases = try PublishedCase.all() else {
                print("driver-params: skipped, no conformance corpus beside the repository")
                return
            }
            let runs = try [ExpectedRun.calls.get(), ExpectedRun.snaplen.get(), ExpectedRun.tracepoints.get()]
            let expected = Dictionary(grouping: runs.flatMap(\.expected), by: \.label)
            let hookless = Set(runs.flatMap(\.refused))
            let differing = Set(runs.flatMap { $0.differences.map(\.label) })

            var agreeing: [Int: Int] = [:]
            var gaps: [String] = []
            var withoutHook: [PublishedCase] = []
            for published in cases {
                guard Self.refused[published.name] == nil else {
                    if expected[published.name] != nil { gaps.append("\(published.name): is refused, but ran") }
                    continue
                }
                if hookless.contains(published.name) {
                    withoutHook.append(published)
                    continue
                }
                let found = gap(published, expected[published.name] ?? [])
                if let found {
                    gaps.append("\(published.name): \(found)")
                } else if differing.contains(published.name) {
                    gaps.append("\(published.name): ran, and was not as expected")
                } else {
                    agreeing[published.priority, default: 0] += 1
                }
            }
            let refused = cases.filter { Self.refused[$0.name] != nil }
            let counts = [1, 2].map { priority in
                let count = cases.count { $0.priority == priority }
                return "priority \(priority): \(agreeing[priority] ?? 0) of \(count) agree"
            }
            print(
                "driver-params: \(cases.count) cases, \(counts.joined(separator: ", ")), refused: \(refused.count + withoutHook.count)"
            )
            for row in withoutHook { print("driver-params: \(row.name) refused: \(runs[0].refusal)") }
            for row in refused { print("driver-params: \(row.name) refused: \(Self.refused[row.name]!)") }
            #expect(gaps.isEmpty, "\(gaps.joined(separator: "\n"))")
            #expect(Set(refused.map(\.name)) == Set(Self.refused.keys), "refused is what is not a case")
        }

        /// What our case of the same name leaves out or says differently.
        private func gap(_ published: PublishedCase, _ events: [ExpectedEvent]) -> String? {
            guard !events.isEmpty else { return "did not run" }
            if published.isAbsent, !Self.presentHere.contains(published.name) {
                return events.contains { $0.name.isEmpty } ? nil : "does not expect that there is no event"
            }
            let name = Self.relatives[published.name] ?? published.event
            let own = events.filter { (name == nil || $0.eventName == name) && $0.isEnter == published.isEnter }
            guard let type = own.first?.eventName, let info = EventTable.events.last(where: { $0.name == type }) else {
                return "expects no event \(name ?? "")"
            }
            for parameter in published.parameters where info.parameterIndex(parameter.name) != nil {
                let values = own.flatMap { event in event.parameters.filter { $0.name == parameter.name }.map(\.value) }
                guard !values.isEmpty else { return "expects nothing of \(parameter.name)" }
                if let text = parameter.value as? String, Self.isOfTheProgram(text) { continue }
                // The case quotes the path as it is declared; the published program then fills it.
                if parameter.value as? String == "", published.name.hasSuffix("_max_path") { continue }
                if Self.lengthsOfText.contains([published.name, parameter.name]) { continue }
                guard values.contains(where: parameter.agrees(with:)) else {
                    return "\(parameter.name) is \(parameter.value ?? "") in the published case, here \(values[0])"
                }
            }
            return nil
        }
    }
}
