// SPDX-License-Identifier: Apache-2.0
import Diagnostics
import Fields
import Glibc
import LinuxSystem
import Outputs
import Rules
import Settings

/// The start of the agent, step by step. The first step that answers with an exit status ends it.
enum StartUp {
    struct Step: Sendable {
        let name: String
        let run: @Sendable (Session) throws -> Int32?
    }

    /// The order is today's Falco's: what can be answered early is.
    static let steps: [Step] = [
        Step(name: "help", run: help),
        Step(name: "print the schema of rules", run: ruleSchema),
        Step(name: "list what is ignored", run: ignoredEvents),
        Step(name: "list events", run: listEvents),
        Step(name: "load configuration", run: loadConfiguration),
        Step(name: "version", run: version),
        Step(name: "page size", run: pageSize),
        Step(name: "say who we are", run: introduce),
        Step(name: "list fields", run: listFields),
        Step(name: "select sources", run: selectSources),
        Step(name: "validate rules", run: validateRules),
        Step(name: "read the recording's filter", run: recordingFilter),
        Step(name: "load rules", run: loadRules),
        Step(name: "describe rules", run: describeRules),
        Step(name: "block signals", run: blockSignals),
        Step(name: "open outputs", run: openOutputs),
        Step(name: "write pid file", run: writePidFile),
        Step(name: "select system calls", run: selectSystemCalls),
        Step(name: "process events", run: { session in try EventProcessing(session).run() }),
    ]

    private static func help(_ session: Session) -> Int32? {
        guard session.arguments.help else { return nil }
        StandardOutput.write(HelpText.text)
        return 0
    }

    private static func ignoredEvents(_ session: Session) -> Int32? {
        guard session.arguments.ignoredEvents else { return nil }
        StandardOutput.write(EventListing.ignored())
        return 0
    }

    private static func listEvents(_ session: Session) -> Int32? {
        let arguments = session.arguments
        if arguments.markdown { StandardError.write("WARNING: --markdown is deprecated, use --format markdown instead.\n") }
        guard arguments.listEvents else { return nil }
        switch arguments.listFormat {
        case .text: StandardOutput.write(EventListing.text())
        case .markdown: StandardOutput.write(EventListing.markdown())
        case .json: StandardOutput.write(EventListing.json().indented + "\n")
        }
        return 0
    }

    private static func loadConfiguration(_ session: Session) throws -> Int32? {
        var path = session.arguments.configFile
        if let path, !Files.exists(path) { throw AgentError("Could not find configuration file at \(path)") }
        if path == nil, Files.exists(DefaultFiles.configuration) { path = DefaultFiles.configuration }
        let environment = session.environment
        var options = session.arguments.options
        if let format = session.arguments.print { options += printOptions(format, session.log) }
        session.configuration = try ConfigurationText.load(
            path: path, options: options, environment: EnvironmentExpansion { environment[$0] })
        session.settings = try Settings(session.configuration)
        if session.arguments.unbuffered { session.settings.bufferedOutputs = false }
        let settings = session.settings
        session.log.configure(
            stderr: settings.logStderr, syslog: settings.logSyslog, level: Log.Level(rawValue: UInt8(settings.logLevel))!,
            iso8601: settings.timeISO8601)
        return nil
    }

    /// `-p`: four words lost their meaning, everything else is appended to every output.
    private static func printOptions(_ format: String, _ log: Log) -> [String] {
        log.warning("The -p/--print option is deprecated and will be removed. Use -o append_output=... instead.")
        if ["c", "container", "k", "kubernetes"].contains(format) { return [] }
        return ["append_output[].extra_output=\(format)"]
    }

    private static func version(_ session: Session) -> Int32? {
        guard session.arguments.version else { return nil }
        StandardOutput.write((session.settings.jsonOutput ? Version.json.text : Version.text) + "\n")
        return 0
    }

    private static func pageSize(_ session: Session) -> Int32? {
        guard session.arguments.pageSize else { return nil }
        session.log.info("Your system page size is: \(MappedMemory.pageBytes) bytes")
        return 0
    }

