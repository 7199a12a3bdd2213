// SPDX-License-Identifier: Apache-2.0
import Capture
import EventModel

/// A window that slides over the capture: memory stays bounded however long the file is.
///
/// `ensure` may move the bytes in the window, so whoever still holds views into it does not call it.
final class CaptureStream {
    let path: String
    private let input: CaptureInput
    private var storage: UnsafeMutableRawBufferPointer
    private var start = 0
    private var end = 0
    private var isExhausted = false
    /// Why the file could not be read on; surfaces when the bytes before it are used up.
    private var failure: CaptureError?
    /// Of the first byte in the window, counted in the inflated capture.
    private(set) var offset: UInt64 = 0

    init(path: String, windowBytes: Int) throws(CaptureError) {
        self.path = path
        input = try CaptureInput(path: path)
        storage = .allocate(byteCount: windowBytes, alignment: 16)
    }

    deinit { storage.deallocate() }

    var progress: (bytesRead: UInt64, bytesTotal: UInt64) { (input.bytesRead, input.bytesTotal) }

    @inline(__always) var available: Int { end &- start }
    /// The bytes in the window; live until the next `ensure`, `refill` or `skip`.
    @inline(__always) var window: Bytes {
        Bytes(base: UnsafePointer(storage.baseAddress!.assumingMemoryBound(to: UInt8.self)) + start, count: end &- start)
    }

    @inline(__always)
    func advance(_ count: Int) {
        precondition(count >= 0 && count <= available, "only bytes in the window are used up")
        start &+= count
        offset &+= UInt64(count)
    }

    /// Makes `count` bytes available in one piece; false when the file has fewer left.
    func ensure(_ count: Int) -> Bool {
        if available >= count { return true }
        if count > storage.count { grow(to: count) }
        moveToFront()
        while available < count && fill() {}
        return available >= count
    }

    /// Reads ahead when little is left, so that a batch seldom ends for want of bytes.
    func refill(below threshold: Int) {
        guard available < threshold, !isExhausted else { return }
        moveToFront()
        while end < storage.count && fill() {}
    }

    /// Leaves out `count` bytes, however many; false when the file ends before.
    func skip(_ count: UInt64) -> Bool {
        var left = count
        while left > 0 {
            if available == 0 && !ensure(1) { return false }
            let step = Int(min(left, UInt64(available)))
            advance(step)
            left -= UInt64(step)
        }
        return true
    }

    /// The sentence for a file that ends where `what`, begun at `begin`, needs `missing` more bytes.
    func truncated(in what: String, beganAt begin: UInt64, missing: UInt64) -> CaptureError {
        let end = offset + UInt64(available)
        let reason = failure.map { ": \($0.description)" } ?? ""
        let bytes = missing == 1 ? "1 byte is" : "at least \(missing) bytes are"
        return CaptureError(
            "capture file '\(path)' ends at byte \(end), inside \(what) that begins at byte \(begin): \(bytes) missing\(reason)")
    }

    /// The file could not be read to its end, though no block is cut.
    var failureAtEnd: CaptureError? {
        failure.map { CaptureError("capture file '\(path)' cannot be read beyond byte \(offset): \($0.description)") }
    }

    func damaged(at place: UInt64, _ what: String) -> CaptureError {
        CaptureError("capture file '\(path)' is damaged at byte \(place): \(what)")
    }

    private func fill() -> Bool {
        guard !isExhausted else { return false }
        do {
            let count = try input.read(into: UnsafeMutableRawBufferPointer(rebasing: storage[end...]))
            end += count
            isExhausted = count == 0
        } catch {
            failure = error
            isExhausted = true
        }
        return !isExhausted
    }

    private func moveToFront() {
        guard start > 0 else { return }
        let count = available
        // The regions may overlap; copyMemory allows that.
        storage.baseAddress!.copyMemory(from: storage.baseAddress! + start, byteCount: count)
        start = 0
        end = count
    }

    private func grow(to bytes: Int) {
        var size = storage.count
        while size < bytes { size *= 2 }
        let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 16)
        let count = available
        larger.baseAddress!.copyMemory(from: storage.baseAddress! + start, byteCount: count)
        storage.deallocate()
        storage = larger
        start = 0
        end = count
    }
}
