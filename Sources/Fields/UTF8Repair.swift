// SPDX-License-Identifier: Apache-2.0
import EventModel

/// Finds what is UTF-8 in untrusted bytes.
public enum UTF8Repair {
    /// U+FFFD
    public static let replacement: [UInt8] = [0xef, 0xbf, 0xbd]

    /// Hands over the valid stretches in order, and nil where a replacement character belongs: one for each longest start of a
    /// character that breaks off, one for each byte that can start none (Unicode 15, §3.9).
    @inline(__always)
    public static func forEachPiece(of bytes: UnsafeBufferPointer<UInt8>, _ body: (UnsafeBufferPointer<UInt8>?) -> Void) {
        var start = 0
        var at = 0
        while at < bytes.count {
            if bytes[at] < 0x80 {
                at &+= 1
                continue
            }
            let (length, isValid) = sequence(bytes, at)
            if isValid {
                at &+= length
                continue
            }
            if at > start { body(UnsafeBufferPointer(rebasing: bytes[start..<at])) }
            body(nil)
            at &+= length
            start = at
        }
        if at > start { body(UnsafeBufferPointer(rebasing: bytes[start..<at])) }
    }

    /// Is all of it UTF-8? Nothing has to be copied then.
    public static func isValid(_ bytes: Bytes) -> Bool {
        var isValid = true
        forEachPiece(of: UnsafeBufferPointer(start: bytes.base, count: bytes.count)) { if $0 == nil { isValid = false } }
        return isValid
    }

    /// Appends the bytes to the scratch's open text, repaired.
    public static func append(_ bytes: Bytes, to scratch: inout ExtractionScratch) {
        // Worst case: every byte becomes three.
        guard let room = scratch.room(bytes.count * 3) else { return }
        var count = 0
        forEachPiece(of: UnsafeBufferPointer(start: bytes.base, count: bytes.count)) { piece in
            if let piece {
                for byte in piece {
                    room[count] = byte
                    count += 1
                }
            } else {
                for byte in replacement {
                    room[count] = byte
                    count += 1
                }
            }
        }
        scratch.advance(by: count)
    }

    /// Length of the character at `at`, a byte over 0x7f; of its longest valid start when it breaks off.
    private static func sequence(_ bytes: UnsafeBufferPointer<UInt8>, _ at: Int) -> (length: Int, isValid: Bool) {
        let lead = bytes[at]
        let wanted: Int
        // The second byte's range keeps out overlong forms, surrogates and what lies beyond U+10FFFF.
        var second: ClosedRange<UInt8> = 0x80...0xbf
        switch lead {
        case 0xc2...0xdf: wanted = 2
        case 0xe0: (wanted, second) = (3, 0xa0...0xbf)
        case 0xed: (wanted, second) = (3, 0x80...0x9f)
        case 0xe1...0xef: wanted = 3
        case 0xf0: (wanted, second) = (4, 0x90...0xbf)
        case 0xf1...0xf3: wanted = 4
        case 0xf4: (wanted, second) = (4, 0x80...0x8f)
        default: return (1, false)
        }
        var length = 1
        while length < wanted {
            guard at + length < bytes.count, (length == 1 ? second : 0x80...0xbf).contains(bytes[at + length]) else {
                return (length, false)
            }
            length += 1
        }
        return (length, true)
    }
}
