// SPDX-License-Identifier: Apache-2.0

extension Behaviour {
    /// A shell that `parent` starts with `arguments`.
    private static func shell(_ what: String, below parent: Stage.Process, _ arguments: [String]) -> Behaviour {
        .init("Run shell untrusted", what) { s in
            try s.start(.init(name: "sh", arguments: arguments, parent: s.process(parent)))
        }
    }
    private static func reads(
        _ what: String, _ process: Stage.Process, parent: Stage.Process? = nil, _ path: String = "/etc/shadow"
    ) -> Behaviour {
        .init("Read sensitive file untrusted", what) { s in
            var process = process
            if let parent { process.parent = s.process(parent) }
            return try s.open(path, by: s.process(process))
        }
    }

    /// What must not be told: by the rule that is named, nor by another one.
    static let silent: [Behaviour] = [
        // reading
        .init("Directory traversal monitored file read", "a script that climbs to a configuration of its own") { s in
            let shell = s.process(.init(name: "bash"))
            return try s.open("../../etc/app.conf", by: s.process(.init(name: "cat", parent: shell)))
        },
        .init("Directory traversal monitored file read", "one step") { s in
            try s.open("/usr/lib/../../etc/../x", by: s.process(.init(name: "ld")))
        },
        .init("Directory traversal monitored file read", "names that end in dots") { s in
            try s.open("/etc/a../b../c", by: s.process(.init(name: "httpd")))
        },
        .init("Directory traversal monitored file read", "writing") { s in
            try s.open("/etc/../etc/../etc/motd", flags: Flag.write, by: s.process(.init(name: "httpd")))
        },
        .init("Read sensitive file trusted after startup", "a web server that starts") { s in
            try s.open("/etc/shadow", by: s.process(.init(name: "nginx", ageS: 1)))
        },
        .init("Read sensitive file trusted after startup", "any other file") { s in
            try s.open("/etc/nginx/nginx.conf", by: s.process(.init(name: "nginx")))
        },
        reads("login", .init(name: "login")),
        reads("a remote login", .init(name: "sshd-session", path: "/usr/lib/openssh/sshd-session")),
        reads("passwd", .init(name: "passwd")), reads("useradd", .init(name: "useradd", path: "/usr/sbin/useradd")),
        reads("adduser is a script", .init(name: "adduser", path: "/usr/bin/perl")),
        reads("sudo", .init(name: "sudo"), "/etc/sudoers"),
        reads("cron opens a session", .init(name: "cron", path: "/usr/sbin/cron"), "/etc/pam.d/cron"),
        reads("rpm", .init(name: "rpm")), reads("dpkg", .init(name: "dpkg")), reads("apk", .init(name: "apk")),
        reads("a maintainer script", .init(name: "grep"), parent: .init(name: "dpkg"), "/etc/pam.d/common-auth"),
        reads("a host intrusion detection", .init(name: "aide")), reads("a tunnel", .init(name: "openvpn")),
        reads("mail configuration", .init(name: "postconf")), reads("a remote desktop", .init(name: "nxserver.bin")),
        reads("deployment", .init(name: "10_etc_sudoers.", path: "/usr/bin/dash"), "/etc/sudoers"),
        reads("a database script", .init(name: "pg_lsclusters", path: "/usr/bin/perl")),
        reads("the user database of systemd", .init(name: "systemd-userwor", path: "/usr/lib/systemd/systemd-userwork")),
        reads("ansible", .init(name: "python3", arguments: ["/root/.ansible/tmp/x/AnsiballZ_user.py"])),
        reads("qualys", .init(name: "awk"), parent: .init(name: "qualys-cloud-ag")),
        reads("chef", .init(name: "ruby"), parent: .init(name: "chef-client")),
        reads("google", .init(name: "python3"), parent: .init(name: "google_accounts")),
        reads("plesk", .init(name: "perl", arguments: ["/opt/psa/admin/x.pl"])),
        reads("tex", .init(name: "updmap", path: "/usr/bin/perl", arguments: ["/usr/bin/updmap"])),
        reads("centrify", .init(name: "perl", arguments: ["/usr/share/centrifydc/perl/run"])),
        reads("linux-bench", .init(name: "grep"), parent: .init(name: "linux-bench")),
        reads("veritas", .init(name: "perl", arguments: ["/sbin/vxnm-vxnetd"])),
        reads("man-db", .init(name: "perl"), parent: .init(name: "man-db.postinst")),
        reads("the daily copy", .init(name: "cp"), parent: .init(name: "passwd")),
        reads("a process without a name", .init(name: "")), reads("runuser", .init(name: "runuser"), "/etc/pam.d/runuser"),
        reads("a scanner's shell", .init(name: "sh"), parent: .init(name: "rkhunter")),
        reads("another file", .init(name: "cat"), "/etc/passwd"),
        .init("Read sensitive file untrusted", "an attempt that fails") { s in
            try s.open("/etc/shadow", fd: -13, by: s.process(.init(name: "cat")))
        },
        .init("Read sensitive file untrusted", "writing only") { s in
            try s.open("/etc/shadow", flags: Flag.write, by: s.process(.init(name: "cat")))
        },

        // shells
        shell("nothing to protect", below: .init(name: "make"), ["-c", "id"]),
        shell("cron", below: .init(name: "cron"), ["-c", "run-parts /etc/cron.hourly"]),
        shell("mail() of PHP", below: .init(name: "apache2"), ["-c", "/usr/sbin/sendmail -t -i"]),
        shell("a process is asked whether it lives", below: .init(name: "nginx"), ["-c", "kill -0 123"]),
        shell("consul asks", below: .init(name: "consul"), ["-c", "curl localhost"]),
        shell("consul alerts", below: .init(name: "consul"), ["-c", "/bin/consul-alerts watch"]),
        shell("nginx restarts itself", below: .init(name: "nginx"), ["-c", "nginx -s reload"]),
        shell("nginx copies", below: .init(name: "nginx"), ["-c", "aws s3 cp a b"]),
        shell("postgres archives with wal-e", below: .init(name: "postgres"), ["-c", "envdir /etc/e /usr/bin/wal-e wal-push x"]),
        shell(
            "postgres archives for CloudNativePG", below: .init(name: "postgres"), ["-c", "/controller/manager wal-archive x"]),
        shell("rabbitmq", below: .init(name: "beam.smp"), ["-s", "unix:cmd"]),
        shell("java", below: .init(name: "java", arguments: ["-jar", "app.jar"]), ["-c", "id"]),
        shell(
            "java watched by AppDynamics",
            below: .init(name: "java", arguments: ["-jar", "x", "-Dappdynamics=1", "org.apache.hadoop.X"]), ["-c", "id"]),
        shell("a forwarder", below: .init(name: "splunkd"), ["/opt/splunkforwarder/bin/x.sh"]),
        .init("Run shell untrusted", "below another shell") { s in
            let shell = s.process(.init(name: "bash", parent: s.process(.init(name: "nginx"))))
            return try s.start(.init(name: "sh", arguments: ["-c", "id"], parent: shell))
        },
        .init("Run shell untrusted", "a program that is no shell") { s in
            try s.start(.init(name: "gzip", parent: s.process(.init(name: "nginx"))))
        },
        .init("Run shell untrusted", "a script, as the kernel starts it") { s in
            try s.start(
                .init(
                    name: "form.cgi", path: "/usr/bin/dash", arguments: ["/srv/form.cgi"],
                    parent: s.process(.init(name: "apache2")),
                    exe: "/bin/sh"))
        },
        .init("Run shell untrusted", "redis's own scripts") { s in
            let script = s.process(
                .init(
                    name: "run-parts", arguments: ["/etc/redis/redis-server.post-up.d"],
                    parent: s.process(.init(name: "redis-server"))))
            return try s.start(.init(name: "sh", arguments: ["-c", "x"], parent: script))
        },
        .init("Run shell untrusted", "rabbitmqctl below a service") { s in
            let control = s.process(.init(name: "rabbitmqctl", parent: s.process(.init(name: "rabbitmq-server"))))
            let beam = s.process(.init(name: "erl", parent: control))
            return try s.start(.init(name: "sh", arguments: ["-c", "x"], parent: beam))
        },
        .init("Run shell untrusted", "serf below a service") { s in
            let serf = s.process(.init(name: "serf", parent: s.process(.init(name: "consul"))))
            return try s.start(.init(name: "sh", arguments: ["-c", "x"], parent: serf))
        },
        .init("Run shell untrusted", "foreman") { s in
            let ruby = s.process(.init(name: "puma", parent: s.process(.init(name: "apache2"))))
            var foreman = Stage.Process(name: "sh", arguments: ["-c", "x"], parent: ruby)
            foreman.uid = 992
            return try s.start(foreman)
        },
        .init("Run shell untrusted", "marathon") { s in
            let python = s.process(
                .init(name: "python3", arguments: ["/marathon-lb/marathon_lb.py"], parent: s.process(.init(name: "haproxy"))))
            return try s.start(.init(name: "sh", arguments: ["-c", "x"], parent: python))
        },
        .init("Run shell untrusted", "a package is installed") { s in
            let script = s.process(.init(name: "nginx", parent: s.process(.init(name: "dpkg"))))
            return try s.start(.init(name: "sh", arguments: ["-c", "x"], parent: script))
        },
        .init("Run shell untrusted", "mesos, gitlab and needrestart have theirs") { s in
            let server = s.process(.init(name: "nginx"))
            return try ["mesos-slave", "gitaly", "10-dpkg"].flatMap { name in
                try s.start(.init(name: "sh", arguments: ["-c", "x"], parent: s.process(.init(name: name, parent: server))))
            }
        },
        .init("System user interactive", "a service") { s in try s.start(.init(name: "id", uid: 33)) },
        .init("System user interactive", "a person") { s in
            try s.start(.init(name: "bash", parent: s.process(.init(name: "sshd")), uid: 1000, tty: 34817))
        },
        .init("System user interactive", "su without a terminal") { s in
            try s.start(.init(name: "bash", parent: s.process(.init(name: "su")), uid: 33))
        },
        .init("System user interactive", "a package is installed on a terminal") { s in
            let su = s.process(.init(name: "su", parent: s.process(.init(name: "dpkg")), tty: 34817))
            return try s.start(.init(name: "sh", parent: su, uid: 33, tty: 34817))
        },
        .init("Terminal shell in container", "without a terminal") { s in
            try s.start(.init(name: "bash", parent: s.process(.init(name: "runc")), inContainer: true))
        },
        .init("Terminal shell in container", "on the host") { s in try s.start(.init(name: "bash", tty: 34816)) },
        .init("Terminal shell in container", "a shell below it") { s in
            let shell = s.process(.init(name: "bash", tty: 34816, inContainer: true))
            return try s.start(.init(name: "sh", arguments: ["-c", "ls"], parent: shell, tty: 34816, inContainer: true))
        },

        // containers and networks
        .init("Contact K8S API Server From Container", "another address") { s in
            try s.connect(to: [10, 96, 0, 2], 443, by: s.process(.init(name: "curl", inContainer: true)))
        },
        .init("Contact K8S API Server From Container", "on the host") { s in
            try s.connect(to: Stage.serviceAddress, 443, by: s.process(.init(name: "kubelet")))
        },
        .init("Netcat Remote Code Execution in Container", "a client") { s in
            try s.start(.init(name: "nc", arguments: ["-vz", "example.org", "22"], inContainer: true))
        },
        .init("Netcat Remote Code Execution in Container", "a shell that stops at errors") { s in
            try s.start(.init(name: "bash", arguments: ["-e", "/bin/script.sh"], inContainer: true))
        },
        .init("Netcat Remote Code Execution in Container", "on the host") { s in
            try s.start(.init(name: "nc", arguments: ["-e", "/bin/sh", "localhost", "22"]))
        },
        .init("Packet socket created in container", "an ordinary socket") { s in
            try s.socket(2, by: s.process(.init(name: "curl", inContainer: true)))
        },
        .init("Packet socket created in container", "on the host") { s in
            try s.socket(Flag.packet, by: s.process(.init(name: "dhclient")))
        },
        .init("Redirect STDOUT/STDIN to Network Connection in Container", "another descriptor") { s in
            let tid = s.process(.init(name: "perl", inContainer: true))
            _ = try s.connect(to: publicAddress, 4444, by: tid)
            return try s.dup2(4, 7, by: tid)
        },
        .init("Redirect STDOUT/STDIN to Network Connection in Container", "on the host") { s in
            let tid = s.process(.init(name: "inetd"))
            _ = try s.connect(to: publicAddress, 4444, by: tid)
            return try s.dup2(4, 0, by: tid)
        },
        .init("Redirect STDOUT/STDIN to Network Connection in Container", "a file") { s in
            let tid = s.process(.init(name: "sh", inContainer: true))
            _ = try s.open("/tmp/x", fd: 4, by: tid)
            return try s.dup2(4, 0, by: tid)
        },
        .init("Redirect STDOUT/STDIN to Network Connection in Container", "a login server in a container") { s in
            let tid = s.process(.init(name: "sshd", path: "/usr/sbin/sshd", inContainer: true))
            _ = try s.connect(to: publicAddress, 4444, by: tid)
            return try s.dup2(4, 0, by: tid)
        },
        .init("Disallowed SSH Connection Non Standard Port", "its own port") { s in
            try s.connect(to: publicAddress, 22, by: s.process(.init(name: "ssh")))
        },
        .init("Disallowed SSH Connection Non Standard Port", "near by") { s in
            let ssh = s.process(.init(name: "ssh"))
            return try [[10, 0, 0, 9], [192, 168, 1, 1], [127, 0, 0, 1]].flatMap { try s.connect(to: $0, 443, by: ssh) }
        },
        .init("Disallowed SSH Connection Non Standard Port", "a browser") { s in
            try s.connect(to: publicAddress, 443, by: s.process(.init(name: "curl")))
        },
        .init("Disallowed SSH Connection Non Standard Port", "refused") { s in
            try s.connect(to: publicAddress, 443, result: -111, by: s.process(.init(name: "ssh")))
        },
        .init("Linux Kernel Module Injection Detected", "the host loads its own") { s in
            try s.loadModule("/usr/lib/modules/6.1/kernel/x.ko", by: s.process(.init(name: "modprobe")))
        },
        .init("Debugfs Launched in Privileged Container", "without rights") { s in
            try s.start(.init(name: "debugfs", inContainer: true))
        },
        .init("Debugfs Launched in Privileged Container", "on the host") { s in
            try s.start(.init(name: "debugfs", capabilities: Flag.sysAdmin))
        },
        .init("Detect release_agent File Container Escapes", "reading") { s in
            try s.open("/sys/fs/cgroup/rdma/release_agent", by: s.process(.init(name: "cat", inContainer: true)))
        },
        .init("Detect release_agent File Container Escapes", "on the host") { s in
            try s.open("/sys/fs/cgroup/release_agent", flags: Flag.write, by: s.process(.init(name: "systemd")))
        },
        .init("Drop and execute new binary in container", "a program of the image") { s in
            try s.start(.init(name: "ls", inContainer: true))
        },
        .init("Drop and execute new binary in container", "on the host") { s in
            try s.start(.init(name: "a.out", path: "/tmp/a.out", exeFlags: Flag.upperLayer))
        },

        // searching, clearing, linking
        .init("Search Private Keys or Passwords", "something else") { s in
            try ["TODO", "private"].flatMap { try s.start(.init(name: "grep", arguments: ["-r", $0, "/srv"])) }
        },
        .init("Search Private Keys or Passwords", "by name of something else") { s in
            try s.start(.init(name: "find", arguments: ["/srv", "-name", "*.c"]))
        },
        .init("Search Private Keys or Passwords", "using one") { s in
            try s.start(.init(name: "ls", arguments: ["-l", "/home/ada/.ssh/id_rsa"]))
        },
        .init("Search Private Keys or Passwords", "a maintainer script") { s in
            try s.start(
                .init(name: "grep", arguments: ["BEGIN PRIVATE KEY", "/etc/ssl/x"], parent: s.process(.init(name: "dpkg"))))
        },
        .init("Find AWS Credentials", "something else") { s in
            try s.start(.init(name: "grep", arguments: ["-r", "aws_region", "/srv"]))
        },
        .init("Find AWS Credentials", "the tool itself") { s in
            try s.start(.init(name: "aws", arguments: ["configure", "set", "aws_access_key_id", "x"]))
        },
        .init("Clear Log Activities", "appending") { s in
            try s.open("/var/log/auth.log", flags: Flag.write | 8, by: s.process(.init(name: "rsyslogd")))
        },
        .init("Clear Log Activities", "a log that was not there") { s in
            try s.open("/var/log/app.log", flags: Flag.truncate | Flag.created, by: s.process(.init(name: "app")))
        },
        .init("Clear Log Activities", "rotation") { s in
            try s.open(
                "/var/log/app.log", flags: Flag.truncate, by: s.process(.init(name: "logrotate", path: "/usr/sbin/logrotate")))
        },
        .init("Clear Log Activities", "a job of the night keeps a log of its own") { s in
            let job = s.process(.init(name: "sh", parent: s.process(.init(name: "cron"))))
            return try s.open("/var/log/chkrootkit/log.today", flags: Flag.truncate, by: job)
        },
        .init("Clear Log Activities", "packages") { s in
            let script = s.process(.init(name: "fc-cache", parent: s.process(.init(name: "dpkg"))))
            return try s.open("/var/log/fontconfig.log", flags: Flag.truncate, by: script)
                + s.open("/var/log/apt/eipp.log.xz", flags: Flag.truncate, by: s.process(.init(name: "apt-get")))
        },
        .init("Clear Log Activities", "an image is unpacked") { s in
            try s.open("/var/lib/containerd/x/var/log/syslog", flags: Flag.truncate, by: s.process(.init(name: "containerd")))
        },
        .init("Clear Log Activities", "no log") { s in
            try s.open("/srv/x", flags: Flag.truncate, by: s.process(.init(name: "bash")))
        },
        .init("Remove Bulk Data from Disk", "one file") { s in try s.start(.init(name: "rm", arguments: ["-rf", "build"])) },
        .init("Remove Bulk Data from Disk", "dd measures") { s in
            try s.start(.init(name: "dd", arguments: ["if=/dev/zero", "of=/dev/null", "count=1"]))
        },
        .init("Create Symlink Over Sensitive Files", "any other") { s in
            try ["/etc/ssl/certs/x.pem", "../etc/ssl", "libx.so.1"].flatMap {
                try s.symlink($0, at: "/usr/lib/x", by: s.process(.init(name: "dpkg")))
            }
        },
        .init("Create Hardlink Over Sensitive Files", "any other") { s in
            try s.link("/etc/hosts", to: "/root/x", by: s.process(.init(name: "ln")))
        },
        .init("Create Hardlink Over Sensitive Files", "dpkg keeps an old version") { s in
            try s.link("/etc/sudoers", to: "/etc/sudoers.dpkg-old", by: s.process(.init(name: "dpkg")))
        },

        // processes
        .init("PTRACE attached to process", "only looking") { s in
            try s.ptrace(Flag.getRegisters, of: 1, by: s.process(.init(name: "gdb")))
        },
        .init("PTRACE attached to process", "reading memory in /proc") { s in
            try s.open("/proc/1/mem", by: s.process(.init(name: "gdb")))
        },
        .init("PTRACE anti-debug attempt", "a debugger starts a program") { s in
            try s.ptrace(Flag.ptraceMe, of: 0, by: s.process(.init(name: "strace", parent: s.process(.init(name: "strace")))))
        },
        .init("Execution from /dev/shm", "only an argument") { s in
            try s.start(.init(name: "sh", arguments: ["-c", "ls /dev/shm/x"]))
                + s.start(.init(name: "rm", arguments: ["/dev/shm/x"]))
        },
        .init("Execution from /dev/shm", "a program with data there") { s in
            try s.start(.init(name: "postgres", arguments: ["-D", "/srv"], cwd: "/dev/shm/"))
        },
        .init("Fileless execution via memfd_create", "a container runtime") { s in
            try s.start(
                .init(
                    name: "runc", path: "/memfd:runc_cloned:/proc/self/exe", parent: s.process(.init(name: "containerd-shim")),
                    exeFlags: Flag.memfd))
        },
        .init("Fileless execution via memfd_create", "a file") { s in try s.start(.init(name: "true")) },
    ]
}
