// SPDX-License-Identifier: Apache-2.0
import CProbeABI

/// Writes one event in the wire format: for the capture converter, for sources that are not the probe, and for tests.
/// The buffer is kept between events, so a steady stream does not allocate.
public struct EventBuilder {
    private var lengths: [UInt32] = []
    private var data: [UInt8] = []
    private var type: UInt16 = 0
    private var tid: UInt64 = 0
    private var timestampNs: UInt64 = 0

    public init() {
        lengths.reserveCapacity(40)
        data.reserveCapacity(4096)
    }

    public mutating func begin(type: UInt16, tid: Int64, timestampNs: UInt64) {
        lengths.removeAll(keepingCapacity: true)
        data.removeAll(keepingCapacity: true)
        self.type = type
        self.tid = UInt64(bitPattern: tid)
        self.timestampNs = timestampNs
    }

    public var parameterCount: Int { lengths.count }

    public mutating func append(_ bytes: Bytes) {
        lengths.append(UInt32(bytes.count))
        data.append(contentsOf: UnsafeBufferPointer(start: bytes.base, count: bytes.count))
    }
    public mutating func append(raw bytes: [UInt8]) {
        lengths.append(UInt32(bytes.count))
        data.append(contentsOf: bytes)
    }
    public mutating func append<T: FixedWidthInteger>(_ value: T) {
        lengths.append(UInt32(T.bitWidth / 8))
        withUnsafeBytes(of: value.littleEndian) { data.append(contentsOf: $0) }
    }
    /// Text with its final NUL.
    public mutating func append(text: String) {
        lengths.append(UInt32(text.utf8.count + 1))
        data.append(contentsOf: text.utf8)
        data.append(0)
    }
    public mutating func appendEmpty() { lengths.append(0) }

    /// Appends the finished event to `output`; lengths are u16 or u32 as the type asks.
    /// A parameter over 64 KiB - 1 of an ordinary type is a caller's fault.
    public func write(to output: inout [UInt8]) {
        let large = EventTable.flagsByCode[Int(type)] & UInt16(EF_LARGE_PAYLOAD.rawValue) != 0
        let total = EventView.headerBytes + lengths.count * (large ? 4 : 2) + data.count
        func put<T: FixedWidthInteger>(_ value: T) { withUnsafeBytes(of: value.littleEndian) { output.append(contentsOf: $0) } }
        put(timestampNs)
        put(tid)
        put(UInt32(total))
        put(type)
        put(UInt32(lengths.count))
        for length in lengths {
            if large {
                put(length)
            } else {
                precondition(length <= 0xffff, "a parameter of an ordinary event holds at most 65535 bytes")
                put(UInt16(length))
            }
        }
        output.append(contentsOf: data)
    }
}
