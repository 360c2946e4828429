package io.atelier.repository;

import io.atelier.core.DataType;
import io.atelier.core.ModelSignature;
import io.atelier.core.Shape;
import io.atelier.core.Tensor;
import io.atelier.core.TensorSpec;
import io.atelier.engine.ElementBits;
import io.atelier.engine.ImageLayout;
import io.atelier.engine.ModelLoadException;
import io.atelier.engine.TaskConfig.OfImage;
import io.atelier.engine.TaskConfig.OfText;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.Set;

/**
 * Inputs that nobody sent: requests of one row, made from what a model's signature, its task and the names of its inputs
 * tell. Nothing tells all that a model asks of its inputs, so there are several {@link Attempt}s at it, the likeliest
 * first. Immutable.
 */
final class MadeUpInputs {
    /** Of one input: a picture of three channels and 640 by 640 pixels, and some. */
    private static final long MOST_ELEMENTS = 1L << 21;

    /** Of the axes whose size nothing tells: first small, then what pictures, spectra and sounds ask for. */
    private static final List<Integer> SIZES = List.of(
            8, 16, 32, 64, 224, 1, 2, 3, 4, 5, 128, 256, 512, 320, 640, 80, 96, 160, 480, 1024, 1280, 1536, 4096,
            16000);

    private static final List<Integer> CHANNELS = List.of(3, 1, 4, 2, 128, 80);

    /** Whole numbers: small ones fit most tables of embeddings; some begin later. */
    private static final List<Range> RANGES = List.of(
            new Range(0, 8),
            new Range(0, 2),
            new Range(1, 1),
            new Range(100, 20),
            new Range(0, 1),
            new Range(1000, 100),
            new Range(10, 10),
            new Range(30_000, 100));

    private static final int MOST_ATTEMPTS = 96;

    private static final long SAMPLES_PER_SECOND = 16_000;

    private final ModelSignature signature;
    private final ModelConfig config;

    MadeUpInputs(ModelSignature signature, ModelConfig config) {
        this.signature = signature;
        this.config = config;
    }

    /** The whole numbers from {@code least} on, so many. */
    private record Range(int least, int count) {}

    /** How the numbers of a row are spread. */
    enum Spread {
        /** Around 0, about 1 in size. */
        EVEN,
        /** Above 0, each row four times as large as the one before it. */
        RISING,
        /** Below 0, likewise. */
        FALLING
    }

    /** Attempts at inputs that the model takes, the likeliest first. */
    List<Attempt> attempts() {
        boolean sized = signature.inputs().stream().anyMatch(this::hasUnknownSize);
        boolean coloured = signature.inputs().stream()
                .anyMatch(spec -> axes(spec).stream().anyMatch(axis -> isChannels(spec, axis)));
        boolean counted = signature.inputs().stream().anyMatch(spec -> isWhole(spec.dataType()));
        List<Integer> sizes = sized ? SIZES : SIZES.subList(0, 1);
        List<Integer> channels = coloured ? CHANNELS : CHANNELS.subList(0, 1);
        List<Range> ranges = counted ? RANGES : RANGES.subList(0, 1);
        Set<Attempt> attempts = new LinkedHashSet<>();
        for (Range range : ranges) {
            attempts.add(new Attempt(sizes.get(0), channels.get(0), range));
        }
        for (int channel : channels.subList(0, Math.min(2, channels.size()))) {
            sizes.forEach(size -> attempts.add(new Attempt(size, channel, ranges.get(0))));
        }
        for (int channel : channels) {
            for (int size : List.of(32, 8, 64, 224)) {
                attempts.add(new Attempt(sized ? size : sizes.get(0), channel, ranges.get(0)));
            }
        }
        for (Range range : ranges) {
            sizes.forEach(size -> attempts.add(new Attempt(size, channels.get(0), range)));
        }
        return attempts.stream().limit(MOST_ATTEMPTS).toList();
    }

    private boolean hasUnknownSize(TensorSpec spec) {
        return spec.shape().isUnknown()
                || axes(spec).stream().anyMatch(axis -> spec.shape().isDynamic(axis) && !isRows(spec, axis));
    }

    private static List<Integer> axes(TensorSpec spec) {
        List<Integer> axes = new ArrayList<>();
        for (int axis = 0; axis < spec.shape().rank(); axis++) {
            axes.add(axis);
        }
        return axes;
    }

    /** One guess at sizes and values. Immutable. */
    final class Attempt {
        private final int size;
        private final int channels;
        private final Range range;

        private Attempt(int size, int channels, Range range) {
            this.size = size;
            this.channels = channels;
            this.range = range;
        }

        /** A row like no other of another number. */
        List<Tensor> row(int number) throws ModelLoadException {
            return row(number, Spread.EVEN, 0);
        }

        /**
         * @param number  rows of one number and spread are equal, of others not
         * @param shorter by how much less the axes of padded inputs measure than they would
         * @throws ModelLoadException if it would be too large
         */
        List<Tensor> row(int number, Spread spread, int shorter) throws ModelLoadException {
            List<Tensor> row = new ArrayList<>();
            Random random = new Random(31L * number + spread.name().hashCode());
            for (TensorSpec input : signature.inputs()) {
                row.add(tensor(input, shape(input, shorter), random, scale(number, spread), spread));
            }
            return row;
        }

        /** Half of the size of the axes that are padded, by which a row may be shorter. */
        int mostShorter() {
            return size / 2;
        }

