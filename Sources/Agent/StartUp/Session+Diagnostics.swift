// SPDX-License-Identifier: Apache-2.0
import Diagnostics
import Glibc
import LinuxSystem
import Rules

/// In which form mistakes in rules are told: annotated source for people, Falco's text for programs.
extension Session {
    /// For what is written to a descriptor; nil where Falco's form belongs there.
    func renderer(for descriptor: Int32) -> AnnotatedRenderer? {
        let columns = Terminal.columns(of: descriptor)
        switch arguments.diagnostics {
        case .falco: return nil
        case .auto where columns == nil: return nil
        case .auto, .annotated: break
        }
        // https://no-color.org
        let isPlain = !(environment["NO_COLOR"] ?? "").isEmpty || environment["TERM"] == "dumb"
        return AnnotatedRenderer(
            hasColours: columns != nil && !isPlain, width: columns.flatMap { $0 > 0 ? $0 : nil } ?? AnnotatedRenderer.defaultWidth
        )
    }

    /// Logs the warnings of a file. `isShown`: they stand on the terminal already.
    func warn(of result: FileLoadResult, isShown: Bool) {
        let renderer = renderer(for: STDERR_FILENO)
        if result.successful, !result.warnings.isEmpty || !result.schemaWarnings.isEmpty {
            log.write(
                .warning, RulesReport.verboseText(result),
                annotated: isShown ? "" : renderer.map { RulesReport.annotatedText(result, $0) })
        }
        // What only we find worth saying.
        for notice in isShown || (renderer != nil && result.successful && !result.warnings.isEmpty) ? [] : result.notices {
            log.write(
                .warning, AnnotatedRenderer.render(notice, file: result.name),
                annotated: renderer.map { $0.render(notice, file: result.name) })
        }
    }

    /// What ends the program. `isShown`: the errors stand on the terminal already.
    func failure(_ failed: [FileLoadResult], isShown: Bool) -> AgentError {
        guard let renderer = renderer(for: STDERR_FILENO) else {
            return AgentError(failed.map(RulesReport.verboseText).joined(separator: "\n"))
        }
        let counts = failed.map { "\($0.name): \(RulesReport.count($0.errors.count + $0.furtherErrors.count, "error"))" }
        return AgentError(
            counts.joined(separator: "; "),
            detail: isShown ? "" : "\n" + failed.map { RulesReport.annotatedText($0, renderer) }.joined(separator: "\n"))
    }
}
