package io.atelier.core;

import org.jspecify.annotations.Nullable;

/** Where requests begin to be traced, and what hears of them on their way. Thread-safe. */
public interface Tracing {
    /** Traces nothing, and costs nothing. */
    Tracing OFF = new Tracing() {
        @Override
        public Trace begin(Head head) {
            return Trace.NONE;
        }

        @Override
        public ServingListener observing(ServingListener others) {
            return others;
        }
    };

    /** What is known of a request when its head has come. */
    interface Head {
        String method();

        /** Without the query. */
        String path();

        /** The path's template, {@code /v2/models/{model}/infer}. */
        @Nullable
        String route();

        /** A header's value; of several, all with commas between them. */
        @Nullable
        String header(String name);
    }

    /** A request has come. */
    Trace begin(Head head);

    /** A listener that tells {@code others} everything, and traces it. */
    ServingListener observing(ServingListener others);
}
