// SPDX-License-Identifier: Apache-2.0
import EventModel

/// A socket tuple parameter as text.
enum TupleText {
    private static let unixFamily: UInt8 = 1
    private static let ipv4Family: UInt8 = 2
    private static let ipv6Family: UInt8 = 10

    /// `1.2.3.4:5->6.7.8.9:10`, `source->destination path` for a unix socket (addresses in hex), `NULL` for an empty parameter.
    static func append(_ tuple: Bytes, to scratch: inout ExtractionScratch) -> Bytes {
        guard !tuple.isEmpty else { return Bytes(literal: "NULL") }
        scratch.begin()
        switch tuple[0] {
        case ipv4Family:
            guard let source: UInt32 = tuple.integer(at: 1), let sourcePort: UInt16 = tuple.integer(at: 5),
                let destination: UInt32 = tuple.integer(at: 7), let destinationPort: UInt16 = tuple.integer(at: 11)
            else { break }
            DescriptorText.append(AddressBytes(ipv4NetworkOrder: source), sourcePort, isIPv6: false, to: &scratch)
            scratch.append("->")
            DescriptorText.append(AddressBytes(ipv4NetworkOrder: destination), destinationPort, isIPv6: false, to: &scratch)
        case ipv6Family:
            guard let sourceHigh: UInt64 = tuple.integer(at: 1), let sourceLow: UInt64 = tuple.integer(at: 9),
                let sourcePort: UInt16 = tuple.integer(at: 17), let destinationHigh: UInt64 = tuple.integer(at: 19),
                let destinationLow: UInt64 = tuple.integer(at: 27), let destinationPort: UInt16 = tuple.integer(at: 35)
            else { break }
            DescriptorText.append(AddressBytes(high: sourceHigh, low: sourceLow), sourcePort, isIPv6: true, to: &scratch)
            scratch.append("->")
            DescriptorText.append(AddressBytes(high: destinationHigh, low: destinationLow), destinationPort, isIPv6: true, to: &scratch)
        case unixFamily:
            guard let source: UInt64 = tuple.integer(at: 1), let destination: UInt64 = tuple.integer(at: 9) else { break }
            scratch.append(unsigned: source, radix: 16, lowerCase: true)
            scratch.append("->")
            scratch.append(unsigned: destination, radix: 16, lowerCase: true)
            scratch.append(UInt8(ascii: " "))
            scratch.append(tuple.from(17).untilNul)
        default: break
        }
        return scratch.finish()
    }
}
