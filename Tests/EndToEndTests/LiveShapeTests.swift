// SPDX-License-Identifier: Apache-2.0
import CProbeABI
import Capture
import CaptureFile
import EventModel
import Foundation
import Testing

/// Per event type and parameter: how many bytes its values have, and whether some are empty.
private struct Shapes {
    struct Parameter {
        var sizes: Set<Int> = []
        var valuesWithoutNUL = 0
    }
    var parameters: [UInt16: [Parameter]] = [:]
    var counts: [UInt16: Set<Int>] = [:]

    init(_ path: String) throws {
        let reader = try CaptureReader(path: path)
        try reader.snapshot(into: CaptureSnapshot())
        let batch = EventBatch()
        while try reader.nextBatch(into: batch) == .events {
            for event in batch.events where !event.isKernelRecord {
                counts[event.type, default: []].insert(event.parameterCount)
                var known = parameters[event.type] ?? Array(repeating: Parameter(), count: event.parameterCount)
                for index in 0..<min(known.count, event.parameterCount) {
                    let value = event.parameter(index)!
                    known[index].sizes.insert(value.count)
                    if !value.isEmpty, value[value.count - 1] != 0 { known[index].valuesWithoutNUL += 1 }
                }
                parameters[event.type] = known
            }
        }
    }
}

extension EndToEnd {
    /// What we record against what today's Falco recorded of the same kind of work: `files/today/workload.scap`.
    @Suite(.enabled(if: liveObstacle == nil && captures != nil)) struct LiveShapes {
        let scratch = Scratch()

        /// Events that only a recording of Falco's has, and parameters that are empty in one of the two. `docs/differences.md` says why.
        static let onlyTheirs: Set<UInt16> = [PPME_USER_ADDED_E.code, PPME_GROUP_ADDED_E.code]
        /// Beginnings of calls, which that recording was made without.
        static let onlyOurs: Set<UInt16> = [
            PPME_SYSCALL_OPEN_E.code, PPME_SYSCALL_OPENAT_2_E.code, PPME_SYSCALL_OPENAT2_E.code, PPME_SYSCALL_CREAT_E.code,
            PPME_SOCKET_CONNECT_E.code,
        ]
        static let emptyInOneOnly: Set<String> = ["connect.tuple"]

        @Test func sameEventsWithTheSameParameters() throws {
            let workload = URL(filePath: #filePath).appending(path: "../../Fixtures/workload.sh").standardized.path
            let run = try FalcoRun(["record", "-w", "own.scap", "--", "bash", workload], in: scratch)
            #expect(run.status == 0, "\(run.errors)")
            let ours = try Shapes(scratch.path + "/own.scap")
            let theirs = try Shapes(captures! + "/today/workload.scap")
            func names(_ codes: some Sequence<UInt16>) -> [String] { codes.map { EventTable.events[Int($0)].name }.sorted() }
            #expect(names(Set(theirs.counts.keys).subtracting(ours.counts.keys).subtracting(Self.onlyTheirs)).isEmpty)
            #expect(names(Set(ours.counts.keys).subtracting(theirs.counts.keys).subtracting(Self.onlyOurs)).isEmpty)
            for (code, expected) in theirs.parameters {
                guard let found = ours.parameters[code] else { continue }
                let event = EventTable.events[Int(code)]
                #expect(ours.counts[code] == theirs.counts[code], "\(event.name)")
                for (index, parameter) in event.parameters.enumerated() where index < min(expected.count, found.count) {
                    let name = "\(event.name).\(parameter.name)"
                    let (wanted, got) = (expected[index], found[index])
                    switch parameter.type {
                    case .charbuf, .fspath, .fsrelpath, .bytebuf, .sockaddr, .socktuple, .fdlist, .dyn, .charbufarray,
                        .charbufPairArray:
                        if !Self.emptyInOneOnly.contains(name) {
                            #expect(wanted.sizes.contains(0) == got.sizes.contains(0), "\(name) is empty in one of the two")
                            #expect((wanted.sizes == [0]) == (got.sizes == [0]), "\(name)")
                        }
                        if [.charbuf, .fspath, .fsrelpath].contains(parameter.type) {
                            #expect(got.valuesWithoutNUL == 0 && wanted.valuesWithoutNUL == 0, "\(name) ends with a NUL")
                        }
                    default: #expect(got.sizes == wanted.sizes, "\(name)")
                    }
                }
            }
        }
    }
}
