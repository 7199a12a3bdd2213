// SPDX-License-Identifier: Apache-2.0
import CProbeABI
import EventModel
import Testing

@testable import CaptureFile

/// What becomes of the events of older captures, action by action.
@Suite struct ConversionTests {
    struct Row: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let events: @Sendable (inout TestCapture) -> Void
        let result: [(ppm_event_code, [Value])]

        init(
            _ name: String, result: [(ppm_event_code, [Value])], _ events: @escaping @Sendable (inout TestCapture) -> Void
        ) {
            (testDescription, self.result, self.events) = (name, result, events)
        }
    }

    static let rows: [Row] = [
        Row("a new event passes", result: [(PPME_SYSCALL_CLOSE_X, [.i64(0), .i64(3)])]) {
            $0.event(PPME_SYSCALL_CLOSE_X, [.i64(0), .i64(3)])
        },
        Row(
            "an enter event is stored, its values appended to the exit event",
            result: [(PPME_SYSCALL_CLOSE_X, [.i64(0), .i64(3)])]
        ) {
            $0.event(PPME_SYSCALL_CLOSE_E, [.i64(3)])
            $0.event(PPME_SYSCALL_CLOSE_X, [.i64(0)])
        },
        Row("without an enter event: the default", result: [(PPME_SYSCALL_CLOSE_X, [.i64(0), .i64(0)])]) {
            $0.event(PPME_SYSCALL_CLOSE_X, [.i64(0)])
        },
        Row("without an enter event: empty", result: [(PPME_SYSCALL_SETUID_X, [.i64(0), .none])]) {
            $0.event(PPME_SYSCALL_SETUID_X, [.i64(0)])
        },
        Row("another thread's enter event does not count", result: [(PPME_SYSCALL_CLOSE_X, [.i64(0), .i64(0)])]) {
            $0.event(PPME_SYSCALL_CLOSE_E, [.i64(3)], tid: 11)
            $0.event(PPME_SYSCALL_CLOSE_X, [.i64(0)])
        },
        Row("nor does that of another call", result: [(PPME_SYSCALL_CLOSE_X, [.i64(0), .i64(0)])]) {
            $0.event(PPME_SYSCALL_READ_E, [.i64(3), .u32(9)])
            $0.event(PPME_SYSCALL_CLOSE_X, [.i64(0)])
        },
        Row("the latest enter event counts", result: [(PPME_SYSCALL_CLOSE_X, [.i64(0), .i64(4)])]) {
            $0.event(PPME_SYSCALL_CLOSE_E, [.i64(3)])
            $0.event(PPME_SYSCALL_CLOSE_E, [.i64(4)])
            $0.event(PPME_SYSCALL_CLOSE_X, [.i64(0)])
        },
        Row(
            "type changed, parameters rebuilt from both sides",
            result: [(PPME_SYSCALL_LINK_2_X, [.i64(-2), .text("/a"), .text("/b")])]
        ) {
            $0.event(PPME_SYSCALL_LINK_E, [.text("/a"), .text("/b")])
            $0.event(PPME_SYSCALL_LINK_X, [.i64(-2)])
        },
        Row(
            "stored and passed on",
            result: [
                (PPME_SOCKET_CONNECT_E, [.i64(3), .raw([2, 1, 2, 3, 4, 80, 0])]),
                (PPME_SOCKET_CONNECT_X, [.i64(0), .raw([2]), .i64(3), .raw([2, 1, 2, 3, 4, 80, 0])]),
            ]
        ) {
            $0.event(PPME_SOCKET_CONNECT_E, [.i64(3), .raw([2, 1, 2, 3, 4, 80, 0])])
            $0.event(PPME_SOCKET_CONNECT_X, [.i64(0), .raw([2])])
        },
        Row(
            "two rounds: an older connect",
            result: [
                (PPME_SOCKET_CONNECT_E, [.i64(3), .none]), (PPME_SOCKET_CONNECT_X, [.i64(0), .raw([2]), .i64(3), .none]),
            ]
        ) {
            $0.event(PPME_SOCKET_CONNECT_E, [.i64(3)])
            $0.event(PPME_SOCKET_CONNECT_X, [.i64(0), .raw([2])])
        },
        Row("an enter event that today's captures have passes", result: [(PPME_SYSCALL_OPEN_E, [.text("/a"), .u32(1), .u32(0)])])
        {
            $0.event(PPME_SYSCALL_OPEN_E, [.text("/a"), .u32(1), .u32(0)])
        },
        Row("an enter event without values gets empty ones", result: [(PPME_SYSCALL_OPEN_E, [.none, .none, .none])]) {
            $0.event(PPME_SYSCALL_OPEN_E)
        },
        Row(
            "many rounds: the oldest execve",
            result: [
                (
                    PPME_SYSCALL_EXECVE_19_E, [.none]
                ),
                (
                    PPME_SYSCALL_EXECVE_19_X,
                    [.i64(0), .text("sh"), .text("-c"), .i64(7), .i64(7), .i64(1), .text("/"), .u64(9)]
                        + Array(
                            repeating: .none, count: EventTable.events[Int(PPME_SYSCALL_EXECVE_19_X.code)].parameters.count - 8)
                ),
            ]
        ) {
            $0.event(PPME_SYSCALL_EXECVE_8_E)
            $0.event(
                PPME_SYSCALL_EXECVE_8_X,
                [.i64(0), .text("sh"), .text("-c"), .i64(7), .i64(7), .i64(1), .text("/"), .u64(9)])
        },
        Row(
            "the path of execve's enter event becomes the last parameter",
            result: [
                (PPME_SYSCALL_EXECVE_19_E, [.text("/bin/sh")]),
                (
                    PPME_SYSCALL_EXECVE_19_X,
                    Array(repeating: .i64(1), count: 17) + Array(repeating: .none, count: 13) + [.text("/bin/sh")]
                ),
            ]
        ) {
            $0.event(PPME_SYSCALL_EXECVE_18_E, [.text("/bin/sh")])
            $0.event(PPME_SYSCALL_EXECVE_18_X, Array(repeating: .i64(1), count: 17))
        },
        Row("an old enter event that nothing needs is dropped", result: []) { $0.event(PPME_SYSCALL_CLONE_20_E) },
        Row("an unmanaged metaevent passes", result: [(PPME_PROCINFO_E, [.u64(1), .u64(2)])]) {
            $0.event(PPME_PROCINFO_E, [.u64(1), .u64(2)])
        },
        Row("procexit without values", result: [(PPME_PROCEXIT_1_E, [.none, .none, .none, .none, .none])]) {
            $0.event(PPME_PROCEXIT_E)
        },
        Row("container JSON gets the large layout", result: [(PPME_CONTAINER_JSON_2_E, [.text("{}")])]) {
            $0.event(PPME_CONTAINER_JSON_E, [.text("{}")])
        },
        Row(
            "the binary container event becomes JSON",
            result: [
                (
                    PPME_CONTAINER_JSON_2_E,
                    [.text(#"{"container":{"id":"ab12","image":"a\"b\\c","name":"n\u0009","type":3}}"# + "\n")]
                )
            ]
        ) {
            $0.event(PPME_CONTAINER_E, [.text("ab12"), .u32(3), .text("n\t"), .text("a\"b\\c")])
        },
        Row(
            "more parameters than we know, of a later version", result: [(PPME_SYSCALL_CLOSE_X, [.i64(0), .i64(3), .u8(1)])]
        ) {
            $0.event(PPME_SYSCALL_CLOSE_X, [.i64(0), .i64(3), .u8(1)])
        },
        Row("the parameter count of a first-version event is found", result: [(PPME_SYSCALL_CLOSE_X, [.i64(0), .i64(3)])]) {
            $0.event(PPME_SYSCALL_CLOSE_E, [.i64(3)], version: 1)
            $0.event(PPME_SYSCALL_CLOSE_X, [.i64(0)], version: 1)
        },
        Row("so it is where nothing else changes", result: [(PPME_PROCINFO_E, [.u64(1), .u64(2)])]) {
            $0.event(PPME_PROCINFO_E, [.u64(1), .u64(2)], version: 1)
        },
    ]

    @Test(arguments: rows)
    func converts(_ row: Row) {
        var capture = TestCapture()
        row.events(&capture)
        let reading = Reading(capture)
        #expect(reading.error == nil)
        #expect(reading.malformed.isEmpty)
        #expect(reading.events.map(\.type) == row.result.map(\.0.code))
        #expect(reading.events.map(\.parameters) == row.result.map { $0.1.map(\.bytes) })
    }

    @Test func countsWhatNoRowExplains() {
        var capture = TestCapture()
        capture.event(PPME_SYSCALL_OPENAT_2_E, [.i64(3)])
        capture.event(PPME_SYSCALL_EXECVE_19_X, Array(repeating: .none, count: 25))
        #expect(Reading(capture).malformed == ["unknown_layout": 2])
    }

    /// Every event type with every parameter count gives today's layout or nothing; no chain runs in a circle.
    @Test func everyPlanEndsInTodaysLayout() {
        for plan in ConversionTable.shared.plans where plan.isDelivered {
            let info = EventTable.events[Int(plan.type)]
            #expect(!info.isUnused, "\(info.identifier)")
            #expect(info.isEnter || !info.isOldVersion, "\(info.identifier)")
            #expect(Int(plan.sourceCount) == info.parameters.count, "\(info.identifier)")
        }
    }

    @Test func hiddenAndStateOnly() {
        var capture = TestCapture()
        capture.event(PPME_CONTAINER_JSON_E, [.text("{}")])
        capture.event(PPME_USER_ADDED_E, [.u32(1), .u32(1), .text("a"), .text("b"), .text("c"), .text("")])
        capture.event(PPME_PROCINFO_E, [.u64(1), .u64(2)])
        capture.event(PPME_CONTAINER_JSON_E, [.text("{}")])
        capture.event(PPME_SYSCALL_OPEN_E, [.text("/a"), .u32(1), .u32(0)])
        capture.event(PPME_SYSCALL_CLOSE_X, [.i64(0), .i64(3)], flags: 1)
        capture.event(PPME_SYSCALL_CLOSE_X, [.i64(0), .i64(3)], flags: 2)
        let events = Reading(capture).events
        #expect(events.map(\.isHidden) == [true, true, false, false, true, false, false])
        #expect(events.map(\.isStateOnly) == [false, false, false, false, false, true, false])
    }
}
