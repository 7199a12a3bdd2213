// SPDX-License-Identifier: Apache-2.0
import Glibc

/// The configuration with types, checked. What is in here is used; keys of later features are named in `notices`.
public struct Settings: Sendable {
    public enum EngineKind: String, Sendable, CaseIterable { case modernEBPF = "modern_ebpf", replay, nodriver }
    public enum RuleMatching: String, Sendable, CaseIterable { case first, all }
    public enum DropAction: String, Sendable, CaseIterable { case ignore, log, alert, exit }

    /// Enables or disables rules, by name (with `*`) or by tag.
    public struct RuleSelection: Sendable, Equatable {
        public let enables: Bool
        public let rule: String?
        public let tag: String?
    }
    /// One entry of `append_output`.
    public struct AppendOutput: Sendable, Equatable {
        public var source = ""
        public var tags: [String] = []
        public var rule = ""
        public var extraOutput = ""
        /// Name in the JSON and the format it comes from.
        public var formattedFields: [Pair] = []
        public var rawFields: [String] = []
        public var suggestedOutput = false
        public struct Pair: Sendable, Equatable {
            public let name: String
            public let format: String
        }
    }
    public struct ModernEBPF: Sendable {
        public var cpusForEachBuffer = 2
        public var bufSizePreset = 4
        public var dropFailedExit = false
        public var disableIterators = false
        public var enterEvents = EnterEvents.tracepoints
        public enum EnterEvents: String, Sendable, CaseIterable { case tracepoints, sysEnter = "sys_enter", none }
        /// 1 MiB for preset 1, doubled with each step.
        public var bufferBytes: Int { 1 << (19 + bufSizePreset) }
    }
    public struct Channel: Sendable {
        public var enabled = false
        public var keepAlive = false
        /// Path of the file, shell command of the program.
        public var target = ""
    }
    public struct SyscallEventDrops: Sendable {
        public var threshold = 0.1
        public var actions: Set<DropAction> = [.ignore]
        public var ratePerSecond = 0.03333
        public var maxBurst = 1.0
        public var simulateDrops = false
        public init() {}
    }
    /// Files around matches (`capture.*`).
    public struct Capture: Sendable {
        public var enabled = false
        public var pathPrefix = "/tmp/falco"
        /// Every match, not only those of rules with `capture: true`.
        public var allRules = false
        public var defaultDurationMs = 5000
        /// 0: no limit.
        public var fileMegabytesMax = 0
        public init() {}
    }
    public struct BaseSyscalls: Sendable {
        public var customSet: [String] = []
        public var repair = false
        public var all = false
        public init() {}
    }

    public var engine = EngineKind.modernEBPF
    public var modernEBPF = ModernEBPF()
    public var captureFile = ""
    /// Bytes of a buffer that an event carries; 0: the probe's default.
    public var snaplen = 0
    /// Longer buffers for the ports and protocols the probe knows.
    public var dynamicSnaplen = false
    /// Ports, at either end, whose buffers are carried nearly whole.
    public var fullcapturePorts: ClosedRange<UInt16>?
    /// 0: none.
    public var statsdPort: UInt16 = 8125
    /// As configured; nil when neither spelling of the key is there.
    public var rulesFiles: [String]?
    public var ruleSelections: [RuleSelection] = []
    public var appendOutputs: [AppendOutput] = []
    /// Names in `load_plugins`, or of all listed plugins.
    public var loadedPlugins: Set<String> = []
    public var ruleMatching = RuleMatching.first
    /// A word the rules know (`debug`, `warning`, …), lower case.
    public var priority = "debug"
    public var timeISO8601 = false
    public var buffersAsBase64 = false
    public var jsonOutput = false
    public var jsonIncludesOutput = true
    public var jsonIncludesMessage = false
    public var jsonIncludesOutputFields = true
    public var jsonIncludesTags = true
    public var bufferedOutputs = false
    public var outputsQueueCapacity = 0
    public var outputTimeoutMs = 2000
    public var stdoutOutput = Channel()
    public var syslogOutput = Channel()
    public var fileOutput = Channel()
    public var programOutput = Channel()
    public var logStderr = false
    public var logSyslog = true
    /// 0 emergency … 7 debug.
    public var logLevel = 6
    public var drops = SyscallEventDrops()
    public var baseSyscalls = BaseSyscalls()
    public var capture = Capture()
    /// One line per key that was set and has no effect in this version.
    public var notices: [String] = []
}

