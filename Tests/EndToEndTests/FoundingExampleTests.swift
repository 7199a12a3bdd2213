// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

/// The examples of the first documentation, as written there.
private let containerExample =
    "container.id != host and proc.name = bash | WARNING Bash run in a container (%user.name %proc.name %evt.dir %evt.type "
    + "%evt.args %fd.name)\n"
private let writingExample = """
    write: (syscall.type=write and fd.typechar=f) or syscall.type=mkdir or syscall.type=creat or syscall.type=rename
    interactive: proc.pname = bash or proc.pname = sshd
    write and interactive and fd.name contains sysdig
    write and interactive and fd.name contains .txt

    """
private let textRule = "write and interactive and fd.name contains .txt"

extension EndToEnd {
    @Suite struct FoundingExamples {
        let scratch = Scratch()

        /// Only a bash whose parent is a bash counts, so the script that writes is one.
        @Test(.enabled(if: liveObstacle == nil), arguments: [(options: ["-A"], alerts: 1), (options: [], alerts: 0)])
        func oneLineWritten(options: [String], alerts: Int) throws {
            let rules = scratch.file("rules.conf", writingExample)
            let outer = scratch.file("outer.sh", "bash inner.sh\ntrue\n")
            _ = scratch.file("inner.sh", "echo x >> a.txt\n")
            let run = try FalcoRun(["run"] + options + ["-r", rules, "--", "bash", outer], in: scratch)
            #expect(run.status == 0)
            #expect(try String(contentsOfFile: scratch.path + "/a.txt", encoding: .utf8) == "x\n")
            #expect(run.alerts.count == alerts)
            #expect(run.detected == alerts)
            #expect(run.lines.contains("   \(textRule): 1") == (alerts == 1))
            #expect(run.errors.contains("this rule will see no 'write' event") == (alerts == 0))
            if let alert = run.alerts.first {
                #expect(alert.contains(": Warning ") && alert.contains(" bash (") && alert.contains(" < write res=2 data=x"))
                #expect(alert.contains("root \(scratch.path)/a.txt"))
            }
        }

        @Test(.enabled(if: liveObstacle == nil)) func everyEventOfABashInAContainer() throws {
            guard let group = ContainerGroup() else { return }
            let rules = scratch.file("rules.conf", containerExample)
            let count = 300
            let loop = scratch.file("loop.sh", "for ((i = 0; i < \(count); i++)); do : < /etc/hostname; done\n")
            let script = "echo $$ > \(group.path)/cgroup.procs && exec bash \(loop)"
            let run = try FalcoRun(["run", "-r", rules, "--", "sh", "-c", script], in: scratch)
            #expect(run.status == 0)
            func alerts(_ text: String) -> Int { run.alerts.filter { $0.contains(text) }.count }
            #expect(alerts("bash < openat fd=3(<f>/etc/hostname)") == count)
            #expect(alerts("bash < execve res=0 exe=bash") == 1)
            #expect(alerts("bash > procexit ") == 1)
            // The shell before it is in the container too, but is no bash.
            #expect(run.alerts.allSatisfy { $0.contains(": Warning Bash run in a container (") })
            #expect(run.detected == run.alerts.count)
        }

        /// A queue that is too small loses alerts, never the count of them.
        @Test(.enabled(if: liveObstacle == nil)) func whatTheQueueCannotHoldIsCounted() throws {
            guard let group = ContainerGroup() else { return }
            let rules = scratch.file("rules.conf", containerExample)
            let loop = scratch.file("loop.sh", "for ((i = 0; i < 3000; i++)); do : < /etc/hostname; done\n")
            let script = "echo $$ > \(group.path)/cgroup.procs && exec bash \(loop)"
            let run = try FalcoRun(
                ["run", "-o", "outputs_queue.capacity=1", "-r", rules, "--", "sh", "-c", script], in: scratch)
            let detected = try #require(run.detected)
            let unwritten = try #require(run.errors.firstMatch(of: /(\d+) of (\d+) alerts were not written/))
            #expect(Int(unwritten.2) == detected)
            #expect(detected - Int(unwritten.1)! == run.alerts.filter { $0.contains("Bash run in a container") }.count)
        }

        /// Counted in the reference texts beside the captures: writers whose parent is a bash, and events of a bash whose pid in its
        /// own namespace is another than outside.
        @Test(
            .enabled(if: captures != nil),
            arguments: [
                ("sf-collector/files_files", 4, 12), ("sf-collector/files_files_old", 3, 20), ("today/workload", 1, 0),
                ("falco-history/psp_run_as_user_0_container", 0, 140), ("falco-0.34.1/open-multiple-files", 0, 13),
                ("sf-collector/alpine_alpine", 0, 28), ("falco-0.34.1/cat_write", 0, 0),
            ])
        func onCaptures(_ capture: String, writes: Int, inContainer: Int) throws {
            for (text, expected) in [(writingExample, writes), (containerExample, inContainer)] {
                let rules = scratch.file("rules.conf", text)
                let run = try FalcoRun(["-r", rules, "-e", "\(captures!)/\(capture).scap"], in: scratch)
                #expect(run.status == 0)
                #expect(run.alerts.count == expected)
                #expect(run.detected == expected)
            }
        }
    }
}
