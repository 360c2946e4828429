package io.atelier.engine.djl;

import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoggingLevel;
import ai.onnxruntime.OrtSession;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * The options of one run, by which it is ended from another thread once its batch is abandoned. ONNX Runtime looks at
 * them between two nodes of the graph.
 *
 * <p>Thread-safe: ending and closing exclude each other, since to touch closed options would crash.
 */
final class EndableRun implements AutoCloseable {
    /** A batch that is never abandoned. */
    static final CompletionStage<Void> NEVER = new CompletableFuture<>();

    private final OrtSession.RunOptions options;
    private boolean closed;

    EndableRun(CompletionStage<Void> abandoned) throws OrtException {
        options = new OrtSession.RunOptions();
        options.setLogLevel(OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL); // who runs it hears of failures
        var unused = abandoned.thenRun(this::end);
    }

    OrtSession.RunOptions options() {
        return options;
    }

    private synchronized void end() {
        if (!closed) {
            try {
                options.setTerminate(true);
            } catch (OrtException impossible) {
                throw new IllegalStateException(impossible);
            }
        }
    }

    @Override
    public synchronized void close() {
        closed = true;
        options.close();
    }
}