        private Shape shape(TensorSpec input, int shorter) throws ModelLoadException {
            if (config.task().orElse(null) instanceof OfImage task) {
                return ImageLayout.of(task, signature).shape();
            }
            boolean padded = config.batching().padding().values().containsKey(input.name());
            Shape shape = input.shape().isUnknown() ? Shape.of(1, size) : input.shape();
            for (int axis : axes(input)) {
                if (shape.isDynamic(axis)) {
                    long full = sizeOf(input, axis);
                    shape = shape.with(axis, padded && axis > 0 ? Math.max(1, full - shorter) : full);
                }
            }
            return shape;
        }

        private long sizeOf(TensorSpec input, int axis) {
            String name = input.axisNames().get(axis);
            if (isRows(input, axis)) {
                return 1;
            }
            if (name.contains("+")) {
                long sum = 0;
                for (String part : name.split("\\+", -1)) {
                    String term = part.strip();
                    sum += term.matches("\\d{1,6}") ? Long.parseLong(term) : size;
                }
                return sum;
            }
            return isChannels(input, axis) ? channels : size;
        }

        private double scale(int number, Spread spread) {
            return spread == Spread.EVEN ? 1 : Math.scalb(1.0, 2 * (number % 16) - 8);
        }

        private Tensor tensor(TensorSpec input, Shape shape, Random random, double scale, Spread spread)
                throws ModelLoadException {
            DataType type = input.dataType();
            long elements = shape.elements().orElse(Long.MAX_VALUE);
            if (elements > MOST_ELEMENTS) {
                throw new ModelLoadException("the input " + input.name() + " is too large: " + type + shape);
            }
            if (!type.isFixedSize()) {
                return texts(input, shape, (int) elements, random);
            }
            ByteBuffer data = ByteBuffer.allocateDirect(Math.toIntExact(elements * type.sizeBytes()))
                    .order(ByteOrder.LITTLE_ENDIAN);
            long last = shape.rank() == 0 ? 1 : shape.dimension(shape.rank() - 1);
            for (long i = 0; i < elements; i++) {
                ElementBits.put(data, type, number(input, last == 0 ? 0 : i % last, random, scale, spread));
            }
            return new Tensor(input.name(), type, shape, data.flip());
        }

        private double number(TensorSpec input, long position, Random random, double scale, Spread spread) {
            String name = input.name().toLowerCase(Locale.ROOT);
            double drawn = isWhole(input.dataType())
                    ? range.least() + random.nextInt(range.count())
                    : input.dataType() == DataType.BOOL ? random.nextInt(2) : spread(random, scale, spread);
            if (isMask(input.name())) {
                return 1;
            }
            if (!isWhole(input.dataType())) {
                return drawn;
            }
            if (name.equals(OfText.TOKEN_TYPE_IDS) || name.contains("segment") || name.endsWith("type_ids")) {
                return 0;
            }
            if (name.contains("position_ids") || name.equals("cache_position")) {
                return position;
            }
            if (name.equals("sr") || name.contains("sample_rate") || name.contains("sampling_rate")) {
                return input.dataType().sizeBytes() > Short.BYTES ? SAMPLES_PER_SECOND : drawn;
            }
            return name.endsWith("length") || name.endsWith("lengths") || name.endsWith("_len") ? size : drawn;
        }

        private static double spread(Random random, double scale, Spread spread) {
            double drawn = random.nextGaussian();
            return switch (spread) {
                case EVEN -> drawn;
                case RISING -> scale * (0.5 + Math.abs(drawn));
                case FALLING -> -scale * (0.5 + Math.abs(drawn));
            };
        }

        private Tensor texts(TensorSpec input, Shape shape, int count, Random random) {
            byte[][] words = new byte[count][];
            int bytes = 0;
            for (int i = 0; i < count; i++) {
                words[i] = ("word " + random.nextInt(1000)).getBytes(StandardCharsets.UTF_8);
                bytes += Integer.BYTES + words[i].length;
            }
            ByteBuffer data = ByteBuffer.allocateDirect(bytes).order(ByteOrder.LITTLE_ENDIAN);
            for (byte[] word : words) {
                data.putInt(word.length).put(word);
            }
            return new Tensor(input.name(), input.dataType(), shape, data.flip());
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof Attempt attempt
                    && attempt.size == size
                    && attempt.channels == channels
                    && attempt.range.equals(range);
        }

        @Override
        public int hashCode() {
            return 31 * (31 * size + channels) + range.hashCode();
        }
    }

    /** Whether the axis counts rows, of which there is one. */
    private boolean isRows(TensorSpec input, int axis) {
        String name = input.axisNames().get(axis).toLowerCase(Locale.ROOT);
        boolean repeated = axis > 0 && input.axisNames().get(0).equalsIgnoreCase(name);
        return !repeated && ((axis == 0 && signature.hasBatchAxis()) || name.contains("batch") || name.equals("n"));
    }

    private static boolean isChannels(TensorSpec input, int axis) {
        String name = input.axisNames().get(axis).toLowerCase(Locale.ROOT);
        Shape shape = input.shape();
        return shape.isDynamic(axis)
                && (name.contains("channel")
                        || (shape.rank() == 4 && axis == 1 && shape.isDynamic(2) && shape.isDynamic(3)));
    }

    /** Ones there, since a model whose mask keeps nothing divides by zero. */
    private boolean isMask(String input) {
        return input.equals(config.batching().padding().mask())
                || input.toLowerCase(Locale.ROOT).contains("mask");
    }

    private static boolean isWhole(DataType type) {
        return switch (type) {
            case UINT8, UINT16, UINT32, UINT64, INT8, INT16, INT32, INT64 -> true;
            case BOOL, FP16, BF16, FP32, FP64, BYTES -> false;
        };
    }
}
