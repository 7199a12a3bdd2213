// SPDX-License-Identifier: Apache-2.0
import CProbeABI
import EventModel

/// An event as it lies in a block, checked: every length is inside.
struct RawEvent {
    var timestampNs: UInt64
    var tid: Int64
    var type: UInt16
    var parameterCount: Int
    /// 2, or 4 where the type has a large payload.
    var lengthBytes: Int
    /// The lengths and, behind them, the parameters.
    var body: Bytes

    @inline(__always)
    init(_ view: EventView) {
        timestampNs = view.timestampNs
        tid = view.tid
        type = view.type
        parameterCount = view.parameterCount
        lengthBytes = Self.lengthBytes(of: view.type)
        body = view.bytes.from(EventView.headerBytes)
    }

    /// Checks an event that was written without its parameter count (padding may follow). The count is the table's, or the
    /// largest below that with which lengths and data exactly fill the record.
    init(versionOne bytes: Bytes) throws(RecordFault) {
        let headerBytes = EventView.headerBytes - 4
        guard bytes.count >= headerBytes else { throw .headerTruncated }
        let base = UnsafeRawPointer(bytes.base)
        var recordBytes = Int(base.loadUnaligned(fromByteOffset: 16, as: UInt32.self))
        type = base.loadUnaligned(fromByteOffset: 20, as: UInt16.self)
        guard Int(type) < EventTable.count else { throw .unknownType }
        if type == PPME_INFRASTRUCTURE_EVENT_E.code || type == PPME_NOTIFICATION_E.code {
            recordBytes -= 3  // their writer counted three bytes that are not there
        }
        guard recordBytes >= headerBytes, recordBytes <= bytes.count else { throw .lengthOutside }
        timestampNs = base.loadUnaligned(as: UInt64.self)
        tid = Int64(bitPattern: base.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
        body = bytes[headerBytes..<recordBytes]
        lengthBytes = Self.lengthBytes(of: type)
        parameterCount = EventTable.parameterCountByCode[Int(type)]
        while !isFilled {
            guard parameterCount > 0 else { throw .parametersOutside }
            parameterCount -= 1
        }
    }

    /// Do lengths and data fill the record exactly?
    private var isFilled: Bool {
        var total = parameterCount * lengthBytes
        guard total <= body.count else { return false }
        for index in 0..<parameterCount { total += length(index) }
        return total == body.count
    }

    @inline(__always)
    func length(_ index: Int) -> Int { Self.length(body.base, index, lengthBytes) }

    @inline(__always)
    static func length(_ body: UnsafePointer<UInt8>, _ index: Int, _ lengthBytes: Int) -> Int {
        let at = UnsafeRawPointer(body + index &* lengthBytes)
        return lengthBytes == 2 ? Int(at.loadUnaligned(as: UInt16.self)) : Int(at.loadUnaligned(as: UInt32.self))
    }

    @inline(__always)
    static func lengthBytes(of type: UInt16) -> Int {
        probe_event_flags(type) & UInt16(EF_LARGE_PAYLOAD.rawValue) != 0 ? 4 : 2
    }
}
