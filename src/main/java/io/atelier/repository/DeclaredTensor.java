package io.atelier.repository;

import io.atelier.core.DataType;
import java.util.List;
import java.util.Optional;

/**
 * What a folder says of an input or output of its model. Immutable.
 *
 * @param dims    its shape for callers, -1 where any size fits; without the axis of rows where the model has one
 * @param reshape its shape for the model, where that is another one; in the same way
 * @param format  {@code FORMAT_NCHW} or {@code FORMAT_NHWC}, where it is said to be an image
 * @param labels  name of a file in the model's folder with the names of classes, for an output that has some
 */
public record DeclaredTensor(
        String name,
        DataType dataType,
        List<Long> dims,
        Optional<List<Long>> reshape,
        Optional<String> format,
        Optional<String> labels) {
    public DeclaredTensor {
        dims = List.copyOf(dims);
        reshape = reshape.map(List::copyOf);
    }

    /** The shape that the model must have for this tensor, in the way of {@link #dims}. */
    public List<Long> modelDims() {
        return reshape.orElse(dims);
    }
}
