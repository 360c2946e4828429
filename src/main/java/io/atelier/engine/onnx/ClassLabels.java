package io.atelier.engine.onnx;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.IntStream;

/**
 * The classes of an output that is a sequence of maps, one map from class to FP32 for each row: scikit-learn's way to
 * give probabilities. Immutable.
 *
 * @see <a href="https://onnx.ai/onnx/operators/onnx_aionnxml_ZipMap.html">ONNX: ZipMap</a>
 */
public final class ClassLabels {
    private static final String DOMAIN = "ai.onnx.ml";
    private static final String OPERATOR = "ZipMap";

    private final List<String> labels;

    /** For each label its place among the sorted ones, which is the order of a map's keys. */
    private final int[] places;

    private ClassLabels(List<String> labels, int[] places) {
        this.labels = List.copyOf(labels);
        this.places = places;
    }

    /**
     * The classes of each output of a model that is made by a ZipMap with known classes, by the output's name.
     *
     * @param model ONNX bytes from the buffer's start to its limit
     */
    public static Map<String, ClassLabels> in(ByteBuffer model) {
        OnnxModel parsed;
        try {
            parsed = OnnxModel.parse(model, (location, offset, length) -> ByteBuffer.allocate(0));
        } catch (MalformedModelException other) {
            return Map.of();
        }
        Map<String, ClassLabels> found = new HashMap<>();
        for (OnnxNode node : parsed.nodes()) {
            if (node.domain().equals(DOMAIN) && node.operator().equals(OPERATOR)) {
                of(node).ifPresent(classes -> found.put(node.outputs().get(0), classes));
            }
        }
        return found;
    }

    private static Optional<ClassLabels> of(OnnxNode zipMap) {
        List<Long> numbers = zipMap.integers("classlabels_int64s");
        if (!numbers.isEmpty()) {
            return sorted(numbers, Comparator.naturalOrder(), Object::toString);
        }
        Comparator<String> byBytes = (a, b) ->
                Arrays.compareUnsigned(a.getBytes(StandardCharsets.UTF_8), b.getBytes(StandardCharsets.UTF_8));
        return sorted(zipMap.strings("classlabels_strings"), byBytes, text -> text);
    }

    /** Empty where a class stands twice, since a map then has fewer keys than there are columns. */
    private static <T> Optional<ClassLabels> sorted(List<T> classes, Comparator<T> order, Function<T, String> label) {
        if (classes.isEmpty() || classes.stream().distinct().count() < classes.size()) {
            return Optional.empty();
        }
        List<T> sorted = new ArrayList<>(classes);
        sorted.sort(order);
        int[] places = classes.stream()
                .mapToInt(it -> Collections.binarySearch(sorted, it, order))
                .toArray();
        return Optional.of(new ClassLabels(classes.stream().map(label).toList(), places));
    }

    /** The names of the classes, in the model's own order. */
    public List<String> labels() {
        return labels;
    }

    /**
     * Rows of FP32 in the model's own order of the classes.
     *
     * @param sorted little-endian rows in the order of the maps' keys
     */
    public ByteBuffer inOrder(ByteBuffer sorted) {
        if (IntStream.range(0, places.length).allMatch(i -> places[i] == i)) {
            return sorted;
        }
        ByteBuffer ordered = ByteBuffer.allocate(sorted.remaining()).order(ByteOrder.LITTLE_ENDIAN);
        for (int row = sorted.position(); row < sorted.limit(); row += places.length * Float.BYTES) {
            for (int place : places) {
                ordered.putInt(sorted.getInt(row + place * Float.BYTES));
            }
        }
        return ordered.flip();
    }
}
