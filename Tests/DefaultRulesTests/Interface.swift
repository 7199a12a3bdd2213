// SPDX-License-Identifier: Apache-2.0
import FilterLanguage

/// Names that rule files and log parsers of users build on.
enum Interface {
    struct RuleRow: Sendable, CustomStringConvertible {
        let name: String
        let priority: Priority
        let tags: String
        /// Keys of the output before those that every rule has.
        let keys: String
        /// Rules about programs that start have one key more, at the end.
        let hasExeFlags: Bool
        init(_ name: String, _ priority: Priority, _ tags: String, _ keys: String, exeFlags: Bool = false) {
            (self.name, self.priority, self.tags, self.keys, hasExeFlags) = (name, priority, tags, keys, exeFlags)
        }
        var description: String { name }
        var allKeys: [String] {
            (keys + " " + Interface.commonKeys + (hasExeFlags ? " exe_flags" : "")).split(separator: " ").map(String.init)
        }
    }

    static let commonKeys = "evt_type user user_uid user_loginuid process proc_exepath parent command terminal"

    static let rules: [RuleRow] = [
        .init(
            "Directory traversal monitored file read", .warning,
            "maturity_stable host container filesystem mitre_credential_access T1555",
            "file fileraw gparent ggparent gggparent"),
        .init(
            "Read sensitive file trusted after startup", .warning,
            "maturity_stable host container filesystem mitre_credential_access T1555",
            "file pcmdline gparent ggparent gggparent"),
        .init(
            "Read sensitive file untrusted", .warning,
            "maturity_stable host container filesystem mitre_credential_access T1555",
            "file gparent ggparent gggparent"),
        .init(
            "Run shell untrusted", .notice,
            "maturity_stable host container process shell mitre_execution T1059.004",
            "parent_exe parent_exepath pcmdline gparent ggparent aname[4] aname[5] aname[6] aname[7]", exeFlags: true),
        .init(
            "System user interactive", .informational,
            "maturity_stable host container users mitre_execution T1059 NIST_800-53_AC-2",
            "", exeFlags: true),
        .init(
            "Terminal shell in container", .notice,
            "maturity_stable container shell mitre_execution T1059",
            "", exeFlags: true),
        .init(
            "Contact K8S API Server From Container", .notice,
            "maturity_stable container network k8s mitre_discovery T1565",
            "connection lport rport fd_type fd_proto"),
        .init(
            "Netcat Remote Code Execution in Container", .warning,
            "maturity_stable container network process mitre_execution T1059",
            "", exeFlags: true),
        .init(
            "Search Private Keys or Passwords", .warning,
            "maturity_stable host container process filesystem mitre_credential_access T1552.001",
            "", exeFlags: true),
        .init(
            "Clear Log Activities", .warning,
            "maturity_stable host container filesystem mitre_defense_evasion T1070 NIST_800-53_AU-10",
            "file"),
        .init(
            "Remove Bulk Data from Disk", .warning,
            "maturity_stable host container process filesystem mitre_impact T1485",
            "file", exeFlags: true),
        .init(
            "Create Symlink Over Sensitive Files", .warning,
            "maturity_stable host container filesystem mitre_credential_access T1555",
            "target linkpath"),
        .init(
            "Create Hardlink Over Sensitive Files", .warning,
            "maturity_stable host container filesystem mitre_credential_access T1555",
            "target linkpath"),
        .init(
            "Packet socket created in container", .notice,
            "maturity_stable container network mitre_credential_access T1557.002",
            "socket_info connection lport rport fd_type fd_proto"),
        .init(
            "Redirect STDOUT/STDIN to Network Connection in Container", .notice,
            "maturity_stable container network process mitre_execution T1059",
            "gparent ggparent gggparent fd.sip connection lport rport fd_type fd_proto"),
        .init(
            "Linux Kernel Module Injection Detected", .warning,
            "maturity_stable host container process mitre_persistence TA0003",
            "parent_exepath gparent gexepath module res"),
        .init(
            "Debugfs Launched in Privileged Container", .warning,
            "maturity_stable container cis process mitre_privilege_escalation T1611",
            "", exeFlags: true),
        .init(
            "Detect release_agent File Container Escapes", .critical,
            "maturity_stable container process mitre_privilege_escalation T1611",
            "file cap_effective"),
        .init(
            "PTRACE attached to process", .warning,
            "maturity_stable host container process mitre_privilege_escalation T1055.008",
            "proc_pcmdline"),
        .init(
            "PTRACE anti-debug attempt", .notice,
            "maturity_stable host container process mitre_defense_evasion T1622",
            "proc_pcmdline"),
        .init(
            "Find AWS Credentials", .warning,
            "maturity_stable host container process aws mitre_credential_access T1552",
            "proc_pcmdline proc_cwd group_gid group_name user_loginname", exeFlags: true),
        .init(
            "Execution from /dev/shm", .warning,
            "maturity_stable host container mitre_execution T1059.004",
            "evt_res file proc_cwd proc_pcmdline user_loginname group_gid group_name", exeFlags: true),
        .init(
            "Drop and execute new binary in container", .critical,
            "maturity_stable container process mitre_persistence TA0003 PCI_DSS_11.5.1",
            "proc_exe proc_sname gparent proc_exe_ino_ctime proc_exe_ino_mtime "
                + "proc_exe_ino_ctime_duration_proc_start proc_cwd container_start_ts", exeFlags: true),
        .init(
            "Disallowed SSH Connection Non Standard Port", .notice,
            "maturity_stable host container network process mitre_execution T1059",
            "connection lport rport fd_type fd_proto"),
        .init(
            "Fileless execution via memfd_create", .critical,
            "maturity_stable host container process mitre_defense_evasion T1620",
            "container_start_ts proc_cwd evt_res proc_sname gparent", exeFlags: true),
    ]

