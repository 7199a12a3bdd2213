// SPDX-License-Identifier: Apache-2.0

/// A diagnostic as annotated source, for people:
///
///     rules.yaml:14:31: error: unknown field 'proc.nmae' [LOAD_ERR_COMPILE_CONDITION]
///     14 |   condition: spawned_process and proc.nmae = bash
///        |                                  ^~~~~~~~~ did you mean 'proc.name'?
public enum AnnotatedRenderer {
    public static func render(_ diagnostic: Diagnostic, file: String = "") -> String {
        let severity = diagnostic.severity
        guard let excerpt = diagnostic.excerpt else {
            let place =
                diagnostic.context.last.map { "\($0.place):\($0.line + 1):\($0.column + 1): " }
                ?? (file.isEmpty ? "" : file + ": ")
            return "\(place)\(severity): \(diagnostic.message) [\(diagnostic.label)]\n" + notes(diagnostic, indent: "")
        }
        var text =
            "\(excerpt.file):\(excerpt.line):\(excerpt.column): \(severity): \(diagnostic.message) "
            + "[\(diagnostic.label)]\n"
        let number = String(excerpt.line)
        let margin = String(repeating: " ", count: number.count)
        text += "\(number) | \(printable(excerpt.text))\n"
        let before = Array(excerpt.text.utf8.prefix(excerpt.column - excerpt.textColumn))
        let marked = Array(excerpt.text.utf8.dropFirst(before.count).prefix(excerpt.length))
        text += "\(margin) | \(blanks(like: before))^"
        text += String(repeating: "~", count: max(0, columns(marked) - 1))
        if let hint = diagnostic.hint { text += " \(hint)" }
        text += "\n"
        if !diagnostic.chain.isEmpty { text += "\(margin) = in \(diagnostic.chain.joined(separator: " › "))\n" }
        return text
    }

    private static func notes(_ diagnostic: Diagnostic, indent: String) -> String {
        var text = ""
        if let hint = diagnostic.hint { text += "\(indent)  \(hint)\n" }
        if !diagnostic.chain.isEmpty { text += "\(indent)  in \(diagnostic.chain.joined(separator: " › "))\n" }
        return text
    }

    /// Tabs stay tabs so that the caret lines up; other control characters become `?`, so a file cannot drive the terminal.
    private static func printable(_ text: String) -> String {
        var out = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            let isControl = scalar.value < 0x20 && scalar != "\t" || (0x7f...0x9f).contains(scalar.value)
            out.append(isControl ? "?" : scalar)
        }
        return String(out)
    }
    private static func blanks(like bytes: [UInt8]) -> String {
        String(String.UnicodeScalarView(String(decoding: bytes, as: UTF8.self).unicodeScalars.map { $0 == "\t" ? "\t" : " " }))
    }
    private static func columns(_ bytes: [UInt8]) -> Int { String(decoding: bytes, as: UTF8.self).unicodeScalars.count }
}
