// SPDX-License-Identifier: Apache-2.0
import CProbeABI
import Diagnostics
import EventModel
import Fields
import FilterLanguage
import HostileInput
import RuleEngine
import SystemState
import Testing

/// Every event type, cut at every byte and with every length lying: no crash, and never a neighbour's bytes.
@Suite struct TruncationTests {
    static let canary = Array("<<NEIGHBOUR<<".utf8)
    static let marginBytes = 4096
    static let margin = (0..<marginBytes).map { canary[$0 % canary.count] }
    /// Fields that need no argument, and some with one.
    static let fields: [FieldReference] = {
        let plain = FieldCatalogue.builtin.classes.flatMap(\.definitions).filter { !$0.flags.contains(.argumentRequired) }.map(
            \.name)
        let more = [
            "evt.arg[0]", "evt.arg[2]", "evt.arg[5]", "evt.rawarg.res", "evt.rawarg.fd", "proc.aname[1]", "proc.env[HOME]",
        ]
        return (plain + more).map { name in
            let place = SourceRange(SourcePosition(), SourcePosition())
            let parts = name.split(separator: "[")
            let argument = parts.count > 1 ? String(parts[1].dropLast()) : nil
            let field = FieldName(String(parts[0]), argument: argument, range: place)
            do { return try FieldCatalogue.builtin.resolve(field) } catch { preconditionFailure("\(name): \(error)") }
        }
    }()

    /// The scene of one type: a state and the memory that its events lie in, canaries around.
    private struct Scene: ~Copyable {
        let state = SystemState(threadsMax: 64)
        var scratch = ExtractionScratch()
        let memory: UnsafeMutableBufferPointer<UInt8>
        var views = 0
        var shown = 0
        var number: UInt64 = 0

        init() {
            memory = .allocate(capacity: marginBytes)
            clear()
            var thread = ThreadRow()
            (thread.tid, thread.pid, thread.comm) = (10, 10, Array("cat".utf8))
            state.thread(thread)
            state.finishSnapshot()
        }
        deinit { memory.deallocate() }

        /// Places the bytes so that canaries touch them on both sides.
        func place(_ event: ArraySlice<UInt8>) -> Bytes {
            let start = 1024
            event.withUnsafeBufferPointer { (memory.baseAddress! + start).update(from: $0.baseAddress!, count: $0.count) }
            return Bytes(base: UnsafePointer(memory.baseAddress!) + start, count: event.count)
        }

        /// All canary again.
        func clear() {
            TruncationTests.margin.withUnsafeBufferPointer { memory.baseAddress!.update(from: $0.baseAddress!, count: $0.count) }
        }

        mutating func take(_ event: ArraySlice<UInt8>, _ fields: [FieldReference]) {
            guard !event.isEmpty else { return }
            clear()
            let bytes = place(event)
            guard let view = try? EventView(checking: bytes, cpu: 0) else { return }
            views += 1
            if view.bytes.count > bytes.count { Issue.record("the view is longer than its bytes") }
            for index in 0..<view.parameterCount {
                guard let parameter = view.parameter(index) else {
                    Issue.record("parameter \(index) of \(view.parameterCount) is not there")
                    return
                }
                if parameter.base < bytes.base || parameter.base + parameter.count > bytes.base + bytes.count {
                    Issue.record("parameter \(index) leaves the event")
                }
            }
            var context = EventContext(event: view)
            state.admit(view, into: &context)
            number += 1
            context.number = number
            for field in fields {
                scratch.reset()
                let value = FieldExtractor.extract(field, context: context, state: state, scratch: &scratch)
                check(value, field)
            }
            state.retire(context)
        }

        private mutating func check(_ value: FieldValue, _ field: FieldReference) {
            switch value {
            case .bytes(let bytes):
                shown += bytes.count
                canary.withUnsafeBytes { needle in
                    if bytes.contains(Bytes(needle)) { Issue.record("\(field.text) shows bytes from beside the event") }
                }
            case .list(let start, let count):
                for index in start..<start + count { check(scratch.list[index], field) }
            default: break
            }
        }
    }

    private static func cut(_ code: Int, _ scene: inout Scene, fields: [FieldReference]) {
        let whole = EventShapes.event(code, variant: code)
        scene.take(whole[...], fields)
        for count in 0..<whole.count { scene.take(whole[..<count], []) }
        // A record cut that way with a header that says so: what a writer that ran out of room leaves.
        for count in EventView.headerBytes..<whole.count {
            var event = Array(whole[..<count])
            withUnsafeBytes(of: UInt32(count).littleEndian) { event.replaceSubrange(16..<20, with: $0) }
            scene.take(event[...], fields)
        }
    }

    private static func lie(_ code: Int, _ scene: inout Scene, fields: [FieldReference]) {
        let whole = EventShapes.event(code, variant: code + 1)
        let width = EventTable.events[code].has(EF_LARGE_PAYLOAD) ? 4 : 2
        var places: [(at: Int, width: Int)] = [(16, 4), (20, 2), (22, 4)]
        places += EventTable.events[code].parameters.indices.map { (EventView.headerBytes + $0 * width, width) }
        for place in places {
            var value: UInt32 = 0
            for byte in 0..<place.width { value |= UInt32(whole[place.at + byte]) << UInt32(8 * byte) }
            for wrong in [value &+ 1, value &- 1, 0, 0xffff, 0xffff_ffff, value &+ 0x100] {
                var event = whole
                for byte in 0..<place.width { event[place.at + byte] = UInt8(wrong >> UInt32(8 * byte) & 255) }
                scene.take(event[...], fields)
            }
        }
    }

    @Test(arguments: stride(from: 0, to: EventTable.count, by: 24).map { $0 })
    func everyTypeAtEveryLength(_ first: Int) {
        for code in first..<min(EventTable.count, first + 24) {
            var scene = Scene()
            Self.cut(code, &scene, fields: Self.fields)
            Self.lie(code, &scene, fields: Self.fields)
            #expect(scene.views > 0, "\(EventTable.events[code].identifier)")
            #expect(EventTable.events[code].parameters.isEmpty || scene.shown > 0, "\(EventTable.events[code].identifier)")
        }
    }

    /// A parameter of any wrong width, as large as the format allows: the fields of the event have a value or none.
    @Test func everyParameterOfAnyWidth() {
        var scene = Scene()
        for event in EventTable.events {
            for index in event.parameters.indices {
                for width in [0, 1, 2, 3, 5, 7, 9, 15, 17, 33] {
                    var builder = EventBuilder()
                    builder.begin(type: event.code, tid: 10, timestampNs: 1)
                    for (other, parameter) in event.parameters.enumerated() {
                        builder.append(
                            raw: other == index ? [UInt8](repeating: UInt8(width), count: width) : EventShapes.bytes(parameter))
                    }
                    var bytes: [UInt8] = []
                    builder.write(to: &bytes)
                    scene.take(bytes[...], [])
                }
            }
        }
        #expect(scene.views == EventTable.events.reduce(0) { $0 + $1.parameters.count } * 10)
    }
}
