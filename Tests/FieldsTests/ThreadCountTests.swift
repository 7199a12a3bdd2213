// SPDX-License-Identifier: Apache-2.0
import CProbeABI
import EventModel
import SystemState
import Testing

@testable import Fields

/// `proc.nthreads` and `proc.nchilds` while the threads of a process end one after the other.
@Suite struct ThreadCountTests {
    @Test(arguments: [[7, 8, 9], [8, 9, 7], [9, 7, 8]] as [[Int64]])
    func threadsEnd(order: [Int64]) throws {
        let state = SystemState(threadsMax: 10)
        for tid: Int64 in [7, 8, 9] {
            var row = ThreadRow()
            (row.tid, row.pid, row.vtid, row.vpid) = (tid, 7, tid, 7)
            state.thread(row)
        }
        state.finishSnapshot()
        let templates = try ["*%proc.nthreads", "*%proc.nchilds"].map { try OutputTemplate($0, catalogue: .builtin) }
        var alive: Set<Int64> = [7, 8, 9]
        for (step, tid) in order.enumerated() {
            func counts(_ type: ppm_event_code) throws -> [String] {
                var builder = EventBuilder()
                builder.begin(type: type.code, tid: tid, timestampNs: UInt64(1000 + step))
                var bytes: [UInt8] = []
                builder.write(to: &bytes)
                return try bytes.withUnsafeBytes { raw in
                    var context = EventContext(event: try EventView(checking: Bytes(raw), cpu: 0))
                    state.admit(context.event, into: &context)
                    defer { state.retire(context) }
                    var scratch = ExtractionScratch()
                    return templates.map { template in
                        var text: [UInt8] = []
                        _ = template.renderText(context: context, state: state, scratch: &scratch, into: &text)
                        return String(decoding: text, as: UTF8.self)
                    }
                }
            }
            #expect(try counts(PPME_SOCKET_GETSOCKNAME_X) == [String(alive.count), String(alive.subtracting([7]).count)])
            alive.remove(tid)
            #expect(try counts(PPME_PROCEXIT_1_E) == [String(alive.count), String(alive.subtracting([7]).count)], "\(tid) ends")
        }
    }
}
