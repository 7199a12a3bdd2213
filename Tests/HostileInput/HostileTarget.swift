// SPDX-License-Identifier: Apache-2.0
import EventModel

/// Doors at which strangers' bytes come in. `make fuzz` feeds each from libFuzzer; the test suite feeds them the inputs that once
/// made a fuzz target fail (Fuzz/FailCases).
public enum HostileTarget: String, CaseIterable, Sendable {
    /// Events as the probe or a capture gives them, through state, rules and output.
    case event
    /// A capture file, through the reader and the whole replay.
    case capture
    /// Texts of /proc and of the account files.
    case proc
    /// Records of a kernel ring and of the iterators, their lengths too.
    case ring
    /// Events of older captures.
    case conversion
    /// A condition of a rule.
    case condition
    /// A rules file.
    case rules

    /// Takes any bytes. Memory that it used is given back.
    public func run(_ input: UnsafeRawBufferPointer) {
        let input = Bytes(input)
        switch self {
        case .event: EventTarget.run(input)
        case .capture: CaptureTarget.run(input)
        case .proc: ProcTarget.run(input)
        case .ring: RingTarget.run(input)
        case .conversion: ConversionTarget.run(input)
        case .condition: RuleTextTarget.condition(input)
        case .rules: RuleTextTarget.rules(input)
        }
    }

    /// Inputs to begin with: valid ones, small.
    public func seeds() -> [[UInt8]] {
        switch self {
        case .event: Seeds.events()
        case .capture: Seeds.captures()
        case .proc: Seeds.proc
        case .ring: Seeds.rings()
        case .conversion: Seeds.oldEvents()
        case .condition: Seeds.conditions
        case .rules: Seeds.rules
        }
    }
}
