// SPDX-License-Identifier: Apache-2.0
import RuleEngine
import Rules
import Testing

/// A user's own file behind the default one: whatever it appends to or replaces, it acts.
@Suite struct LocalFileTests {
    /// The program of each rule, by name.
    static func listings(_ set: RuleSet) -> [String: String] {
        Dictionary(uniqueKeysWithValues: set.rules.map { ($0.name, RuleProgram(rules: [$0.condition]).listing()) })
    }
    static let unchangedListings = listings(DefaultRuleSet.unchanged.ruleSet)

    /// What each behaviour fires without a local file.
    static let unchanged: [String: [String]] = {
        var fired: [String: [String]] = [:]
        for behaviour in Behaviour.told + Behaviour.silent { fired[behaviour.description] = try? behaviour.act(Stage()) }
        return fired
    }()

    /// Which behaviours are told by other rules than before.
    static func changes(_ rules: DefaultRuleSet) throws -> [String] {
        let now = listings(rules.ruleSet)
        let affected = Set(now.filter { $0.value != unchangedListings[$0.key] }.keys)
        return try (Behaviour.told + Behaviour.silent).filter { affected.contains($0.rule) }.filter {
            try $0.act(Stage(rules)) != unchanged[$0.description]
        }.map(\.description)
    }

    enum RuleChange: String, CaseIterable {
        case appendedCondition, replacedCondition, appendedException, oldAppend, oldException, switchedOff
        var text: String {
            switch self {
            case .appendedCondition: "  condition: and never_true\n  override: {condition: append}"
            case .replacedCondition: "  condition: never_true\n  override: {condition: replace}"
            case .appendedException:
                """
                  exceptions:
                    - name: mine
                      fields: [evt.num, proc.pid]
                      comps: [">=", ">="]
                      values: [[1, 0]]
                  override: {exceptions: append}
                """
            case .oldAppend: "  condition: and never_true\n  append: true"
            case .oldException:
                "  exceptions: [{name: mine, fields: [evt.num], comps: [\">=\"], values: [[1]]}]\n  append: true"
            case .switchedOff: "  enabled: false\n  override: {enabled: replace}"
            }
        }
        /// Old forms load with a word about it.
        var isDeprecated: Bool { self == .oldAppend || self == .oldException }
    }

