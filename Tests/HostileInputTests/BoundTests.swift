// SPDX-License-Identifier: Apache-2.0
import EventModel
import SystemState
import Testing

/// What a capture may tell without end is kept within bounds, and what finds no room is counted.
@Suite struct BoundTests {
    @Test func accountsAndInterfaces() {
        let state = SystemState(threadsMax: 4)
        for number in 0..<300_000 as Range<UInt32> {
            var user = UserRow()
            user.uid = number
            state.user(user)
            if number < 5000 { state.interface(InterfaceRow()) }
        }
        #expect(state.accountsRefused > 30_000)
        #expect(state.user(1) != nil && state.user(299_999) == nil)
        // One that is known may still change.
        let refused = state.accountsRefused
        var user = UserRow()
        (user.uid, user.gid) = (1, 7)
        state.user(user)
        #expect(state.user(1)?.gid == 7 && state.accountsRefused == refused)
    }

    @Test func containers() {
        let table = ContainerTable(bytesMax: 100_000)
        for number in 0..<1000 {
            var metadata = ContainerMetadata()
            metadata.id = "c\(number)"
            metadata.image = String(repeating: "x", count: 1000)
            table.add(ContainerRecord(metadata))
        }
        #expect(table.bytesHeld <= 100_000 && table.refused > 900 && table.count > 10)
        #expect(table.count + Int(table.refused) == 1000)
    }
}
