// SPDX-License-Identifier: Apache-2.0

/// What the command line asks for.
struct Arguments: Sendable {
    /// `strict`: warnings of lint make the exit status 1.
    enum LintMode: String, Sendable { case shown, strict }
    enum ListFormat: String, Sendable, CaseIterable { case text, markdown, json }

    enum DiagnosticsForm: String, Sendable, CaseIterable { case auto, annotated, falco }

    var help = false
    var ruleSchema = false
    var diagnostics = DiagnosticsForm.auto
    var version = false
    var pageSize = false
    var ignoredEvents = false
    var listEvents = false
    /// Set by `--list`; the text is empty without a source.
    var list: String?
    var namesOnly = false
    var markdown = false
    var format: String?
    var describeRules = false
    var describeRule: String?
    var validate: [String] = []
    var lint: LintMode?
    var configFile: String?
    var options: [String] = []
    var rules: [String] = []
    var enableSources: [String] = []
    var disableSources: [String] = []
    var print: String?
    var pidFile: String?
    var stopAfterSeconds: UInt64 = 0
    var dryRun = false
    var unbuffered = false
    var verbose = false
    /// Watch only the tree of this process.
    var scope: Int64?
    /// `falco run -- command`: the words of the command.
    var command: [String]?
    /// `falco record`: no rules, no alerts.
    var recordsOnly = false
    var recording = RecordingOptions()

    init() {}

    /// `words` without the program's name.
    init(_ words: [String]) throws(UsageError) {
        let runs = words.first == "run"
        recordsOnly = words.first == "record"
        let hasVerb = runs || recordsOnly
        let parser = try ArgumentParser(hasVerb ? Array(words.dropFirst()) : words, stopsAtWord: hasVerb)
        for found in parser.found { try set(found.name, found.value ?? "") }
        if markdown, format != nil { throw UsageError("Cannot specify both --markdown and --format options together") }
        if let format, ListFormat(rawValue: format.lowercased()) == nil {
            throw UsageError("Invalid format '\(format)'. Valid values are: text, markdown, json")
        }
        if !enableSources.isEmpty, !disableSources.isEmpty {
            throw UsageError("You can not mix --enable-source and --disable-source")
        }
        if lint != nil, validate.isEmpty { throw UsageError("--lint says more about the files that -V checks; give -V FILE too") }
        try checkRecording(parser.found)
        if recordsOnly, !parser.rest.isEmpty {
            if scope != nil { throw UsageError("falco record watches its own command; --scope can not be given with it") }
            command = parser.rest
        }
        // Stray words are passed over, as in Falco; but these two would turn a recording or one command into a watch of the whole host.
        if !hasVerb, let verb = parser.rest.first(where: { $0 == "run" || $0 == "record" }) {
            throw UsageError("'\(verb)' must be the first word: falco \(verb) [options]")
        }
        guard runs else { return }
        if parser.rest.isEmpty, !help {
            throw UsageError("falco run needs a command: falco run [options] -- COMMAND [ARGUMENTS]")
        }
        if scope != nil { throw UsageError("falco run watches its own command; --scope can not be given with it") }
        command = parser.rest
    }

    private mutating func set(_ name: CommandOption.Name, _ value: String) throws(UsageError) {
        switch name {
        case .help: help = true
        case .ruleSchema: ruleSchema = true
        case .diagnostics:
            guard let form = DiagnosticsForm(rawValue: value.lowercased()) else {
                throw UsageError("Invalid diagnostics '\(value)'. Valid values are: auto, annotated, falco")
            }
            diagnostics = form
        case .configFile: configFile = value
        case .disableSource: disableSources.append(value)
        case .dryRun: dryRun = true
        case .enableSource: enableSources.append(value)
        case .ignoredEvents: ignoredEvents = true
        case .describeRules: describeRules = true
        case .describeRule: describeRule = value
        case .list: list = value
        case .listEvents: listEvents = true
        case .stopAfter: stopAfterSeconds = try number(value, of: "M", "a number of seconds", 0...)
        case .markdown: markdown = true
        case .format: format = value
        case .namesOnly: namesOnly = true
        case .option: options.append(value)
        case .print: print = value
        case .pidFile: pidFile = value
        case .rules: rules.append(value)
        case .unbuffered: unbuffered = true
        case .validate: validate.append(value)
        case .lint:
            guard let mode = value.isEmpty ? LintMode.shown : LintMode(rawValue: value) else {
                throw UsageError("Invalid lint mode '\(value)'. --lint takes no value, or 'strict'")
            }
            lint = mode
        case .verbose: verbose = true
        case .version: version = true
        case .pageSize: pageSize = true
        case .allEvents: options.append("base_syscalls.all=true")
        case .captureFile: options += ["engine.kind=replay", "engine.replay.capture_file=\(value)"]
        case .scope: scope = Int64(try number(value, of: "scope", "a process id", 1...))
        case .writeFile: recording.path = value
        case .filter: recording.filter = value
        case .rotateSize: recording.rotateBytes = try number(value, of: "rotate-size", "a number of megabytes", 1...) << 20
        case .rotateSeconds:
            recording.rotateNs = try number(value, of: "rotate-seconds", "a number of seconds", 1...) * 1_000_000_000
        case .files: recording.filesMax = Int(try number(value, of: "files", "a number of files", 1...))
        case .compress:
            guard ["gzip", "none"].contains(value) else {
                throw UsageError("Invalid compression '\(value)'. Valid values are: gzip, none")
            }
            recording.isCompressed = value == "gzip"
        case .configSchema, .listPlugins, .pluginInfo, .support:
            preconditionFailure("the parser refuses options that do not work yet")
        }
    }

    private func checkRecording(_ found: [ArgumentParser.Found]) throws(UsageError) {
        if recordsOnly, recording.path == nil, !help {
            throw UsageError("falco record needs a file: falco record [options] -w FILE [-- COMMAND [ARGUMENTS]]")
        }
        if recording.path?.isEmpty == true { throw UsageError("-w needs the name of a file") }
        let dependent: [CommandOption.Name] = [.rotateSize, .rotateSeconds, .files, .compress]
        if recording.path == nil, let option = found.first(where: { dependent.contains($0.name) }) {
            throw UsageError("\(CommandOption.row(option.name).spelling) says how to record; -w names the file")
        }
        if recording.filter != nil, !recordsOnly { throw UsageError("--filter belongs to falco record; rules choose otherwise") }
        if recording.filesMax > 0, !recording.rotates {
            throw UsageError("--files keeps rotated files; give --rotate-size or --rotate-seconds too")
        }
    }

    private func number(
        _ text: String, of option: String, _ kind: String, _ range: PartialRangeFrom<UInt64>
    ) throws(UsageError) -> UInt64 {
        guard let value = UInt64(text), range.contains(value), value <= UInt64(Int32.max) else {
            throw UsageError("Argument '\(text)' of option '\(option)' is not \(kind)")
        }
        return value
    }

    var listFormat: ListFormat { markdown ? .markdown : format.flatMap { ListFormat(rawValue: $0.lowercased()) } ?? .text }
}
