// SPDX-License-Identifier: Apache-2.0

/// One option of the command line: parsing, help and the list of what is still to come read the same rows.
struct CommandOption: Sendable {
    enum Argument: Sendable, Equatable {
        case none
        case required(String)
        /// Only attached: `--list=syscall`.
        case optional(String)
    }
    enum Name: Sendable, CaseIterable {
        case help, configFile, configSchema, ruleSchema, disableSource, dryRun, enableSource, ignoredEvents, describeRules,
            describeRule
        case list, listEvents, listPlugins, stopAfter, markdown, format, namesOnly, option, pluginInfo, print, pidFile, rules,
            support
        case unbuffered, validate, lint, verbose, version, pageSize
        case allEvents, captureFile, scope, diagnostics
        case writeFile, filter, rotateSize, rotateSeconds, files, compress
    }

    let name: Name
    let short: Character?
    let long: String?
    let argument: Argument
    let help: String
    /// False: the option of today's Falco is known, and using it says that it is not there yet.
    let works: Bool

    init(_ name: Name, _ short: Character?, _ long: String?, works: Bool = true, _ help: String) {
        self.init(name, short, long, .none, works: works, help)
    }
    init(_ name: Name, _ short: Character?, _ long: String?, _ argument: Argument, works: Bool = true, _ help: String) {
        (self.name, self.short, self.long, self.argument, self.works, self.help) = (name, short, long, argument, works, help)
    }

    /// `--list` or `-c`, as messages quote it.
    var spelling: String { long.map { "--\($0)" } ?? "-\(short!)" }

    static let table: [CommandOption] = [
        .init(.help, "h", "help", "Print this help and exit."),
        .init(
            .configFile, "c", nil, .required("path"),
            "Configuration file. Without it /etc/falco/falco.yaml is read when it exists, else the built-in values apply."),
        .init(.configSchema, nil, "config-schema", works: false, "Print the JSON schema of the configuration file and exit."),
        .init(.ruleSchema, nil, "rule-schema", "Print the JSON schema of rules files and exit."),
        .init(
            .disableSource, nil, "disable-source", .required("event_source"),
            "Turn one event source off; repeatable, but one must stay on. Not together with --enable-source. No effect on a replay."
        ),
        .init(.dryRun, nil, "dry-run", "Do everything but process events: checks configuration and rules."),
        .init(
            .enableSource, nil, "enable-source", .required("event_source"),
            "Turn on only the named event sources; repeatable. Not together with --disable-source. No effect on a replay."),
        .init(
            .ignoredEvents, "i", nil,
            "Print the system calls that are left out by default because there are so many of them, and exit."),
        .init(
            .describeRules, "L", nil,
            "Print name and description of all rules and exit; with json_output all details of rules, macros and lists."),
        .init(
            .describeRule, "l", nil, .required("rule"),
            "Print name and description of one rule and exit; with json_output all its details."),
        .init(
            .list, nil, "list", .optional("source"),
            "Print the fields that conditions and outputs can use and exit; only those of one event source if it is given."),
        .init(.listEvents, nil, "list-events", "Print all event types with their parameters and exit."),
        .init(.listPlugins, nil, "list-plugins", works: false, "Print what is known about the configured plugins and exit."),
        .init(.stopAfter, "M", nil, .required("num_seconds"), "Stop after so many seconds, measured by the events' time."),
        .init(.markdown, nil, "markdown", "DEPRECATED: use --format markdown."),
        .init(
            .format, nil, "format", .required("format"),
            "How --list and --list-events print: text, markdown or json. Not together with --markdown."),
        .init(.namesOnly, "N", nil, "With --list: only the names."),
        .init(
            .option, "o", "option", .required("opt>=<val"),
            """
            Set a value of the configuration, over what the files say; repeatable. The key's names are joined by dots, elements of lists \
            are given in brackets, [] appends. A backslash takes the special meaning from a dot, a bracket or a backslash.
                E.g. json_output=true
                     engine.kind=replay
                     rules[].disable.tag=network
                     load_plugins[0]=json
                     a.dotted\\.key=val
            """),
        .init(
            .pluginInfo, nil, "plugin-info", .required("plugin_name"), works: false,
            "Print what a plugin says of itself and exit."),
        .init(
            .print, "p", "print", .required("output_format"),
            "DEPRECATED: use -o append_output... instead. Text to append to the output of every rule; the words c, container, k and kubernetes do nothing any more."
        ),
        .init(.pidFile, "P", "pidfile", .required("pid_file"), "Write the process id to this file."),
        .init(
            .rules, "r", nil, .required("rules_file"),
            "Rules file or directory, instead of those in the configuration; repeatable. Files named .yaml or .yml are YAML, .conf has one rule per line; directories load .yaml and .yml."
        ),
        .init(.support, nil, "support", works: false, "Print a JSON text with what a report of a problem needs, and exit."),
        .init(.unbuffered, "U", "unbuffered", "Write every alert at once, whatever buffered_outputs says."),
        .init(
            .validate, "V", "validate", .required("rules_file"),
            "Check a rules file, say what is wrong with it, and exit; repeatable."),
        .init(
            .lint, nil, "lint", .optional("strict"),
            "With -V: also say what can never match, is shadowed, or costs more than it must. The exit status is that of -V; with --lint=strict it is 1 when there are lint warnings."
        ),
        .init(.verbose, "v", nil, "Say more: types of fields with --list, event and drop counters at the end."),
        .init(.version, nil, "version", "Print version information and exit."),
        .init(.pageSize, nil, "page-size", "Print the system's page size and exit."),
        // Ours, or taken back from earlier versions.
        .init(
            .allEvents, "A", nil,
            "Watch every system call that rules ask for, also those that -i prints. Same as -o base_syscalls.all=true."),
        .init(
            .captureFile, "e", "read", .required("capture_file"),
            "Take the events from a capture file. Same as -o engine.kind=replay -o engine.replay.capture_file=<capture_file>."),
        .init(
            .scope, nil, "scope", .required("pid"),
            "Watch only this process and what it starts from now on; decided in the kernel."),
        .init(
            .diagnostics, nil, "diagnostics", .required("form"),
            """
            How mistakes in rules are shown: annotated (the lines of the file with the text at fault underlined, and how to mend it), \
            falco (as today's Falco prints them, for programs), or auto, which is annotated on a terminal and falco elsewhere.
            """),
        .init(
            .writeFile, "w", "write", .required("capture_file"),
            "Record the events into a capture file that today's Falco reads too. falco record does nothing else, and watches everything."
        ),
        .init(
            .filter, nil, "filter", .required("condition"),
            "With falco record: record what this condition holds for. What else a reader needs to know processes and descriptors is kept for the state alone."
        ),
        .init(
            .rotateSize, nil, "rotate-size", .required("megabytes"),
            "With -w: begin a new file when one has so many megabytes; names get a number. Each file can be read by itself."),
        .init(
            .rotateSeconds, nil, "rotate-seconds", .required("seconds"),
            "With -w: begin a new file when one covers so many seconds of events."),
        .init(.files, nil, "files", .required("count"), "With -w: keep so many of the rotated files and remove older ones."),
        .init(.compress, nil, "compress", .required("how"), "With -w: gzip, as it is without this option, or none."),
    ]

    static func row(_ name: Name) -> CommandOption { table.first { $0.name == name }! }
}
