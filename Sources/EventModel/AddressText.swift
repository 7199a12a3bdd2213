// SPDX-License-Identifier: Apache-2.0
import CLinux

/// Addresses as text, as `inet_ntop` writes them. No allocation.
public enum AddressText {
    /// `address:port`; at most 52 bytes. Returns the count.
    public static func write(_ address: AddressBytes, _ port: UInt16, isIPv6: Bool, to output: UnsafeMutablePointer<UInt8>) -> Int
    {
        var count = write(address, isIPv6: isIPv6, to: output)
        output[count] = UInt8(ascii: ":")
        count += 1
        return count + writeDecimal(UInt64(port), to: output + count)
    }

    /// At most 46 bytes. Returns the count.
    public static func write(_ address: AddressBytes, isIPv6: Bool, to output: UnsafeMutablePointer<UInt8>) -> Int {
        if isIPv6 { return withUnsafeBytes(of: (address.high, address.low)) { Int(linux_inet6_text($0.baseAddress!, output)) } }
        var count = 0
        for index in 0..<4 {
            if index > 0 {
                output[count] = UInt8(ascii: ".")
                count += 1
            }
            count += writeDecimal(UInt64(truncatingIfNeeded: address.high >> UInt64(8 * index)) & 0xff, to: output + count)
        }
        return count
    }

    /// Lower case, no leading zeros; at most 16 bytes. Returns the count.
    public static func writeHex(_ value: UInt64, to output: UnsafeMutablePointer<UInt8>) -> Int {
        let digits = max(1, (64 - value.leadingZeroBitCount + 3) / 4)
        for index in 0..<digits {
            let nibble = UInt8(truncatingIfNeeded: value >> UInt64(4 * (digits - 1 - index))) & 15
            output[index] = nibble < 10 ? 48 + nibble : 87 + nibble
        }
        return digits
    }

    /// At most 20 bytes. Returns the count.
    public static func writeDecimal(_ value: UInt64, to output: UnsafeMutablePointer<UInt8>) -> Int {
        var digits = 1
        var rest = value
        while rest >= 10 {
            rest /= 10
            digits += 1
        }
        rest = value
        var at = digits
        while at > 0 {
            at -= 1
            output[at] = UInt8(48 + rest % 10)
            rest /= 10
        }
        return digits
    }
}
