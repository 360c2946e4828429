package io.atelier.core;

import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/** One plain value that a task is asked about. Immutable. */
public sealed interface TaskInput {
    /** What it is. */
    TaskKind.Medium medium();

    /**
     * A text.
     *
     * @param prompt name of what is to be written before it; null for what is usual with the model
     */
    record Text(String text, @Nullable String prompt) implements TaskInput {
        public Text(String text) {
            this(text, null);
        }

        @Override
        public TaskKind.Medium medium() {
            return TaskKind.Medium.TEXT;
        }
    }

    /**
     * An image, undecoded.
     *
     * @param encoded a JPEG or PNG file's bytes, from position to limit; nobody writes to them any more
     */
    record Image(ByteBuffer encoded) implements TaskInput {
        @Override
        public TaskKind.Medium medium() {
            return TaskKind.Medium.IMAGE;
        }
    }
}
