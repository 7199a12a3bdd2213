// SPDX-License-Identifier: Apache-2.0

/// Falco's codes for what can be wrong with rules; scripts match on them.
public enum LoadCode: String, Sendable, CaseIterable {
    // errors
    case fileRead = "LOAD_ERR_FILE_READ"
    case yamlParse = "LOAD_ERR_YAML_PARSE"
    case yamlValidate = "LOAD_ERR_YAML_VALIDATE"
    case compileCondition = "LOAD_ERR_COMPILE_CONDITION"
    case compileOutput = "LOAD_ERR_COMPILE_OUTPUT"
    case validate = "LOAD_ERR_VALIDATE"
    case extensionError = "LOAD_ERR_EXTENSION"
    // warnings
    case unknownSource = "LOAD_UNKNOWN_SOURCE"
    case unsafeNotAvailable = "LOAD_UNSAFE_NA_CHECK"
    case noEventType = "LOAD_NO_EVTTYPE"
    case unknownFilter = "LOAD_UNKNOWN_FILTER"
    case unusedMacro = "LOAD_UNUSED_MACRO"
    case unusedList = "LOAD_UNUSED_LIST"
    case unknownItem = "LOAD_UNKNOWN_ITEM"
    case deprecatedItem = "LOAD_DEPRECATED_ITEM"
    case extensionWarning = "LOAD_WARNING_EXTENSION"
    case appendNoValues = "LOAD_APPEND_NO_VALUES"
    case exceptionNameNotUnique = "LOAD_EXCEPTION_NAME_NOT_UNIQUE"
    case invalidMacroName = "LOAD_INVALID_MACRO_NAME"
    case invalidListName = "LOAD_INVALID_LIST_NAME"
    case conditionWarning = "LOAD_COMPILE_CONDITION"
    case unknownKey = "LOAD_UNKNOWN_KEY"
    /// Ours: a rule asks for system calls that are not delivered by default.
    case ignoredSystemCall = "LOAD_IGNORED_SYSCALL"
    /// Ours: a rule asks for events whose delivery costs the host a lot.
    case expensiveEvent = "LOAD_EXPENSIVE_EVENT"
    /// Ours: a word in a list is nearly the name of one.
    case misspeltList = "LOAD_MISSPELT_LIST"
    /// Ours: nothing in the file but comments.
    case emptyFile = "LOAD_EMPTY_FILE"

    public var isError: Bool {
        switch self {
        case .fileRead, .yamlParse, .yamlValidate, .compileCondition, .compileOutput, .validate, .extensionError: true
        default: false
        }
    }

    /// The words in parentheses after the code.
    public var summary: String {
        switch self {
        case .fileRead: "File read error"
        case .yamlParse: "YAML parse error"
        case .yamlValidate: "Error validating internal structure of YAML file"
        case .compileCondition: "Error compiling condition"
        case .compileOutput: "Error compiling output"
        case .validate: "Error validating rule/macro/list/exception objects"
        case .extensionError: "Error in extension item"
        case .unknownSource: "Unknown event source"
        case .unsafeNotAvailable: "Unsafe <NA> comparison in condition"
        case .noEventType: "Condition has no event-type restriction"
        case .unknownFilter: "Unknown field or event-type in condition or output"
        case .unusedMacro: "Unused macro"
        case .unusedList: "Unused list"
        case .unknownItem: "Unknown rules file item"
        case .deprecatedItem: "Used deprecated item"
        case .extensionWarning: "Warning in extension item"
        case .appendNoValues: "Overriding/appending with no values"
        case .exceptionNameNotUnique: "Multiple exceptions defined with the same name"
        case .invalidMacroName: "Invalid macro name"
        case .invalidListName: "Invalid list name"
        case .conditionWarning: "Warning in rule condition"
        case .unknownKey: "Unknown key in item definition"
        case .ignoredSystemCall: "System call not delivered by default"
        case .expensiveEvent: "Expensive event type"
        case .misspeltList: "Misspelt list"
        case .emptyFile: "Empty rules file"
        }
    }

    /// `codedesc` in JSON: for errors the summary, for warnings what it means and what follows from it.
    public var explanation: String {
        switch self {
        case .unknownSource:
            "The rule's event source is offered by no loaded plugin and is not 'syscall', so the rule is left out."
        case .unsafeNotAvailable:
            "A field without a value never equals anything, so comparing with <NA> does not test for a missing value; "
                + "use 'exists'."
        case .noEventType:
            "The condition does not narrow down the event types, so the rule is evaluated for nearly every event, which "
                + "costs much CPU."
        case .unknownFilter:
            "The rule names a field or event type that is not known here and has skip-if-unknown-filter set, so it is left out."
        case .unusedMacro: "The macro is defined, but no rule and no other macro refers to it."
        case .unusedList: "The list is defined, but no rule, macro or other list refers to it."
        case .unknownItem:
            "The item is none of rule, macro, list, required_engine_version and required_plugin_versions; it is ignored."
        case .deprecatedItem: "The item still works, but a later version may refuse it."
        case .extensionWarning: "An extension item has a problem."
        case .appendNoValues: "An exception is overridden or appended to, but has no values, so nothing changes."
        case .exceptionNameNotUnique:
            "The rule has several exceptions with this name; later overrides reach the first of them only."
        case .invalidMacroName: "Conditions cannot refer to a macro of this name."
        case .invalidListName: "Conditions cannot refer to a list of this name."
        case .conditionWarning: "The condition compiles, but may not mean what its author wanted."
        case .unknownKey: "The item has a key that is not part of its definition; the key is ignored."
        case .ignoredSystemCall:
            "The rule waits for a high-volume system call that is delivered only when base_syscalls.all (or -A) is on."
        case .expensiveEvent: "The rule asks for an event that happens so often that delivering it slows the whole host down."
        case .misspeltList: "A word in a condition is nearly the name of a list; as it stands it is compared as a word."
        case .emptyFile: "The file defines nothing."
        default: summary
        }
    }
}

/// What a location in a diagnostic's context is; the raw value is Falco's word for it.
public enum ItemKind: String, Sendable, CaseIterable {
    case valueFor = "value for"
    case exceptions
    case exception
    case exceptionValues = "exception values"
    case exceptionValue = "exception value"
    case rulesContent = "rules content"
    case rulesContentItem = "rules content item"
    case requiredEngineVersion = "required_engine_version"
    case requiredPluginVersions = "required plugin versions"
    case requiredPluginVersionsEntry = "required plugin versions entry"
    case requiredPluginVersionsAlternative = "required plugin versions alternative"
    case list
    case listItem = "list item"
    case macro
    case macroCondition = "macro condition"
    case rule
    case ruleCondition = "rule condition"
    case conditionExpression = "condition expression"
    case ruleOutput = "rule output"
    case ruleOutputExpression = "rule output expression"
    case rulePriority = "rule priority"
    case overrides
    case extensionItem = "extension item"
}
