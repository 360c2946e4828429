package io.atelier.repository;

import java.util.Collections;
import java.util.List;
import java.util.SortedSet;
import java.util.TreeSet;

/**
 * Which of a model's version folders are served. Immutable.
 *
 * @see <a href="https://github.com/triton-inference-server/server/blob/main/docs/user_guide/model_configuration.md#version-policy">Triton:
 *     version policy</a>
 */
public sealed interface VersionPolicy {
    /** The newest alone. */
    VersionPolicy NEWEST = new Latest(1);

    /**
     * The versions to serve, in ascending order.
     *
     * @param present the version folders that are there; a specific version is served whether it is among them or not
     */
    List<Long> served(SortedSet<Long> present);

    /** The newest {@code count} versions: those with the highest numbers. */
    record Latest(int count) implements VersionPolicy {
        public Latest {
            if (count < 1) {
                throw new IllegalArgumentException("latest " + count + " versions serve nothing");
            }
        }

        @Override
        public List<Long> served(SortedSet<Long> present) {
            List<Long> ascending = List.copyOf(present);
            return ascending.subList(Math.max(0, ascending.size() - count), ascending.size());
        }
    }

    /** Every version that is there. */
    record All() implements VersionPolicy {
        @Override
        public List<Long> served(SortedSet<Long> present) {
            return List.copyOf(present);
        }
    }

    /** These versions; one that is not there is an error, not a gap. */
    record Specific(SortedSet<Long> versions) implements VersionPolicy {
        public Specific {
            if (versions.isEmpty() || versions.first() < 1) {
                throw new IllegalArgumentException("versions " + versions + " are not positive integers");
            }
            versions = Collections.unmodifiableSortedSet(new TreeSet<>(versions));
        }

        @Override
        public List<Long> served(SortedSet<Long> present) {
            return List.copyOf(versions);
        }
    }
}
