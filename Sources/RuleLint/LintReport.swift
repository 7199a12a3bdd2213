// SPDX-License-Identifier: Apache-2.0
import Diagnostics

/// Findings as text, as annotated source and as JSON.
public enum LintReport {
    /// `rules.yaml:14:31: warning: … [shadowed-rule]`, and the hint behind it: one line each.
    public static func text(_ findings: [LintFinding]) -> String {
        findings.map { finding in
            let severity = finding.isHint ? "hint" : "warning"
            let hint = finding.diagnostic.hint.map { "; \($0)" } ?? ""
            return printable(
                "\(finding.file):\(finding.line):\(finding.column): \(severity): \(finding.diagnostic.message)\(hint) [\(finding.name.rawValue)]"
            )
                + "\n"
        }.joined() + summary(findings) + "\n"
    }

    /// With the user's own lines.
    public static func annotated(_ findings: [LintFinding], _ renderer: AnnotatedRenderer = AnnotatedRenderer()) -> String {
        findings.map { renderer.render($0.diagnostic, file: $0.file) + "\n" }.joined() + summary(findings) + "\n"
    }

    /// `falco_lint_results`
    public static func json(_ findings: [LintFinding]) -> JSONNode {
        .array(
            findings.map { finding in
                .object([
                    "name": .string(finding.name.rawValue), "severity": .string(finding.isHint ? "hint" : "warning"),
                    "description": .string(finding.name.summary),
                    "message": .string(finding.diagnostic.message), "hint": finding.diagnostic.hint.map { .string($0) } ?? .null,
                    "item": .string(finding.item), "file": .string(finding.file), "line": .int(Int64(finding.line)),
                    "column": .int(Int64(finding.column)),
                ])
            })
    }

    public static func summary(_ findings: [LintFinding]) -> String {
        func counted(_ count: Int, _ word: String) -> String { "\(count) \(word)\(count == 1 ? "" : "s")" }
        let hints = findings.count(where: \.isHint)
        if findings.isEmpty { return "lint: nothing found" }
        return "lint: \(counted(findings.count - hints, "warning")), \(counted(hints, "hint"))"
    }

    /// A file of garbage cannot drive the terminal that shows its findings.
    private static func printable(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.map { $0.value < 32 || (0x7f...0x9f).contains($0.value) ? "?" : $0 }))
    }
}