    private static func introduce(_ session: Session) -> Int32? {
        let log = session.log
        log.info("Falco version: \(Version.falco) (\(Version.architecture))")
        if session.configuration.files.isEmpty {
            log.info("Falco initialized. No configuration file found, proceeding with the built-in values")
        } else {
            log.info("Falco initialized with configuration files:")
            for file in session.configuration.files {
                let level: Log.Level = if case .failed = file.verdict { .warning } else { .info }
                log.write(level, "   \(file.path) | schema validation: \(file.verdict)")
            }
        }
        for notice in session.settings.notices { log.warning(notice) }
        if session.settings.engine == .modernEBPF, let text = try? Files.read("/proc/version", bytesMax: 4096) {
            log.info("System info: \(String(decoding: text.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self))")
        }
        return nil
    }

    private static func listFields(_ session: Session) throws -> Int32? {
        let arguments = session.arguments
        guard let source = arguments.list else { return nil }
        guard let listing = FieldListing(source: source) else { throw AgentError("Value for --list must be a valid source type") }
        switch (arguments.listFormat, arguments.namesOnly) {
        case (.json, true): StandardOutput.write(listing.namesJSON().indented + "\n")
        case (_, true): StandardOutput.write(listing.names())
        case (.text, false): StandardOutput.write(listing.text(verbose: arguments.verbose))
        case (.markdown, false): StandardOutput.write(listing.markdown())
        case (.json, false): StandardOutput.write(listing.json().indented + "\n")
        }
        return 0
    }

    /// There is one source, the system calls.
    private static func selectSources(_ session: Session) throws -> Int32? {
        for (verb, names) in [("enabling", session.arguments.enableSources), ("disabling", session.arguments.disableSources)] {
            for name in names where name != Rule.syscallSource {
                throw AgentError("Attempted \(verb) an unknown event source: \(name)")
            }
        }
        if session.arguments.disableSources.contains(Rule.syscallSource), !session.isReplay {
            throw AgentError("Must enable at least one event source")
        }
        return nil
    }

    private static func blockSignals(_ session: Session) throws -> Int32? {
        if session.arguments.dryRun {
            session.log.debug("Skipping signal handlers creation in dry-run")
            return nil
        }
        // A reader of our output that goes away shows as a failed write.
        signal(SIGPIPE, SIG_IGN)
        do throws(Errno) {
            session.signals = try SignalReader([SIGINT, SIGTERM, SIGHUP, SIGUSR1])
        } catch { throw AgentError("could not take over signals: \(error)") }
        return nil
    }

    private static func openOutputs(_ session: Session) throws -> Int32? {
        if session.arguments.recordsOnly { return nil }
        let settings = session.settings
        let log = session.log
        var wanted = 0
        var outputs: [any AlertOutput] = []
        func open(_ make: () throws(OutputError) -> any AlertOutput) {
            wanted += 1
            do throws(OutputError) { outputs.append(try make()) } catch { log.error("Failed to init output: \(error)") }
        }
        if settings.stdoutOutput.enabled { open { () throws(OutputError) in StdoutOutput(buffered: settings.bufferedOutputs) } }
        if settings.fileOutput.enabled {
            open { () throws(OutputError) in
                try FileOutput(path: settings.fileOutput.target, keepAlive: settings.fileOutput.keepAlive)
            }
        }
        if settings.programOutput.enabled {
            open { () throws(OutputError) in
                ProgramOutput(command: settings.programOutput.target, keepAlive: settings.programOutput.keepAlive)
            }
        }
        if settings.syslogOutput.enabled { open { () throws(OutputError) in SyslogOutput() } }
        guard wanted > 0 else {
            throw AgentError("No output configured, please make sure at least one output is configured and enabled.")
        }
        if session.arguments.dryRun {
            log.debug("Skipping outputs initialization in dry-run")
            return nil
        }
        guard !outputs.isEmpty else { throw AgentError("no output could be opened; mend the configuration of one") }
        let queue = AlertQueue(
            outputs: outputs, capacity: settings.outputsQueueCapacity, waitsWhenFull: session.isReplay,
            timeoutMs: settings.outputTimeoutMs
        ) { note, text in
            switch note {
            case .notice: log.notice(text)
            case .error: log.error(text)
            case .critical: log.critical(text)
            }
        }
        queue.start()
        session.queue = queue
        return nil
    }

    private static func writePidFile(_ session: Session) throws -> Int32? {
        guard let path = session.arguments.pidFile, !path.isEmpty else { return nil }
        if session.arguments.dryRun {
            session.log.debug("Skipping pidfile creation in dry-run")
            return nil
        }
        do throws(Errno) { try Files.write(Array("\(getpid())\n".utf8), to: path) } catch {
            session.log.error("Could not write pid to pidfile \(path). Exiting.")
            return 255
        }
        return nil
    }
}
