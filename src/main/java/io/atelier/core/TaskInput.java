package io.atelier.core;

import java.nio.ByteBuffer;

/** One plain value that a task is asked about. Immutable. */
public sealed interface TaskInput {
    /** What it is. */
    TaskKind.Medium medium();

    /** A text. */
    record Text(String text) implements TaskInput {
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
