// SPDX-License-Identifier: Apache-2.0

/// A diagnostic as annotated source, for people:
///
///     rules.yaml:14:34: error: unknown field 'proc.nmae' [LOAD_ERR_COMPILE_CONDITION]
///     14 |   condition: spawned_process and proc.nmae = bash
///        |                                  ^~~~~~~~~ did you mean 'proc.name'?
///        = in macro 'shell' (rules.yaml:13), used by rule 'X' (rules.yaml:20)
///        = help: `falco --list` prints all fields
public struct AnnotatedRenderer: Sendable {
    /// Escape sequences for colours; only for a terminal.
    public var hasColours: Bool
    /// Columns of the terminal. Longer lines of the user's are cut around the text at fault.
    public var width: Int

    public static let defaultWidth = 140

    public init(hasColours: Bool = false, width: Int = defaultWidth) {
        self.hasColours = hasColours
        self.width = max(40, min(width, 1000))
    }

    /// Without colours.
    public static func render(_ diagnostic: Diagnostic, file: String = "") -> String {
        AnnotatedRenderer().render(diagnostic, file: file)
    }

    public func render(_ diagnostic: Diagnostic, file: String = "") -> String {
        let advice = Advice.on(diagnostic)
        let severity = diagnostic.severity
        let colour: Colour = diagnostic.isError ? .error : diagnostic.finding?.isHint == true ? .note : .warning
        let headline = DisplayText.printable(advice.headline ?? diagnostic.message)
        var text = paint(place(of: diagnostic, file), .strong) + paint("\(severity): ", colour) + paint(headline, .strong)
        text += " [\(diagnostic.label)]\n"
        let numbers = ([diagnostic.excerpt] + diagnostic.related.map(\.excerpt)).compactMap { $0?.lines.last?.number }
        let margin = String(numbers.max() ?? 0).count
        if let excerpt = diagnostic.excerpt {
            text += source(excerpt, margin, colour, diagnostic.hint)
        } else if let hint = diagnostic.hint {
            text += note(margin, "", hint)
        }
        for related in diagnostic.related {
            let place = "\(related.excerpt.file):\(related.excerpt.line):\(related.excerpt.column)"
            text += paint(DisplayText.printable(place) + ": ", .strong) + paint("note: ", .note)
            text += DisplayText.printable(related.message) + "\n" + source(related.excerpt, margin, .note, nil)
        }
        if !diagnostic.chain.isEmpty {
            text += note(
                margin, "",
                diagnostic.chain.map { "\($0.relation.rawValue) \($0.item) (\($0.file):\($0.line))" }.joined(separator: ", "))
        }
        if let help = advice.help { text += note(margin, "help: ", help) }
        return text
    }

    /// A text that quotes the user's, fit for a terminal.
    public func safe(_ text: String) -> String { DisplayText.printable(text) }

    private func place(of diagnostic: Diagnostic, _ file: String) -> String {
        if let excerpt = diagnostic.excerpt {
            return DisplayText.printable("\(excerpt.file):\(excerpt.line):\(excerpt.column): ")
        }
        if let last = diagnostic.context.last {
            return DisplayText.printable("\(last.place):\(last.line + 1):\(last.column + 1): ")
        }
        return file.isEmpty ? "" : DisplayText.printable(file) + ": "
    }

    // MARK: source

    /// Each line with its number, and under it what is meant.
    private func source(_ excerpt: Excerpt, _ margin: Int, _ colour: Colour, _ label: String?) -> String {
        var text = ""
        for (index, line) in excerpt.lines.enumerated() {
            let number = String(line.number)
            let (shown, marked) = window(line, room: max(20, width - margin - 3))
            text += paint(String(repeating: " ", count: max(0, margin - number.count)) + number + " | ", .frame) + shown + "\n"
            let isLast = index == excerpt.lines.count - 1
            guard marked.count > 0 || index == 0 || isLast else { continue }
            let mark =
                index == 0
                ? "^" + String(repeating: "~", count: max(0, marked.count - 1)) : String(repeating: "~", count: marked.count)
            text += paint(blank(margin) + " | ", .frame) + blank(marked.lowerBound)
            text += paint(isLast && excerpt.hasMoreLines ? mark + "..." : mark, colour)
            if isLast, let label { text += " " + paint(DisplayText.printable(label), colour) }
            text += "\n"
        }
        return text
    }

    /// The part of the line that fits into `room` columns, with the marked text in it, and the marked columns of it.
    private func window(_ line: Excerpt.Line, room: Int) -> (text: String, marked: Range<Int>) {
        let text = DisplayText(line.bytes)
        let marked = text.cells(of: line.marked)
        var range = 0..<text.cells.count
        if text.columns(range) > room {
            // A third of the room goes to what stands before.
            var start = marked.lowerBound
            var before = 0
            while start > 0, before + text.cells[start - 1].columns <= room / 3 {
                start -= 1
                before += text.cells[start].columns
            }
            var end = start
            var columns = 0
            while end < text.cells.count, columns + text.cells[end].columns <= room - 6 {
                columns += text.cells[end].columns
                end += 1
            }
            // At the line's end there is room to show more of what stands before.
            while end == text.cells.count, start > 0, columns + text.cells[start - 1].columns <= room - 6 {
                start -= 1
                columns += text.cells[start].columns
            }
            range = start..<end
        }
        let before = range.lowerBound > 0 || line.isCutBefore ? "..." : ""
        let after = range.upperBound < text.cells.count || line.isCutAfter ? "..." : ""
        let visible = marked.clamped(to: range)
        let from = before.count + text.columns(range.lowerBound..<visible.lowerBound)
        return (before + text.text(range) + after, from..<from + text.columns(visible))
    }

    /// `= help: …`, its lines under one another.
    private func note(_ margin: Int, _ title: String, _ body: String) -> String {
        let indentation = "\n" + blank(margin + 3 + title.count)
        let lines = DisplayText.printable(body).split(separator: "\n", omittingEmptySubsequences: false)
        return paint(blank(margin) + " = ", .frame) + paint(title, .note) + lines.joined(separator: indentation) + "\n"
    }

    private func blank(_ count: Int) -> String { String(repeating: " ", count: count) }

    // MARK: colours

    private enum Colour: String { case error = "1;31", warning = "1;33", note = "1;36", frame = "34", strong = "1" }

    private func paint(_ text: String, _ colour: Colour) -> String {
        hasColours && !text.isEmpty ? "\u{1b}[\(colour.rawValue)m\(text)\u{1b}[0m" : text
    }
}
