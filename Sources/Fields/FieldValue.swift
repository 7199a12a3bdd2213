// SPDX-License-Identifier: Apache-2.0
import EventModel

/// What a field says of one event. Bytes are borrowed (event, pool or scratch) and valid until the next event.
public enum FieldValue {
    /// No value: `<NA>`, and false in every comparison.
    case none
    case int(Int64)
    case uint(UInt64)
    case bool(Bool)
    case double(Double)
    /// Text, path or raw bytes.
    case bytes(Bytes)
    case ipv4(UInt32)  // network order, as it lies in memory
    case ipv6(AddressBytes)
    /// Several values: `count` entries from `start` on in `ExtractionScratch.list`.
    case list(start: Int, count: Int)

    @inline(__always) public var exists: Bool { if case .none = self { false } else { true } }
}

/// Memory for values that have to be put together (command lines, texts of arguments): a bump buffer and a list stack,
/// reset per event, so extraction does not allocate once they have grown.
public struct ExtractionScratch: ~Copyable {
    public private(set) var list: UnsafeMutablePointer<FieldValue>
    public private(set) var listCount = 0
    public static let listMax = 1024
    private var bytes: UnsafeMutablePointer<UInt8>
    private var used = 0
    public static let bytesMax = 1 << 20
    private var open = -1
    /// Raw bytes are shown as base64 instead of text with dots (`buffer_format_base64`): set while an alert is put together, never
    /// while rules compare.
    public var showsBuffersAsBase64 = false
    /// Values that were cut because the scratch was full.
    public private(set) var truncated: UInt64 = 0

    public init() {
        list = .allocate(capacity: Self.listMax)
        bytes = .allocate(capacity: Self.bytesMax)
    }
    deinit {
        list.deallocate()
        bytes.deallocate()
    }

    /// Before each event.
    @inline(__always) public mutating func reset() { (used, listCount, open) = (0, 0, -1) }

    /// How full it is, to return to with `rewind(to:)` when a value is no longer needed.
    public var mark: (bytes: Int, list: Int) { (used, listCount) }
    public mutating func rewind(to mark: (bytes: Int, list: Int)) { (used, listCount) = (mark.bytes, mark.list) }

    // Text is put together between `begin` and `finish`; not nested.
    @inline(__always) public mutating func begin() { open = used }
    @inline(__always) public mutating func append(_ byte: UInt8) {
        guard used < Self.bytesMax else { return truncated &+= 1 }
        bytes[used] = byte
        used &+= 1
    }
    public mutating func append(_ value: Bytes) {
        let length = min(value.count, Self.bytesMax - used)
        if length < value.count { truncated &+= 1 }
        (bytes + used).update(from: value.base, count: length)
        used += length
    }
    public mutating func append(_ text: StaticString) { append(Bytes(base: text.utf8Start, count: text.utf8CodeUnitCount)) }
    /// Room for `count` bytes at the end of the open text, nil when the scratch is too full; `advance` then keeps what was written.
    public mutating func room(_ count: Int) -> UnsafeMutableBufferPointer<UInt8>? {
        guard count <= Self.bytesMax - used else {
            truncated &+= 1
            return nil
        }
        return UnsafeMutableBufferPointer(start: bytes + used, count: count)
    }
    public mutating func advance(by count: Int) {
        precondition(count >= 0 && count <= Self.bytesMax - used, "more bytes kept than there was room for")
        used &+= count
    }
    /// The end of the open text, from `start` on; it lives until the next reset.
    public func openText(from start: Int) -> Bytes {
        precondition(start >= 0 && start <= used - open, "the open text is shorter")
        return Bytes(base: bytes + open + start, count: used - open - start)
    }
    /// Where local time was last found to lie, so that not every event asks the time zone.
    var localTime = LocalTimeCache()
    /// Length of the open text so far.
    public var openCount: Int { used - open }
    public mutating func truncateOpen(to count: Int) { used = open + count }
    public mutating func finish() -> Bytes {
        defer { open = -1 }
        return Bytes(base: bytes + open, count: used - open)
    }

    /// Appends to the list stack; the caller makes `.list(start:count:)` of its own entries. False when full.
    @discardableResult
    public mutating func push(_ value: FieldValue) -> Bool {
        guard listCount < Self.listMax else {
            truncated &+= 1
            return false
        }
        (list + listCount).initialize(to: value)
        listCount += 1
        return true
    }
}
