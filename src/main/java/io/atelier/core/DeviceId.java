package io.atelier.core;

import java.util.Locale;

/** A place where models run: {@code gpu:0}, {@code cpu:0}. */
public record DeviceId(Kind kind, int index) {
    /** What the device is. */
    public enum Kind {
        CPU,
        GPU
    }

    public DeviceId {
        if (index < 0) {
            throw new IllegalArgumentException("device index " + index + " is negative");
        }
    }

    public static DeviceId cpu(int index) {
        return new DeviceId(Kind.CPU, index);
    }

    public static DeviceId gpu(int index) {
        return new DeviceId(Kind.GPU, index);
    }

    @Override
    public String toString() {
        return kind.name().toLowerCase(Locale.ROOT) + ":" + index;
    }
}
