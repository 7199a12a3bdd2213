// SPDX-License-Identifier: Apache-2.0
import CProbeABI
import EventModel
import Testing

@testable import SystemState

extension History {
    func openBegins(tid: Int64, _ name: String) {
        event(PPME_SYSCALL_OPENAT_2_E, tid: tid) { e in
            e.append(Int64(-100))
            e.append(text: name)
            e.append(UInt32(1))
            e.append(UInt32(0))
        }
    }
    /// As the probe tells a beginning that it could not tell.
    func openBeginsUnseen(tid: Int64) {
        event(PPME_SYSCALL_OPENAT_2_E, tid: tid) { e in for _ in 0..<4 { e.appendEmpty() } }
    }
    /// The descriptor's name.
    func openEnds(tid: Int64, fd: Int64 = 3, _ name: String) -> String? {
        event(PPME_SYSCALL_OPENAT_2_X, tid: tid) { e in
            e.append(fd)
            e.append(Int64(-100))
            e.append(text: name)
            e.append(UInt32(1))
            e.append(UInt32(0))
            e.append(UInt32(1))
            e.append(UInt64(2))
        }
        return lastName
    }
    func closes(tid: Int64, fd: Int64) {
        event(PPME_SYSCALL_CLOSE_X, tid: tid) { e in
            e.append(Int64(0))
            e.append(fd)
        }
    }
    func makesSocket(tid: Int64, fd: Int64, family: UInt32) {
        event(PPME_SOCKET_SOCKET_X, tid: tid) { e in
            e.append(fd)
            for value in [family, 1, 0] { e.append(value) }
        }
    }
    func connectBegins(tid: Int64, fd: Int64, _ address: [UInt8]) {
        event(PPME_SOCKET_CONNECT_E, tid: tid) { e in
            e.append(fd)
            e.append(raw: address)
        }
    }
    func connectEnds(tid: Int64, fd: Int64, result: Int64 = 0, tuple: [UInt8], address: [UInt8]) -> String? {
        event(PPME_SOCKET_CONNECT_X, tid: tid) { e in
            e.append(result)
            e.append(raw: tuple)
            e.append(fd)
            e.append(raw: address)
        }
        return lastName
    }
}

struct EnterEventTests {
    private let history = History()

    @Test func theBeginningWins() {
        history.openBegins(tid: 100, "/real")
        #expect(history.openEnds(tid: 100, "/fake") == "/real")
    }

    @Test func eachBeginningServesOneEnd() {
        history.openBegins(tid: 100, "/first")
        #expect(history.openEnds(tid: 100, "/first") == "/first")
        #expect(history.openEnds(tid: 100, "/second") == "/second")
    }

    @Test func theLastBeginningIsTheCallsOwn() {
        // The end of the first was lost.
        history.openBegins(tid: 100, "/first")
        history.openBegins(tid: 100, "/second")
        #expect(history.openEnds(tid: 100, "/fake") == "/second")
    }

    @Test func threadsDoNotShareBeginnings() {
        history.clone(tid: 100, result: 101, pid: 100, ptid: 1, flags: CloneFlag.thread)
        history.openBegins(tid: 100, "/of/100")
        history.openBegins(tid: 101, "/of/101")
        #expect(history.openEnds(tid: 100, fd: 3, "/fake") == "/of/100")
        #expect(history.openEnds(tid: 101, fd: 4, "/fake") == "/of/101")
    }

    @Test func anotherCallBetweenMakesItStale() {
        history.openBegins(tid: 100, "/stale")
        history.closes(tid: 100, fd: 9)
        #expect(history.openEnds(tid: 100, "/mine") == "/mine")
    }

    @Test func anotherKindOfOpenBetweenMakesItStale() {
        history.openBegins(tid: 100, "/stale")
        history.event(PPME_SYSCALL_CREAT_E, tid: 100) { e in
            e.append(text: "/created")
            e.append(UInt32(0))
        }
        #expect(history.openEnds(tid: 100, "/mine") == "/mine")
    }

    @Test func anUnseenBeginningDoesAwayWithAnEarlierOne() {
        history.openBegins(tid: 100, "/stale")
        history.openBeginsUnseen(tid: 100)
        #expect(history.openEnds(tid: 100, "/mine") == "/mine")
    }

