// SPDX-License-Identifier: Apache-2.0

/// Typical mistakes in rules files, for docs/diagnostics.md.
struct Mistake: Sendable {
    let title: String
    /// In the order in which they are loaded; all but the last are good.
    let files: [(name: String, text: String)]

    init(_ title: String, _ text: String) { (self.title, files) = (title, [("rules.yaml", text)]) }
    init(_ title: String, base: String, local: String) {
        (self.title, files) = (title, [("base.yaml", base), ("local.yaml", local)])
    }

    /// A rule with this condition and nothing else that is noteworthy.
    private static func rule(_ condition: String, output: String = "shell in %container.id", more: String = "") -> String {
        "- rule: shell\n  desc: a shell runs\n  condition: \(condition)\n  output: \(output)\n  priority: WARNING\n\(more)"
    }
    private static let base = rule("evt.type = execve and proc.name = sh")

    static let fields: [Mistake] = [
        .init("A field is misspelt", rule("evt.type = execve and proc.nmae = sh")),
        .init(
            "A field is misspelt in a macro that other macros use",
            """
            - list: shells
              items: [bash, sh]
            - macro: shell
              condition: proc.nmae in (shells)
            - macro: shell_started
              condition: >
                evt.type = execve
                and shell
            \(rule("shell_started"))
            """),
        .init(
            "Two mistakes in a folded condition",
            """
            - rule: shell
              desc: a shell runs
              condition: >
                evt.type = execv and proc.name = sh
                and not proc.parent.name = sshd
              output: shell in %containr.id
              priority: WARNING

            """),
        .init("A field that does not begin with its class", rule("evt.type = execve and name = sh")),
        .init("An underscore instead of the dot", rule("evt_type = execve and proc.name = sh")),
        .init("A field of a plugin that is not loaded", rule("ka.verb = create")),
        .init("An argument that the field does not take", rule("evt.type = execve and proc.name[1] = sh")),
        .init("An argument behind a dot", rule("evt.type = execve and proc.env.HOME = /root")),
        .init("An event argument that no event has", rule("evt.type = open and evt.arg.flag contains O_CREAT")),
        .init("A '%' in a condition", rule("evt.type = execve and %proc.name = sh")),
        .init("An output with an unknown field", rule("evt.type = execve", output: "shell %proc.nam in %container.id")),
        .init("A plain '%' in an output", rule("evt.type = execve", output: "disk is 100% full")),
        .init("A deprecated field", rule("evt.type = execve and evt.dir = <")),
    ]

    static let operators: [Mistake] = [
        .init("A misspelt operator", rule("evt.type = execve and proc.cmdline contians passwd")),
        .init("An operator of another language", rule("evt.type = execve && proc.name = sh")),
        .init("An operator in upper case", rule("evt.type = execve AND proc.name = sh")),
        .init("'not' behind the field", rule("evt.type = execve and proc.name not in (sh, bash)")),
        .init("An operator that the type does not have", rule("evt.type = execve and proc.pid contains 1")),
        .init("'=' with a list", rule("evt.type = execve and proc.name = (sh, bash)")),
        .init("Several values without a list", rule("evt.type = execve and proc.name = sh, bash")),
        .init("'in' without parentheses", rule("evt.type = open and fd.name in /etc/shadow")),
        .init(
            "A list in brackets",
            "- rule: shell\n  desc: a shell runs\n  condition: >\n    evt.type = execve and proc.name in [sh, bash]\n  output: x\n  priority: INFO\n"
        ),
        .init("A comma is missing in a list", rule("evt.type in (execve execveat)")),
        .init("A number is expected", rule("evt.type = open and fd.num > three")),
        .init("A name for a number", rule("evt.type = execve and user.uid = root")),
        .init("A field on the right side as plain text", rule("evt.type = execve and proc.name = proc.pname")),
    ]

