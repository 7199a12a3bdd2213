// SPDX-License-Identifier: Apache-2.0

/// The merged text of all configuration files and `-o` options, before it gets types.
public struct ConfigurationText: Sendable {
    /// A file that was read, with the line the start-up log gives it.
    public struct File: Sendable, Equatable {
        public let path: String
        public let verdict: SchemaVerdict
    }
    public var root: ConfigValue
    /// In the order of reading; empty when no file was there and the shipped values apply.
    public var files: [File] = []
    /// Keys that `-o` sets and that nothing reads, as they were written.
    var unknownOptions: [String] = []
    public init(root: ConfigValue = .map([])) { self.root = root }

    /// Reads `path` (nil: the shipped values), the files it includes, and the options on top.
    public static func load(
        path: String?, options: [String], files system: some ConfigFileSystem = HostFileSystem(),
        environment: EnvironmentExpansion
    ) throws(SettingsError) -> ConfigurationText {
        let assignments = try options.map(Assignment.parse)
        var text = ConfigurationText(root: .map([]))
        if let path {
            text.root = try text.read(path, system, environment)
        } else {
            for (name, value) in SettingKey.shipped { _ = text.root.set(value, at: ConfigPath(name)!) }
        }
        // Which files are included can itself be given on the command line; everything else waits, so that it wins over them.
        try text.apply(assignments.filter { $0.path.steps.first == .key("config_files") })
        try text.include(mainPath: path, system, environment)
        try text.apply(assignments)
        text.unknownOptions = assignments.filter { !SettingKey.knows($0.path) }.map(\.key)
        return text
    }

    private mutating func read(
        _ path: String, _ system: some ConfigFileSystem, _ environment: EnvironmentExpansion
    ) throws(SettingsError) -> ConfigValue {
        let bytes: [UInt8]
        do throws(SettingsError) { bytes = try system.read(path) } catch {
            throw SettingsError("Cannot read config file (\(path)): \(error)")
        }
        guard let content = String(validating: bytes, as: UTF8.self) else {
            throw SettingsError("Cannot read config file (\(path)): the text is not UTF-8")
        }
        let root: ConfigValue
        do throws(ConfigSyntaxError) { root = try ConfigReader.read(content, environment: environment) } catch {
            throw SettingsError("Cannot read config file (\(path)): \(error.message)")
        }
        files.append(File(path: path, verdict: SchemaVerdict.check(root)))
        switch root {
        case .map: return root
        case .null: return .map([])
        case .scalar, .list: throw SettingsError("Cannot read config file (\(path)): it holds no map of keys")
        }
    }

    private mutating func apply(_ assignments: [Assignment]) throws(SettingsError) {
        for assignment in assignments where !root.set(assignment.value, at: assignment.path) {
            throw SettingsError("Config error at key \"\(assignment.key)\": the index lies beyond the end of the list")
        }
    }

    // MARK: Included files

    private enum Strategy: String { case append, override, addOnly = "add-only" }

    private mutating func include(
        mainPath: String?, _ system: some ConfigFileSystem, _ environment: EnvironmentExpansion
    ) throws(SettingsError) {
        guard let value = root["config_files"], !value.isNull else { return }
        for element in value.elements ?? [value] {
            let path = element.text ?? element["path"]?.text ?? ""
            guard !path.isEmpty else {
                throw SettingsError("Config error: 'config_files' directive holds an entry without a path")
            }
            // Falco takes a word it does not know for the default strategy.
            let strategy = element["strategy"]?.text.flatMap(Strategy.init) ?? .append
            switch system.kind(of: path) {
            case nil: continue
            case .file: try merge(path, strategy, mainPath: mainPath, system, environment)
            case .directory:
                for name in system.regularFiles(in: path) {
                    try merge(path + "/" + name, strategy, mainPath: mainPath, system, environment)
                }
            }
        }
    }

    private mutating func merge(
        _ path: String, _ strategy: Strategy, mainPath: String?, _ system: some ConfigFileSystem,
        _ environment: EnvironmentExpansion
    ) throws(SettingsError) {
        guard path != mainPath else {
            throw SettingsError("Config error: 'config_files' directive tried to include the main config file \(path)")
        }
        let other = try read(path, system, environment)
        guard other["config_files"] == nil else {
            throw SettingsError("Config error: 'config_files' directive in an included file (\(path)) is not allowed")
        }
        for entry in other.entries {
            switch (strategy, root[entry.key]) {
            case (.addOnly, .some): continue
            case (.append, .list(let existing)):
                root[entry.key] = entry.value.elements.map { .list(existing + $0) } ?? entry.value
            default: root[entry.key] = entry.value
            }
        }
    }
}

/// One `-o key=value`.
struct Assignment: Sendable {
    let key: String
    let path: ConfigPath
    let value: ConfigValue

    static func parse(_ option: String) throws(SettingsError) -> Assignment {
        guard let equals = option.firstIndex(of: "=") else {
            throw SettingsError("Error parsing config option \"\(option)\". Must be of the form key=val or key.subkey=val")
        }
        let key = String(option[..<equals]).trimmed
        let text = String(option[option.index(after: equals)...]).trimmed
        guard let path = ConfigPath(key) else {
            throw SettingsError(
                "Config error at key \"\(key)\": not a key (names joined by '.', '[n]' or '[]'; '\\' only before . [ ] \\)")
        }
        guard text.hasPrefix("{"), text.hasSuffix("}") else { return Assignment(key: key, path: path, value: .scalar(text)) }
        do throws(ConfigSyntaxError) {
            return Assignment(key: key, path: path, value: try ConfigReader.read(text, environment: nil))
        } catch {
            throw SettingsError("Config error at key \"\(key)\": \(error.message)")
        }
    }
}

extension String {
    /// Without blanks at both ends.
    var trimmed: String {
        var text = Substring(self)
        while let first = text.first, first.isWhitespace { text.removeFirst() }
        while let last = text.last, last.isWhitespace { text.removeLast() }
        return String(text)
    }
}
