// SPDX-License-Identifier: Apache-2.0
import CProbeABI
import Capture
import EventModel
import Foundation

@testable import CaptureFile

/// A parameter of a hand-made event.
enum Value {
    case u8(UInt8)
    case u16(UInt16)
    case u32(UInt32)
    case u64(UInt64)
    case i64(Int64)
    case text(String)
    case raw([UInt8])
    case none

    var bytes: [UInt8] {
        func little<T: FixedWidthInteger>(_ value: T) -> [UInt8] { withUnsafeBytes(of: value.littleEndian) { Array($0) } }
        return switch self {
        case .u8(let value): [value]
        case .u16(let value): little(value)
        case .u32(let value): little(value)
        case .u64(let value): little(value)
        case .i64(let value): little(value)
        case .text(let text): Array(text.utf8) + [0]
        case .raw(let bytes): bytes
        case .none: []
        }
    }
}

/// A capture put together block by block, in any version.
struct TestCapture: Sendable {
    var encoder = CaptureEncoder()
    /// Where each event block ends.
    private(set) var eventEnds: [Int] = []

    init(withSection: Bool = true) { if withSection { encoder.appendSection() } }

    var bytes: [UInt8] { encoder.bytes }

    mutating func block(_ identifier: UInt32, _ payload: [UInt8]) {
        encoder.appendBlock(identifier) { $0.put(raw: payload) }
    }

    mutating func event(
        _ type: ppm_event_code, _ values: [Value] = [], tid: Int64 = 10, at timestampNs: UInt64 = 1_000, cpu: UInt16 = 0,
        version: Int = 2, flags: UInt32? = nil
    ) {
        let lengthBytes = EventTable.events[Int(type.code)].has(EF_LARGE_PAYLOAD) ? 4 : 2
        let parameters = values.map(\.bytes)
        let header = version == 1 ? 22 : 26
        let total = header + parameters.count * lengthBytes + parameters.reduce(0) { $0 + $1.count }
        let identifier: UInt32 =
            switch (version, flags != nil, lengthBytes) {
            case (1, false, _): 0x204
            case (1, true, _): 0x208
            case (_, false, 2): 0x216
            case (_, true, 2): 0x217
            case (_, false, _): 0x221
            default: 0x222
            }
        encoder.appendBlock(identifier) { encoder in
            encoder.put(cpu)
            if let flags { encoder.put(flags) }
            encoder.put(timestampNs)
            encoder.put(tid)
            encoder.put(UInt32(total))
            encoder.put(type.code)
            if version != 1 { encoder.put(UInt32(parameters.count)) }
            for parameter in parameters {
                if lengthBytes == 2 { encoder.put(UInt16(parameter.count)) } else { encoder.put(UInt32(parameter.count)) }
            }
            for parameter in parameters { encoder.put(raw: parameter) }
        }
        eventEnds.append(encoder.bytes.count)
    }
}

/// A file that is gone when its owner is.
final class TemporaryFile {
    let path: String
    init(_ bytes: [UInt8] = []) {
        path = NSTemporaryDirectory() + "capture-\(UUID().uuidString).scap"
        precondition(FileManager.default.createFile(atPath: path, contents: Data(bytes)), "the temporary directory is writable")
    }
    deinit { try? FileManager.default.removeItem(atPath: path) }
    var bytes: [UInt8] { Array(FileManager.default.contents(atPath: path) ?? Data()) }
}

/// An event copied out of its batch.
struct SeenEvent: Equatable {
    var type: UInt16
    var tid: Int64
    var timestampNs: UInt64
    var cpu: UInt16
    var isStateOnly: Bool
    var isHidden: Bool
    var parameters: [[UInt8]]

    init(_ view: EventView) {
        type = view.type
        tid = view.tid
        timestampNs = view.timestampNs
        cpu = view.cpu
        isStateOnly = view.isStateOnly
        isHidden = view.isHidden
        parameters = (0..<view.parameterCount).map { view.parameter($0)!.array }
    }
}

/// All that a capture gives: rows, events, and the error that ended it.
struct Reading {
    var snapshot = CaptureSnapshot()
    var events: [SeenEvent] = []
    var error: CaptureError?
    var malformed: [String: UInt64] = [:]

    init(_ capture: TestCapture, batch: Int = 8, limits: CaptureReader.Limits = .init()) {
        self.init(bytes: capture.bytes, batch: batch, limits: limits)
    }
    init(bytes: [UInt8], batch: Int = 8, limits: CaptureReader.Limits = .init()) {
        self.init(path: TemporaryFile(bytes), batch: batch, limits: limits)
    }
    private init(path file: TemporaryFile, batch: Int, limits: CaptureReader.Limits) {
        do throws(CaptureError) {
            let reader = try CaptureReader(path: file.path, limits: limits)
            defer {
                malformed = Dictionary(
                    uniqueKeysWithValues: reader.malformed.filter { $0.count > 0 }.map { ($0.reason, $0.count) })
            }
            try reader.snapshot(into: snapshot)
            let batch = EventBatch(capacity: batch)
            while try reader.nextBatch(into: batch) == .events { events += batch.events.map(SeenEvent.init) }
        } catch {
            self.error = error
        }
    }
}