extension Settings {
    /// The words of rule priorities and log levels, by number.
    static let priorityWords = ["emergency", "alert", "critical", "error", "warning", "notice", "informational", "debug"]
    private static let logLevels: [String: Int] = [
        "emergency": 0, "alert": 1, "critical": 2, "error": 3, "warning": 4, "notice": 5, "info": 6, "debug": 7,
    ]

    /// Types and checks. A scalar that is not of its key's type counts as absent, as in today's Falco.
    public init(_ text: ConfigurationText) throws(SettingsError) {
        let reader = SettingReader(text.root)
        let file = text.files.first?.path ?? "built-in values"
        func bad(_ reason: String) -> SettingsError { SettingsError("Error reading config file (\(file)): \(reason)") }

        // Without a kernel module the nearest engine runs instead, and a notice says so.
        let kind = reader.text("engine.kind")
        guard let engine = kind == "kmod" ? .modernEBPF : EngineKind(rawValue: kind) else {
            throw bad("engine.kind '\(kind)' is not known; use modern_ebpf, replay or nodriver")
        }
        self.engine = engine
        captureFile = reader.text("engine.replay.capture_file")
        if engine == .replay, captureFile.isEmpty {
            throw bad("engine.kind is 'replay' but engine.replay.capture_file names no file")
        }
        try readSnaplen(reader, bad)
        modernEBPF.cpusForEachBuffer = reader.count("engine.modern_ebpf.cpus_for_each_buffer", max: 65535)
        modernEBPF.bufSizePreset = reader.count("engine.modern_ebpf.buf_size_preset", max: 1 << 20)
        modernEBPF.dropFailedExit = reader.bool("engine.modern_ebpf.drop_failed_exit")
        modernEBPF.disableIterators = reader.bool("engine.modern_ebpf.disable_iterators")
        let enterEvents = reader.text("engine.modern_ebpf.enter_events")
        guard let known = ModernEBPF.EnterEvents(rawValue: enterEvents) else {
            throw bad("engine.modern_ebpf.enter_events '\(enterEvents)' is not known; use tracepoints, sys_enter or none")
        }
        modernEBPF.enterEvents = known
        if engine == .modernEBPF, !(1...10).contains(modernEBPF.bufSizePreset) {
            throw SettingsError("The 'buf_size_preset' value must be between '1' and '10'")
        }

        try readRules(reader, bad)
        timeISO8601 = reader.bool("time_format_iso_8601")
        buffersAsBase64 = reader.bool("buffer_format_base64")
        jsonOutput = reader.bool("json_output")
        jsonIncludesOutput = reader.bool("json_include_output_property")
        jsonIncludesMessage = reader.bool("json_include_message_property")
        jsonIncludesOutputFields = reader.bool("json_include_output_fields_property")
        jsonIncludesTags = reader.bool("json_include_tags_property")
        try readOutputs(reader, bad)
        logStderr = reader.bool("log_stderr")
        logSyslog = reader.bool("log_syslog")
        guard let level = Self.logLevels[reader.text("log_level")] else {
            throw SettingsError(
                "Unknown log level \(reader.text("log_level")); use one of emergency, alert, critical, error, warning, notice, info, debug"
            )
        }
        logLevel = level
        try readDrops(reader, bad)
        baseSyscalls.customSet = reader.value("base_syscalls.custom_set")?.texts ?? []
        baseSyscalls.repair = reader.bool("base_syscalls.repair")
        baseSyscalls.all = reader.bool("base_syscalls.all")
        try readCapture(reader, bad)
        try checkLaterFeatures(reader, bad)
        loadedPlugins = reader.loadedPlugins
        notices = reader.notices() + text.unknownOptions.map { "-o \($0): there is no such key, it has no effect" }
    }

