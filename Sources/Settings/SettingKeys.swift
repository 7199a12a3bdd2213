// SPDX-License-Identifier: Apache-2.0

/// What a key of falco.yaml does in this version.
enum KeySupport: Sendable, Equatable {
    case works
    /// Today's Falco has it, we do not yet: said at start when the configuration asks for more than the default.
    case later
    /// Belongs to the feature that the named key switches on; that key's line is enough.
    case part(of: String)
}

enum KeyType: Sendable, Equatable {
    case bool, int, number, text, texts, map, any
    /// One of these words.
    case word([String])
}

/// One key of falco.yaml.
struct SettingKey: Sendable {
    /// Dotted; elements of lists are not rows of their own.
    let name: String
    let type: KeyType
    /// Value of a configuration file that does not have the key, as it would be written there.
    let absent: String
    let support: KeySupport

    init(_ name: String, _ type: KeyType, _ absent: String = "", _ support: KeySupport = .works) {
        (self.name, self.type, self.absent, self.support) = (name, type, absent, support)
    }

    /// Every key of today's configuration: the one table that reading, start-up notices and the validation line come from.
    static let table: [SettingKey] = [
        .init("config_files", .any),
        .init("watch_config_files", .bool, "true"),
        .init("rules_files", .texts),
        .init("rules_file", .texts),
        .init("rule_files", .texts, "", .later),
        .init("rules", .any),
        .init("engine.kind", .text, "modern_ebpf"),
        .init("engine.kmod.buf_size_preset", .int, "4", .part(of: "engine.kind")),
        .init("engine.kmod.drop_failed_exit", .bool, "false", .part(of: "engine.kind")),
        .init("engine.modern_ebpf.cpus_for_each_buffer", .int, "2"),
        .init("engine.modern_ebpf.buf_size_preset", .int, "4"),
        .init("engine.modern_ebpf.drop_failed_exit", .bool, "false"),
        .init("engine.modern_ebpf.disable_iterators", .bool, "false"),
        .init("engine.modern_ebpf.enter_events", .word(["tracepoints", "sys_enter", "none"]), "tracepoints"),
        .init("engine.replay.capture_file", .text),
        .init("capture.enabled", .bool, "false"),
        .init("capture.path_prefix", .text, "/tmp/falco"),
        .init("capture.mode", .word(["rules", "all_rules"]), "rules"),
        .init("capture.default_duration", .int, "5000"),
        .init("capture.max_file_size_mb", .int, "0"),
        .init("load_plugins", .texts),
        .init("plugins", .any),
        .init("plugins_hostinfo", .bool, "true", .later),
        .init("time_format_iso_8601", .bool, "false"),
        .init("buffer_format_base64", .bool, "false"),
        .init("priority", .text, "debug"),
        .init("json_output", .bool, "false"),
        .init("json_include_output_property", .bool, "true"),
        .init("json_include_message_property", .bool, "false"),
        .init("json_include_output_fields_property", .bool, "true"),
        .init("json_include_tags_property", .bool, "true"),
        .init("buffered_outputs", .bool, "false"),
        .init("rule_matching", .text, "first"),
        .init("outputs_queue.capacity", .int, "0"),
        .init("append_output", .any),
        .init("static_fields", .map, "", .later),
        .init("stdout_output.enabled", .bool, "false"),
        .init("syslog_output.enabled", .bool, "false"),
        .init("file_output.enabled", .bool, "false"),
        .init("file_output.keep_alive", .bool, "false"),
        .init("file_output.filename", .text),
        .init("program_output.enabled", .bool, "false"),
        .init("program_output.keep_alive", .bool, "false"),
        .init("program_output.program", .text),
        .init("http_output.enabled", .bool, "false", .later),
        .init("http_output.url", .text, "", .part(of: "http_output.enabled")),
        .init("http_output.user_agent", .text, "falcosecurity/falco", .part(of: "http_output.enabled")),
        .init("http_output.insecure", .bool, "false", .part(of: "http_output.enabled")),
        .init("http_output.ca_cert", .text, "", .part(of: "http_output.enabled")),
        .init("http_output.ca_bundle", .text, "", .part(of: "http_output.enabled")),
        .init("http_output.ca_path", .text, "/etc/ssl/certs", .part(of: "http_output.enabled")),
        .init("http_output.mtls", .bool, "false", .part(of: "http_output.enabled")),
        .init("http_output.client_cert", .text, "/etc/ssl/certs/client.crt", .part(of: "http_output.enabled")),
        .init("http_output.client_key", .text, "/etc/ssl/certs/client.key", .part(of: "http_output.enabled")),
        .init("http_output.echo", .bool, "false", .part(of: "http_output.enabled")),
        .init("http_output.compress_uploads", .bool, "false", .part(of: "http_output.enabled")),
        .init("http_output.keep_alive", .bool, "false", .part(of: "http_output.enabled")),
        .init("http_output.max_consecutive_timeouts", .int, "5", .part(of: "http_output.enabled")),
        .init("webserver.enabled", .bool, "false", .later),
        .init("webserver.threadiness", .int, "0", .part(of: "webserver.enabled")),
        .init("webserver.listen_port", .int, "8765", .part(of: "webserver.enabled")),
        .init("webserver.listen_address", .text, "0.0.0.0", .part(of: "webserver.enabled")),
        .init("webserver.k8s_healthz_endpoint", .text, "/healthz", .part(of: "webserver.enabled")),
        .init("webserver.prometheus_metrics_enabled", .bool, "false", .part(of: "webserver.enabled")),
        .init("webserver.ssl_enabled", .bool, "false", .part(of: "webserver.enabled")),
        .init("webserver.ssl_certificate", .text, "/etc/falco/falco.pem", .part(of: "webserver.enabled")),
        .init("log_stderr", .bool, "false"),
        .init("log_syslog", .bool, "true"),
        .init("log_level", .text, "info"),
        .init("libs_logger.enabled", .bool, "true"),
        .init(
            "libs_logger.severity", .word(["fatal", "critical", "error", "warning", "notice", "info", "debug", "trace"]), "info",
            .later),
        .init("output_timeout", .int, "2000"),
        .init("syscall_event_timeouts.max_consecutives", .int, "1000", .later),
        .init("syscall_event_drops.threshold", .number, "0.1"),
        .init("syscall_event_drops.actions", .texts),
        .init("syscall_event_drops.rate", .number, "0.03333"),
        .init("syscall_event_drops.max_burst", .number, "1"),
        .init("syscall_event_drops.simulate_drops", .bool, "false"),
        .init("metrics.enabled", .bool, "false", .later),
        .init("metrics.interval", .text, "5000", .part(of: "metrics.enabled")),
        .init("metrics.output_rule", .bool, "false", .part(of: "metrics.enabled")),
        .init("metrics.output_file", .text, "", .part(of: "metrics.enabled")),
        .init("metrics.rules_counters_enabled", .bool, "true", .part(of: "metrics.enabled")),
        .init("metrics.resource_utilization_enabled", .bool, "true", .part(of: "metrics.enabled")),
        .init("metrics.state_counters_enabled", .bool, "true", .part(of: "metrics.enabled")),
        .init("metrics.kernel_event_counters_enabled", .bool, "true", .part(of: "metrics.enabled")),
        .init("metrics.kernel_event_counters_per_cpu_enabled", .bool, "true", .part(of: "metrics.enabled")),
        .init("metrics.libbpf_stats_enabled", .bool, "true", .part(of: "metrics.enabled")),
        .init("metrics.plugins_metrics_enabled", .bool, "true", .part(of: "metrics.enabled")),
        .init("metrics.kernel_iter_event_counters_enabled", .bool, "true", .part(of: "metrics.enabled")),
        .init("metrics.jemalloc_stats_enabled", .bool, "true", .part(of: "metrics.enabled")),
        .init("metrics.convert_memory_to_mb", .bool, "true", .part(of: "metrics.enabled")),
        .init("metrics.include_empty_values", .bool, "false", .part(of: "metrics.enabled")),
        .init("base_syscalls.custom_set", .texts),
        .init("base_syscalls.repair", .bool, "false"),
        .init("base_syscalls.all", .bool, "false"),
        .init("falco_libs.thread_table_size", .int, "262144", .later),
        .init("falco_libs.thread_table_auto_purging_interval_s", .int, "300", .later),
        .init("falco_libs.thread_table_auto_purging_thread_timeout_s", .int, "300", .later),
        .init("falco_libs.snaplen", .int, "0"),
        // Ours; today's Falco has them in its library only.
        .init("falco_libs.dynamic_snaplen", .bool, "false"),
        .init("falco_libs.fullcapture_port_range", .text),
        .init("falco_libs.statsd_port", .int, "8125"),
    ]

