// SPDX-License-Identifier: Apache-2.0
import Glibc

/// What a descriptor shows its text on.
public enum Terminal {
    /// Nil when it is no terminal, 0 when the terminal does not tell.
    public static func columns(of descriptor: Int32) -> Int? {
        guard isatty(descriptor) == 1 else { return nil }
        var size = winsize()
        return ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 ? Int(size.ws_col) : 0
    }
}
