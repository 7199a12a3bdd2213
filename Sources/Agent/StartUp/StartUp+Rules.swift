// SPDX-License-Identifier: Apache-2.0
import Diagnostics
import FilterLanguage
import Glibc
import RuleLint
import Rules
import Settings

/// The steps that read rules.
extension StartUp {
    static func loader(_ session: Session) -> RuleLoader {
        var settings = RuleLoader.Settings()
        settings.minimumPriority = Priority(word: session.settings.priority) ?? .debug
        settings.appendOutput = session.settings.appendOutputs.map { entry in
            AppendOutput(
                source: entry.source.isEmpty ? nil : entry.source, rule: entry.rule.isEmpty ? nil : entry.rule,
                tags: Set(entry.tags),
                extraOutput: entry.extraOutput.isEmpty ? nil : entry.extraOutput,
                extraFields: entry.formattedFields.map { ExtraField(name: $0.name, format: $0.format) }
                    + entry.rawFields.map { ExtraField(name: nil, format: $0) },
                // The suggested fields are the container plugin's.
                suggestedOutput: entry.suggestedOutput && session.settings.loadedPlugins.contains("container"))
        }
        settings.keepsAnatomy = session.arguments.lint != nil
        settings.deliversIgnoredSyscalls = session.settings.baseSyscalls.all
        settings.selections = session.settings.ruleSelections.flatMap { selection -> [RuleSelection] in
            var matches: [RuleSelection] = []
            if let rule = selection.rule, !rule.isEmpty {
                matches.append(.init(enables: selection.enables, match: .wildcard(rule)))
            }
            if let tag = selection.tag, !tag.isEmpty { matches.append(.init(enables: selection.enables, match: .tags([tag]))) }
            return matches
        }
        return RuleLoader(settings: settings)
    }

    static func ruleSchema(_ session: Session) -> Int32? {
        guard session.arguments.ruleSchema else { return nil }
        StandardOutput.write(RulesReport.schemaJSON.indented)
        return 0
    }

    static func validateRules(_ session: Session) throws -> Int32? {
        let arguments = session.arguments
        guard !arguments.validate.isEmpty else { return nil }
        session.log.info("Validating rules file(s):")
        for name in arguments.validate { session.log.info("   \(name)") }
        var files: [RulesFile] = []
        for name in arguments.validate { files.append(try Session.readRulesFile(name)) }
        let loader = loader(session)
        let results = loader.load(files: files.map { ($0.name, $0.content) }, keepsGoing: true)
        let onTerminal = session.renderer(for: STDOUT_FILENO)
        let isAnnotated = onTerminal != nil && !session.settings.jsonOutput
        // What did not load is not worth reading further.
        let findings = arguments.lint == nil || results.contains { !$0.successful } ? nil : lint(loader, session)
        if session.settings.jsonOutput {
            if let rule = arguments.describeRule, results.allSatisfy(\.successful),
                !loader.ruleSet.rules.contains(where: { $0.name == rule })
            {
                return notLoaded(session)
            }
            let describes = arguments.describeRules || arguments.describeRule != nil
            let report = RulesReport.validationJSON(
                results, describing: describes ? loader.ruleSet : nil, rule: arguments.describeRule)
            StandardOutput.write(report.adding("falco_lint_results", findings.map(LintReport.json)).text + "\n")
        } else if let onTerminal {
            StandardOutput.write(results.map { RulesReport.annotatedText($0, onTerminal) }.joined(separator: "\n"))
            if let findings { StandardOutput.write("\n" + LintReport.annotated(findings, onTerminal)) }
        } else {
            StandardOutput.write(RulesReport.validationText(results) + "\n")
            if let findings { StandardOutput.write(LintReport.text(findings)) }
        }
        // Details of warnings go to the log, those of errors are the result.
        for result in results {
            session.warn(of: result, isShown: isAnnotated)
        }
        let failed = results.filter { !$0.successful }
        guard failed.isEmpty else { throw session.failure(failed, isShown: isAnnotated) }
        let isStrict = arguments.lint == .strict && findings?.contains { !$0.isHint } == true
        return isStrict ? 1 : 0
    }

    private static func lint(_ loader: RuleLoader, _ session: Session) -> [LintFinding] {
        var settings = Linter.Settings()
        settings.firstMatchOnly = session.settings.ruleMatching == .first
        settings.isLive = session.settings.engine != .replay
        // Only captures hold what a runtime told of its containers.
        settings.suppliesContainerMetadata = !settings.isLive
        settings.deliversIgnoredSyscalls = session.settings.baseSyscalls.all
        let linter = Linter(loader, settings: settings)
        let findings = linter.run()
        if !linter.isComplete { session.log.warning("lint: the rules are too many to prove everything; some findings may be missing") }
        return findings
    }

    static func loadRules(_ session: Session) throws -> Int32? {
        if session.arguments.recordsOnly { return nil }
        let log = session.log
        session.rulesFiles = try session.readRulesFiles()
        log.info("Loading rules from:")
        let loader = loader(session)
        for file in session.rulesFiles {
            guard let result = loader.load(files: [(file.name, file.content)]).first else { continue }
            log.info("   \(file.name) | schema validation: \(result.schema.text)")
            guard result.successful else { throw session.failure([result], isShown: false) }
            session.warn(of: result, isShown: false)
        }
        if let problem = loader.pluginRequirementProblem() { throw AgentError(problem) }
        session.ruleSet = loader.ruleSet
        for selection in session.settings.ruleSelections {
            let verb = selection.enables ? "Enabling" : "Disabling"
            if let rule = selection.rule { log.info("\(verb) rules with name: \(rule)") }
            if let tag = selection.tag { log.info("\(verb) rules with tag: \(tag)") }
        }
        if session.ruleSet.rules.isEmpty { log.notice("no rule is loaded: the rules files hold none") }
        session.statistics.rules = session.ruleSet.rules.map {
            FinalStatistics.RuleCount(name: $0.name, priority: $0.priority.title, count: 0)
        }
        if session.environment["FALCO_HOSTNAME"] != nil {
            log.info("Hostname value has been overridden via environment variable to: \(session.hostname)")
        }
        return nil
    }

    static func describeRules(_ session: Session) throws -> Int32? {
        let arguments = session.arguments
        guard arguments.describeRules || arguments.describeRule != nil else { return nil }
        let text =
            session.settings.jsonOutput
            ? RulesReport.describeJSON(session.ruleSet, rule: arguments.describeRule).map { $0.text + "\n" }
            : RulesReport.describeText(session.ruleSet, rule: arguments.describeRule)
        guard let text else {
            return notLoaded(session)
        }
        StandardOutput.write(text)
        return 0
    }

    private static func notLoaded(_ session: Session) -> Int32 {
        let text = "Runtime error: \(RulesReport.notLoaded(session.arguments.describeRule ?? "")). Exiting."
        session.log.error(text)
        if !session.log.isOnStderr { StandardError.write(text + "\n") }
        return 1
    }
}
