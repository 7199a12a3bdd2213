// SPDX-License-Identifier: Apache-2.0

/// What a finding of `--lint` is called, and how heavy it is.
public struct LintLabel: Sendable, Equatable {
    /// Stable: `shadowed-rule`.
    public var name: String
    /// Not wrong, but worth a thought.
    public var isHint: Bool
    public init(_ name: String, isHint: Bool) { (self.name, self.isHint) = (name, isHint) }
}

extension Diagnostic {
    /// `error`, `warning` or `hint`.
    public var severity: String { isError ? "error" : finding?.isHint == true ? "hint" : "warning" }
    /// What stands in brackets behind the message: Falco's code, or the name of the finding.
    public var label: String { finding?.name ?? code.rawValue }
}