    static let macros: [String] = words(
        """
        access_log_files allowed_clear_log_files ansible_running_python check_process_status clear_data_procs
        cmp_cp_by_passwd consul_running_alert_checks consul_running_net_scripts container container_entrypoint
        containerd_activities create_hardlink create_symlink directory_traversal dup etc_dir grep_commands grep_more
        interactive k8s_api_server k8s_containers kernel_module_load known_drop_and_execute_activities
        known_memfd_execution_processes known_ptrace_procs linux_bench_reading_etc_shadow mandb_postinst never_true
        nginx_running_aws_s3_cp nginx_starting_nginx open_file_failed open_read open_write outbound
        parent_java_running_activemq parent_java_running_cassandra parent_java_running_datastax
        parent_java_running_elasticsearch parent_java_running_glassfish parent_java_running_hadoop
        parent_java_running_jboss_wildfly parent_java_running_kafka parent_java_running_zookeeper perl_running_centrifydc
        perl_running_plesk perl_running_updmap possibly_node_in_container possibly_parent_java_running_tomcat
        postgres_running_cnpg postgres_running_wal_e private_aws_credentials private_key_or_password proc_is_new
        proc_name_exists protected_shell_spawner ptrace_attach_or_injection python_mesos_marathon_scripting
        rabbitmq_running_scripts rabbitmqctl_running_scripts redis_running_prepost_scripts run_by_appdynamics run_by_chef
        run_by_foreman run_by_google_accounts_daemon run_by_package_mgmt_binaries run_by_qualys runuser_reading_pam
        sensitive_files serf_script server_procs shell_procs spawned_process splunk_running_forwarder
        ssh_non_standard_ports_network system_users trusted_logging_images
        user_expected_terminal_shell_in_container_conditions user_known_contact_k8s_api_server_activities
        user_known_read_sensitive_files_activities user_known_remove_data_activities
        user_known_stand_streams_redirect_activities user_known_system_user_login user_read_sensitive_file_conditions
        user_read_sensitive_file_containers user_shell_container_exclusions user_ssh_directory veritas_driver_script
        """)

    static let lists: [String] = words(
        """
        allowed_container_images_loading_kernel_module cron_binaries data_remove_commands db_server_binaries deb_binaries
        docker_binaries falco_containers falco_no_driver_containers falco_privileged_images gitlab_binaries grep_binaries
        hids_binaries http_server_binaries ibm_cloud_containers known_drop_and_execute_containers
        known_memfd_execution_binaries known_ptrace_binaries known_shell_spawn_cmdlines log_directories log_files
        login_binaries mail_binaries mail_config_binaries mesos_shell_binaries needrestart_binaries nomachine_binaries
        nosql_server_binaries package_mgmt_binaries passwd_binaries postgres_mgmt_binaries
        protected_shell_spawning_binaries python_package_managers read_sensitive_file_binaries read_sensitive_file_images
        rfc_1918_addresses rpm_binaries sematext_images sensitive_directory_names sensitive_file_names shadowutils_binaries
        shell_binaries ssh_non_standard_ports sshkit_script_binaries trusted_images user_known_packet_socket_binaries
        user_known_shell_spawn_binaries user_mgmt_binaries userexec_binaries vpn_binaries
        """)

    private static func words(_ text: String) -> [String] {
        text.split(whereSeparator: \.isWhitespace).map(String.init)
    }
}
