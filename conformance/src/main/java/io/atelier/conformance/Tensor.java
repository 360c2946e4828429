package io.atelier.conformance;

import java.util.Arrays;
import java.util.List;

/**
 * A named tensor.
 *
 * @param values row-major, see {@link Datatype}
 */
record Tensor(String name, Datatype type, List<Long> shape, List<Object> values) {
    static Tensor of(String name, Datatype type, List<Object> values, long... shape) {
        return new Tensor(name, type, dimensions(shape), values);
    }

    static List<Long> dimensions(long... shape) {
        return Arrays.stream(shape).boxed().toList();
    }

    byte[] raw() {
        return type.raw(values);
    }
}
