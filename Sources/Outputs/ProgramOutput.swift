// SPDX-License-Identifier: Apache-2.0
import Glibc
import LinuxSystem

/// Feeds a shell command's standard input: one run per alert, or one for all.
public final class ProgramOutput: AlertOutput {
    public let name = "program"
    private let command: String
    private let keepAlive: Bool
    private var program: (pid: pid_t, input: UnsafeMutablePointer<FILE>)?

    public init(command: String, keepAlive: Bool) { (self.command, self.keepAlive) = (command, keepAlive) }
    deinit { end() }

    public func write(_ alert: RenderedAlert) throws(OutputError) {
        if program == nil { program = try start() }
        guard let program else { return }
        let written = fwrite(alert.line, 1, alert.line.count, program.input)
        let failure = written == alert.line.count && fflush(program.input) == 0 ? nil : Errno.last
        if let failure {
            end()
            throw OutputError("write to '\(command)': \(failure)")
        }
        if !keepAlive { end() }
    }
    public func reopen() throws(OutputError) { end() }
    public func close() throws(OutputError) { end() }

    /// As `popen`, but without the signals that we block and ignore for ourselves: the program would inherit that, and could not
    /// be ended. SIGINT alone stays blocked: at a terminal it reaches the program too, which then still gets the last alerts.
    private func start() throws(OutputError) -> (pid: pid_t, input: UnsafeMutablePointer<FILE>) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw OutputError("start '\(command)': \(Errno.last)") }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        defer { closeDescriptor(ends[0]) }
        var actions = posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawnattr_init(&attributes)
        defer {
            posix_spawn_file_actions_destroy(&actions)
            posix_spawnattr_destroy(&attributes)
        }
        posix_spawn_file_actions_adddup2(&actions, ends[0], STDIN_FILENO)
        var (blocked, reset) = (sigset_t(), sigset_t())
        sigemptyset(&blocked)
        sigaddset(&blocked, SIGINT)
        sigfillset(&reset)
        posix_spawnattr_setsigmask(&attributes, &blocked)
        posix_spawnattr_setsigdefault(&attributes, &reset)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK) | Int16(POSIX_SPAWN_SETSIGDEF))
        let words = ["sh", "-c", command].map { (word: String) -> UnsafeMutablePointer<CChar>? in strdup(word) }
        defer { words.forEach { free($0) } }
        var pid = pid_t()
        let failure = posix_spawn(&pid, "/bin/sh", &actions, &attributes, words + [nil], environ)
        guard failure == 0, let input = fdopen(ends[1], "w") else {
            let reason = failure == 0 ? Errno.last : Errno(failure)
            closeDescriptor(ends[1])
            throw OutputError("start '\(command)': \(reason)")
        }
        return (pid, input)
    }

    private func end() {
        guard let program else { return }
        self.program = nil
        fclose(program.input)
        while waitpid(program.pid, nil, 0) < 0, errno == EINTR {}
    }
}
