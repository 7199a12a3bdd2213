// SPDX-License-Identifier: Apache-2.0
import EventModel

/// Bytes that a `[…]` of a pattern accepts, before any folding.
struct ByteClass: Sendable, Equatable {
    private var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)

    @inline(__always)
    func contains(_ byte: UInt8) -> Bool {
        let bit: UInt64 = 1 << UInt64(byte & 63)
        return switch byte >> 6 {
        case 0: words.0 & bit != 0
        case 1: words.1 & bit != 0
        case 2: words.2 & bit != 0
        default: words.3 & bit != 0
        }
    }
    mutating func insert(_ byte: UInt8) {
        let bit: UInt64 = 1 << UInt64(byte & 63)
        switch byte >> 6 {
        case 0: words.0 |= bit
        case 1: words.1 |= bit
        case 2: words.2 |= bit
        default: words.3 |= bit
        }
    }
    mutating func invert() { words = (~words.0, ~words.1, ~words.2, ~words.3) }
    static func == (left: ByteClass, right: ByteClass) -> Bool { left.words == right.words }
}

enum GlobToken: Equatable {
    case literal(UInt8)
    /// `?`
    case any
    /// `*`
    case run
    case byteClass(ByteClass)
    /// A backslash at the end matches nothing.
    case never
}

/// The pattern language of `fnmatch` without flags, over bytes: `*` and `?` take `/` and a leading dot too.
enum GlobText {
    /// The token at `offset`, and where the next one starts.
    static func token(_ pattern: Bytes, at offset: Int, ignoringCase: Bool) -> (GlobToken, next: Int) {
        let byte = pattern.base[offset]
        switch byte {
        case UInt8(ascii: "*"): return (.run, offset + 1)
        case UInt8(ascii: "?"): return (.any, offset + 1)
        case UInt8(ascii: "\\"):
            guard offset + 1 < pattern.count else { return (.never, offset + 1) }
            return (.literal(fold(pattern.base[offset + 1], ignoringCase)), offset + 2)
        case UInt8(ascii: "["):
            if let (found, next) = byteClass(pattern, after: offset + 1, ignoringCase: ignoringCase) { return (found, next) }
            return (.literal(byte), offset + 1)
        default: return (.literal(fold(byte, ignoringCase)), offset + 1)
        }
    }

    @inline(__always) static func fold(_ byte: UInt8, _ ignoringCase: Bool) -> UInt8 {
        ignoringCase ? Comparing.lowered(byte) : byte
    }

    /// What stands between `[` and its `]`; nil when there is no `]`, so that the bracket is an ordinary byte.
    private static func byteClass(_ pattern: Bytes, after start: Int, ignoringCase: Bool) -> (GlobToken, Int)? {
        var offset = start
        func byte(_ index: Int) -> UInt8? { index < pattern.count ? pattern.base[index] : nil }
        var isInverted = false
        if let first = byte(offset), first == UInt8(ascii: "!") || first == UInt8(ascii: "^") {
            isInverted = true
            offset += 1
        }
        var members = ByteClass()
        /// Ranges compare folded bytes, names of classes the byte as it is; so says glibc.
        func insert(_ low: UInt8, _ high: UInt8) {
            for value in low...high where fold(value, ignoringCase) == value {
                members.insert(value)
                if ignoringCase, value &- 97 < 26 { members.insert(value & ~0x20) }
            }
        }
        var isFirst = true
        while let current = byte(offset), current != UInt8(ascii: "]") || isFirst {
            isFirst = false
            var low = current
            offset += 1
            if current == UInt8(ascii: "["), byte(offset) == UInt8(ascii: ":"), let name = className(pattern, after: offset + 1) {
                guard let isMember = classTest(name.text) else { return (.never, offset) }
                for value in UInt8.min...UInt8.max where isMember(value) { members.insert(value) }
                offset = name.next
                continue
            }
            if current == UInt8(ascii: "\\") {
                guard let escaped = byte(offset) else { return nil }
                low = escaped
                offset += 1
            }
            var high = low
            if byte(offset) == UInt8(ascii: "-"), let end = byte(offset + 1), end != UInt8(ascii: "]") {
                high = end
                offset += 2
                if end == UInt8(ascii: "\\") {
                    guard let escaped = byte(offset) else { return nil }
                    high = escaped
                    offset += 1
                }
            }
            (low, high) = (fold(low, ignoringCase), fold(high, ignoringCase))
            if low <= high { insert(low, high) }
        }
        guard byte(offset) == UInt8(ascii: "]") else { return nil }
        if isInverted { members.invert() }
        return (.byteClass(members), offset + 1)
    }

    /// `alpha:]`
    private static func className(_ pattern: Bytes, after start: Int) -> (text: Bytes, next: Int)? {
        var end = start
        while end < pattern.count, Comparing.lowered(pattern.base[end]) &- 97 < 26 { end += 1 }
        guard end + 1 < pattern.count, pattern.base[end] == UInt8(ascii: ":"), pattern.base[end + 1] == UInt8(ascii: "]") else {
            return nil
        }
        return (pattern[start..<end], end + 2)
    }

