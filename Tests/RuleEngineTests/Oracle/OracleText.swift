// SPDX-License-Identifier: Apache-2.0
import Glibc

/// Comparisons of text, as short as they can be said.
enum OracleText {
    static func lowered(_ text: [UInt8]) -> [UInt8] { text.map { $0 >= 65 && $0 <= 90 ? $0 + 32 : $0 } }
    static func raised(_ text: [UInt8]) -> [UInt8] { text.map { $0 >= 97 && $0 <= 122 ? $0 - 32 : $0 } }

    static func contains(_ text: [UInt8], _ part: [UInt8]) -> Bool {
        guard text.count >= part.count else { return false }
        return (0...text.count - part.count).contains { Array(text[$0..<$0 + part.count]) == part }
    }

    /// The C library's own; text ends at a NUL.
    static func glob(_ text: [UInt8], _ pattern: [UInt8], ignoringCase: Bool) -> Bool {
        let caseFold: Int32 = 1 << 4  // FNM_CASEFOLD
        return (pattern + [0]).withUnsafeBufferPointer { pattern in
            (text + [0]).withUnsafeBufferPointer { text in
                func c(_ buffer: UnsafeBufferPointer<UInt8>) -> UnsafePointer<CChar> {
                    UnsafeRawPointer(buffer.baseAddress!).assumingMemoryBound(to: CChar.self)
                }
                return fnmatch(c(pattern), c(text), ignoringCase ? caseFold : 0) == 0
            }
        }
    }

    static func isUnder(_ path: [UInt8], _ prefix: [UInt8]) -> Bool {
        let slash = UInt8(ascii: "/")
        let path = path.split(separator: slash).map(Array.init)
        let prefix = prefix.split(separator: slash).map(Array.init)
        guard prefix.count <= path.count else { return false }
        for (component, wanted) in zip(path, prefix) {
            let isPattern =
                wanted.contains(UInt8(ascii: "*")) || wanted.contains(UInt8(ascii: "?")) || wanted.contains(UInt8(ascii: "["))
            guard isPattern ? glob(component, wanted, ignoringCase: false) : component == wanted else { return false }
        }
        return true
    }

    static func fits(_ text: [UInt8], pattern: [UInt8]) -> Bool {
        var reader = OracleRegex.Reader(Array(String(decoding: pattern, as: UTF8.self).unicodeScalars))
        let node = reader.alternatives()
        let scalars = Array(String(decoding: text, as: UTF8.self).unicodeScalars)
        return OracleRegex.match(node, scalars, 0) { $0 == scalars.count }
    }
}

/// The part of egrep's language that the generated conditions use, by trying everything.
enum OracleRegex {
    indirect enum Node {
        case nothing, any, start, end
        case one(Unicode.Scalar)
        case set([ClosedRange<Unicode.Scalar>], isInverted: Bool)
        case sequence([Node])
        case either([Node])
        case times(Node, least: Int, most: Int)
    }

    struct Reader {
        let text: [Unicode.Scalar]
        var at = 0
        init(_ text: [Unicode.Scalar]) { self.text = text }
        private var next: Unicode.Scalar? { at < text.count ? text[at] : nil }

        mutating func alternatives() -> Node {
            var found = [sequence()]
            while next == "|" {
                at += 1
                found.append(sequence())
            }
            return found.count == 1 ? found[0] : .either(found)
        }
        private mutating func sequence() -> Node {
            var found: [Node] = []
            while let scalar = next, scalar != "|", scalar != ")" {
                at += 1
                var node: Node
                switch scalar {
                case ".": node = .any
                case "^": node = .start
                case "$": node = .end
                case "\\":
                    node = .one(text[at])
                    at += 1
                case "(":
                    node = alternatives()
                    at += 1
                case "[": node = set()
                default: node = .one(scalar)
                }
                while let sign = next, let (least, most) = bounds(sign) { node = .times(node, least: least, most: most) }
                found.append(node)
            }
            return found.isEmpty ? .nothing : .sequence(found)
        }
        private mutating func bounds(_ sign: Unicode.Scalar) -> (Int, Int)? {
            switch sign {
            case "*": at += 1; return (0, .max)
            case "+": at += 1; return (1, .max)
            case "?": at += 1; return (0, 1)
            case "{":
                let end = text[at...].firstIndex(of: "}")!
                let numbers = String(String.UnicodeScalarView(text[at + 1..<end])).split(separator: ",").map { Int($0)! }
                at = end + 1
                return (numbers[0], numbers[numbers.count - 1])
            default: return nil
            }
        }
        private mutating func set() -> Node {
            let isInverted = next == "^"
            if isInverted { at += 1 }
            var ranges: [ClosedRange<Unicode.Scalar>] = []
            while text[at] != "]" {
                let low = text[at]
                let high = text[at + 1] == "-" ? text[at + 2] : low
                ranges.append(low...high)
                at += text[at + 1] == "-" ? 3 : 1
            }
            at += 1
            return .set(ranges, isInverted: isInverted)
        }
    }

    static func match(_ node: Node, _ text: [Unicode.Scalar], _ at: Int, _ rest: (Int) -> Bool) -> Bool {
        let here = at < text.count ? text[at] : nil
        switch node {
        case .nothing: return rest(at)
        case .any: return here != nil && here != "\n" && rest(at + 1)
        case .start: return (at == 0 || text[at - 1] == "\n") && rest(at)
        case .end: return (here == nil || here == "\n") && rest(at)
        case .one(let scalar): return here == scalar && rest(at + 1)
        case .set(let ranges, let isInverted):
            guard let here else { return false }
            return ranges.contains { $0.contains(here) } != isInverted && rest(at + 1)
        case .sequence(let nodes):
            guard let first = nodes.first else { return rest(at) }
            return match(first, text, at) { match(.sequence(Array(nodes.dropFirst())), text, $0, rest) }
        case .either(let nodes): return nodes.contains { match($0, text, at, rest) }
        case .times(let inner, let least, let most):
            if least == 0, rest(at) { return true }
            guard most > 0 else { return false }
            return match(inner, text, at) { end in
                // A round that takes nothing more can only be needed to reach the least number.
                if end == at, least == 0 { return false }
                let left: Node = .times(inner, least: max(0, least - 1), most: most == .max ? .max : most - 1)
                return match(left, text, end, rest)
            }
        }
    }
}