    /// A row's place, a map that holds rows, or something inside a row that is a list or a map.
    static func knows(_ path: ConfigPath) -> Bool {
        let name = path.steps.compactMap { step in if case .key(let key) = step { key } else { nil } }.joined(separator: ".")
        return table.contains { row in
            row.name == name || row.name.hasPrefix(name + ".")
                || ([.any, .map, .texts].contains(row.type) && name.hasPrefix(row.name + "."))
        }
    }

    static func row(_ name: String) -> SettingKey {
        guard let row = byName[name] else { preconditionFailure("the key '\(name)' is not in the table of keys") }
        return row
    }
    private static let byName = Dictionary(uniqueKeysWithValues: table.map { ($0.name, $0) })

    /// Values of the shipped falco.yaml that differ from a file without the key: they apply when there is no file at all.
    /// Switches of features that are not there yet are left out.
    static let shipped: [(String, ConfigValue)] = [
        ("rule_matching", .scalar("first")),
        ("append_output", .list([.map([.init("suggested_output", .scalar("true"))])])),
        ("stdout_output.enabled", .scalar("true")),
        ("syslog_output.enabled", .scalar("true")),
        ("file_output.filename", .scalar("./events.txt")),
        ("log_stderr", .scalar("true")),
        ("syscall_event_drops.actions", .list([.scalar("log"), .scalar("alert")])),
        ("falco_libs.snaplen", .scalar("80")),
    ]
}

