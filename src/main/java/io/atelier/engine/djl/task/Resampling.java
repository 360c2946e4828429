package io.atelier.engine.djl.task;

import io.atelier.engine.TaskConfig.Interpolation;

/**
 * How the pixels along one side become fewer or more: for each new pixel the old ones that it is made of, and their
 * weights. Immutable.
 *
 * <p>Pixels are squares with their centres at a half. When shrinking with antialiasing the filter is stretched, so that
 * every old pixel counts. Levels are what Pillow makes of them, to the last bit: weights are integers, of which
 * {@link #ONE} is one, and each side's result is a level from 0 to 255 again.
 *
 * @see <a href="https://github.com/python-pillow/Pillow/blob/main/src/libImaging/Resample.c">Pillow: Resample.c</a>
 */
final class Resampling {
    private static final double BICUBIC = -0.5;
    private static final int LANCZOS_LOBES = 3;
    private static final int WEIGHT_BITS = 22;

    /** The weight of a pixel that stands alone. */
    static final int ONE = 1 << WEIGHT_BITS;

    private static final int HALF = ONE / 2;
    private static final int MOST = 255;

    private final int[] first;
    private final int[][] weights;

    private Resampling(int count) {
        this.first = new int[count];
        this.weights = new int[count][];
    }

    /**
     * @param size how many pixels there are
     * @param into how many they would become
     * @param from the first of those that are wanted
     * @param to   behind the last of them
     */
    static Resampling of(Interpolation interpolation, boolean antialias, int size, int into, int from, int to) {
        Resampling result = new Resampling(to - from);
        double scale = (double) size / into;
        if (interpolation == Interpolation.NEAREST) {
            result.nearest(scale, size, from);
        } else {
            result.filtered(interpolation, antialias ? Math.max(1, scale) : 1, scale, size, from);
        }
        return result;
    }

    /** Added up step by step, since Pillow does so: at a border between two pixels the last bit decides. */
    private void nearest(double scale, int size, int from) {
        double centre = scale * 0.5;
        for (int i = 0; i < from; i++) {
            centre += scale;
        }
        for (int i = 0; i < first.length; i++) {
            first[i] = Math.min(size - 1, (int) centre);
            weights[i] = new int[] {ONE};
            centre += scale;
        }
    }

    private void filtered(Interpolation interpolation, double stretch, double scale, int size, int from) {
        double reach = stretch * reach(interpolation);
        for (int i = 0; i < first.length; i++) {
            double centre = (from + i + 0.5) * scale;
            int begin = Math.max(0, (int) (centre - reach + 0.5));
            int end = Math.min(size, (int) (centre + reach + 0.5));
            double[] exact = new double[end - begin];
            double sum = 0;
            for (int j = 0; j < exact.length; j++) {
                exact[j] = filter(interpolation, (j + begin - centre + 0.5) * (1 / stretch));
                sum += exact[j];
            }
            first[i] = begin;
            weights[i] = new int[exact.length];
            for (int j = 0; j < exact.length; j++) {
                double weight = (sum == 0 ? exact[j] : exact[j] / sum) * ONE;
                weights[i][j] = (int) (weight < 0 ? weight - 0.5 : weight + 0.5);
            }
        }
    }

    /** New pixels. */
    int count() {
        return first.length;
    }

    /** The first old pixel that a new one is made of. */
    int first(int pixel) {
        return first[pixel];
    }

    /** The weights of that one and those that follow. */
    int[] weights(int pixel) {
        return weights[pixel];
    }

    /** A line of levels of three colours to another. */
    void apply(int[] from, int[] to) {
        for (int i = 0; i < first.length; i++) {
            int red = 0;
            int green = 0;
            int blue = 0;
            int at = 3 * first[i];
            for (int weight : weights[i]) {
                red += weight * from[at];
                green += weight * from[at + 1];
                blue += weight * from[at + 2];
                at += 3;
            }
            to[3 * i] = level(red);
            to[3 * i + 1] = level(green);
            to[3 * i + 2] = level(blue);
        }
    }

    /** The level, 0 to 255, that a sum of weighted levels comes to. */
    static int level(int sum) {
        return Math.max(0, Math.min(MOST, (sum + HALF) >> WEIGHT_BITS));
    }

    /** How far from its centre a filter looks. */
    private static double reach(Interpolation interpolation) {
        return switch (interpolation) {
            case NEAREST, BOX -> 0.5;
            case BILINEAR, HAMMING -> 1;
            case BICUBIC -> 2;
            case LANCZOS -> LANCZOS_LOBES;
        };
    }

    private static double filter(Interpolation interpolation, double distance) {
        double x = Math.abs(distance);
        return switch (interpolation) {
            case NEAREST, BOX -> distance > -0.5 && distance <= 0.5 ? 1 : 0;
            case BILINEAR -> Math.max(0, 1 - x);
            case HAMMING -> x < 1 ? sinc(x) * (0.54 + 0.46 * Math.cos(Math.PI * x)) : 0;
            case BICUBIC -> {
                if (x < 1) {
                    yield ((BICUBIC + 2) * x - (BICUBIC + 3)) * x * x + 1;
                }
                yield x < 2 ? (((x - 5) * x + 8) * x - 4) * BICUBIC : 0;
            }
            case LANCZOS ->
                distance >= -LANCZOS_LOBES && distance < LANCZOS_LOBES ? sinc(x) * sinc(x / LANCZOS_LOBES) : 0;
        };
    }

    private static double sinc(double x) {
        return x == 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
    }
}
