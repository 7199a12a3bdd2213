// SPDX-License-Identifier: Apache-2.0
import Diagnostics
import RuleLint
import Rules
import Testing

/// Conditions of one rule: each row is found, and the next to it is not.
@Suite struct ConditionFindings {
    static let rows: [(LintName, fires: String, silent: String)] = [
        (.neverTrue, "evt.type = open and evt.type = close", "evt.type = open and not evt.type = close"),
        (
            .neverTrue, "evt.type = execve and proc.name = a and proc.name = b",
            "evt.type = execve and (proc.name = a or proc.name = b)"
        ),
        (
            .neverTrue, "evt.type = execve and proc.name in (a, b) and not proc.name in (a, b, c)",
            "evt.type = execve and not proc.name in (a)"
        ),
        (
            .neverTrue, "evt.type = connect and fd.sport > 100 and fd.sport < 50",
            "evt.type = connect and fd.sport > 50 and fd.sport < 100"
        ),
        (
            .neverTrue, "evt.type = connect and fd.sport > 100 and fd.sport < 101",
            "evt.type = connect and fd.sport > 100 and fd.sport < 102"
        ),
        (
            .neverTrue, "evt.type = open and fd.name startswith /etc and fd.name startswith /usr",
            "evt.type = open and fd.name startswith /etc and fd.name startswith /etc/pam"
        ),
        (
            .neverTrue, "evt.type = open and fd.name startswith /etc and fd.name = /usr/x",
            "evt.type = open and fd.name startswith /etc and fd.name = /etc/x"
        ),
        (
            .neverTrue, "evt.type = open and fd.name endswith .sh and fd.name in (/a, /b.txt)",
            "evt.type = open and fd.name endswith .sh and fd.name in (/a, /b.sh)"
        ),
        (.neverTrue, "evt.type = execve and evt.arg.newpath = /x", "evt.type = rename and evt.arg.newpath = /x"),
        (.neverTrue, "evt.type = execve and fd.name = /x", "evt.type = open and fd.name = /x"),
        (
            .neverTrue, "evt.type = execve and not proc.name exists and proc.name != a",
            "evt.type = execve and proc.name exists and proc.name != a"
        ),
        (
            .neverTrue, "evt.type = open and evt.is_open_write = true and evt.is_open_write = false",
            "evt.type = open and evt.is_open_write = true"
        ),
        (
            .neverTrue,
            "evt.type = execve and proc.is_exe_writable exists and proc.is_exe_writable != true and not proc.is_exe_writable = false",
            "evt.type = execve and proc.is_exe_writable != true and not proc.is_exe_writable = true"
        ),
        (
            .neverTrue, "evt.type = connect and fd.sip = 1.2.3.4 and fd.sip = 1.2.3.5",
            "evt.type = connect and fd.ip = 1.2.3.4 and fd.ip = 1.2.3.5"
        ),
        (.neverTrue, "evt.type = execve and evt.is_open_write = true", "evt.type = execve and evt.is_open_write = false"),
        // Off on purpose.
        (
            .neverTrue, "evt.type = execve and proc.name = a and not proc.name = a",
            "evt.type = execve and proc.name = a and (evt.num=0)"
        ),
        // Several values at once.
        (
            .neverTrue, "evt.type = execve and proc.aname[2] = a and proc.aname[2] = b",
            "evt.type = execve and proc.aname = a and proc.aname = b"
        ),
        (
            .deadBranch, "evt.type = execve and (proc.name = a or (proc.pname = x and proc.pname = y))",
            "evt.type = execve and (proc.name = a or (proc.pname = x and proc.name = y))"
        ),
        (
            .deadBranch, "evt.type = execve and proc.name = a and (proc.name = b or proc.pname = c)",
            "evt.type = execve and proc.name != a and (proc.name = b or proc.pname = c)"
        ),
        (.alwaysTrue, "proc.name exists or not proc.name exists", "proc.name = a or proc.name != a"),
        (
            .alwaysTrue, "evt.type = execve or evt.type != execve or evt.num > 5 or not evt.num > 5",
            "evt.type = execve and evt.num > 0"
        ),
        (
            .redundantCheck, "evt.type = execve and proc.name = a and proc.name in (a, b)",
            "evt.type = execve and proc.name = a and proc.pname in (a, b)"
        ),
        (
            .redundantCheck, "evt.type = execve and proc.name exists and proc.name = a",
            "evt.type = execve and proc.name exists and not proc.name = a"
        ),
        (
            .redundantCheck, "evt.type = execve and (proc.name = a or proc.name in (a, b))",
            "evt.type = execve and (proc.name = a or proc.name in (b, c))"
        ),
        (
            .branchWithoutEventType, "(evt.type = open and fd.name = /x) or proc.name = y",
            "(evt.type = open and fd.name = /x) or (evt.type = close and proc.name = y)"
        ),
        (.eventTypeOperator, "evt.type startswith exec", "evt.type in (execve, execveat)"),
        (.unknownEventName, "evt.type startswith opne", "evt.type startswith open"),
        (.undeliveredEvent, "evt.type = procinfo", "evt.type = procexit"),
        (.undeliveredEvent, "evt.type in (open, container)", "evt.type in (open, switch)"),
        (.enterEvent, "evt.type = open and evt.dir = >", "evt.type = open and evt.dir = <"),
        (
            .fieldNotInEvent, "evt.type = execve and (proc.name = a or fd.name = /x)",
            "evt.type = open and (proc.name = a or fd.name = /x)"
        ),
        (.fieldNotInEvent, "evt.type = open and not fs.path.target = /x", "evt.type = rename and not fs.path.target = /x"),
        (.nameTooLong, "evt.type = execve and proc.name = abcdefghijklmnop", "evt.type = execve and proc.name = abcdefghijklmno"),
        (
            .nameTooLong, "evt.type = execve and proc.pname in (a, systemd-networkd-x)",
            "evt.type = execve and proc.exe in (a, systemd-networkd-x)"
        ),
        (.pathForm, "evt.type = open and fd.name = /etc/", "evt.type = open and fd.name startswith /etc/"),
        (.pathForm, "evt.type = open and fd.name startswith ~/.ssh", "evt.type = open and fd.name contains ~/.ssh"),
        (.pathForm, "evt.type = open and fd.name startswith /etc//pam", "evt.type = open and fd.name startswith /etc/pam"),
        (.pathForm, "evt.type = execve and proc.cwd = /tmp", "evt.type = execve and proc.cwd = /tmp/"),
        (.pathForm, "evt.type = execve and proc.exepath = bash", "evt.type = execve and proc.exepath = /bin/bash"),
        (.wildcardAsText, "evt.type = open and fd.name = /tmp/*.sh", "evt.type = open and fd.name glob /tmp/*.sh"),
        (
            .wildcardAsText, "evt.type = execve and proc.name startswith python*",
            "evt.type = execve and proc.cmdline contains \"*\""
        ),
        (.emptyValue, "evt.type = execve and proc.args contains \"\"", "evt.type = execve and proc.args = \"\""),
        (.emptyList, "evt.type = execve and not proc.name in ()", "evt.type = execve and not proc.name in (a, b)"),
        (.valueCut, "evt.type = connect and fd.sport = 70000", "evt.type = connect and fd.sport = 7000"),
        (.valueCut, "evt.type = execve and user.uid = 4294967296", "evt.type = execve and user.uid = 4294967295"),
        (.missingValueText, "evt.type = execve and proc.pname = \"<NA>\"", "evt.type = execve and user.name = \"<NA>\""),
        (.inWithOneValue, "evt.type = execve and proc.name in (a)", "evt.type = execve and proc.name in (a, b)"),
        (.repeatedValue, "evt.type = execve and proc.name in (a, b, a)", "evt.type = execve and proc.name in (a, b, c)"),
        (.costlyEvent, "evt.type = futex", "evt.type = openat"),
        (.costlyEvent, "evt.type = mmap and proc.name = a", "evt.type = ptrace and proc.name = a"),
        (
            .simplerThanRegex, "evt.type = open and fd.name regex \".*\\\\.sh\"",
            "evt.type = open and fd.name regex \".*[0-9]\\\\.sh\""
        ),
        (
            .simplerThanRegex, "evt.type = execve and proc.name regex \"(ab|cd)\"",
            "evt.type = execve and proc.name regex \"(ab|c+)\""
        ),
        (.payloadCheck, "evt.type = write and evt.buffer contains x", "evt.type = write and evt.args contains x"),
        (.kernelRecords, "evt.type = open and kernel.path = /x", "evt.type = open and fd.name = /x"),
        (.failedStarts, "evt.type = execve and proc.name = a", "evt.type = execve and proc.name = a and evt.res = SUCCESS"),
        (.failedStarts, "evt.type in (execve, execveat) and proc.name = a", "evt.type in (execve, open) and proc.name = a"),
    ]

    @Test(arguments: rows.indices)
    func found(_ row: Int) {
        let (name, fires, silent) = Self.rows[row]
        let bad = Linting(Linting.rule(quoted(fires)))
        #expect(bad.loaded && bad.names.contains(name), "\(name.rawValue) is not found in: \(fires)")
        let good = Linting(Linting.rule(quoted(silent)))
        #expect(good.loaded && !good.names.contains(name), "\(name.rawValue) is found in: \(silent)")
    }

    /// A condition as a YAML scalar.
    func quoted(_ condition: String) -> String {
        "'" + condition.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''") + "'"
    }
}
