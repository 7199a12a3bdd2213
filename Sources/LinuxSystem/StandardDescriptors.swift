// SPDX-License-Identifier: Apache-2.0
import Glibc

/// Descriptors 0, 1 and 2 of this process.
public enum StandardDescriptors {
    /// Opens those that are closed, on nothing: else the next file that is opened would become standard output, and be written into.
    public static func open() {
        for number in Int32(0)...2 where fcntl(number, F_GETFD) == -1 {
            // The lowest free number is taken, so it is this one.
            _ = Glibc.open("/dev/null", O_RDWR)
        }
    }
}
