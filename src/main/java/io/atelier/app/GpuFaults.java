package io.atelier.app;

import io.atelier.core.DeviceId;
import io.atelier.device.DeviceExecutor;
import io.atelier.metrics.GpuMetrics;
import io.atelier.nvidia.Xids;
import java.util.List;
import java.util.function.ObjIntConsumer;

/** Counts the Xids of the GPUs, and takes a GPU out of service after one that no program can trust it after. */
record GpuFaults(List<DeviceExecutor> devices, GpuMetrics metrics) implements ObjIntConsumer<DeviceId> {
    @Override
    public void accept(DeviceId device, int xid) {
        metrics.countXid(device, xid);
        if (Xids.isFatal(xid)) {
            devices.stream().filter(candidate -> candidate.id().equals(device)).forEach(gpu -> gpu.quarantine("xid"));
        }
    }
}
