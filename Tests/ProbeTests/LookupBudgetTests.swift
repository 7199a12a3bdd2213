// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import CaptureProbe

@Suite struct LookupBudgets {
    /// Questions of any cost take a tenth of the time, and 0.1 s besides.
    @Test(arguments: [UInt64(1_000_000), 40_000_000, 300_000_000, 2_000_000_000]) func aTenthOfTheTime(costNs: UInt64) {
        var budget = LookupBudget()
        var (nowNs, spentNs): (UInt64, UInt64) = (5_000_000_000, 0)
        let startNs = nowNs
        while nowNs - startNs < 60_000_000_000 {
            if budget.allows(nowNs: nowNs) {
                budget.spend(costNs)
                (nowNs, spentNs) = (nowNs + costNs, spentNs + costNs)
            } else {
                nowNs += 1_000_000
            }
        }
        let elapsedNs = nowNs - startNs
        #expect(spentNs <= elapsedNs / 10 + LookupBudget.burstNs + costNs)
        #expect(spentNs >= min(elapsedNs / 10, LookupBudget.burstNs))
    }
}
