package io.atelier.repository;

import io.atelier.core.DataType;
import io.atelier.core.Reshape;
import io.atelier.core.Shape;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Reads {@code input} and {@code output} of Triton's model configuration, and holds them to Triton's own rules. */
final class TritonTensors {
    /** What Triton's names of types begin with. */
    static final String TYPE_PREFIX = "TYPE_";

    private static final int IMAGE_RANK = 3;

    private TritonTensors() {}

    /** @param field {@code input} or {@code output} */
    static List<DeclaredTensor> read(ProtoSection root, String field) throws ModelConfigException {
        List<DeclaredTensor> tensors = new ArrayList<>();
        for (ProtoSection section : root.sections(field)) {
            DeclaredTensor tensor = read(section);
            if (tensors.stream().anyMatch(other -> other.name().equals(tensor.name()))) {
                throw section.problem("name", "is " + ProtoSection.quoted(tensor.name()) + " a second time");
            }
            tensors.add(tensor);
        }
        return tensors;
    }

    private static DeclaredTensor read(ProtoSection section) throws ModelConfigException {
        String name = section.text("name").orElseThrow(() -> section.problem("name", "is missing, allowed is a name"));
        DataType type = dataType(section);
        List<Long> dims = sizes(section, "dims");
        Optional<List<Long>> reshape = Optional.empty();
        if (section.has("reshape")) {
            List<Long> shape = sizes(section.section("reshape"), "shape");
            if (!Reshape.fit(shape(dims), shape(shape))) {
                throw section.problem(
                        "reshape", "of '%s' is %s, which has not the elements of dims %s".formatted(name, shape, dims));
            }
            reshape = Optional.of(shape);
        }
        Optional<String> format = section.word("format").filter(word -> !word.equals("FORMAT_NONE"));
        if (format.isPresent() && dims.size() != IMAGE_RANK) {
            throw section.problem(
                    "format", "is " + format.get() + ", which needs 3 dims, '" + name + "' has " + dims.size());
        }
        return new DeclaredTensor(name, type, dims, reshape, format, section.text("label_filename"));
    }

    /** The type in a field {@code data_type}. */
    static DataType dataType(ProtoSection section) throws ModelConfigException {
        return section.word("data_type")
                .flatMap(TritonTensors::dataType)
                .orElseThrow(() -> section.problem("data_type", "is missing, allowed is one such as TYPE_FP32"));
    }

    private static Optional<DataType> dataType(String word) {
        return word.equals("TYPE_STRING")
                ? Optional.of(DataType.BYTES)
                : DataType.byName(word.substring(TYPE_PREFIX.length()));
    }

    private static List<Long> sizes(ProtoSection section, String field) throws ModelConfigException {
        List<Long> sizes = section.integers(field, Shape.DYNAMIC);
        if (sizes.contains(0L)) {
            throw section.problem(field, "is 0, allowed is an integer of at least 1, or -1 where any size fits");
        }
        return sizes;
    }

    static Shape shape(List<Long> dims) {
        return Shape.of(dims.stream().mapToLong(Long::longValue).toArray());
    }
}
