// SPDX-License-Identifier: Apache-2.0
import Glibc
import LinuxSystem
import Settings

/// The whole program.
public enum Falco {
    /// `words` without the program's name; answers the exit status.
    public static func run(_ words: [String]) -> Int32 {
        // An output that somebody closed must not become the first file we open.
        StandardDescriptors.open()
        guard Files.exists("/proc/self/cmdline") else {
            StandardError.write("Error: /proc is not mounted: nothing can be known of any process, not even our own arguments\n")
            return 1
        }
        let session: Session
        do {
            session = try Session(Arguments(words), environment: currentEnvironment())
        } catch {
            StandardError.write("Error: \(error)\n")
            return 1
        }
        var status: Int32 = 0
        var failure: (any Error)?
        do {
            for step in StartUp.steps {
                guard let answer = try step.run(session) else { continue }
                status = answer
                break
            }
        } catch { failure = error }
        session.end()
        if let failure {
            // Last, where it is seen.
            StandardError.write("Error: \(failure)\n")
            StandardError.writeAsIs((failure as? AgentError)?.detail ?? "")
            status = (failure as? AgentError)?.status ?? 1
        }
        return status
    }

    private static func currentEnvironment() -> [String: String] {
        var variables: [String: String] = [:]
        var entry = environ
        while let text = entry.pointee {
            let pair = String(cString: text)
            if let equals = pair.firstIndex(of: "=") {
                variables[String(pair[..<equals])] = String(pair[pair.index(after: equals)...])
            }
            entry += 1
        }
        return variables
    }
}

extension Session {
    /// Whatever happened: what was alerted goes out, then the counts.
    func end() {
        guard let queue else { return }
        queue.stop()
        if queue.drops > 0 {
            log.warning(
                "\(queue.drops) of \(statistics.alerts) alerts were not written: the outputs were slower than the events "
                    + "(outputs_queue.capacity \(settings.outputsQueueCapacity))")
        }
        if queue.failures > 0 { log.warning("outputs failed \(queue.failures) times: alerts are missing there") }
        if let drops {
            StandardError.write(
                """
                Syscall event drop monitoring:
                   - event drop detected: \(drops.occurrences) occurrences
                   - num times actions taken: \(drops.actionsTaken)

                """)
        }
        StandardOutput.write(statistics.text)
    }
}
