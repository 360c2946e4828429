package io.atelier.engine;

import io.atelier.core.ModelSignature;
import io.atelier.core.Padding;
import io.atelier.core.Shape;
import io.atelier.core.Tensor;
import io.atelier.core.TensorSpec;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Gathers the inputs of many requests into one tensor, and cuts its outputs up again. Immutable, thread-safe; works on
 * plain buffers, so every engine can use it.
 *
 * <p>Rows are stacked along the first axis. Inputs that may be padded are filled up to the largest of the batch on their
 * other dynamic axes; an output's axis of the same name is cut back to each request's own size. Only requests of which it
 * was shown that they may share an execution come here together.
 */
public final class BatchLayout {
    private final ModelSignature signature;
    private final Padding padding;

    public BatchLayout(ModelSignature signature, Padding padding) {
        this.signature = signature;
        this.padding = usable(signature, padding);
    }

    /**
     * What of a proposal for padding fits a model: the values of inputs that it has, if one of them is the mask and padding
     * can be cut off its outputs again; else nothing. What was no proposal stays as it is.
     */
    public static Padding usable(ModelSignature signature, Padding padding) {
        if (!padding.isProposal()) {
            return padding;
        }
        Map<String, Double> values = new HashMap<>(padding.values());
        values.keySet()
                .retainAll(signature.inputs().stream()
                        .filter(BatchLayout::canBePadded)
                        .map(TensorSpec::name)
                        .toList());
        Padding fitting = new Padding(values, padding.mask());
        return values.containsKey(padding.mask())
                        && values.size() > 1
                        && obstacleToPadding(signature, fitting).isEmpty()
                ? fitting
                : Padding.NONE;
    }

    private static boolean canBePadded(TensorSpec input) {
        return input.dataType().isFixedSize()
                && IntStream.range(1, input.shape().rank()).anyMatch(input.shape()::isDynamic);
    }

    /** Why padding could not be cut off an output again; empty if it can. */
    public static Optional<String> obstacleToPadding(ModelSignature signature, Padding padding) {
        Set<@Nullable String> padded = new HashSet<>();
        for (TensorSpec input : signature.inputs()) {
            for (int axis = 1; axis < input.shape().rank() && padding.values().containsKey(input.name()); axis++) {
                padded.add(input.dynamicAxisName(axis));
            }
        }
        for (TensorSpec output : signature.outputs()) {
            for (int axis = 1; axis < output.shape().rank(); axis++) {
                @Nullable String name = output.dynamicAxisName(axis);
                if (output.shape().isDynamic(axis) && (name == null || !padded.contains(name))) {
                    return Optional.of("padding cannot be cut off output '%s': its axis %d is dynamic and %s"
                            .formatted(
                                    output.name(),
                                    axis,
                                    name == null
                                            ? "has no name in the model"
                                            : "named '%s', as no axis of a padded input is".formatted(name)));
                }
            }
        }
        return Optional.empty();
    }

