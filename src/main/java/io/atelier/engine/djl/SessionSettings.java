package io.atelier.engine.djl;

/**
 * How ONNX Runtime works on the CPU. Immutable.
 *
 * @param intraOpThreads threads that share one execution; at least 1
 * @param allowSpinning  whether they burn a core while they wait for work
 */
public record SessionSettings(int intraOpThreads, boolean allowSpinning) {
    public SessionSettings {
        if (intraOpThreads < 1) {
            throw new IllegalArgumentException("intraOpThreads is " + intraOpThreads + ", must be at least 1");
        }
    }
}
