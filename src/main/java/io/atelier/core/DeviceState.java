package io.atelier.core;

/** The life of a device: STARTING → READY → DRAINING → CLOSED; QUARANTINED and back while it cannot be trusted. */
public enum DeviceState {
    /** Models are being loaded; pulls nothing yet. */
    STARTING,
    /** Pulls work. */
    READY,
    /** Cannot be trusted: pulls nothing. */
    QUARANTINED,
    /** Finishes what it has; refuses new models. */
    DRAINING,
    /** Its threads have ended. */
    CLOSED
}