/// The line a configuration file gets in the start-up log.
public enum SchemaVerdict: Sendable, Equatable, CustomStringConvertible {
    case ok
    /// An empty file.
    case none
    case failed(String)

    public var description: String {
        switch self {
        case .ok: "ok"
        case .none: "none"
        case .failed(let reason): "failed for \(reason)"
        }
    }

    /// Checks names and scalar types against the table; lists and maps with a shape of their own are checked by who reads them.
    static func check(_ root: ConfigValue) -> SchemaVerdict {
        if root.isNull { return .none }
        guard case .map(let entries) = root else { return .failed("<root>: not a map of keys") }
        return check(entries, prefix: "", place: "<root>") ?? .ok
    }

    private static func check(_ entries: [ConfigValue.Entry], prefix: String, place: String) -> SchemaVerdict? {
        for entry in entries {
            let name = prefix + entry.key
            // The published schema knows the misspelt `rule_files` and not the deprecated `rules_file`.
            if name == "rules_file" { return .failed("\(place): additional property '\(entry.key)' is not allowed") }
            if let row = SettingKey.table.first(where: { $0.name == name }) {
                if let reason = mismatch(entry.value, row.type) { return .failed("\(place)[\(entry.key)]: \(reason)") }
            } else if SettingKey.table.contains(where: { $0.name.hasPrefix(name + ".") }) {
                if entry.value.isNull { continue }
                guard case .map(let inner) = entry.value else { return .failed("\(place)[\(entry.key)]: not a map") }
                if let verdict = check(inner, prefix: name + ".", place: "\(place)[\(entry.key)]") { return verdict }
            } else {
                return .failed("\(place): additional property '\(entry.key)' is not allowed")
            }
        }
        return nil
    }

    private static func mismatch(_ value: ConfigValue, _ type: KeyType) -> String? {
        switch type {
        case .any: nil
        case .bool: value.bool == nil ? "not a boolean" : nil
        case .int: value.integer == nil ? "not an integer" : nil
        case .number: value.number == nil ? "not a number" : nil
        case .text: value.text == nil && !value.isNull ? "not a text" : nil
        case .texts: value.elements == nil && !value.isNull ? "not a list" : nil
        case .map: value.isNull || value.entries.count > 0 || value == .map([]) ? nil : "not a map"
        case .word(let words): value.text.map(words.contains) == true ? nil : "not one of \(words.joined(separator: ", "))"
        }
    }
}
