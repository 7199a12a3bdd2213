// SPDX-License-Identifier: Apache-2.0
import Diagnostics

/// The numbers other tools ask for.
public enum Version {
    public static let falco = "0.45.0"
    /// This Falco has no libraries or driver of their own; tools that compare see the agent's version.
    public static let libs = falco
    public static let pluginAPI = "3.12.0"
    public static let engine = "0.63.0"
    public static let driverAPI = "10.1.0"
    public static let driverSchema = "4.5.1"
    #if arch(x86_64)
        public static let architecture = "x86_64"
    #elseif arch(arm64)
        public static let architecture = "aarch64"
    #endif

    static var text: String {
        """
        Falco version: \(falco)
        Libs version:  \(libs)
        Plugin API:    \(pluginAPI)
        Engine:        \(engine)
        Driver:
          API version:    \(driverAPI)
          Schema version: \(driverSchema)
          Default driver: \(falco)
        """
    }

    static var json: JSONNode {
        .object([
            "default_driver_version": .string(falco), "driver_api_version": .string(driverAPI),
            "driver_schema_version": .string(driverSchema),
            "engine_version": .string(String(engine.split(separator: ".")[1])), "engine_version_semver": .string(engine),
            "falco_version": .string(falco), "libs_version": .string(libs), "plugin_api_version": .string(pluginAPI),
        ])
    }
}
