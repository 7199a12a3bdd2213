// SPDX-License-Identifier: Apache-2.0
import CProbeABI
import EventModel

/// An event as the block that a capture holds: its size first, then its bytes where the caller has room for them.
public struct EventBlock {
    private let event: EventView
    private let isStateOnly: Bool
    private let identifier: UInt32
    /// Type and lengths included, a multiple of four.
    public let byteCount: Int

    /// `isStateOnly`: written for the state alone, whatever the event says. Nil for one that no block can hold.
    @inline(__always)
    public init?(_ event: EventView, isStateOnly: Bool = false) {
        self.event = event
        self.isStateOnly = isStateOnly || event.isStateOnly
        // Records of ours have large payloads, so that today's readers take their lengths for what they are and skip them.
        let isLarge = event.type >= EventTable.count || event.flags & UInt16(EF_LARGE_PAYLOAD.rawValue) != 0
        let payload = (self.isStateOnly ? 6 : 2) &+ event.bytes.count
        byteCount = (CaptureFormat.blockOverhead &+ payload &+ 3) & ~3
        guard byteCount <= CaptureFormat.eventBlockBytesMax(large: isLarge) else { return nil }
        identifier =
            switch (self.isStateOnly, isLarge) {
            case (false, false): 0x216
            case (true, false): 0x217
            case (false, true): 0x221
            case (true, true): 0x222
            }
    }

    /// Writes `byteCount` bytes, with the view's timestamp. No allocation.
    @inline(__always)
    public func write(to target: UnsafeMutableRawPointer) {
        target.storeBytes(of: identifier.littleEndian, as: UInt32.self)
        target.storeBytes(of: UInt32(truncatingIfNeeded: byteCount).littleEndian, toByteOffset: 4, as: UInt32.self)
        target.storeBytes(of: event.cpu.littleEndian, toByteOffset: 8, as: UInt16.self)
        var at = 10
        if isStateOnly {
            target.storeBytes(of: UInt32(1).littleEndian, toByteOffset: at, as: UInt32.self)
            at &+= 4
        }
        (target + at).copyMemory(from: event.bytes.base, byteCount: event.bytes.count)
        target.storeBytes(of: event.timestampNs.littleEndian, toByteOffset: at, as: UInt64.self)
        at &+= event.bytes.count
        while at & 3 != 0 {
            target.storeBytes(of: 0, toByteOffset: at, as: UInt8.self)
            at &+= 1
        }
        target.storeBytes(of: UInt32(truncatingIfNeeded: byteCount).littleEndian, toByteOffset: at, as: UInt32.self)
    }
}
