// SPDX-License-Identifier: Apache-2.0
import Glibc
import LinuxSystem
import Outputs

/// The agent's own messages, to standard error and the system log. Any thread may call it.
final class Log: @unchecked Sendable {
    enum Level: UInt8, Sendable, Comparable {
        case emergency, alert, critical, error, warning, notice, info, debug
        static func < (a: Level, b: Level) -> Bool { a.rawValue < b.rawValue }
    }

    private let lock = ReaderLock()
    private var toStderr = true
    private var toSyslog = true
    private var level = Level.info
    private var iso8601 = false

    /// Until the configuration is read, messages go both ways in the plain form.
    init() {}

    func configure(stderr: Bool, syslog: Bool, level: Level, iso8601: Bool) {
        lock.locked { (toStderr, toSyslog, self.level, self.iso8601) = (stderr, syslog, level, iso8601) }
    }

    func isOn(_ level: Level) -> Bool { lock.locked { level <= self.level } }

    /// `annotated`: what standard error shows instead, behind the time.
    func write(_ level: Level, _ message: String, annotated: String? = nil) {
        lock.locked {
            guard level <= self.level else { return }
            if toSyslog { SystemLog.send(Array(message.utf8), severity: level.rawValue) }
            guard toStderr else { return }
            if let annotated {
                if !annotated.isEmpty { StandardError.writeAsIs("\(Self.time(iso8601: iso8601)): \(annotated)") }
            } else {
                StandardError.write("\(Self.time(iso8601: iso8601)): \(message)\n")
            }
        }
    }
    func emergency(_ message: String) { write(.emergency, message) }
    func critical(_ message: String) { write(.critical, message) }
    func error(_ message: String) { write(.error, message) }
    func warning(_ message: String) { write(.warning, message) }
    func notice(_ message: String) { write(.notice, message) }
    func info(_ message: String) { write(.info, message) }
    func debug(_ message: @autoclosure () -> String) { if isOn(.debug) { write(.debug, message()) } }

    var isOnStderr: Bool { lock.locked { toStderr } }

    private static func time(iso8601: Bool) -> String {
        var now = Glibc.time(nil)
        var parts = tm()
        if iso8601 { gmtime_r(&now, &parts) } else { localtime_r(&now, &parts) }
        var buffer = [CChar](repeating: 0, count: 64)
        let length = strftime(&buffer, buffer.count, iso8601 ? "%Y-%m-%dT%H:%M:%S+0000" : "%a %b %e %H:%M:%S %Y", &parts)
        return String(decoding: buffer[..<length].map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}

enum StandardError {
    /// What is quoted in a message, a file's name or a process's, may not drive the terminal that shows it.
    static func write(_ text: String) { StandardOutput.write(printable(text), to: STDERR_FILENO) }

    /// What has been made fit for a terminal already, colours included.
    static func writeAsIs(_ text: String) { StandardOutput.write(text, to: STDERR_FILENO) }

    static func printable(_ text: String) -> String {
        guard text.utf8.contains(where: { $0 < 32 && $0 != 9 && $0 != 10 || $0 == 127 || $0 == 0xc2 }) else { return text }
        return String(
            String.UnicodeScalarView(
                text.unicodeScalars.map {
                    $0.value < 32 && $0 != "\n" && $0 != "\t" || (0x7f...0x9f).contains($0.value) ? "?" : $0
                }))
    }
}

enum StandardOutput {
    /// Everything, at once; a reader that went away is not our failure.
    static func write(_ text: String, to descriptor: Int32 = STDOUT_FILENO) {
        var text = text
        text.withUTF8 { bytes in
            var done = 0
            while done < bytes.count {
                let count = Glibc.write(descriptor, bytes.baseAddress! + done, bytes.count - done)
                if count >= 0 {
                    done += count
                } else if errno == EAGAIN {
                    var wait = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                    _ = poll(&wait, 1, -1)
                } else if errno != EINTR {
                    return
                }
            }
        }
    }
}

/// A plain mutex.
final class ReaderLock: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    init() { pthread_mutex_init(mutex, nil) }
    deinit {
        pthread_mutex_destroy(mutex)
        mutex.deallocate()
    }
    func locked<R>(_ body: () -> R) -> R {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return body()
    }
}
