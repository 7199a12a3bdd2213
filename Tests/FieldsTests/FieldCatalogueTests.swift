// SPDX-License-Identifier: Apache-2.0
import EventModel
import Testing

@testable import Fields

@Suite struct FieldCatalogueTests {
    /// Fields of today's Falco without plugins: all, hidden, deprecated.
    @Test(arguments: [
        ("evt", 76, 15, 7), ("process", 90, 3, 0), ("user", 6, 0, 0), ("group", 2, 0, 0), ("fd", 46, 0, 0), ("fs.path", 6, 0, 0),
        ("fdlist", 6, 0, 0),
    ])
    func counts(name: String, all: Int, hidden: Int, deprecated: Int) {
        let definitions = FieldCatalogue.builtin.classes.filter { $0.name == name }.flatMap(\.definitions)
        #expect(definitions.count == all)
        #expect(definitions.filter { $0.flags.contains(.hidden) }.count == hidden)
        #expect(definitions.filter { $0.flags.contains(.deprecated) }.count == deprecated)
    }

    @Test func rowsAndCasesAgree() {
        func check<Family: FieldFamily>(_ family: Family.Type) {
            let rows = family.classes.flatMap(\.rows)
            #expect(Set(rows.map(\.field.rawValue)).count == family.allCases.count)
            #expect(rows.count == family.allCases.count)
            #expect(Set(rows.map(\.name)).count == rows.count)
            for row in rows { #expect(row.summary.hasSuffix(".") && row.summary.count > 8, "\(row.name)") }
        }
        check(EventField.self)
        check(ProcessField.self)
        check(UserField.self)
        check(GroupField.self)
        check(DescriptorField.self)
        check(PathField.self)
        check(DescriptorListField.self)
        check(ContainerField.self)
        check(KubernetesField.self)
    }

    @Test(arguments: [
        ("proc.nme", "filter_check called with nonexistent field proc.nme"),
        ("proc.name[1]", "filter_check called with nonexistent field proc.name[1]"),
        ("proc.aname[x]", "filter_check called with nonexistent field proc.aname[x]"),
        ("proc.aname[]", "filter_check called with nonexistent field proc.aname[]"),
        ("evt.arg.zzz", "unknown event argument zzz"), ("evt.rawarg.zzz", "unknown event argument zzz"),
        ("evt.arg.fdx", "filter_check called with nonexistent field evt.arg.fdx"), ("evt.arg[x]", "x is not a valid number"),
        ("evt.arg", "filter syntax error: evt.arg"),
        ("evt.type.is.nonsense", "filter_check called with nonexistent field evt.type.is.nonsense"),
        ("evt.around[x]", "x is not a valid number"), ("evt.around.x", "wrong syntax for evt.around"),
        ("evt.abspath.mid", "filter_check called with nonexistent field evt.abspath.mid"),
        ("thread.cgroup.cpu2", "filter_check called with nonexistent field thread.cgroup.cpu2"),
        ("thread.cgroup", "filter syntax error: thread.cgroup"),
        ("evt.around", "filter syntax error: evt.around"),
        ("evt.args.fd", "filter_check called with nonexistent field evt.args.fd"),
    ])
    func refuses(field: String, message: String) {
        let error = #expect(throws: FieldError.self) { try Machine.resolve(field) }
        #expect(error?.message == message)
    }

    @Test(arguments: [
        ("evt.rawarg.res", ParameterType.errno, PrintFormat.dec), ("evt.rawarg.data", .bytebuf, .na),
        ("evt.rawarg.uid", .uint32, .dec),
        ("evt.rawarg.flags", .flags32, .hex), ("evt.arg.res", .charbuf, .na), ("evt.rawarg.name", .fspath, .na),
    ])
    func types(field: String, type: ParameterType, format: PrintFormat) throws {
        let definition = try Machine.resolve(field).definition
        #expect(definition.type == type)
        #expect(definition.format == format)
    }

    @Test func anArgumentMakesOneOfMany() throws {
        #expect(try Machine.resolve("proc.aname").definition.flags.contains(.anyOf))
        #expect(try !Machine.resolve("proc.aname[1]").definition.flags.contains(.anyOf))
        #expect(try !Machine.resolve("proc.aenv[HOME]").definition.flags.contains(.anyOf))
        // The key's bytes live as long as the reference.
        let named = try Machine.resolve("proc.aenv[HOME]")
        let digits = try Machine.resolve("proc.env[0]")
        withExtendedLifetime((named, digits)) {
            #expect(named.key?.bytes.string == "HOME")
            #expect(digits.key?.bytes.string == "0")
        }
    }
}
