// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

extension EndToEnd {
    /// `rules/falco_rules.yaml` on a real kernel: what a script does, and the rule that tells it. What the kernel or the network of a
    /// test machine does not let us do (modules, a cluster, public addresses) is left to Tests/DefaultRulesTests.
    @Suite(.enabled(if: liveObstacle == nil)) struct DefaultRulesLive {
        let scratch = Scratch()

        static func has(_ programs: String...) -> Bool {
            programs.allSatisfy { name in
                ["/usr/bin/", "/usr/sbin/", "/bin/", "/sbin/"].contains {
                    FileManager.default.isExecutableFile(atPath: $0 + name)
                }
            }
        }

        /// Rules by the alerts of a JSON run.
        static func rules(_ run: FalcoRun) -> [String] {
            run.alerts.compactMap { line in
                let object = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
                return object?["rule"] as? String
            }
        }

        private func run(_ script: String) throws -> FalcoRun {
            let file = scratch.file("script.sh", script)
            let options = ["-o", "json_output=true", "-r", "\(rulesFolder)/falco_rules.yaml"]
            return try FalcoRun(["run"] + options + ["--", "sh", file], in: scratch)
        }

        @Test func onTheHost() throws {
            var actions: [(does: String, rule: String)] = [
                ("cat /etc/shadow > /dev/null", "Read sensitive file untrusted"),
                ("cat /proc/self/root/etc/shadow > /dev/null", "Read sensitive file untrusted"),
                ("ln -s /etc/shadow link; rm link", "Create Symlink Over Sensitive Files"),
                ("ln /etc/shadow /etc/falco-test.tmp; rm -f /etc/falco-test.tmp", "Create Hardlink Over Sensitive Files"),
                (": > syslog", "Clear Log Activities"),
                ("truncate -s 0 auth.log", "Clear Log Activities"),
                ("echo > x; shred -u x", "Remove Bulk Data from Disk"),
                ("find . -name id_rsa", "Search Private Keys or Passwords"),
                ("grep -ri aws_secret_access_key .", "Find AWS Credentials"),
                (
                    "cp /bin/true /dev/shm/falco-test-$$; /dev/shm/falco-test-$$; rm /dev/shm/falco-test-$$",
                    "Execution from /dev/shm"
                ),
            ]
            if Self.has("perl") {
                #if arch(x86_64)
                    let (memfd, ptrace) = (319, 101)
                #else
                    let (memfd, ptrace) = (279, 117)
                #endif
                actions += [
                    ("perl -e 'open F, \"/etc/../etc/../etc/shadow\"'", "Directory traversal monitored file read"),
                    (
                        "ln -s /usr/bin/perl nginx; ./nginx -e 'sleep 6; open F, \"/etc/sudoers\"'",
                        "Read sensitive file trusted after startup"
                    ),
                    ("./nginx -e 'system(\"true; true\")'", "Run shell untrusted"),
                    (
                        "perl -e '$n = \"x\\0\"; $fd = syscall(\(memfd), $n, 0); open F, \">&=\", $fd; open P, \"/bin/true\";"
                            + " binmode P; local $/; print F <P>; close P; $| = 1; select F; $| = 1; print \"\";"
                            + " exec \"/proc/$$/fd/$fd\"'",
                        "Fileless execution via memfd_create"
                    ),
                    (
                        "sleep 5 & perl -e 'syscall(\(ptrace), 16, $ARGV[0] + 0, 0, 0); syscall(\(ptrace), 17, $ARGV[0] + 0, 0, 0)' $!;"
                            + " kill $!",
                        "PTRACE attached to process"
                    ),
                    ("perl -e 'syscall(\(ptrace), 0, 0, 0, 0)'", "PTRACE anti-debug attempt"),
                ]
                if Self.has("setpriv") {
                    actions.append(
                        (
                            "ln -s /usr/bin/perl sshd; ./sshd -e 'system(qw(setpriv --reuid=bin --clear-groups id))' > /dev/null",
                            "System user interactive"
                        ))
                }
            } else {
                print("some of the default rules are not tried live: perl is not installed")
            }
            let result = try run("cd \(scratch.path)\n" + actions.map(\.does).joined(separator: "\n") + "\n")
            let told = Self.rules(result)
            for action in actions { #expect(told.contains(action.rule), "\(action.does)") }
            #expect(Set(told) == Set(actions.map(\.rule)), "and no other")
        }

        @Test func inAContainer() throws {
            guard let group = ContainerGroup() else { return }
            let listener = try Listener()
            var actions: [(does: String, rule: String)] = [
                ("ln -s /bin/true nc; ./nc -e /bin/sh 127.0.0.1 9", "Netcat Remote Code Execution in Container"),
                ("ln -s /bin/true debugfs; ./debugfs -V", "Debugfs Launched in Privileged Container"),
                (": > release_agent", "Detect release_agent File Container Escapes"),
                ("cp /bin/true dropped; ./dropped", "Drop and execute new binary in container"),
                (
                    "bash -c 'exec 0<>/dev/tcp/127.0.0.1/\(listener.port)'",
                    "Redirect STDOUT/STDIN to Network Connection in Container"
                ),
            ]
            if Self.has("perl") {
                actions.append(("perl -e 'socket(S, 17, 3, 0)'", "Packet socket created in container"))
            }
            if Self.has("script") {
                actions.append(("script -qec 'exec sh' /dev/null < /dev/null > /dev/null", "Terminal shell in container"))
            }
            let inner = scratch.file("inner.sh", "cd \(scratch.path)\n" + actions.map(\.does).joined(separator: "\n") + "\n")
            let told = Self.rules(try run("sh -c 'echo $$ > \(group.path)/cgroup.procs && exec sh \(inner)'\n"))
            for action in actions { #expect(told.contains(action.rule), "\(action.does)") }
            #expect(Set(told) == Set(actions.map(\.rule)), "and no other")
        }

        /// What a machine does all day.
        @Test func ordinaryWorkIsSilent() throws {
            var script = """
                cd \(scratch.path)
                for i in 1 2 3; do date; id; hostname; uname -a; done
                ls -lR /etc /var/log; cat /etc/passwd /etc/group; getent passwd root
                grep -r nameserver /etc/resolv.conf; find /usr/share -maxdepth 1; sort /etc/passwd | awk -F: '{ print $1 }'
                mkdir -p a/b/c; cd a/b/c; cat ../../../script.sh; cd ../../..; ln -s a/b d; ln script.sh e; rm -r a d e
                tar cf x.tar /etc/default; tar tf x.tar; gzip x.tar; dd if=/dev/zero of=/dev/null count=1
                bash -c 'echo $(id -u) | while read u; do echo $u; done'
                echo appended >> own.log; cp own.log copy.log; mv copy.log own.log
                ps aux; ss -lnt; df; mount; crontab -l; sleep 0.1
                run-parts --test /etc/cron.daily
                """
            if Self.has("perl") { script += "\nperl -e 'print getpwuid($<) ? 1 : 0; system(\"true; true\")'" }
            if Self.has("dpkg-deb", "dpkg-query") {
                script += """

                    mkdir -p p/DEBIAN p/usr/share/falco-test; echo x > p/usr/share/falco-test/x
                    printf 'Package: falco-test\\nVersion: 1\\nArchitecture: all\\nMaintainer: x <x@example.org>\\nDescription: x\\n' \\
                        > p/DEBIAN/control
                    dpkg-deb -b p p.deb; dpkg-query -l; dpkg --dry-run -i p.deb
                    """
            }
            let result = try run(script + "\ntrue\n")
            #expect(Self.rules(result) == [])
            #expect(result.detected == 0)
        }
    }
}