    private mutating func readSnaplen(_ reader: SettingReader, _ bad: (String) -> SettingsError) throws(SettingsError) {
        if let bytes = reader.value("falco_libs.snaplen")?.integer, bytes > 65000 {
            throw bad("falco_libs.snaplen: \(bytes) is more than an event can carry, 65000 bytes")
        }
        snaplen = reader.count("falco_libs.snaplen", max: 65000)
        dynamicSnaplen = reader.bool("falco_libs.dynamic_snaplen")
        let port = reader.value("falco_libs.statsd_port")
        if let number = port?.integer, !(0...65535).contains(number) {
            throw bad("falco_libs.statsd_port: \(number) is not a port; use 1 to 65535, or 0 for none")
        }
        statsdPort = UInt16(reader.count("falco_libs.statsd_port", max: 65535))
        let range = reader.text("falco_libs.fullcapture_port_range")
        if !range.isEmpty {
            let ends = range.split(separator: "-", omittingEmptySubsequences: false).map { UInt16($0) }
            guard ends.count <= 2, let first = ends[0], let last = ends[ends.count - 1], first > 0, first <= last else {
                throw bad("falco_libs.fullcapture_port_range: '\(range)' is not a range of ports; write it as 8000-8100 or 8000")
            }
            fullcapturePorts = first...last
        }
        guard !dynamicSnaplen else { return }
        for (name, isSet) in [("fullcapture_port_range", fullcapturePorts != nil), ("statsd_port", port?.integer != nil)]
        where isSet {
            throw bad("falco_libs.\(name) is set, but falco_libs.dynamic_snaplen, which it belongs to, is not true")
        }
    }

    private mutating func readRules(_ reader: SettingReader, _ bad: (String) -> SettingsError) throws(SettingsError) {
        let (new, old) = (reader.value("rules_files"), reader.value("rules_file"))
        if let new, let old, !new.isNull, !old.isNull {
            throw bad("both rules_files and the deprecated rules_file are given; keep rules_files only")
        }
        rulesFiles = (new ?? old)?.texts
        for entry in reader.value("rules")?.elements ?? [] {
            for (word, enables) in [("enable", true), ("disable", false)] {
                guard let body = entry[word] else { continue }
                ruleSelections.append(.init(enables: enables, rule: body["rule"]?.text, tag: body["tag"]?.text))
            }
        }
        let append = reader.value("append_output")
        for entry in append?.elements ?? (append.map { $0.entries.isEmpty ? [] : [$0] } ?? []) {
            var output = AppendOutput()
            output.source = entry["match"]?["source"]?.text ?? ""
            output.tags = entry["match"]?["tags"]?.texts ?? []
            output.rule = entry["match"]?["rule"]?.text ?? ""
            output.extraOutput = entry["extra_output"]?.text ?? ""
            output.suggestedOutput = entry["suggested_output"]?.bool ?? false
            for field in entry["extra_fields"]?.elements ?? [] {
                if let name = field.text { output.rawFields.append(name) }
                for pair in field.entries {
                    if let format = pair.value.text { output.formattedFields.append(.init(name: pair.key, format: format)) }
                }
            }
            appendOutputs.append(output)
        }
        let word = reader.text("priority")
        guard
            let known = Self.priorityWords.first(where: { $0 == word.lowercased() })
                ?? (word.lowercased() == "info" ? "informational" : nil)
        else { throw SettingsError("Unknown priority \"\(word)\"--must be one of \(Self.priorityWords.joined(separator: ", "))") }
        priority = known
        guard let matching = RuleMatching(rawValue: reader.text("rule_matching").lowercased()) else {
            throw SettingsError("Unknown rule matching strategy \"\(reader.text("rule_matching"))\"--must be one of first, all")
        }
        ruleMatching = matching
    }

