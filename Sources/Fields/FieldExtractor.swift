// SPDX-License-Identifier: Apache-2.0
import EventModel
import SystemState

/// From a field to its value in the event at hand. Runs per check and event: no allocation; text that has to be put together
/// goes to `scratch`.
public enum FieldExtractor {
    public static func extract(
        _ field: FieldSelector, context: borrowing EventContext, state: SystemState, scratch: inout ExtractionScratch
    ) -> FieldValue {
        let row = UInt16(truncatingIfNeeded: field.id.rawValue)
        switch UInt16(truncatingIfNeeded: field.id.rawValue >> 16) {
        case FieldFamilies.event:
            return EventField.extract(EventField(rawValue: row)!, field, context: context, state: state, scratch: &scratch)
        case FieldFamilies.process:
            return ProcessField.extract(ProcessField(rawValue: row)!, field, context: context, state: state, scratch: &scratch)
        case FieldFamilies.user:
            return UserField.extract(UserField(rawValue: row)!, context: context, state: state)
        case FieldFamilies.group:
            return GroupField.extract(GroupField(rawValue: row)!, context: context, state: state)
        case FieldFamilies.descriptor:
            return DescriptorField.extract(
                DescriptorField(rawValue: row)!, field, context: context, state: state, scratch: &scratch)
        case FieldFamilies.path:
            return PathField.extract(PathField(rawValue: row)!, context: context, state: state, scratch: &scratch)
        case FieldFamilies.descriptorList:
            return DescriptorListField.extract(
                DescriptorListField(rawValue: row)!, context: context, state: state, scratch: &scratch)
        case FieldFamilies.container:
            return ContainerField.extract(
                ContainerField(rawValue: row)!, field, context: context, state: state, scratch: &scratch)
        case FieldFamilies.kubernetes:
            return KubernetesField.extract(
                KubernetesField(rawValue: row)!, field, context: context, state: state, scratch: &scratch)
        case FieldFamilies.kernel:
            return KernelField.extract(KernelField(rawValue: row)!, context: context, state: state, scratch: &scratch)
        default:
            preconditionFailure("a field's family has no extraction")
        }
    }

    public static func extract(
        _ field: FieldReference, context: borrowing EventContext, state: SystemState, scratch: inout ExtractionScratch
    ) -> FieldValue {
        extract(field.selector, context: context, state: state, scratch: &scratch)
    }
}