    /**
     * One tensor of all requests' rows, in one buffer. Where the requests' data still lies in the buffers of the network
     * this is the copy that takes it from there to the engine; a single request whose data is direct, or text, is not
     * copied.
     *
     * @param input  index of the input in the signature
     * @param buffer gives a direct buffer of at least this many bytes, whose content is free to overwrite
     */
    public Tensor gather(List<List<Tensor>> requests, int input, IntFunction<ByteBuffer> buffer) {
        Tensor first = requests.get(0).get(input);
        if (requests.size() == 1) {
            return first.isDirect() || !first.dataType().isFixedSize()
                    ? first
                    : new Tensor(first.name(), first.dataType(), first.shape(), concatenated(requests, input, buffer));
        }
        long[] dimensions = first.shape().toArray();
        dimensions[0] = 0;
        boolean even = true;
        for (List<Tensor> request : requests) {
            Shape shape = request.get(input).shape();
            dimensions[0] += shape.dimension(0);
            for (int axis = 1; axis < dimensions.length; axis++) {
                even &= shape.dimension(axis) == dimensions[axis];
                dimensions[axis] = Math.max(dimensions[axis], shape.dimension(axis));
            }
        }
        Shape shape = Shape.of(dimensions);
        if (!first.dataType().isFixedSize()) {
            return new Tensor(first.name(), first.dataType(), shape, concatenated(requests, input, buffer));
        }
        int size = Math.toIntExact(
                shape.elements().orElseThrow() * first.dataType().sizeBytes());
        ByteBuffer target = buffer.apply(size).clear().limit(size).order(ByteOrder.LITTLE_ENDIAN);
        if (even) {
            putAll(requests, input, target);
        } else {
            fill(target, first, padding.values().getOrDefault(first.name(), 0.0));
            int rowBytes = Math.toIntExact(size / dimensions[0]);
            int at = 0;
            for (List<Tensor> request : requests) {
                Tensor tensor = request.get(input);
                copy(
                        new Source(tensor),
                        tensor.shape(),
                        target,
                        at,
                        shape,
                        0,
                        tensor.dataType().sizeBytes());
                at += Math.toIntExact(tensor.shape().dimension(0) * rowBytes);
            }
        }
        return new Tensor(first.name(), first.dataType(), shape, target.rewind().limit(size));
    }

    /**
     * Cuts one output up.
     *
     * @param output the output of the whole batch, as the signature describes it; requests' tensors are views of it
     *               where nothing was padded
     * @return for each request its own part
     * @throws RowsLostException if its first axis is not the sum of the requests' rows
     */
    public List<Tensor> scatter(List<List<Tensor>> requests, TensorSpec spec, Tensor output) {
        if (requests.size() == 1) {
            return List.of(output);
        }
        long totalRows = requests.stream()
                .mapToLong(request -> request.get(0).shape().dimension(0))
                .sum();
        if (output.shape().rank() == 0 || output.shape().dimension(0) != totalRows) {
            throw new RowsLostException(
                    "output '%s' is %s for %d rows".formatted(output.name(), output.shape(), totalRows));
        }
        Map<String, Long> batchSizes = new HashMap<>();
        for (List<Tensor> request : requests) {
            axisSizes(request).forEach((name, size) -> batchSizes.merge(name, size, Math::max));
        }
        List<Tensor> parts = new ArrayList<>(requests.size());
        ByteBuffer data = output.data();
        int at = 0;
        for (List<Tensor> request : requests) {
            long rows = request.get(0).shape().dimension(0);
            Shape whole = output.shape().with(0, rows);
            int bytes = output.dataType().isFixedSize()
                    ? Math.toIntExact(output.sizeBytes() / totalRows * rows)
                    : stringBytes(data, at, whole.elements().orElseThrow());
            Shape own = ownShape(spec, whole, axisSizes(request), batchSizes);
            ByteBuffer part = data.slice(at, bytes).order(ByteOrder.LITTLE_ENDIAN);
            if (!own.equals(whole)) {
                int elementBytes = output.dataType().sizeBytes();
                ByteBuffer cut =
                        ByteBuffer.allocate(Math.toIntExact(own.elements().orElseThrow() * elementBytes));
                crop(part, 0, whole, cut, own, 0, elementBytes);
                part = cut.flip();
            }
            parts.add(new Tensor(output.name(), output.dataType(), own, part));
            at += bytes;
        }
        return parts;
    }

    /** Sizes of the named dynamic axes of one request, all but the first axis. */
    private Map<String, Long> axisSizes(List<Tensor> request) {
        Map<String, Long> sizes = new HashMap<>();
        for (int i = 0; i < request.size(); i++) {
            TensorSpec spec = signature.inputs().get(i);
            if (padding.values().containsKey(spec.name())) {
                for (int axis = 1; axis < spec.shape().rank(); axis++) {
                    @Nullable String name = spec.dynamicAxisName(axis);
                    if (name != null) {
                        sizes.put(name, request.get(i).shape().dimension(axis));
                    }
                }
            }
        }
        return sizes;
    }