    static let values: [Mistake] = [
        .init("An unknown event type", rule("evt.type in (open, opennat, openat2)")),
        .init(
            "A list that does not exist",
            "- list: shell_binaries\n  items: [bash, sh]\n"
                + rule("evt.type = execve and proc.name in (shell_binaries) and proc.pname in (shell_binarys)")),
        .init("A regular expression that does not compile", rule("evt.type = execve and proc.name regex '(sh|bash'")),
        .init("A regular expression with look-ahead", rule("evt.type = execve and proc.name regex '(?!sh).*'")),
        .init("A regular expression for a plain comparison", rule("evt.type = execve and proc.exepath regex '^/usr/.*'")),
        .init("A bad network", rule("evt.type = connect and fd.snet = 10.0.0.0/33")),
        .init("An address where a network belongs", rule("evt.type = connect and fd.snet in (10.0.0.1, 192.168.0.0/16)")),
        .init("A bad address", rule("evt.type = connect and fd.sip = 10.0.0.256")),
        .init("Neither true nor false", rule("evt.type = open and evt.is_open_write = yes")),
        .init("A value with blanks", rule("evt.type = execve and proc.cmdline = cat /etc/shadow")),
        .init("A quote that is not closed", rule("evt.type = execve and proc.cmdline contains \"cat /etc")),
        .init(
            "A bad escape, in a text in quotes",
            "- rule: shell\n  desc: a shell runs\n  condition: \"evt.type = execve and proc.exepath contains \\\"C:\\\\dir\\\"\"\n  output: x\n  priority: INFO\n"
        ),
    ]

    static let connectives: [Mistake] = [
        .init("A parenthesis is missing", rule("evt.type = execve and (proc.name = sh or proc.name = bash")),
        .init("A parenthesis too many", rule("evt.type = execve and proc.name = sh) or proc.name = bash")),
        .init("'and or'", rule("evt.type = execve and or proc.name = sh")),
        .init("A condition that ends too early", rule("evt.type = execve and")),
        .init("'and' is missing", rule("evt.type = execve proc.name = sh")),
        .init(
            "'and' is missing in what is appended", base: base,
            local: "- rule: shell\n  condition: not proc.pname = sshd\n  override:\n    condition: append\n"),
        .init("An appended condition that is not appended", base: base, local: rule("and not proc.pname = sshd")),
    ]

    static let macros: [Mistake] = [
        .init(
            "A misspelt macro",
            "- macro: spawned_process\n  condition: evt.type = execve\n" + rule("spawned_proces and proc.name = sh")),
        .init("A list used as a macro", "- list: shells\n  items: [bash, sh]\n" + rule("evt.type = execve and shells")),
        .init(
            "A macro that is defined later",
            "- macro: shell\n  condition: spawned and proc.name = sh\n- macro: spawned\n  condition: evt.type = execve\n"
                + rule("shell")),
        .init(
            "Macros that name each other",
            "- macro: a\n  condition: evt.type = execve\n- macro: b\n  condition: a and proc.name = sh\n- macro: a\n  condition: b or evt.type = execveat\n"
                + rule("a")),
        .init("A list that nothing uses", "- list: shells\n  items: [bash, sh]\n" + base),
    ]

    static let keys: [Mistake] = [
        .init(
            "A bad priority",
            "- rule: shell\n  desc: a shell runs\n  condition: evt.type = execve\n  output: x\n  priority: WARN\n"),
        .init(
            "The output is missing", "- rule: shell\n  desc: a shell runs\n  condition: evt.type = execve\n  priority: WARNING\n"),
        .init(
            "A misspelt key",
            "- rule: shell\n  desc: a shell runs\n  conditon: evt.type = execve\n  output: x\n  priority: WARNING\n"),
        .init("A key that does not exist", rule("evt.type = execve", more: "  severity: high\n")),
        .init("A text for a list", rule("evt.type = execve", more: "  tags: shell\n")),
        .init(
            "A list for a text",
            "- rule: shell\n  desc: a shell runs\n  condition: [evt.type, =, execve]\n  output: x\n  priority: WARNING\n"),
        .init("Neither true nor false for a key", rule("evt.type = execve", more: "  enabled: sometimes\n")),
        .init("An unknown source", rule("evt.type = execve", more: "  source: sycall\n")),
        .init("No event type", rule("proc.name = sh")),
        .init("An engine that is too old", "- required_engine_version: 0.99.0\n" + base),
        .init("A bad version", "- required_engine_version: newest\n" + base),
        .init("An item of an unknown kind", "- rules: shell\n  condition: evt.type = execve\n"),
        .init(
            "Not a list of items", "rule: shell\ndesc: a shell runs\ncondition: evt.type = execve\noutput: x\npriority: INFO\n"),
    ]

