// SPDX-License-Identifier: Apache-2.0

/// The command line can't be understood or asks for something that is not there.
struct UsageError: Error, Equatable, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// Splits words into options, by the grammar that scripts for today's Falco rely on: `--opt val`, `--opt=val`, `-o val`, `-oval`,
/// grouped short options (`-UN`), optional values only attached (`--list=syscall`), `--` ends the options.
struct ArgumentParser {
    struct Found: Equatable {
        let name: CommandOption.Name
        let value: String?
    }
    private(set) var found: [Found] = []
    /// Words that are no option.
    private(set) var rest: [String] = []

    /// `stopsAtWord`: everything from the first word that is no option on belongs to a command (`falco run`).
    init(_ words: [String], stopsAtWord: Bool = false) throws(UsageError) {
        var words = words[...]
        while let word = words.popFirst() {
            if word == "--" {
                rest += words
                return
            } else if word.hasPrefix("--") {
                try long(word.dropFirst(2), &words)
            } else if word.hasPrefix("-"), word.count > 1 {
                try short(word.dropFirst(), &words)
            } else {
                rest.append(word)
                guard stopsAtWord else { continue }
                rest += words
                return
            }
        }
    }

    private mutating func long(_ text: Substring, _ words: inout ArraySlice<String>) throws(UsageError) {
        let equals = text.firstIndex(of: "=")
        let name = String(text[..<(equals ?? text.endIndex)])
        guard let option = CommandOption.table.first(where: { $0.long == name }) else {
            throw UsageError("Option '\(name)' does not exist")
        }
        let attached = equals.map { String(text[text.index(after: $0)...]) }
        switch option.argument {
        case .none:
            guard attached == nil else { throw UsageError("Option '\(name)' takes no argument") }
            try add(option, nil)
        case .optional: try add(option, attached)
        case .required:
            if let attached { try add(option, attached) } else { try add(option, try next(of: name, &words)) }
        }
    }

    private mutating func short(_ group: Substring, _ words: inout ArraySlice<String>) throws(UsageError) {
        var group = group
        while let letter = group.popFirst() {
            guard let option = CommandOption.table.first(where: { $0.short == letter }) else {
                throw UsageError("Option '\(letter)' does not exist")
            }
            guard case .required = option.argument else {
                try add(option, nil)
                continue
            }
            try add(option, group.isEmpty ? try next(of: String(letter), &words) : String(group))
            return
        }
    }

    private func next(of name: String, _ words: inout ArraySlice<String>) throws(UsageError) -> String {
        guard let value = words.popFirst() else { throw UsageError("Option '\(name)' is missing an argument") }
        return value
    }

    private mutating func add(_ option: CommandOption, _ value: String?) throws(UsageError) {
        guard option.works else { throw UsageError("\(option.spelling) is not supported yet") }
        found.append(Found(name: option.name, value: value))
    }
}
