// SPDX-License-Identifier: Apache-2.0
import EventModel
import SystemState

/// Fields of the pod that the process's container belongs to, as the container runtime told them.
public enum KubernetesField: UInt16, FieldFamily {
    case podName, namespaceName, podID, podUID, podSandboxID, podFullSandboxID, podLabel, podLabels, podAddress, podNetworkJSON
    case rcName, rcID, rcLabel, rcLabels, svcName, svcID, svcLabel, svcLabels, nsID, nsLabel, nsLabels
    case rsName, rsID, rsLabel, rsLabels, deploymentName, deploymentID, deploymentLabel, deploymentLabels

    public static let number = FieldFamilies.kubernetes
    public static let isFromPlugin = true

    private static let labelKey: FieldFlags = [.argumentRequired, .argumentKey]
    private static let oldLabelKey: FieldFlags = [.argumentRequired, .argumentKey, .deprecated]

    public static let classes: [FieldClassRows<KubernetesField>] = [
        FieldClassRows(
            "k8s", "The pod that the process's container belongs to.",
            rows: [
                .init(.podName, "k8s.pod.name", .charbuf, .na, .suggestedOutput, "Name of the pod."),
                .init(.namespaceName, "k8s.ns.name", .charbuf, .na, .suggestedOutput, "Namespace of the pod."),
                .init(.podID, "k8s.pod.id", .charbuf, "Unique id of the pod, under the older name of k8s.pod.uid."),
                .init(.podUID, "k8s.pod.uid", .charbuf, "Unique id that the cluster gave the pod."),
                .init(.podSandboxID, "k8s.pod.sandbox_id", .charbuf, "First 12 characters of the pod's sandbox id."),
                .init(.podFullSandboxID, "k8s.pod.full_sandbox_id", .charbuf, "Whole sandbox id of the pod."),
                .init(.podLabel, "k8s.pod.label", .charbuf, .na, labelKey, "Value of one label of the pod."),
                .init(.podLabels, "k8s.pod.labels", .charbuf, "All labels of the pod as key:value, separated by commas."),
                .init(.podAddress, "k8s.pod.ip", .charbuf, "Address of the pod."),
                .init(.podNetworkJSON, "k8s.pod.cni.json", .charbuf, "Network set-up of the pod as the CNI plugin told it."),
                .init(
                    .rcName, "k8s.rc.name", .charbuf, .na, .deprecated, "Name of the replication controller; no longer filled."),
                .init(.rcID, "k8s.rc.id", .charbuf, .na, .deprecated, "Id of the replication controller; no longer filled."),
                .init(
                    .rcLabel, "k8s.rc.label", .charbuf, .na, oldLabelKey, "Label of the replication controller; no longer filled."
                ),
                .init(
                    .rcLabels, "k8s.rc.labels", .charbuf, .na, .deprecated,
                    "Labels of the replication controller; no longer filled."),
                .init(.svcName, "k8s.svc.name", .charbuf, .na, .deprecated, "Name of the service; no longer filled."),
                .init(.svcID, "k8s.svc.id", .charbuf, .na, .deprecated, "Id of the service; no longer filled."),
                .init(.svcLabel, "k8s.svc.label", .charbuf, .na, oldLabelKey, "Label of the service; no longer filled."),
                .init(.svcLabels, "k8s.svc.labels", .charbuf, .na, .deprecated, "Labels of the service; no longer filled."),
                .init(.nsID, "k8s.ns.id", .charbuf, .na, .deprecated, "Id of the namespace; no longer filled."),
                .init(.nsLabel, "k8s.ns.label", .charbuf, .na, oldLabelKey, "Label of the namespace; no longer filled."),
                .init(.nsLabels, "k8s.ns.labels", .charbuf, .na, .deprecated, "Labels of the namespace; no longer filled."),
                .init(.rsName, "k8s.rs.name", .charbuf, .na, .deprecated, "Name of the replica set; no longer filled."),
                .init(.rsID, "k8s.rs.id", .charbuf, .na, .deprecated, "Id of the replica set; no longer filled."),
                .init(.rsLabel, "k8s.rs.label", .charbuf, .na, oldLabelKey, "Label of the replica set; no longer filled."),
                .init(.rsLabels, "k8s.rs.labels", .charbuf, .na, .deprecated, "Labels of the replica set; no longer filled."),
                .init(
                    .deploymentName, "k8s.deployment.name", .charbuf, .na, .deprecated,
                    "Name of the deployment; no longer filled."),
                .init(.deploymentID, "k8s.deployment.id", .charbuf, .na, .deprecated, "Id of the deployment; no longer filled."),
                .init(
                    .deploymentLabel, "k8s.deployment.label", .charbuf, .na, oldLabelKey,
                    "Label of the deployment; no longer filled."),
                .init(
                    .deploymentLabels, "k8s.deployment.labels", .charbuf, .na, .deprecated,
                    "Labels of the deployment; no longer filled."),
            ])
    ]

    static func extract(
        _ field: KubernetesField, _ reference: FieldSelector, context: borrowing EventContext, state: SystemState,
        scratch: inout ExtractionScratch
    ) -> FieldValue {
        guard context.thread.exists, let record = state.containers.find(state.containerID(of: context.thread)),
            let pod = record.pod
        else { return .none }
        func text(_ text: ContainerRecord.Text) -> FieldValue {
            let bytes = record[text]
            return bytes.isEmpty ? .none : .bytes(bytes)
        }
        switch field {
        case .podName: return text(pod.name)
        case .namespaceName: return text(pod.namespace)
        case .podID: return text(pod.id)
        case .podUID: return text(pod.uid)
        case .podSandboxID: return text(pod.sandboxID)
        case .podFullSandboxID: return text(pod.fullSandboxID)
        case .podLabel: return ContainerField.value(of: reference, in: pod.labels, record)
        case .podLabels: return ContainerField.allLabels(pod.labels, record, &scratch)
        case .podAddress: return text(pod.address)
        case .podNetworkJSON: return text(pod.networkJSON)
        // Runtimes do not know what made a pod: kept so that rules that name these still load.
        case .rcName, .rcID, .rcLabel, .rcLabels, .svcName, .svcID, .svcLabel, .svcLabels, .nsID, .nsLabel, .nsLabels,
            .rsName, .rsID, .rsLabel, .rsLabels, .deploymentName, .deploymentID, .deploymentLabel, .deploymentLabels:
            return .none
        }
    }
}
