package io.shadowkv.spark;

import java.util.OptionalInt;
import org.apache.spark.TaskContext;
import org.apache.spark.resource.ResourceInformation;

/// The device that Spark assigned to a task.
final class TaskDevice {
    private TaskDevice() {}

    /// @param resource name of Spark's resource whose address is the device's number
    /// @return empty if the task was not given such a resource
    static OptionalInt of(TaskContext task, String resource) {
        ResourceInformation assigned = task.resourcesJMap().get(resource);
        return assigned == null ? OptionalInt.empty() : OptionalInt.of(Integer.parseInt(assigned.addresses()[0]));
    }
}
