// SPDX-License-Identifier: Apache-2.0
import EventModel
import FilterLanguage

/// What a message tells of a type, from the same decisions that refuse an operator.
extension ConditionCompiler {
    public enum Family: Sendable { case number, truth, text, bytes, address, network, other }

    public static func family(of type: ParameterType) -> Family {
        switch kind(of: type) {
        case .signed, .unsigned, .double: .number
        case .bool: .truth
        case .text: .text
        case .buffer: .bytes
        case .address: .address
        case .network: .network
        case .opaque: .other
        }
    }

    /// The operators that a value of this type can stand before.
    public static func comparisons(of type: ParameterType, isList: Bool) -> [Comparison] {
        Comparison.allCases.filter { $0 == .exists || refusal(of: $0, type: type, isList: isList) == nil }
    }

    public static func isAddress(_ text: String) -> Bool { ipv4(text) != nil || ipv6(text) != nil }
}
