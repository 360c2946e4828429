package io.atelier.engine.djl.task;

import io.atelier.engine.TaskConfig.Interpolation;

/**
 * How the pixels along one side become fewer or more: for each new pixel the old ones that it is made of, and their
 * weights, which add up to 1. Immutable.
 *
 * <p>Pixels are squares with their centres at a half. When shrinking with antialiasing the filter is stretched, so that
 * every old pixel counts.
 *
 * @see <a href="https://github.com/python-pillow/Pillow/blob/main/src/libImaging/Resample.c">Pillow: Resample.c</a>
 */
final class Resampling {
    private static final double BICUBIC = -0.5;

    private final int[] first;
    private final float[][] weights;

    private Resampling(int count) {
        this.first = new int[count];
        this.weights = new float[count][];
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
        double stretch = antialias ? Math.max(1, scale) : 1;
        double reach = stretch * (interpolation == Interpolation.BICUBIC ? 2 : 1);
        for (int i = from; i < to; i++) {
            double centre = (i + 0.5) * scale;
            if (interpolation == Interpolation.NEAREST) {
                result.first[i - from] = Math.min(size - 1, (int) centre);
                result.weights[i - from] = new float[] {1};
                continue;
            }
            int first = Math.max(0, (int) Math.floor(centre - reach + 0.5));
            int end = Math.min(size, (int) Math.floor(centre + reach + 0.5));
            double[] exact = new double[end - first];
            double sum = 0;
            for (int j = 0; j < exact.length; j++) {
                exact[j] = filter(interpolation, (first + j + 0.5 - centre) / stretch);
                sum += exact[j];
            }
            float[] weights = new float[exact.length];
            for (int j = 0; j < weights.length; j++) {
                weights[j] = (float) (exact[j] / sum);
            }
            result.first[i - from] = first;
            result.weights[i - from] = weights;
        }
        return result;
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
    float[] weights(int pixel) {
        return weights[pixel];
    }

    /** A line of pixels of three colours. */
    void apply(int[] from, float[] to) {
        for (int i = 0; i < first.length; i++) {
            float red = 0;
            float green = 0;
            float blue = 0;
            int at = 3 * first[i];
            for (float weight : weights[i]) {
                red += weight * from[at];
                green += weight * from[at + 1];
                blue += weight * from[at + 2];
                at += 3;
            }
            to[3 * i] = red;
            to[3 * i + 1] = green;
            to[3 * i + 2] = blue;
        }
    }

    private static double filter(Interpolation interpolation, double distance) {
        double x = Math.abs(distance);
        if (interpolation == Interpolation.BILINEAR) {
            return Math.max(0, 1 - x);
        }
        if (x < 1) {
            return ((BICUBIC + 2) * x - (BICUBIC + 3)) * x * x + 1;
        }
        return x < 2 ? (((x - 5) * x + 8) * x - 4) * BICUBIC : 0;
    }
}
