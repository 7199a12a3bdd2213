// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Settings

/// Files in memory.
struct TestFiles: ConfigFileSystem {
    var files: [String: String] = [:]
    func kind(of path: String) -> ConfigFileKind? {
        files[path] != nil ? .file : files.keys.contains { $0.hasPrefix(path + "/") } ? .directory : nil
    }
    func read(_ path: String) throws(SettingsError) -> [UInt8] {
        guard let text = files[path] else { throw SettingsError("ENOENT") }
        return Array(text.utf8)
    }
    func regularFiles(in directory: String) -> [String] {
        files.keys.filter { $0.hasPrefix(directory + "/") }.map { String($0.dropFirst(directory.count + 1)) }.sorted()
    }
}

func load(_ main: String?, files: [String: String] = [:], options: [String] = [], environment: [String: String] = [:]) throws
    -> ConfigurationText
{
    var system = TestFiles(files: files)
    if let main { system.files["main.yaml"] = main }
    return try ConfigurationText.load(
        path: main == nil ? nil : "main.yaml", options: options, files: system,
        environment: EnvironmentExpansion { environment[$0] })
}

func settings(_ main: String?, options: [String] = []) throws -> Settings { try Settings(load(main, options: options)) }

@Suite struct SettingsTests {
    @Test func withoutAFileTheShippedValuesApply() throws {
        let settings = try settings(nil)
        #expect(settings.stdoutOutput.enabled && settings.syslogOutput.enabled && settings.logStderr)
        #expect(settings.engine == .modernEBPF)
        #expect(settings.drops.actions == [.log, .alert])
        #expect(settings.appendOutputs == [.init(suggestedOutput: true)])
        #expect(settings.rulesFiles == nil)
        #expect(settings.notices.isEmpty)
    }

    @Test func anEmptyFileHasTheProgramsDefaults() throws {
        let settings = try settings("")
        #expect(!settings.stdoutOutput.enabled && !settings.logStderr && settings.logSyslog)
        #expect(settings.drops.actions == [.ignore])
        #expect(settings.ruleMatching == .first)
    }

    @Test func optionsWinOverIncludedFiles() throws {
        let text = try load(
            "config_files: [conf.d]\njson_output: false", files: ["conf.d/a.yaml": "json_output: false\npriority: error"],
            options: ["json_output=true"])
        #expect(try Settings(text).jsonOutput)
        #expect(try Settings(text).priority == "error")
        #expect(text.files.map(\.path) == ["main.yaml", "conf.d/a.yaml"])
    }

    @Test func environmentSuppliesNumbersAndBooleans() throws {
        let text = try load("outputs_queue:\n  capacity: \"${N}\"\njson_output: ${J}", environment: ["N": "7", "J": "yes"])
        #expect(try Settings(text).outputsQueueCapacity == 7)
        #expect(try Settings(text).jsonOutput)
    }

