// SPDX-License-Identifier: Apache-2.0

/// `--help`, from the rows of the option table.
enum HelpText {
    private static let width = 140
    private static let column = 32

    static var text: String {
        var lines = [
            "Falco - Cloud Native Runtime Security", "Usage:", "  falco [OPTION...]",
            "  falco run [OPTION...] -- COMMAND [ARGUMENTS]",
            "  falco record [OPTION...] -w FILE [-- COMMAND [ARGUMENTS]]", "",
        ]
        for option in CommandOption.table where option.works {
            var left = "  "
            switch (option.short, option.long) {
            case (let short?, let long?): left += "-\(short), --\(long)"
            case (let short?, nil): left += "-\(short)"
            case (nil, let long?): left += "    --\(long)"
            case (nil, nil): preconditionFailure("an option has a name")
            }
            switch option.argument {
            case .none: break
            case .required(let name): left += " <\(name)>"
            case .optional(let name): left += "[=<\(name)>]"
            }
            var described = option.help.split(separator: "\n", omittingEmptySubsequences: false).flatMap { wrap($0) }
            if left.count + 1 < column {
                left += String(repeating: " ", count: column - left.count) + described.removeFirst()
            }
            lines.append(left)
            lines += described.map { String(repeating: " ", count: column) + $0 }
        }
        let later = CommandOption.table.filter { !$0.works }.map(\.spelling)
        lines += ["", "Not supported yet: \(later.joined(separator: ", "))"]
        return lines.joined(separator: "\n") + "\n"
    }

    /// Examples (indented lines) keep their form.
    private static func wrap(_ line: Substring) -> [String] {
        if line.first == " " { return [String(line)] }
        var lines = [""]
        for word in line.split(separator: " ") {
            if lines[lines.count - 1].count + word.count + 1 > width - column { lines.append("") }
            lines[lines.count - 1] += (lines[lines.count - 1].isEmpty ? "" : " ") + word
        }
        return lines
    }
}
