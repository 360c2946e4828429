package io.atelier.core;

import java.util.Collections;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What a model takes or gives under one name.
 *
 * @param shape     the dimensions, {@link Shape#DYNAMIC} where any size fits; {@link Shape#UNKNOWN} if the model does not
 *                  tell them
 * @param axisNames the model's own names of its axes, one for each dimension; empty text where it has none. Hints:
 *                  that two have one name does not make them of one size in every call
 * @param labels    the model's own names of the classes along the last axis; empty where it has none
 * @param reshape   the shape and the one that the model has for it; null where they are the same
 */
public record TensorSpec(
        String name,
        DataType dataType,
        Shape shape,
        List<String> axisNames,
        List<String> labels,
        @Nullable Reshape reshape) {
    public TensorSpec {
        labels = List.copyOf(labels);
        axisNames = List.copyOf(axisNames);
        if (axisNames.size() != shape.rank()) {
            throw new IllegalArgumentException(
                    "%s has %d axes and %d axis names".formatted(name, shape.rank(), axisNames.size()));
        }
    }

    /** One whose shape is the model's. */
    public TensorSpec(String name, DataType dataType, Shape shape, List<String> axisNames, List<String> labels) {
        this(name, dataType, shape, axisNames, labels, null);
    }

    public TensorSpec(String name, DataType dataType, Shape shape, List<String> axisNames) {
        this(name, dataType, shape, axisNames, List.of());
    }

    public TensorSpec(String name, DataType dataType, Shape shape) {
        this(name, dataType, shape, Collections.nCopies(shape.rank(), ""));
    }

    /**
     * The shape of a caller's tensor as this specification has it: as it is, or from the shape that the model has, which
     * callers may use as well.
     *
     * @return empty if it does not fit
     */
    public Optional<Shape> accept(Shape actual) {
        if (shape.accepts(actual)) {
            return Optional.of(actual);
        }
        return reshape == null ? Optional.empty() : reshape.toCallers(actual);
    }

    /** The name of a dynamic axis, or null if the axis is fixed or has no name. */
    public @Nullable String dynamicAxisName(int axis) {
        return shape.isDynamic(axis) && !axisNames.get(axis).isEmpty() ? axisNames.get(axis) : null;
    }
}