    /// In one file for all rules: what fired them does so no longer.
    @Test(arguments: RuleChange.allCases) func everyRule(_ change: RuleChange) throws {
        let local = Interface.rules.map { "- rule: \($0.name)\n\(change.text)\n" }.joined()
        let rules = DefaultRuleSet(local: local)
        #expect(rules.results.allSatisfy { $0.successful })
        #expect(change.isDeprecated || Self.unused(rules.complaints), "\(rules.complaints)")
        #expect(rules.ruleSet.rules.map(\.name) == Interface.rules.map(\.name))
        for behaviour in Behaviour.told { #expect(try behaviour.act(Stage(rules)) == [], "\(behaviour)") }
    }

    /// One rule at a time: the others stay as they are.
    @Test(arguments: Interface.rules) func oneRule(_ row: Interface.RuleRow) throws {
        let local = """
            - rule: \(row.name)
              condition: and never_true
              priority: DEBUG
              desc: (also mine)
              output: mine=%proc.pid
              tags: [mine]
              override: {condition: append, priority: replace, desc: append, output: append, tags: append}
            """
        let rules = DefaultRuleSet(local: local)
        #expect(rules.complaints == [])
        let rule = try #require(rules.ruleSet.rules.first { $0.name == row.name })
        #expect(rule.priority == .debug && rule.description.hasSuffix("(also mine)") && rule.tags.contains("mine"))
        #expect(InterfaceTests.pairs(rule.outputText).last == "mine=%proc.pid")
        let changed = Self.listings(rules.ruleSet).filter { $0.value != Self.unchangedListings[$0.key] }
        #expect(Set(changed.keys) == [row.name])
        let told = try #require(Behaviour.told.first { $0.rule == row.name })
        #expect(!(try told.act(Stage(rules))).contains(row.name))
    }

    /// A condition that is replaced leaves macros behind that nothing refers to; nothing else may be said.
    static func unused(_ complaints: [String]) -> Bool { complaints.allSatisfy { $0.contains("nused") } }

    /// Macros that change what is told when they always hold; the others do when they never hold.
    static let actsWhenItHolds: Set<String> = [
        "never_true", "proc_is_new", "run_by_package_mgmt_binaries", "system_users", "ansible_running_python", "run_by_qualys",
        "run_by_google_accounts_daemon", "run_by_chef", "run_by_foreman", "python_mesos_marathon_scripting",
        "splunk_running_forwarder", "perl_running_plesk", "perl_running_updmap", "perl_running_centrifydc", "runuser_reading_pam",
        "linux_bench_reading_etc_shadow", "veritas_driver_script", "cmp_cp_by_passwd",
        "user_known_read_sensitive_files_activities",
        "user_read_sensitive_file_conditions", "user_read_sensitive_file_containers", "mandb_postinst", "postgres_running_wal_e",
        "postgres_running_cnpg", "redis_running_prepost_scripts", "rabbitmq_running_scripts", "rabbitmqctl_running_scripts",
        "run_by_appdynamics", "parent_java_running_kafka", "parent_java_running_elasticsearch", "parent_java_running_activemq",
        "parent_java_running_cassandra", "parent_java_running_jboss_wildfly", "parent_java_running_glassfish",
        "parent_java_running_hadoop",
        "parent_java_running_datastax", "nginx_starting_nginx", "nginx_running_aws_s3_cp", "consul_running_net_scripts",
        "consul_running_alert_checks", "serf_script", "check_process_status", "possibly_node_in_container",
        "possibly_parent_java_running_tomcat", "user_known_system_user_login",
        "user_expected_terminal_shell_in_container_conditions", "user_shell_container_exclusions", "k8s_containers",
        "user_known_contact_k8s_api_server_activities", "grep_more", "allowed_clear_log_files", "trusted_logging_images",
        "containerd_activities", "user_known_remove_data_activities", "user_known_stand_streams_redirect_activities",
        "known_ptrace_procs", "known_drop_and_execute_activities", "known_memfd_execution_processes",
    ]

    @Test(arguments: Interface.macros) func macro(_ name: String) throws {
        let condition = Self.actsWhenItHolds.contains(name) ? "evt.num > 0" : "evt.num = 0"
        let rules = DefaultRuleSet(local: "- macro: \(name)\n  condition: \(condition)\n  override: {condition: replace}\n")
        #expect(rules.results.allSatisfy { $0.successful })
        #expect(Self.unused(rules.complaints), "\(rules.complaints)")
        #expect(!(try Self.changes(rules)).isEmpty)
    }

    /// In one file for all macros: nothing holds any more, nothing is told; and the forms that are older.
    @Test(arguments: [
        ("and evt.num = 0", "  override: {condition: append}\n"), ("evt.num = 0", ""), ("and evt.num = 0", "  append: true\n"),
    ])
    func everyMacro(_ condition: String, _ form: String) throws {
        let rules = DefaultRuleSet(
            local: Interface.macros.map { "- macro: \($0)\n  condition: \(condition)\n\(form)" }.joined())
        #expect(rules.results.allSatisfy { $0.successful })
        #expect(form.contains("true") || Self.unused(rules.complaints), "\(rules.complaints)")
        for behaviour in Behaviour.told where Self.unchanged[behaviour.description] == [behaviour.rule] {
            #expect(try behaviour.act(Stage(rules)) == [], "\(behaviour)")
        }
    }

    /// Hooks, each with the rule that it silences.
    @Test(
        arguments: [
            ("user_known_read_sensitive_files_activities", "Read sensitive file untrusted"),
            ("user_known_read_sensitive_files_activities", "Read sensitive file trusted after startup"),
            ("user_read_sensitive_file_conditions", "Read sensitive file untrusted"),
            ("user_read_sensitive_file_containers", "Read sensitive file untrusted"),
            ("user_shell_container_exclusions", "Run shell untrusted"),
            ("user_known_system_user_login", "System user interactive"),
            ("user_expected_terminal_shell_in_container_conditions", "Terminal shell in container"),
            ("user_known_contact_k8s_api_server_activities", "Contact K8S API Server From Container"),
            ("allowed_clear_log_files", "Clear Log Activities"),
            ("user_known_remove_data_activities", "Remove Bulk Data from Disk"),
            (
                "user_known_stand_streams_redirect_activities",
                "Redirect STDOUT/STDIN to Network Connection in Container"
            ),
            ("known_ptrace_procs", "PTRACE attached to process"),
            ("known_drop_and_execute_activities", "Drop and execute new binary in container"),
            ("known_memfd_execution_processes", "Fileless execution via memfd_create"),
        ]) func hook(_ macro: String, _ rule: String) throws
    {
        let rules = DefaultRuleSet(local: "- macro: \(macro)\n  condition: (evt.num > 0)\n  override: {condition: replace}\n")
        let told = Behaviour.told.filter { $0.rule == rule }
        #expect(!told.isEmpty)
        for behaviour in told { #expect(!(try behaviour.act(Stage(rules))).contains(rule), "\(behaviour.what)") }
    }

    /// Of every list: an item, with which something else is told than before.
    static let items: [(list: String, item: String)] = [
        ("shell_binaries", "gzip"), ("login_binaries", "cat"), ("passwd_binaries", "cat"), ("shadowutils_binaries", "cat"),
        ("http_server_binaries", "make"), ("db_server_binaries", "make"), ("postgres_mgmt_binaries", "cat"),
        ("nosql_server_binaries", "make"), ("gitlab_binaries", "timeout"), ("rpm_binaries", "cat"), ("deb_binaries", "cat"),
        ("python_package_managers", "rpm"), ("package_mgmt_binaries", "cat"), ("userexec_binaries", "cat"),
        ("user_mgmt_binaries", "cat"), ("hids_binaries", "cat"), ("vpn_binaries", "cat"), ("nomachine_binaries", "cat"),
        ("mail_binaries", "make"), ("mail_config_binaries", "cat"), ("sensitive_file_names", "/etc/passwd"),
        ("sensitive_directory_names", "../etc/ssl"), ("cron_binaries", "timeout"), ("needrestart_binaries", "timeout"),
        ("sshkit_script_binaries", "cat"), ("read_sensitive_file_binaries", "cat"), ("read_sensitive_file_images", Stage.image),
        ("protected_shell_spawning_binaries", "make"), ("mesos_shell_binaries", "timeout"), ("trusted_images", Stage.image),
        ("sematext_images", Stage.image), ("falco_containers", Stage.image), ("falco_no_driver_containers", Stage.image),
        ("falco_privileged_images", Stage.image), ("known_shell_spawn_cmdlines", "sh -c id; uname -a"),
        ("user_known_shell_spawn_binaries", "timeout"), ("ibm_cloud_containers", Stage.image), ("grep_binaries", "aws"),
        ("log_directories", "/srv"), ("log_files", "x"), ("data_remove_commands", "rm"),
        ("user_known_packet_socket_binaries", "sniff"), ("allowed_container_images_loading_kernel_module", Stage.image),
        ("docker_binaries", "cat"), ("known_ptrace_binaries", "inject"), ("known_drop_and_execute_containers", Stage.image),
        ("rfc_1918_addresses", "'\"203.0.113.0/24\"'"), ("ssh_non_standard_ports", "22"), ("known_memfd_execution_binaries", "3"),
        // Not of Falco's.
        ("debian_account_scripts", "sshd"), ("debugger_binaries", "systemd"), ("find_binaries", "ls"),
    ]

    @Test func everyListHasAnItem() {
        #expect(Set(Self.items.map(\.list)) == Set(DefaultRuleSet.unchanged.ruleSet.lists.map(\.name)))
    }

    @Test(arguments: items) func list(_ name: String, _ item: String) throws {
        let rules = DefaultRuleSet(local: "- list: \(name)\n  items: [\(item)]\n  override: {items: append}\n")
        #expect(rules.complaints == [])
        #expect(!(try Self.changes(rules)).isEmpty)
    }

    /// The form that is older, and lists that are replaced.
    @Test(arguments: ["  append: true\n", ""]) func everyList(_ form: String) throws {
        let rules = DefaultRuleSet(local: Self.items.map { "- list: \($0.list)\n  items: [\($0.item)]\n\(form)" }.joined())
        #expect(rules.results.allSatisfy { $0.successful })
        #expect(try Self.changes(rules).count > Behaviour.told.count / 4)
    }
}