    @Test func aSignalBetweenChangesNothing() {
        history.openBegins(tid: 100, "/real")
        history.event(PPME_SIGNALDELIVER_E, tid: 100) { e in
            for id: Int64 in [1, 100] { e.append(id) }
            e.append(UInt8(17))
        }
        #expect(history.openEnds(tid: 100, "/fake") == "/real")
    }

    @Test func aBeginningEndsWithItsThread() {
        history.clone(tid: 100, result: 200, pid: 100, ptid: 1)
        history.openBegins(tid: 200, "/stale")
        history.exit(tid: 200)
        // The number is used again.
        history.clone(tid: 100, result: 200, pid: 100, ptid: 1)
        #expect(history.openEnds(tid: 200, "/mine") == "/mine")
    }

    @Test func aNumberUsedAgainBringsNoBeginning() {
        history.clone(tid: 100, result: 200, pid: 100, ptid: 1)
        history.openBegins(tid: 200, "/stale")
        // The end of the first process was lost; the clone comes much later.
        history.now += 5_000_000_000
        history.clone(tid: 100, result: 200, pid: 100, ptid: 1)
        #expect(history.openEnds(tid: 200, "/mine") == "/mine")
    }

    @Test func childrenDoNotInheritIt() {
        history.openBegins(tid: 100, "/stale")
        history.clone(tid: 100, result: 200, pid: 100, ptid: 1)
        #expect(history.openEnds(tid: 200, "/mine") == "/mine")
    }

    // MARK: connect

    private let real: [UInt8] = [2, 10, 1, 2, 3, 80, 0]
    private let fake: [UInt8] = [2, 9, 9, 9, 9, 80, 0]
    /// 127.0.0.1:1 to an address.
    private func tuple(to address: [UInt8]) -> [UInt8] { [2, 127, 0, 0, 1, 1, 0] + address.dropFirst() }

    @Test func theFarEndAtTheBeginningWins() {
        history.makesSocket(tid: 100, fd: 3, family: 2)
        history.connectBegins(tid: 100, fd: 3, real)
        #expect(history.connectEnds(tid: 100, fd: 3, tuple: tuple(to: fake), address: fake) == "127.0.0.1:1->10.1.2.3:80")
    }

    @Test func theKernelChoosesForTheUnspecifiedAddress() {
        history.makesSocket(tid: 100, fd: 3, family: 2)
        history.connectBegins(tid: 100, fd: 3, [2, 0, 0, 0, 0, 80, 0])
        let made = history.connectEnds(
            tid: 100, fd: 3, tuple: tuple(to: [2, 127, 0, 0, 1, 80, 0]), address: [2, 0, 0, 0, 0, 80, 0])
        #expect(made == "127.0.0.1:1->127.0.0.1:80")
    }

    @Test func aBeginningThatIsNotOfThisConnectIsNotUsed() {
        history.makesSocket(tid: 100, fd: 3, family: 2)
        history.connectBegins(tid: 100, fd: 3, real)
        history.closes(tid: 100, fd: 9)
        #expect(history.connectEnds(tid: 100, fd: 3, tuple: tuple(to: fake), address: fake) == "127.0.0.1:1->9.9.9.9:80")
    }

    @Test func aRefusedConnectLeavesTheSocketAsItWas() {
        history.makesSocket(tid: 100, fd: 3, family: 2)
        _ = history.connectEnds(tid: 100, fd: 3, tuple: tuple(to: real), address: real)
        history.connectBegins(tid: 100, fd: 3, fake)
        #expect(history.connectEnds(tid: 100, fd: 3, result: -2, tuple: [], address: fake) == "127.0.0.1:1->10.1.2.3:80")
        let socket = history.state.descriptor(3, of: history.state.threads.find(100))
        #expect(socket?.destination == AddressBytes(ipv4NetworkOrder: 0x0302_010a))
    }

    @Test(arguments: 0...20) func addressesOfAnyLengthAreSafe(_ count: Int) {
        for family: UInt8 in [0, 1, 2, 10, 255] {
            history.makesSocket(tid: 100, fd: 3, family: 2)
            let address = Array([family] + Array(repeating: UInt8(7), count: 20)).prefix(count)
            history.connectBegins(tid: 100, fd: 3, Array(address))
            let name = history.connectEnds(tid: 100, fd: 3, tuple: tuple(to: fake), address: fake)
            #expect(name == (family == 2 && count >= 7 ? "127.0.0.1:1->7.7.7.7:1799" : "127.0.0.1:1->9.9.9.9:80"))
        }
    }
}
