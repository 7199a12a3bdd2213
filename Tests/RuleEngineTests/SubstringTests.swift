// SPDX-License-Identifier: Apache-2.0
import EventModel
import Testing

/// The search behind `contains` looks at sixteen places at once; here every place, and every length around that number.
@Suite struct SubstringTests {
    @Test(arguments: 0...40)
    func isFoundWhereverItStands(needleCount: Int) {
        let needle = (0..<needleCount).map { UInt8(ascii: "a") + UInt8($0 % 3) }
        for count in needleCount...(needleCount + 40) {
            for place in 0...(count - needleCount) {
                // Bytes of the needle all around it, so that parts of it stand at other places too.
                var text = [UInt8](repeating: UInt8(ascii: "a"), count: count)
                for (offset, byte) in needle.enumerated() { text[place + offset] = byte }
                #expect(found(needle, in: text) == naive(needle, in: text), "length \(count), place \(place)")
            }
        }
    }

    @Test(arguments: [15, 16, 17, 33, 4096, 4097, 9000])
    func isNotFoundWhereItEndsBehindTheText(count: Int) {
        let text = [UInt8](repeating: UInt8(ascii: "x"), count: count - 1) + [UInt8(ascii: "y")]
        #expect(found(Array("xyx".utf8), in: text) == nil)
        #expect(found(Array("xy".utf8), in: text) == count - 2)
        #expect(found(Array("yy".utf8), in: text) == nil)
        #expect(found(text + [0], in: text) == nil)
        #expect(found(text, in: text) == 0)
    }

    private func found(_ needle: [UInt8], in text: [UInt8]) -> Int? {
        needle.withUnsafeBytes { needle in text.withUnsafeBytes { Bytes($0).firstRange(of: Bytes(needle)) } }
    }

    private func naive(_ needle: [UInt8], in text: [UInt8]) -> Int? {
        (0...(text.count - needle.count)).first { Array(text[$0..<$0 + needle.count]) == needle }
    }
}
