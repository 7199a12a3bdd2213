// SPDX-License-Identifier: Apache-2.0

/// Falco's text form of a load result, which tools parse.
public enum FalcoTextRenderer {
    /// `<name>: Ok`, or the full report of errors, warnings and schema warnings.
    public static func verbose(
        name: String, successful: Bool, errors: [Diagnostic], warnings: [Diagnostic], schemaWarnings: [String] = []
    ) -> String {
        var text = name + ": " + (successful ? "Ok" : "Invalid")
        if successful, !warnings.isEmpty || !schemaWarnings.isEmpty { text += ", with warnings" }
        if !errors.isEmpty {
            text += "\n\(errors.count) Errors:\n"
            for error in errors { text += item(error) }
        }
        if !warnings.isEmpty {
            text += "\n\(warnings.count) Warnings:\n"
            for warning in warnings { text += item(warning) }
        }
        if !schemaWarnings.isEmpty {
            text += "\n\(schemaWarnings.count) Schema warnings:\n"
            for warning in schemaWarnings { text += "------\n\(warning)\n------\n" }
        }
        return text
    }

    /// `<name>: Invalid` and one line each with the codes.
    public static func summary(
        name: String, successful: Bool, errors: [Diagnostic], warnings: [Diagnostic], schemaWarnings: [String] = []
    ) -> String {
        func codes(_ items: [Diagnostic]) -> String {
            items.map { "\($0.code.rawValue) (\($0.code.summary))" }.joined(separator: " ")
        }
        var text = name + ": " + (successful ? "Ok" : "Invalid")
        if successful, !warnings.isEmpty || !schemaWarnings.isEmpty { text += ", with warnings" }
        if !errors.isEmpty { text += "\n \(errors.count) errors: [\(codes(errors))]" }
        if !warnings.isEmpty { text += "\n \(warnings.count) warnings: [\(codes(warnings))]" }
        if !schemaWarnings.isEmpty {
            text += "\n \(schemaWarnings.count) schema warnings: [\(schemaWarnings.joined(separator: " "))]"
        }
        return text
    }

    private static func item(_ diagnostic: Diagnostic) -> String {
        var text = ""
        for (index, location) in diagnostic.context.enumerated() {
            text += index == 0 ? "In " : "    "
            text += location.kind.rawValue
            if !location.name.isEmpty { text += " '\(location.name)'" }
            text += ": (\(location.place):\(location.line):\(location.column))\n"
        }
        text += "------\n\(diagnostic.snippet)------\n"
        var summary = diagnostic.code.summary
        if let field = diagnostic.deprecatedField { summary += ": field '\(field)'" }
        return withoutControls(text + "\(diagnostic.code.rawValue) (\(summary)): \(diagnostic.message)\n")
    }

    /// A file of garbage cannot drive the terminal that shows its errors.
    private static func withoutControls(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.map { $0.value < 32 && $0 != "\n" && $0 != "\t" || $0.value == 127 ? "?" : $0 }))
    }
}
