package io.atelier.device;

import io.atelier.core.DeviceId;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.IntSupplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Which devices the service drives, from one line of configuration.
 *
 * <p>{@code auto} is every GPU that can be used, else the CPU. Otherwise a list, separated by commas, of {@code cpu},
 * {@code cpu*N} (N logical CPU devices), {@code gpu} (every GPU) and {@code gpu:I}. What is asked for and is not there
 * is an error: nothing falls back.
 */
public final class DevicePlan {
    private static final Pattern CPUS = Pattern.compile("cpu(?:\\*(\\d{1,4}))?");
    private static final Pattern GPU = Pattern.compile("gpu:(\\d{1,4})");

    private DevicePlan() {}

    /**
     * The devices meant by {@code wanted}, in order.
     *
     * @param gpuCount GPUs that the engine can use; asked once at most, and only if a GPU may be meant
     * @throws IllegalArgumentException if the text is not understood, names a device twice, or a GPU that cannot be used
     */
    public static List<DeviceId> of(String wanted, IntSupplier gpuCount) {
        if (wanted.strip().equals("auto")) {
            int usable = gpuCount.getAsInt();
            return usable > 0 ? gpus(usable) : List.of(DeviceId.cpu(0));
        }
        return of(wanted, wanted.contains("gpu") ? gpuCount.getAsInt() : 0);
    }

    private static List<DeviceId> of(String wanted, int gpuCount) {
        Set<DeviceId> devices = new LinkedHashSet<>();
        int cpus = 0;
        for (String part : wanted.split(",", -1)) {
            String word = part.strip();
            Matcher cpu = CPUS.matcher(word);
            Matcher gpu = GPU.matcher(word);
            List<DeviceId> meant = new ArrayList<>();
            if (cpu.matches()) {
                int count = cpu.group(1) == null ? 1 : Integer.parseInt(cpu.group(1));
                for (int i = 0; i < count; i++) {
                    meant.add(DeviceId.cpu(cpus++));
                }
            } else if (word.equals("gpu")) {
                meant.addAll(gpus(gpuCount));
            } else if (gpu.matches()) {
                meant.add(DeviceId.gpu(Integer.parseInt(gpu.group(1))));
            } else {
                throw new IllegalArgumentException("atelier.devices: '" + word
                        + "' is not understood; write auto, or a list of cpu, cpu*N, gpu, gpu:I");
            }
            if (meant.isEmpty()) {
                throw new IllegalArgumentException(
                        "atelier.devices: '" + word + "' means no device; " + usable(gpuCount));
            }
            for (DeviceId device : meant) {
                if (device.kind() == DeviceId.Kind.GPU && device.index() >= gpuCount) {
                    throw new IllegalArgumentException(
                            "atelier.devices: " + device + " cannot be used; " + usable(gpuCount));
                }
                if (!devices.add(device)) {
                    throw new IllegalArgumentException("atelier.devices: " + device + " is named twice");
                }
            }
        }
        return List.copyOf(devices);
    }

    private static String usable(int gpuCount) {
        return gpuCount == 0 ? "the engine sees no GPU" : "the engine sees gpu:0 to gpu:" + (gpuCount - 1);
    }

    private static List<DeviceId> gpus(int count) {
        List<DeviceId> gpus = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            gpus.add(DeviceId.gpu(i));
        }
        return gpus;
    }
}
