package io.atelier.core;

import java.util.Optional;

/**
 * Two shapes of the same elements: the one that callers see, and the one that the model has. Both are specifications with
 * the same number of dynamic axes, and as many elements before, between and behind these. Immutable.
 *
 * @param callers the shape for callers
 * @param model   the shape for the model
 */
public record Reshape(Shape callers, Shape model) {
    public Reshape {
        if (!fit(callers, model)) {
            throw new IllegalArgumentException(callers + " cannot be reshaped to " + model);
        }
    }

    /** Whether every tensor of one shape has the elements of one tensor of the other. */
    public static boolean fit(Shape one, Shape other) {
        int at = 0;
        int otherAt = 0;
        while (true) {
            long elements = 1;
            while (at < one.rank() && !one.isDynamic(at)) {
                elements *= one.dimension(at++);
            }
            long otherElements = 1;
            while (otherAt < other.rank() && !other.isDynamic(otherAt)) {
                otherElements *= other.dimension(otherAt++);
            }
            if (elements != otherElements || (at == one.rank()) != (otherAt == other.rank())) {
                return false;
            }
            if (at == one.rank()) {
                return true;
            }
            at++;
            otherAt++;
        }
    }

    /** The shape for the model of a tensor that has this one for callers; empty if callers have no such shape. */
    public Optional<Shape> toModel(Shape actual) {
        return translate(callers, model, actual);
    }

    /** The shape for callers of a tensor that has this one for the model; empty if the model has no such shape. */
    public Optional<Shape> toCallers(Shape actual) {
        return translate(model, callers, actual);
    }

    private static Optional<Shape> translate(Shape from, Shape to, Shape actual) {
        if (!from.accepts(actual)) {
            return Optional.empty();
        }
        long[] dimensions = to.toArray();
        int at = 0;
        for (int axis = 0; axis < dimensions.length; axis++) {
            if (to.isDynamic(axis)) {
                while (!from.isDynamic(at)) {
                    at++;
                }
                dimensions[axis] = actual.dimension(at++);
            }
        }
        return Optional.of(Shape.of(dimensions));
    }
}
