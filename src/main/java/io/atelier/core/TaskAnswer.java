package io.atelier.core;

import java.util.List;

/** What a task says of one plain value. Immutable. */
public sealed interface TaskAnswer {
    /** A vector; whoever reads it must not write to it. */
    final class Embedding implements TaskAnswer {
        private final float[] vector;
        private final int tokens;

        /** @param tokens tokens that were read, special ones included */
        public Embedding(float[] vector, int tokens) {
            this.vector = vector;
            this.tokens = tokens;
        }

        public float[] vector() {
            return vector;
        }

        public int tokens() {
            return tokens;
        }
    }

    /** Names for the whole, the likeliest first. */
    record Labels(List<Label> labels) implements TaskAnswer {
        public Labels {
            labels = List.copyOf(labels);
        }
    }

    /** What was found where, the likeliest first. */
    record Objects(List<Found> found) implements TaskAnswer {
        public Objects {
            found = List.copyOf(found);
        }
    }

    /**
     * A name that fits.
     *
     * @param score 0 to 1 where the task makes probabilities, else whatever the model gives
     */
    record Label(String label, double score) {}

    /** One thing in an image. */
    record Found(String label, double score, Box box) {}

    /** A place in an image, in pixels from its top left corner. */
    record Box(double xmin, double ymin, double xmax, double ymax) {}
}