    private static Shape ownShape(
            TensorSpec spec, Shape whole, Map<String, Long> requestSizes, Map<String, Long> batchSizes) {
        Shape own = whole;
        for (int axis = 1; axis < whole.rank(); axis++) {
            @Nullable String name = spec.dynamicAxisName(axis);
            @Nullable Long size = name == null ? null : requestSizes.get(name);
            if (size != null && batchSizes.getOrDefault(name, -1L) == whole.dimension(axis)) {
                own = own.with(axis, size);
            }
        }
        return own;
    }

    private static ByteBuffer concatenated(List<List<Tensor>> requests, int input, IntFunction<ByteBuffer> buffer) {
        int size = requests.stream()
                .mapToInt(request -> request.get(input).sizeBytes())
                .sum();
        ByteBuffer target = buffer.apply(size).clear().limit(size).order(ByteOrder.LITTLE_ENDIAN);
        putAll(requests, input, target);
        return target.flip();
    }

    private static void putAll(List<List<Tensor>> requests, int input, ByteBuffer target) {
        requests.forEach(request -> request.get(input).parts().forEach(target::put));
    }

    private static int stringBytes(ByteBuffer data, int from, long elements) {
        int at = from;
        for (long i = 0; i < elements; i++) {
            at += Integer.BYTES + data.getInt(at);
        }
        return at - from;
    }

    private static void fill(ByteBuffer target, Tensor like, double value) {
        int size = like.dataType().sizeBytes();
        long bits = ElementBits.of(like.dataType(), value);
        for (int at = 0; at < target.limit(); at += size) {
            switch (size) {
                case Byte.BYTES -> target.put(at, (byte) bits);
                case Short.BYTES -> target.putShort(at, (short) bits);
                case Integer.BYTES -> target.putInt(at, (int) bits);
                default -> target.putLong(at, bits);
            }
        }
    }

    /** Copies the smaller shape into the larger one; along the last axis in one piece. */
    private static void copy(
            Source from, Shape fromShape, ByteBuffer to, int toAt, Shape toShape, int axis, int bytes) {
        if (axis == fromShape.rank() - 1) {
            from.get(to, toAt, Math.toIntExact(fromShape.dimension(axis) * bytes));
            return;
        }
        int toStride = stride(toShape, axis, bytes);
        for (int i = 0; i < fromShape.dimension(axis); i++) {
            copy(from, fromShape, to, toAt + i * toStride, toShape, axis + 1, bytes);
        }
    }

    /** The bytes of a tensor from front to back, across its buffers. */
    private static final class Source {
        private final Iterator<ByteBuffer> parts;
        private ByteBuffer part = ByteBuffer.allocate(0);

        Source(Tensor tensor) {
            parts = tensor.parts().iterator();
        }

        void get(ByteBuffer to, int toAt, int length) {
            for (int at = 0; at < length; ) {
                while (!part.hasRemaining()) {
                    part = parts.next();
                }
                int piece = Math.min(length - at, part.remaining());
                to.put(toAt + at, part, part.position(), piece);
                part.position(part.position() + piece);
                at += piece;
            }
        }
    }

    /** Appends the part of the larger shape that the smaller one covers. */
    private static void crop(
            ByteBuffer from, int fromAt, Shape fromShape, ByteBuffer to, Shape toShape, int axis, int bytes) {
        boolean evenBelow = true;
        for (int below = axis + 1; below < toShape.rank(); below++) {
            evenBelow &= fromShape.dimension(below) == toShape.dimension(below);
        }
        if (evenBelow) {
            int length = Math.toIntExact(toShape.dimension(axis)) * stride(toShape, axis, bytes);
            to.put(from.slice(fromAt, length));
            return;
        }
        int stride = stride(fromShape, axis, bytes);
        for (int i = 0; i < toShape.dimension(axis); i++) {
            crop(from, fromAt + i * stride, fromShape, to, toShape, axis + 1, bytes);
        }
    }

    private static int stride(Shape shape, int axis, int bytes) {
        long stride = bytes;
        for (int below = axis + 1; below < shape.rank(); below++) {
            stride *= shape.dimension(below);
        }
        return Math.toIntExact(stride);
    }
}
