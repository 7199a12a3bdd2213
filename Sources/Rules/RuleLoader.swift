// SPDX-License-Identifier: Apache-2.0
import Diagnostics
import Fields
import FilterLanguage

/// Rules files → rule set. All files given to one loader share their macros and lists, in order.
public final class RuleLoader {
    public struct Settings: Sendable {
        /// Rules less urgent than this are compiled, but never enabled.
        public var minimumPriority = Priority.debug
        /// Event sources that exist; rules of another one are left out with a warning.
        public var sources: Set<String> = [Rule.syscallSource]
        public var loadedPlugins = RuleLoader.builtinPlugins
        public var appendOutput: [AppendOutput] = []
        /// `base_syscalls.all` or `-A`: nothing to warn of.
        public var deliversIgnoredSyscalls = false
        public var selections: [RuleSelection] = []
        /// Keep what the rules are made of, for `RuleLint`.
        public var keepsAnatomy = false
        public init() {}
    }

    /// Plugins whose fields this program has itself, so that rules that require them load. Any version before 1 will do.
    public static let builtinPlugins = [PluginRequirement(name: "container", version: "0.99.0")]

    /// Of the rules language.
    public static let engineVersion = Version(0, 63, 0)

    private let catalogue: FieldCatalogue
    private let settings: Settings
    private var collector = RuleCollector()
    private var index = ItemIndex()
    /// What the files loaded so far make, selections applied. Of a failed load: what compiled.
    public private(set) var ruleSet = RuleSet()
    /// What the rule set is made of; nil unless the settings keep it.
    public private(set) var anatomy: RulesAnatomy?
    private var files: [SourceFile] = []

    public init(catalogue: FieldCatalogue = .builtin, settings: Settings = Settings()) {
        self.catalogue = catalogue
        self.settings = settings
    }

    /// One result per file. Loading stops at the first file that fails unless `keepsGoing`, as `-V` wants it.
    public func load(files: [(name: String, content: [UInt8])], keepsGoing: Bool = false) -> [FileLoadResult] {
        var results: [FileLoadResult] = []
        for file in files {
            let result = load(SourceFile(name: file.name, bytes: file.content))
            results.append(result)
            if !result.successful, !keepsGoing { break }
        }
        return results
    }

    private func load(_ file: SourceFile) -> FileLoadResult {
        var report = LoadReport()
        var schema = FileLoadResult.SchemaVerdict.none
        let itemsBefore = collector.next
        files.append(file)
        let checker = ExceptionChecker(sources: settings.sources, catalogue: catalogue)
        switch RuleFileKind(name: file.name, content: file.bytes) {
        case .yaml:
            do throws(YAMLProblem) {
                let documents = try YAMLReader.documents(of: file)
                schema = RuleSchema.verdict(documents)
                var reader = YAMLRulesReader(
                    engineVersion: Self.engineVersion, checker: checker, collector: collector, report: report)
                index.add(documents, of: file)
                reader.read(documents, of: file)
                (collector, report) = (reader.collector, reader.report)
            } catch {
                let context = ItemContext(file).item(.rulesContent, "", start: error.position, end: error.position.offset + 1)
                var diagnostic = context.diagnostic(.yamlParse, error.message)
                diagnostic.context.removeFirst()
                if let beginning = error.beginning, beginning.line < error.position.line {
                    diagnostic.related.append(
                        RelatedPlace("it begins here", Excerpt(file, beginning.offset..<beginning.offset + 1)))
                }
                report.fail(diagnostic)
                return report.result(name: file.name, schema: schema)
            }
        case .oneLine:
            var reader = FoundingReader(checker: checker, collector: collector, report: report)
            reader.read(file)
            (collector, report) = (reader.collector, reader.report)
        }
        if collector.next == itemsBefore, report.errors.isEmpty, report.warnings.isEmpty {
            report.notice(ItemContext(file).diagnostic(.emptyFile, "the file defines no rule, macro or list"))
        }
        // Falco compiles only what was read without error; the rest of the errors is worth finding all the same.
        let readingFailed = !report.errors.isEmpty
        var compiler = RuleCompiler(
            settings: settings, catalogue: catalogue, collector: collector, index: index,
            report: readingFailed ? LoadReport() : report)
        compiler.compile()
        if readingFailed {
            for error in compiler.report.errors { report.fail(error) }
        } else {
            report = compiler.report
        }
        ruleSet = compiler.ruleSet
        anatomy = compiler.anatomy
        anatomy?.files = files
        ruleSet.apply(settings.selections)
        return report.result(name: file.name, schema: schema)
    }

    /// Why the plugins that the files ask for are not there, in Falco's words; it takes precedence over load errors.
    public func pluginRequirementProblem() -> String? {
        for alternatives in collector.requiredPlugins {
            let loaded = alternatives.lazy.compactMap { [settings] wanted in
                settings.loadedPlugins.first { $0.name == wanted.name }.map { (wanted, $0) }
            }.first
            guard let (wanted, plugin) = loaded else {
                let names = alternatives.map { "\($0.name) (>= \($0.version))" }.joined(separator: ", ")
                return "Plugin requirement not satisfied, must load one of: \(names)"
            }
            guard let have = Version(plugin.version), let required = Version(wanted.version), have.isCompatible(with: required)
            else {
                return
                    "Plugin '\(plugin.name)' version '\(plugin.version)' is not compatible with required plugin version "
                    + "'\(wanted.version)'"
            }
        }
        return nil
    }
}
