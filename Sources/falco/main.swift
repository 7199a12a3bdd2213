// SPDX-License-Identifier: Apache-2.0
import Agent
import Glibc

exit(Falco.run(Array(CommandLine.arguments.dropFirst())))
