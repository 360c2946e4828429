package io.atelier.core;

import java.util.Arrays;
import java.util.OptionalLong;

/**
 * Dimensions of a tensor, batch first. Immutable.
 *
 * <p>In a {@link TensorSpec} a dimension of {@value #DYNAMIC} may have any size; the shape of a tensor has none.
 */
public final class Shape {
    /** A dimension that may have any size. */
    public static final long DYNAMIC = -1;

    /**
     * Any number of dimensions of any size, as a {@link TensorSpec} has it where the model does not tell. Reads as one dynamic
     * dimension, {@code [-1]}, but accepts every shape.
     */
    public static final Shape UNKNOWN = new Shape(new long[] {DYNAMIC}, true);

    private final long[] dimensions;
    private final boolean unknown;

    private Shape(long[] dimensions, boolean unknown) {
        this.dimensions = dimensions;
        this.unknown = unknown;
    }

    /**
     * A shape of these dimensions; none makes a scalar.
     *
     * @throws IllegalArgumentException if a dimension is below {@value #DYNAMIC}
     */
    public static Shape of(long... dimensions) {
        for (long dimension : dimensions) {
            if (dimension < DYNAMIC) {
                throw new IllegalArgumentException("dimension " + dimension + " is negative");
            }
        }
        return new Shape(dimensions.clone(), false);
    }

    /** Whether even the number of dimensions is open. */
    public boolean isUnknown() {
        return unknown;
    }

    public int rank() {
        return dimensions.length;
    }

    public long dimension(int axis) {
        return dimensions[axis];
    }

    public boolean isDynamic(int axis) {
        return dimensions[axis] == DYNAMIC;
    }

    /** The dimensions, as a copy. */
    public long[] toArray() {
        return dimensions.clone();
    }

    /** This shape with another size on one axis. */
    public Shape with(int axis, long size) {
        long[] copy = dimensions.clone();
        copy[axis] = size;
        return Shape.of(copy);
    }

    /** Number of elements, 1 for a scalar; empty if a dimension is dynamic or the product exceeds a long. */
    public OptionalLong elements() {
        if (Arrays.stream(dimensions).anyMatch(dimension -> dimension == DYNAMIC)) {
            return OptionalLong.empty();
        }
        if (Arrays.stream(dimensions).anyMatch(dimension -> dimension == 0)) {
            return OptionalLong.of(0);
        }
        long product = 1;
        for (long dimension : dimensions) {
            if (product > Long.MAX_VALUE / dimension) {
                return OptionalLong.empty();
            }
            product *= dimension;
        }
        return OptionalLong.of(product);
    }

    /** Whether a tensor of shape {@code actual} fits this specification: same rank, same sizes but for dynamic axes. */
    public boolean accepts(Shape actual) {
        if (unknown) {
            return true;
        }
        if (actual.dimensions.length != dimensions.length) {
            return false;
        }
        for (int axis = 0; axis < dimensions.length; axis++) {
            if (dimensions[axis] != DYNAMIC && dimensions[axis] != actual.dimensions[axis]) {
                return false;
            }
        }
        return true;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Shape shape && unknown == shape.unknown && Arrays.equals(dimensions, shape.dimensions);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(dimensions);
    }

    /** The protocol's form, {@code [1,384]}. */
    @Override
    public String toString() {
        return Arrays.toString(dimensions).replace(" ", "");
    }
}