    /// In the C locale, where Falco runs.
    private static func classTest(_ name: Bytes) -> ((UInt8) -> Bool)? {
        func isLetter(_ byte: UInt8) -> Bool { Comparing.lowered(byte) &- 97 < 26 }
        func isDigit(_ byte: UInt8) -> Bool { byte &- 48 < 10 }
        func isGraph(_ byte: UInt8) -> Bool { byte > 32 && byte < 127 }
        let tests: [(StaticString, (UInt8) -> Bool)] = [
            ("alpha", isLetter), ("digit", isDigit), ("alnum", { isLetter($0) || isDigit($0) }),
            ("upper", { $0 &- 65 < 26 }), ("lower", { $0 &- 97 < 26 }), ("space", { $0 == 32 || $0 &- 9 < 5 }),
            ("blank", { $0 == 32 || $0 == 9 }), ("punct", { isGraph($0) && !isLetter($0) && !isDigit($0) }),
            ("print", { $0 >= 32 && $0 < 127 }), ("graph", isGraph), ("cntrl", { $0 < 32 || $0 == 127 }),
            ("xdigit", { isDigit($0) || Comparing.lowered($0) &- 97 < 6 }),
        ]
        return tests.first { name == $0.0 }?.1
    }

    /// Matches without compiling: for patterns that come from the event, and as the compiled form's oracle.
    static func matches(_ pattern: Bytes, _ value: Bytes, ignoringCase: Bool) -> Bool {
        var (patternAt, valueAt) = (0, 0)
        var retry: (patternAt: Int, valueAt: Int)?
        while true {
            if patternAt < pattern.count {
                let (token, next) = token(pattern, at: patternAt, ignoringCase: ignoringCase)
                if token == .run {
                    retry = (next, valueAt)
                    patternAt = next
                    continue
                }
                if valueAt < value.count, accepts(token, value.base[valueAt], ignoringCase) {
                    patternAt = next
                    valueAt += 1
                    continue
                }
            } else if valueAt == value.count {
                return true
            }
            guard let last = retry, last.valueAt < value.count else { return false }
            retry = (last.patternAt, last.valueAt + 1)
            (patternAt, valueAt) = (last.patternAt, last.valueAt + 1)
        }
    }

    private static func accepts(_ token: GlobToken, _ byte: UInt8, _ ignoringCase: Bool) -> Bool {
        switch token {
        case .literal(let literal): literal == fold(byte, ignoringCase)
        case .any: true
        case .byteClass(let members): members.contains(byte)
        case .run, .never: false
        }
    }
}

/// A glob as tokens. Plain memory: whoever made it calls `deallocate`.
struct GlobPattern {
    private let tokens: UnsafeMutablePointer<UInt16>
    private let count: Int
    private let classes: UnsafeMutablePointer<ByteClass>
    private let isFolded: Bool

    private static let any: UInt16 = 256
    private static let run: UInt16 = 257
    private static let never: UInt16 = 258
    private static let firstClass: UInt16 = 259

    init(_ text: Bytes, ignoringCase: Bool) {
        var tokens: [UInt16] = []
        var classes: [ByteClass] = []
        var offset = 0
        while offset < text.count {
            let (token, next) = GlobText.token(text, at: offset, ignoringCase: ignoringCase)
            offset = next
            switch token {
            case .literal(let byte): tokens.append(UInt16(byte))
            case .any: tokens.append(Self.any)
            case .run: if tokens.last != Self.run { tokens.append(Self.run) }
            case .never: tokens.append(Self.never)
            case .byteClass(let members):
                tokens.append(Self.firstClass + UInt16(classes.count))
                classes.append(members)
            }
        }
        count = tokens.count
        self.tokens = .allocate(capacity: max(1, tokens.count))
        self.tokens.initialize(from: tokens, count: tokens.count)
        self.classes = .allocate(capacity: max(1, classes.count))
        self.classes.initialize(from: classes, count: classes.count)
        isFolded = ignoringCase
    }

    func deallocate() {
        tokens.deallocate()
        classes.deallocate()
    }

    /// O(pattern × value) at worst: one place to return to, the last `*`.
    func matches(_ value: Bytes) -> Bool {
        var (tokenAt, valueAt) = (0, 0)
        var (retryToken, retryValue) = (-1, 0)
        while valueAt < value.count {
            if tokenAt < count {
                let token = tokens[tokenAt]
                if token == Self.run {
                    if tokenAt &+ 1 == count { return true }
                    (retryToken, retryValue) = (tokenAt &+ 1, valueAt)
                    tokenAt &+= 1
                    continue
                }
                let byte = value.base[valueAt]
                if token == UInt16(isFolded ? Comparing.lowered(byte) : byte) || token == Self.any
                    || (token >= Self.firstClass && classes[Int(token &- Self.firstClass)].contains(byte))
                {
                    tokenAt &+= 1
                    valueAt &+= 1
                    continue
                }
            }
            guard retryToken >= 0 else { return false }
            retryValue &+= 1
            (tokenAt, valueAt) = (retryToken, retryValue)
        }
        while tokenAt < count, tokens[tokenAt] == Self.run { tokenAt &+= 1 }
        return tokenAt == count
    }
}
