package io.atelier.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.atelier.core.DataType;
import io.atelier.core.ModelSignature;
import io.atelier.core.Padding;
import io.atelier.core.Shape;
import io.atelier.core.Tensor;
import io.atelier.core.TensorSpec;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class BatchLayoutTest {
    private static final int ROUNDS = 300;

    /** What is gathered, left as it is and scattered, is what each request brought. */
    @ParameterizedTest
    @EnumSource(DataType.class)
    void anIdentityModelGivesEachRequestItsOwnDataBack(DataType type) throws Exception {
        for (long seed = 0; seed < ROUNDS; seed++) {
            Random random = new Random(seed);
            int rank = 1 + random.nextInt(4);
            int inputs = 1 + random.nextInt(3);
            boolean padded = type.isFixedSize() && random.nextBoolean();
            List<String> axes = List.of("batch", "length", "height", "width").subList(0, rank);
            long[] dynamic = new long[rank];
            Arrays.fill(dynamic, Shape.DYNAMIC);
            List<TensorSpec> in = new ArrayList<>();
            List<TensorSpec> out = new ArrayList<>();
            Map<String, Double> values = new HashMap<>();
            for (int i = 0; i < inputs; i++) {
                in.add(new TensorSpec("in" + i, type, Shape.of(dynamic), axes));
                out.add(new TensorSpec("out" + i, type, Shape.of(dynamic), axes));
                if (padded) {
                    values.put("in" + i, (double) random.nextInt(2));
                }
            }
            BatchLayout layout = new BatchLayout(new ModelSignature(in, out), new Padding(values, null));
            List<List<Tensor>> requests = requests(random, in, padded);

            for (int i = 0; i < inputs; i++) {
                Tensor batch = layout.gather(requests, i, BatchLayoutTest::dirty);
                List<Tensor> parts = layout.scatter(requests, out.get(i), batch.named("out" + i));

                assertThat(parts).as("seed %d", seed).hasSameSizeAs(requests);
                for (int r = 0; r < parts.size(); r++) {
                    Tensor own = requests.get(r).get(i);
                    assertThat(parts.get(r).shape()).as("seed %d", seed).isEqualTo(own.shape());
                    assertThat(parts.get(r).data()).as("seed %d", seed).isEqualTo(own.data());
                    assertThat(parts.get(r).name()).isEqualTo("out" + i);
                }
            }
        }
    }

    @ParameterizedTest
    @CsvSource({
        "BOOL, 1, 01",
        "UINT8, 200, c8",
        "INT8, -2, fe",
        "UINT16, 65535, ffff",
        "INT16, -2, feff",
        "UINT32, 4294967295, ffffffff",
        "INT32, -2, feffffff",
        "UINT64, 18446744073709549568, 00f8ffffffffffff",
        "INT64, -2, feffffffffffffff",
        "FP16, 0.5, 0038",
        "FP16, 1, 003c",
        "FP16, -65504, fffb",
        "FP16, 6e-8, 0100",
        "BF16, 1, 803f",
        "BF16, -3.5, 60c0",
        "FP32, 1.5, 0000c03f",
        "FP64, 1.5, 000000000000f83f"
    })
    void fillsUpWithTheNumberThatTheModelNames(DataType type, double value, String element) throws Exception {
        TensorSpec spec = new TensorSpec("x", type, Shape.of(-1, -1), List.of("batch", "length"));
        BatchLayout layout =
                new BatchLayout(new ModelSignature(List.of(spec), List.of()), new Padding(Map.of("x", value), null));
        List<List<Tensor>> requests = List.of(List.of(zeros("x", type, 1, 1)), List.of(zeros("x", type, 2, 3)));

        Tensor batch = layout.gather(requests, 0, BatchLayoutTest::dirty);

        String zero = "00".repeat(type.sizeBytes());
        assertThat(batch.shape()).isEqualTo(Shape.of(3, 3));
        assertThat(hex(batch)).isEqualTo(zero + element + element + zero.repeat(6));
    }

    @Test
    void aSingleRequestIsNotCopiedButToADirectBuffer() throws Exception {
        TensorSpec spec = new TensorSpec("x", DataType.FP32, Shape.of(-1, -1), List.of("batch", "length"));
        BatchLayout layout =
                new BatchLayout(new ModelSignature(List.of(spec), List.of(spec)), new Padding(Map.of("x", 0.0), null));
        Tensor direct = new Tensor("x", DataType.FP32, Shape.of(2, 3), ByteBuffer.allocateDirect(24));
        List<List<Tensor>> one = List.of(List.of(direct));

        assertThat(layout.gather(one, 0, BatchLayoutTest::dirty)).isSameAs(direct);
        ByteBuffer target = ByteBuffer.allocateDirect(24).putInt(0, 7);
        Tensor copied = layout.gather(List.of(List.of(zeros("x", DataType.FP32, 2, 3))), 0, size -> target);
        assertThat(copied.isDirect()).isTrue();
        assertThat(copied.data()).isEqualTo(direct.data());
        assertThat(target.getInt(0)).isZero();
        assertThat(layout.scatter(one, spec, one.get(0).get(0)))
                .containsExactly(one.get(0).get(0));
    }

    @Test
    void anOutputThatDoesNotKnowThePaddedAxisIsOnlyCutByRows() throws Exception {
        TensorSpec in = new TensorSpec("ids", DataType.INT64, Shape.of(-1, -1), List.of("batch", "length"));
        TensorSpec out = new TensorSpec("pooled", DataType.INT8, Shape.of(-1, 2), List.of("batch", ""));
        BatchLayout layout =
                new BatchLayout(new ModelSignature(List.of(in), List.of(out)), new Padding(Map.of("ids", 0.0), null));
        List<List<Tensor>> requests =
                List.of(List.of(zeros("ids", DataType.INT64, 1, 2)), List.of(zeros("ids", DataType.INT64, 2, 5)));
        Tensor pooled =
                new Tensor("pooled", DataType.INT8, Shape.of(3, 2), ByteBuffer.wrap(new byte[] {1, 2, 3, 4, 5, 6}));

        List<Tensor> parts = layout.scatter(requests, out, pooled);

        assertThat(parts).extracting(BatchLayoutTest::hex).containsExactly("0102", "03040506");
        assertThat(parts).extracting(Tensor::shape).containsExactly(Shape.of(1, 2), Shape.of(2, 2));
    }

    @Test
    void knowsPaddingThatCouldNotBeCutOffAgain() {
        TensorSpec in = new TensorSpec("ids", DataType.INT64, Shape.of(-1, -1), List.of("batch", "length"));
        TensorSpec out = new TensorSpec("hidden", DataType.FP32, Shape.of(-1, -1, 4), List.of("batch", "", ""));
        ModelSignature signature = new ModelSignature(List.of(in), List.of(out));

        assertThat(BatchLayout.obstacleToPadding(signature, new Padding(Map.of("ids", 0.0), null)))
                .contains("padding cannot be cut off output 'hidden': its axis 1 is dynamic and has no name in the"
                        + " model");
    }

    /** As some exporters write it: the output's axis is the padded one, under a name of its own. */
    @Test
    void knowsPaddingOfAnAxisThatTheOutputNamesOtherwise() {
        TensorSpec in = new TensorSpec("ids", DataType.INT64, Shape.of(-1, -1), List.of("batch", "length"));
        TensorSpec out = new TensorSpec("hidden", DataType.FP32, Shape.of(-1, -1, 4), List.of("batch", "dim_1", ""));
        ModelSignature signature = new ModelSignature(List.of(in), List.of(out));

        assertThat(BatchLayout.obstacleToPadding(signature, new Padding(Map.of("ids", 0.0), null)))
                .contains("padding cannot be cut off output 'hidden': its axis 1 is dynamic and named 'dim_1', as no"
                        + " axis of a padded input is");
    }

    /** Two to five requests, of own sizes on every axis where they may be padded, else on the first alone. */
    private static List<List<Tensor>> requests(Random random, List<TensorSpec> specs, boolean padded) {
        int rank = specs.get(0).shape().rank();
        long[] common = sizes(random, rank);
        List<List<Tensor>> requests = new ArrayList<>();
        for (int r = 2 + random.nextInt(4); r > 0; r--) {
            long[] sizes = padded ? sizes(random, rank) : common.clone();
            sizes[0] = 1L + random.nextInt(3);
            List<Tensor> request = new ArrayList<>();
            for (TensorSpec spec : specs) {
                request.add(new Tensor(
                        spec.name(), spec.dataType(), Shape.of(sizes), pieces(random, data(random, spec, sizes))));
            }
            requests.add(request);
        }
        return requests;
    }

    /** The data as it comes from a network: cut anywhere, or whole. */
    private static List<ByteBuffer> pieces(Random random, ByteBuffer data) {
        List<ByteBuffer> pieces = new ArrayList<>();
        while (data.hasRemaining() && random.nextInt(3) > 0) {
            int size = random.nextInt(data.remaining() + 1);
            pieces.add(data.slice(data.position(), size));
            data.position(data.position() + size);
        }
        pieces.add(data);
        return pieces;
    }

    private static long[] sizes(Random random, int rank) {
        return random.longs(rank, 1, 5).toArray();
    }

    private static ByteBuffer data(Random random, TensorSpec spec, long... sizes) {
        int elements = Math.toIntExact(Shape.of(sizes).elements().orElseThrow());
        if (spec.dataType().isFixedSize()) {
            byte[] bytes = new byte[elements * spec.dataType().sizeBytes()];
            random.nextBytes(bytes);
            return ByteBuffer.wrap(bytes);
        }
        ByteBuffer strings = ByteBuffer.allocate(elements * 8).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < elements; i++) {
            byte[] string = new byte[random.nextInt(5)];
            random.nextBytes(string);
            strings.putInt(string.length).put(string);
        }
        return strings.flip();
    }

    private static Tensor zeros(String name, DataType type, long rows, long length) {
        return new Tensor(
                name,
                type,
                Shape.of(rows, length),
                ByteBuffer.allocate(Math.toIntExact(rows * length * type.sizeBytes())));
    }

    /** A buffer that is larger than asked for, and full of what an earlier batch left. */
    private static ByteBuffer dirty(int size) {
        ByteBuffer buffer = ByteBuffer.allocateDirect(size + 16);
        while (buffer.hasRemaining()) {
            buffer.put((byte) 0x5A);
        }
        return buffer;
    }

    private static String hex(Tensor tensor) {
        StringBuilder hex = new StringBuilder();
        ByteBuffer data = tensor.data();
        while (data.hasRemaining()) {
            hex.append("%02x".formatted(data.get()));
        }
        return hex.toString();
    }
}
