// SPDX-License-Identifier: Apache-2.0
import Testing

/// What each of the default rules tells, and what not.
@Suite struct DefaultRulesTests {
    @Test func loadWithoutComplaint() {
        #expect(DefaultRuleSet.unchanged.results.allSatisfy { $0.successful })
        #expect(DefaultRuleSet.unchanged.complaints == [])
        #expect(DefaultRuleSet.unchanged.results.first?.schema == .ok)
        #expect(DefaultRuleSet.unchanged.names.count == 25)
    }

    @Test func eachRuleHasBothSides() {
        let rules = Set(DefaultRuleSet.unchanged.names)
        #expect(Set(Behaviour.told.map(\.rule)) == rules)
        #expect(Set(Behaviour.silent.map(\.rule)) == rules)
    }

    @Test(arguments: Behaviour.told) func tells(_ behaviour: Behaviour) throws {
        let fired = try behaviour.act(Stage())
        #expect(fired.contains(behaviour.rule), "told by \(fired)")
    }

    @Test(arguments: Behaviour.silent) func keepsSilent(_ behaviour: Behaviour) throws {
        #expect(try behaviour.act(Stage()) == [])
    }
}
