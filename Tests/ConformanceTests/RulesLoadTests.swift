// SPDX-License-Identifier: Apache-2.0
import Diagnostics
import Fields
import FilterLanguage
import Foundation
import Rules
import Testing

/// The rule loader, in process, against the corpus of rules files.
@Suite struct RulesLoad {
    @Test func load() throws {
        for test in try Corpus.cases("rules-load.json", kinds: ["load"]) {
            let name = Comment(rawValue: test["name"] as? String ?? "")
            var settings = RuleLoader.Settings()
            settings.appendOutput = ((test["config"] as? [String: Any])?["append_output"] as? [[String: Any]] ?? []).map(
                Self.appendOutput)
            let loader = RuleLoader(settings: settings)
            let results = loader.load(files: Self.files(test), keepsGoing: true)
            let errors = results.flatMap(\.errors)
            let warnings = results.flatMap(\.warnings)
            let isGood = results.allSatisfy(\.successful)
            #expect(isGood == (test["expect"] as? String != "error"), "\(name): \(errors.map(\.message))")
            if test["expect"] as? String == "warning" { #expect(!warnings.isEmpty, name) }

            func contain(_ key: String, _ diagnostics: [Diagnostic], _ expected: Bool) {
                for message in test[key] as? [String] ?? [] {
                    #expect(
                        diagnostics.contains { $0.message.contains(message) } == expected,
                        "\(name): \(key) '\(message)' in \(diagnostics.map(\.message))")
                }
            }
            contain("error_messages", errors, true)
            contain("warning_messages", warnings, true)
            contain("absent_warning_messages", warnings, false)
            contain("absent_error_messages", errors, false)
            for code in test["warning_codes"] as? [String] ?? [] {
                #expect(warnings.contains { $0.code.rawValue == code }, "\(name): \(code)")
            }
            if let noWarnings = test["no_warnings"] as? Bool {
                #expect(warnings.isEmpty == noWarnings, "\(name): \(warnings.map(\.message))")
            }
            if let isValid = test["schema_valid"] as? Bool {
                for result in results { #expect(result.schemaWarnings.isEmpty == isValid, "\(name): \(result.schema)") }
            }
            for part in test["error_snippet_contains"] as? [String] ?? [] {
                #expect(errors.contains { $0.snippet.contains(part) }, "\(name): snippet \(part)")
            }
            if isGood { try describe(test, loader.ruleSet, name) }
        }
    }

    private func describe(_ test: Corpus.Case, _ ruleSet: RuleSet, _ name: Comment) throws {
        let json = RulesReport.describeJSON(ruleSet)!.text
        let document = try JSONSerialization.jsonObject(with: Data(json.utf8)) as! [String: Any]
        let rules = document["rules"] as! [[String: Any]]
        for (rule, expected) in test["resulting"] as? [String: [String: Any]] ?? [:] {
            guard let found = rules.first(where: { ($0["info"] as! [String: Any])["name"] as? String == rule }) else {
                Issue.record("\(name): rule \(rule) is not described")
                continue
            }
            let members = (found["info"] as! [String: Any]).merging(found["details"] as! [String: Any]) { first, _ in first }
            for (key, value) in expected {
                if key == "output_compiled_not_contains" {
                    for part in value as! [String] { #expect(!(members["output_compiled"] as! String).contains(part), name) }
                } else {
                    #expect(
                        (members[key] as? NSObject)?.isEqual(value) == true,
                        "\(name): \(rule).\(key) is \(members[key] ?? "missing"), expected \(value)")
                }
            }
        }
        if let count = test["enabled_rule_count"] as? Int { #expect(ruleSet.enabledCount == count, name) }
        for check in test["describe"] as? [[String: Any]] ?? [] {
            let value = Self.value(document, at: check["path"] as! String)
            let holds =
                switch check["op"] as! String {
                case "==": (value as? NSObject)?.isEqual(check["value"]) == true
                case "len": (value as? [Any] ?? []).count == check["value"] as? Int
                case "set": Set(value as? [String] ?? []) == Set(check["value"] as? [String] ?? [])
                case "nonempty": value.map { !(($0 as? [Any])?.isEmpty ?? ($0 as? String)?.isEmpty ?? false) } ?? false
                default: (value as? [Any])?.isEmpty ?? true
                }
            #expect(holds, "\(name): \(check) is \(value ?? "missing")")
        }
    }

    @Test func engine() throws {
        for test in try Corpus.cases("rules-load.json", kinds: ["engine"]) {
            let name = Comment(rawValue: test["name"] as? String ?? "")
            var settings = RuleLoader.Settings()
            if let word = test["min_priority"] as? String { settings.minimumPriority = try #require(Priority(word: word)) }
            let loader = RuleLoader(settings: settings)
            var files = Self.files(test)
            if let rules = test["rules"] as? [[String: Any]] {
                let yaml = rules.map { rule in
                    let tags = (rule["tags"] as? [String] ?? []).map { "'\($0)'" }.joined(separator: ", ")
                    return
                        "- rule: \(rule["name"]!)\n  desc: x\n  condition: evt.type=open\n  output: x\n  priority: "
                        + "INFO\n  tags: [\(tags)]\n"
                }
                files = [("rules.yaml", Array(yaml.joined().utf8))]
            }
            for result in loader.load(files: files) { #expect(result.successful, "\(name): \(result.errors.map(\.message))") }
            var sets: [String: RuleSet] = [:]
            func current(_ key: String) -> RuleSet {
                if let set = sets[key] { return set }
                var set = loader.ruleSet
                // Every set but the default one starts empty.
                if key != "falco-default-ruleset" { set.disableAll() }
                return set
            }
            for operation in test["ops"] as? [[String: Any]] ?? [] {
                let key = operation["ruleset"] as! String
                if operation["op"] as? String == "expect_count" {
                    #expect(current(key).enabledCount == operation["count"] as? Int, "\(name): \(operation)")
                    continue
                }
                let match: RuleSelection.Match =
                    switch operation["match"] as? String {
                    case "tags": .tags(Set(operation["value"] as! [String]))
                    case "exact": .exact(operation["value"] as! String)
                    case "wildcard": .wildcard(operation["value"] as! String)
                    default: .substring(operation["value"] as! String)
                    }
                var set = current(key)
                set.apply([RuleSelection(enables: operation["op"] as? String == "enable", match: match)])
                sets[key] = set
            }
            for (key, count) in test["expect_counts"] as? [String: Int] ?? [:] {
                #expect(current(key).enabledCount == count, "\(name): \(key)")
            }
        }
    }

    @Test func pluginRequirements() throws {
        for test in try Corpus.cases("rules-load.json", kinds: ["plugin_requirements"]) {
            var settings = RuleLoader.Settings()
            settings.loadedPlugins = (test["loaded_plugins"] as? [[String: String]] ?? []).map {
                PluginRequirement(name: $0["name"]!, version: $0["version"]!)
            }
            let loader = RuleLoader(settings: settings)
            let results = loader.load(files: Self.files(test).map { ($0.name + ".yaml", $0.content) })
            let isSatisfied = loader.pluginRequirementProblem() == nil && results.allSatisfy(\.successful)
            #expect(isSatisfied == test["satisfied"] as? Bool, "\(test["name"] ?? "")")
        }
    }

    @Test func conditionWarnings() throws {
        for test in try Corpus.cases("rules-load.json", kinds: ["condition_warning"]) {
            let condition = try parse(test["condition"])
            #expect(ConditionWarnings.warns(of: condition) == test["warns"] as? Bool, "\(test["name"] ?? "")")
        }
    }

    @Test func macroResolution() throws {
        for test in try Corpus.cases("rules-load.json", kinds: ["macro_resolution"]) {
            let name = Comment(rawValue: test["name"] as? String ?? "")
            let macros = (test["macros"] as? [String: String] ?? [:]).compactMapValues { try? parse($0) }
            let condition = try parse(test["condition"])
            let expected = try (test["resolved"] as? String).map { try parse($0).normalised }
            var resolver = MacroResolver { macros[$0].map { .condition($0) } }
            do throws(MacroProblem) {
                let resolved = try resolver.resolve(condition)
                if let expected { #expect(resolved.normalised == expected, name) }
                #expect(resolver.used == Set(test["resolved_macros"] as? [String] ?? []), name)
            } catch {
                guard case .undefined(let macro, _) = error else {
                    #expect(expected == nil, name)
                    continue
                }
                #expect((test["unknown_macros"] as? [String] ?? []).contains(macro), name)
            }
        }
    }

    @Test func conditionDetails() throws {
        for test in try Corpus.cases("rules-load.json", kinds: ["condition_details"]) {
            let name = Comment(rawValue: test["name"] as? String ?? "")
            let details = ConditionDetails(
                try parse(test["condition"]), knownLists: Set(test["known_lists"] as? [String] ?? []))
            let expected = test["result"] as! [String: [String]]
            let found = [
                "fields": details.fields, "operators": details.operators, "macros": details.macros, "lists": details.lists,
                "transformers": details.transformers,
            ]
            for (key, values) in expected { #expect(found[key] == Set(values), "\(name): \(key)") }
        }
    }

    @Test func util() throws {
        for test in try Corpus.cases("rules-load.json", kinds: ["util"]) {
            let name = Comment(rawValue: test["name"] as? String ?? "")
            let arguments = test["args"] as? [String] ?? []
            switch test["function"] as? String {
            case "matches_wildcard":
                #expect(WildcardMatcher.matches(arguments[0], arguments[1]) == test["result"] as? Bool, name)
            case "sanitize_rule_name": #expect(metricName(ofRule: arguments[0]) == test["result"] as? String, name)
            // Intervals and URL schemes belong to the settings.
            default: continue
            }
        }
    }

    /// What `-V` has to report, from the cases of the command line.
    @Test func validation() throws {
        var count = 0
        for test in try Corpus.cases("legacy-cli.json", kinds: [""]) where test["runnable"] as? Bool == true {
            var expectation = test["expect"] as? [String: Any] ?? [:]
            // What the Falco of the corpus prints where the older expectation no longer holds.
            expectation.merge(test["expect_pinned"] as? [String: Any] ?? [:]) { $1 }
            guard let expected = expectation["validation"] as? [String: Any] else { continue }
            let name = test["name"] as? String ?? ""
            let arguments = test["args"] as? [String] ?? []
            let names = zip(arguments, arguments.dropFirst()).filter { $0.0 == "-V" }.map(\.1)
            let files = try names.map { try Self.content($0, of: test) }
            let results = RuleLoader().load(files: files, keepsGoing: true)
            count += 1
            for (key, found) in [("errors", results.flatMap(\.errors)), ("warnings", results.flatMap(\.warnings))] {
                if let number = expected[key + "_count"] as? Int { #expect(found.count == number, "\(name): \(key)") }
                for item in expected[key] as? [[String: String]] ?? [] {
                    let isThere = found.contains { diagnostic in
                        diagnostic.code.rawValue == item["code"] && item["message"].map { $0 == diagnostic.message } ?? true
                            && item["item_type"].map { type in diagnostic.context.contains { $0.kind.rawValue == type } } ?? true
                            && item["item_name"].map { name in diagnostic.context.contains { $0.name == name } } ?? true
                    }
                    #expect(
                        isThere, "\(name): \(item) in \(found.map { ($0.code.rawValue, $0.message, $0.context.map(\.name)) })")
                }
            }
            for item in expected["successful"] as? [[String: Any]] ?? [] {
                #expect(results[item["index"] as! Int].successful == item["value"] as? Bool, Comment(rawValue: name))
            }
        }
        print("validation: \(count) cases")
    }

    private static func content(_ name: String, of test: Corpus.Case) throws -> (name: String, content: [UInt8]) {
        let files = test["files"] as? [[String: Any]] ?? []
        let file = try #require(files.first { $0["name"] as? String == name })
        if let text = file["content"] as? String { return (name, Array(text.utf8)) }
        let corpus = try #require(Corpus.root).deletingLastPathComponent()
        return (name, try [UInt8](Data(contentsOf: corpus.appending(path: file["path"] as! String))))
    }

    /// The rules that most people run load unmodified.
    @Test func upstreamFiles() throws {
        guard let root = Corpus.root else { return print("skipped, no conformance corpus beside the repository") }
        let directory = root.deletingLastPathComponent().appending(path: "upstream/rules")
        for file in try FileManager.default.contentsOfDirectory(atPath: directory.path).sorted() where file.hasSuffix(".yaml") {
            let content = try [UInt8](Data(contentsOf: directory.appending(path: file)))
            let loader = RuleLoader()
            for result in loader.load(files: [(file, content)]) {
                #expect(result.successful, "\(file): \(result.errors.map(RulesReport.short)) \(result.furtherErrors.count) more")
            }
            #expect(loader.pluginRequirementProblem() == nil)
        }
    }

    // MARK: reading cases

    private func parse(_ text: Any?) throws -> Condition {
        var parser = ConditionParser(text as? String ?? "")
        return try parser.parse()
    }

    private static func files(_ test: Corpus.Case) -> [(name: String, content: [UInt8])] {
        (test["files"] as? [[String: String]] ?? []).map { ($0["name"]!, Array($0["yaml"]!.utf8)) }
    }

    private static func appendOutput(_ entry: [String: Any]) -> AppendOutput {
        let match = entry["match"] as? [String: Any] ?? [:]
        let fields = (entry["extra_fields"] as? [Any] ?? []).map { field -> ExtraField in
            if let named = field as? [String: String], let (name, format) = named.first {
                return ExtraField(name: name, format: format)
            }
            return ExtraField(name: nil, format: field as! String)
        }
        return AppendOutput(
            source: match["source"] as? String, rule: match["rule"] as? String, tags: Set(match["tags"] as? [String] ?? []),
            extraOutput: entry["extra_output"] as? String, extraFields: fields,
            suggestedOutput: entry["suggested_output"] as? Bool ?? false)
    }

    private static func value(_ document: Any, at path: String) -> Any? {
        path.split(separator: ".").reduce(Optional(document)) { value, key in
            if let list = value as? [Any] { return Int(key).flatMap { list.indices.contains($0) ? list[$0] : nil } }
            return (value as? [String: Any])?[String(key)]
        }
    }
}

extension RulesReport {
    static func short(_ diagnostic: Diagnostic) -> String { AnnotatedRenderer.render(diagnostic) }
}