    @Test func rulesAreSelectedInOrder() throws {
        let settings = try settings("", options: ["rules[].disable.rule=*", "rules[].enable.tag=a"])
        #expect(
            settings.ruleSelections == [.init(enables: false, rule: "*", tag: nil), .init(enables: true, rule: nil, tag: "a")])
    }

    @Test func appendOutputHasAllItsParts() throws {
        let settings = try settings(
            """
            append_output:
              - match: {source: syscall, tags: [a, b], rule: r}
                extra_output: "x=%proc.name"
                extra_fields: [proc.pid, {name: "%proc.name!"}]
              - suggested_output: true
            """)
        let expected = Settings.AppendOutput(
            source: "syscall", tags: ["a", "b"], rule: "r", extraOutput: "x=%proc.name",
            formattedFields: [.init(name: "name", format: "%proc.name!")], rawFields: ["proc.pid"])
        #expect(settings.appendOutputs == [expected, .init(suggestedOutput: true)])
    }

    @Test(arguments: [
        ("syscall_event_drops: {threshold: 1.1}", "syscall event drops threshold must be a double in the range [0, 1]"),
        ("syscall_event_drops: {actions: [ignore, log]}", "does not make sense with the \"ignore\" action"),
        ("syscall_event_drops: {actions: [shout]}", "'shout' is not known"),
        ("engine: {kind: gvisor}", "engine.kind 'gvisor' is not known"), ("engine: {kind: replay}", "names no file"),
        ("engine: {modern_ebpf: {buf_size_preset: 11}}", "The 'buf_size_preset' value must be between '1' and '10'"),
        ("file_output: {enabled: true}", "file output enabled but no filename"),
        ("priority: loud", "Unknown priority \"loud\"--must be one of emergency"),
        ("rule_matching: some", "Unknown rule matching strategy \"some\"--must be one of first, all"),
        ("log_level: INFO", "Unknown log level INFO"),
        ("rules_files: [a]\nrules_file: b", "both rules_files and the deprecated rules_file"),
        ("a: [1", "Cannot read config file (main.yaml): line "), ("- a\n- b", "holds no map of keys"),
        ("load_plugins: [x]", "Cannot load plugin 'x': plugin config not found for given name"),
        ("a: 1\na: 2", "the key 'a' is given twice"), ("config_files: main.yaml", "tried to include the main config file"),
    ])
    func saysWhatIsWrong(_ text: String, _ message: String) {
        #expect { try settings(text) } throws: { "\($0)".contains(message) }
    }

    @Test(arguments: ["novalue", "a..b=1", "a\\=1"])
    func optionsMustBeAssignments(_ option: String) {
        #expect(throws: SettingsError.self) { try settings("", options: [option]) }
    }

    @Test(
        arguments: [
            ("dynamic_snaplen: true", true, nil, 8125),
            ("dynamic_snaplen: true, fullcapture_port_range: 80-90", true, 80...90, 8125),
            ("dynamic_snaplen: true, fullcapture_port_range: 443, statsd_port: 0", true, 443...443, 0),
            ("snaplen: 200", false, nil, 8125),
        ] as [(String, Bool, ClosedRange<UInt16>?, UInt16)])
    func readsTheDynamicSnaplen(_ text: String, _ isDynamic: Bool, _ ports: ClosedRange<UInt16>?, _ statsd: UInt16) throws {
        let settings = try settings("falco_libs: {\(text)}")
        #expect(settings.dynamicSnaplen == isDynamic && settings.fullcapturePorts == ports && settings.statsdPort == statsd)
    }

    @Test(arguments: [
        "dynamic_snaplen: true, fullcapture_port_range: 90-80", "dynamic_snaplen: true, fullcapture_port_range: 0-80",
        "dynamic_snaplen: true, fullcapture_port_range: 1-2-3", "dynamic_snaplen: true, fullcapture_port_range: 70000",
        "dynamic_snaplen: true, fullcapture_port_range: http", "dynamic_snaplen: true, statsd_port: 65536",
        "fullcapture_port_range: 80-90", "statsd_port: 8125", "snaplen: 65001",
    ])
    func refusesPortsThatAreNone(_ text: String) throws {
        #expect(throws: SettingsError.self) { try settings("falco_libs: {\(text)}") }
    }

    @Test(arguments: [
        ("webserver: {enabled: true}", "webserver.enabled"), ("metrics: {enabled: true, interval: 1h}", "metrics.enabled"),
        ("http_output: {enabled: true, url: u}", "http_output.enabled"),
        ("watch_config_files: true\nplugins_hostinfo: false", "plugins_hostinfo"),
        ("falco_libs: {thread_table_size: 5}", "falco_libs.thread_table_size"),
    ])
    func namesKeysWithoutEffect(_ text: String, _ key: String) throws {
        #expect(try settings(text).notices == ["\(key) is not supported yet and has no effect"])
    }

    @Test(arguments: [
        ("json_output=maybe", "json_output: 'maybe' is not true or false; the default, false, is used"),
        ("outputs_queue.capacity=-1", "outputs_queue.capacity: '-1' is not a number from 0 on; the default, 0, is used"),
        ("jsonoutput=true", "-o jsonoutput: there is no such key, it has no effect"),
        ("json_output.x=true", "-o json_output.x: there is no such key, it has no effect"),
    ])
    func namesOptionsWithoutEffect(_ option: String, _ notice: String) throws {
        #expect(try settings("a: b", options: [option]).notices.contains(notice))
    }

    @Test(arguments: [
        "rules[].disable.tag=network", "append_output[].extra_output=x", "plugins[0].init_config.a=1",
        "outputs_queue={capacity: 3}",
        "syscall_event_drops.actions[0]=log",
    ])
    func knowsKeysInsideOfRows(_ option: String) throws {
        #expect(try load("plugins: [{name: a}]", options: [option]).unknownOptions == [])
    }

    @Test func defaultValuesAreNotNamed() throws {
        #expect(
            try settings("webserver: {enabled: false}\nfalco_libs: {snaplen: 80}\nmetrics: {enabled: false, interval: 1h}")
                .notices == [])
    }

    @Test func everyRowsDefaultReadsBack() {
        for row in SettingKey.table {
            switch row.type {
            case .bool: #expect(ConfigValue.scalar(row.absent).bool != nil, "\(row.name)")
            case .int: #expect(ConfigValue.scalar(row.absent).integer != nil, "\(row.name)")
            case .number: #expect(ConfigValue.scalar(row.absent).number != nil, "\(row.name)")
            case .word(let words): #expect(words.contains(row.absent), "\(row.name)")
            case .text, .texts, .map, .any: break
            }
            if case .part(let master) = row.support { #expect(SettingKey.table.contains { $0.name == master }) }
            #expect(ConfigPath(row.name) != nil)
        }
        #expect(Set(SettingKey.table.map(\.name)).count == SettingKey.table.count)
    }

    @Test(arguments: [
        ("", SchemaVerdict.none), ("json_output: true", .ok), ("outputs_queue: {capacity: \"5\"}", .ok),
        ("jsn_output: true", .failed("<root>: additional property 'jsn_output' is not allowed")),
        ("falco_libs: {x: 1}", .failed("<root>[falco_libs]: additional property 'x' is not allowed")),
        ("json_output: maybe", .failed("<root>[json_output]: not a boolean")),
    ])
    func validates(_ text: String, _ verdict: SchemaVerdict) throws {
        #expect(try load(text).files.first?.verdict == verdict)
    }
}
