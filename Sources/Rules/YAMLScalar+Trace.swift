// SPDX-License-Identifier: Apache-2.0
import Diagnostics

extension YAMLScalar {
    /// The value with the place in the file for each of its bytes: walks it along the raw text from `start` to `end`. In every
    /// style the characters that are not blank appear in order, only line ends, indentation, quotes and escapes differ.
    func traced(in file: SourceFile, from start: Int, to end: Int) -> TracedText {
        var result = TracedText(piece: start)
        let raw = file.bytes
        let end = min(end, raw.count)
        let bytes = Array(text.utf8)
        var place = behindProperties(raw, start, end)
        switch style {
        case .plain: break
        case .singleQuoted, .doubleQuoted: place += 1
        case .literal, .folded:
            while place < end, raw[place] != UInt8(ascii: "\n") { place += 1 }
        }
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            guard place < end else {
                result.append(bytes[index...], from: file, standingFor: max(start, end - 1)..<max(start + 1, end))
                break
            }
            if style == .doubleQuoted, raw[place] == UInt8(ascii: "\\") {
                let next = place + 1 < end ? raw[place + 1] : 0
                if next == 10 || next == 13 {
                    // An escaped line end makes nothing, nor does the indentation behind it.
                    place += 2
                    while place < end, Self.isBlank(raw[place]) { place += 1 }
                    continue
                }
                let length = Self.escapeLength(raw, place, end)
                let count = min(Self.characterLength(byte), bytes.count - index)
                result.append(bytes[index..<index + count], from: file, standingFor: place..<place + length)
                place += length
                index += count
                continue
            }
            if Self.isBlank(byte), raw[place] != byte {
                // A folded line end: the first blank of a run in the file stands for it.
                let from = place
                while place < end, Self.isBlank(raw[place]), raw[place] != byte || byte == 32 { place += 1 }
                result.append(CollectionOfOne(byte), from: file, standingFor: min(from, end - 1)..<min(from, end - 1) + 1)
                index += 1
                continue
            }
            if !Self.isBlank(byte), Self.isBlank(raw[place]) {
                place += 1
                continue
            }
            result.append(byte, from: file, at: place)
            place += 1
            index += 1
            if style == .singleQuoted, byte == UInt8(ascii: "'"), place < end, raw[place] == byte { place += 1 }
        }
        return result
    }

    /// Behind an anchor and a tag (`&name !!str`), which libyaml counts to the value.
    private func behindProperties(_ raw: [UInt8], _ start: Int, _ end: Int) -> Int {
        var place = start
        while place < end, raw[place] == UInt8(ascii: "&") || raw[place] == UInt8(ascii: "!") {
            while place < end, !Self.isBlank(raw[place]) { place += 1 }
            while place < end, Self.isBlank(raw[place]) { place += 1 }
        }
        return place
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 32 || byte == 9 || byte == 10 || byte == 13 }

    private static func characterLength(_ lead: UInt8) -> Int { lead < 0xc0 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4 }

    private static func escapeLength(_ raw: [UInt8], _ place: Int, _ end: Int) -> Int {
        guard place + 1 < end else { return 1 }
        let length =
            switch raw[place + 1] {
            case UInt8(ascii: "x"): 4
            case UInt8(ascii: "u"): 6
            case UInt8(ascii: "U"): 10
            default: 2
            }
        return min(length, end - place)
    }
}
