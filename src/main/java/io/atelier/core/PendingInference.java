package io.atelier.core;

import java.util.concurrent.CompletableFuture;

/** An answer that is waited for, and whether the waiting line is behind it. Cancelling it cancels the request. */
public abstract class PendingInference extends CompletableFuture<InferenceResult> {
    /** Whether an execution has begun for it. */
    public abstract boolean hasBegun();
}