    private mutating func readOutputs(_ reader: SettingReader, _ bad: (String) -> SettingsError) throws(SettingsError) {
        bufferedOutputs = reader.bool("buffered_outputs")
        outputsQueueCapacity = reader.count("outputs_queue.capacity", max: 1 << 31)
        outputTimeoutMs = reader.count("output_timeout", max: 1 << 31)
        stdoutOutput.enabled = reader.bool("stdout_output.enabled")
        syslogOutput.enabled = reader.bool("syslog_output.enabled")
        fileOutput = Channel(
            enabled: reader.bool("file_output.enabled"), keepAlive: reader.bool("file_output.keep_alive"),
            target: reader.text("file_output.filename"))
        if fileOutput.enabled, fileOutput.target.isEmpty {
            throw bad("file output enabled but no filename in configuration block")
        }
        programOutput = Channel(
            enabled: reader.bool("program_output.enabled"), keepAlive: reader.bool("program_output.keep_alive"),
            target: reader.text("program_output.program"))
        if programOutput.enabled, programOutput.target.isEmpty {
            throw bad("program output enabled but no program in configuration block")
        }
    }

    private mutating func readDrops(_ reader: SettingReader, _ bad: (String) -> SettingsError) throws(SettingsError) {
        drops.threshold = reader.number("syscall_event_drops.threshold")
        guard (0...1).contains(drops.threshold) else {
            throw bad("syscall event drops threshold must be a double in the range [0, 1]")
        }
        drops.ratePerSecond = reader.number("syscall_event_drops.rate")
        drops.maxBurst = reader.number("syscall_event_drops.max_burst")
        drops.simulateDrops = reader.bool("syscall_event_drops.simulate_drops")
        var actions: Set<DropAction> = []
        for word in reader.value("syscall_event_drops.actions")?.texts ?? [] {
            guard let action = DropAction(rawValue: word) else {
                throw bad("syscall event drops action '\(word)' is not known; use ignore, log, alert or exit")
            }
            if actions.contains(.ignore), action == .log || action == .alert {
                throw bad("syscall event drops action \"\(word)\" does not make sense with the \"ignore\" action")
            }
            actions.insert(action)
        }
        drops.actions = actions.isEmpty ? [.ignore] : actions
    }

    private mutating func readCapture(_ reader: SettingReader, _ bad: (String) -> SettingsError) throws(SettingsError) {
        let mode = reader.text("capture.mode")
        guard ["rules", "all_rules"].contains(mode) else {
            throw bad("capture.mode '\(mode)' is not known; use rules or all_rules")
        }
        capture.enabled = reader.bool("capture.enabled")
        capture.allRules = mode == "all_rules"
        capture.pathPrefix = reader.text("capture.path_prefix")
        capture.defaultDurationMs = reader.count("capture.default_duration", max: Int64(UInt32.max))
        capture.fileMegabytesMax = reader.count("capture.max_file_size_mb", max: 1 << 40)
    }

    /// Values of features to come are still checked, so that a mistake shows now.
    private func checkLaterFeatures(_ reader: SettingReader, _ bad: (String) -> SettingsError) throws(SettingsError) {
        let address = reader.text("webserver.listen_address")
        var binary = in6_addr()
        guard inet_pton(AF_INET, address, &binary) == 1 || inet_pton(AF_INET6, address, &binary) == 1 else {
            throw bad("webserver.listen_address '\(address)' is not an IPv4 or IPv6 address")
        }
        if reader.bool("http_output.enabled"), reader.text("http_output.url").isEmpty {
            throw bad("http output enabled but no url in configuration block")
        }
        guard reader.count("syscall_event_timeouts.max_consecutives", max: 1 << 31) > 0 else {
            throw bad("syscall_event_timeouts.max_consecutives must be greater than 0")
        }
        let plugins = reader.value("plugins")?.elements ?? []
        for plugin in plugins {
            guard let name = plugin["name"]?.text, let library = plugin["library_path"]?.text else { continue }
            if !library.hasPrefix("/"), escapesItsFolder(library) {
                throw bad("the library_path '\(library)' of plugin '\(name)' leads out of the plugins' folder")
            }
        }
        for name in reader.value("load_plugins")?.texts ?? [] where !plugins.contains(where: { $0["name"]?.text == name }) {
            throw SettingsError("Cannot load plugin '\(name)': plugin config not found for given name")
        }
    }

    private func escapesItsFolder(_ path: String) -> Bool {
        var depth = 0
        for part in path.split(separator: "/") {
            if part == ".." { depth -= 1 } else if part != "." { depth += 1 }
            if depth < 0 { return true }
        }
        return false
    }
}