    static let overrides: [Mistake] = [
        .init(
            "An override of a rule that is not there", base: base,
            local: "- rule: shel\n  condition: and not proc.pname = sshd\n  override:\n    condition: append\n"),
        .init(
            "A key without its entry under 'override'", base: base,
            local: "- rule: shell\n  condition: and not proc.pname = sshd\n  priority: INFO\n  override:\n    condition: append\n"
        ),
        .init(
            "An entry under 'override' without its key", base: base,
            local:
                "- rule: shell\n  condition: and not proc.pname = sshd\n  override:\n    condition: append\n    output: append\n"),
        .init(
            "A priority cannot be appended", base: base,
            local: "- rule: shell\n  priority: INFO\n  override:\n    priority: append\n"),
        .init(
            "A misspelt operation", base: base, local: "- rule: shell\n  priority: INFO\n  override:\n    priority: replaced\n"),
        .init(
            "'append' together with 'override'", base: base,
            local: "- rule: shell\n  condition: and not proc.pname = sshd\n  append: true\n  override:\n    condition: append\n"),
        .init("The old 'append'", base: base, local: "- rule: shell\n  condition: and not proc.pname = sshd\n  append: true\n"),
    ]

    static let exceptions: [Mistake] = [
        .init(
            "A value with too few parts",
            rule(
                "evt.type = execve",
                more:
                    "  exceptions:\n    - name: known\n      fields: [proc.name, proc.pname]\n      values:\n        - [sh, sshd]\n        - [bash]\n"
            )),
        .init(
            "Fewer operators than fields",
            rule(
                "evt.type = execve",
                more: "  exceptions:\n    - name: known\n      fields: [proc.name, proc.pname]\n      comps: [=]\n")),
        .init(
            "An operator that exceptions do not have",
            rule(
                "evt.type = execve", more: "  exceptions:\n    - name: known\n      fields: [proc.name]\n      comps: [equals]\n")
        ),
        .init(
            "An unknown field in an exception",
            rule("evt.type = execve", more: "  exceptions:\n    - name: known\n      fields: [proc.nam]\n")),
        .init(
            "One field with an operator for single values",
            rule(
                "evt.type = execve",
                more: "  exceptions:\n    - name: known\n      fields: proc.name\n      comps: startswith\n      values: [ba]\n")),
        .init(
            "An exception without a name",
            rule("evt.type = execve", more: "  exceptions:\n    - fields: [proc.name]\n      values: [[sh]]\n")),
    ]

    static let yaml: [Mistake] = [
        .init("A tab as indentation", "- rule: shell\n\tdesc: a shell runs\n  condition: evt.type = execve\n"),
        .init(
            "Wrong indentation",
            "- rule: shell\n  desc: a shell runs\n   condition: evt.type = execve\n  output: x\n  priority: INFO\n"),
        .init(
            "A ':' in a text without quotes",
            "- rule: shell\n  desc: note: a shell runs\n  condition: evt.type = execve\n  output: x\n  priority: INFO\n"),
        .init("A text that begins with '%'", rule("evt.type = execve", output: "%proc.name is a shell")),
        .init("A value in quotes and more behind it", rule("\"sh\" = proc.name and evt.type = execve")),
        .init("A bracket that is not closed", "- list: shells\n  items: [bash, sh\n" + base),
        .init("A quote of YAML that is not closed", rule("evt.type = execve", output: "\"shell")),
        .init(
            "A key of the rule one level too deep",
            "- rule: shell\n  desc: a shell runs\n  condition:\n    evt.type = execve\n    output: x\n  priority: INFO\n"),
        .init("A text that begins with '*'", "- list: files\n  items:\n    - *.conf\n"),
    ]

    static let chapters: [(title: String, mistakes: [Mistake])] = [
        ("Fields", fields), ("Operators and lists", operators), ("Values", values), ("and, or, not, parentheses", connectives),
        ("Macros and lists", macros), ("Keys of items", keys), ("Overriding and appending", overrides),
        ("Exceptions", exceptions),
        ("YAML", yaml),
    ]
}
