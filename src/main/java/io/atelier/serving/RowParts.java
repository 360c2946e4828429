package io.atelier.serving;

import io.atelier.core.DataType;
import io.atelier.core.InferenceRequest;
import io.atelier.core.InferenceResult;
import io.atelier.core.Shape;
import io.atelier.core.Sharing;
import io.atelier.core.Tensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A request of more rows than one execution takes, cut along its first axis, and its answers put together again. Only for
 * models of which it was shown that each row is answered as alone. Immutable.
 *
 * @param requests each of so many rows that it fits into one execution, in order
 * @param rows     of each
 */
record RowParts(List<InferenceRequest> requests, List<Integer> rows) {
    RowParts {
        requests = List.copyOf(requests);
        rows = List.copyOf(rows);
    }

    /** The parts of a request; empty if it fits into one execution, or may not be cut. */
    static Optional<RowParts> of(ServedModel model, InferenceRequest request) {
        int most = model.maxBatchSize();
        if (model.queue().sharing().extent() != Sharing.Extent.ROWS
                || request.inputs().stream().noneMatch(input -> input.shape().dimension(0) > most)) {
            return Optional.empty();
        }
        long count = request.inputs().get(0).shape().dimension(0);
        if (model.shapeOf(request.inputs()).rows() != count) {
            return Optional.empty(); // its inputs do not agree on rows, so it runs as it came
        }
        List<Integer> rows = new ArrayList<>();
        for (long left = count; left > 0; left -= most) {
            rows.add((int) Math.min(left, most));
        }
        List<List<Tensor>> columns =
                request.inputs().stream().map(input -> slices(input, rows)).toList();
        List<InferenceRequest> requests = new ArrayList<>();
        for (int part = 0; part < rows.size(); part++) {
            int at = part;
            requests.add(new InferenceRequest(
                    request.id(),
                    request.model(),
                    columns.stream().map(column -> column.get(at)).toList(),
                    request.outputs(),
                    request.priority(),
                    request.trace()));
        }
        return Optional.of(new RowParts(requests, rows));
    }

    /** Why the answers are not those of rows; empty if they are. */
    Optional<String> obstacle(List<InferenceResult> results) {
        for (int part = 0; part < results.size(); part++) {
            for (Tensor output : results.get(part).outputs()) {
                Shape shape = output.shape();
                Shape first = results.get(0).outputs().stream()
                        .filter(other -> other.name().equals(output.name()))
                        .findFirst()
                        .orElseThrow()
                        .shape();
                if (shape.rank() == 0
                        || shape.dimension(0) != rows.get(part)
                        || !shape.with(0, 0).equals(first.with(0, 0))) {
                    return Optional.of("output '%s' is %s for %d rows".formatted(output.name(), shape, rows.get(part)));
                }
            }
        }
        return Optional.empty();
    }

    /** One answer of all rows; there is no {@link #obstacle}. */
    InferenceResult joined(List<InferenceResult> results) {
        long total = rows.stream().mapToLong(Integer::longValue).sum();
        List<Tensor> outputs = new ArrayList<>();
        for (int i = 0; i < results.get(0).outputs().size(); i++) {
            int output = i;
            Tensor first = results.get(0).outputs().get(output);
            outputs.add(new Tensor(
                    first.name(),
                    first.dataType(),
                    first.shape().with(0, total),
                    results.stream()
                            .flatMap(result -> result.outputs().get(output).parts().stream())
                            .toList()));
        }
        return new InferenceResult(results.get(0).model(), outputs);
    }

    /** Views of a tensor, of so many rows each. */
    private static List<Tensor> slices(Tensor tensor, List<Integer> rows) {
        ByteBuffer data = tensor.data();
        long rowElements = tensor.shape().with(0, 1).elements().orElseThrow();
        List<Tensor> slices = new ArrayList<>();
        int at = 0;
        for (int count : rows) {
            int bytes = tensor.dataType() == DataType.BYTES
                    ? textBytes(data, at, rowElements * count)
                    : Math.toIntExact(rowElements * count * tensor.dataType().sizeBytes());
            slices.add(new Tensor(
                    tensor.name(),
                    tensor.dataType(),
                    tensor.shape().with(0, count),
                    data.slice(at, bytes).order(ByteOrder.LITTLE_ENDIAN)));
            at += bytes;
        }
        return slices;
    }

    private static int textBytes(ByteBuffer data, int from, long elements) {
        int at = from;
        for (long i = 0; i < elements; i++) {
            at += Integer.BYTES + data.getInt(at);
        }
        return at - from;
    }
}
