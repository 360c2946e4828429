package io.atelier.engine.djl.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.atelier.core.DataType;
import io.atelier.core.ModelSignature;
import io.atelier.core.Shape;
import io.atelier.core.TaskAnswer.Box;
import io.atelier.core.TaskInput;
import io.atelier.core.Tensor;
import io.atelier.core.TensorSpec;
import io.atelier.engine.ImageLayout;
import io.atelier.engine.ModelLoadException;
import io.atelier.engine.TaskConfig;
import io.atelier.engine.TaskConfig.Activation;
import io.atelier.engine.TaskConfig.Align;
import io.atelier.engine.TaskConfig.Channels;
import io.atelier.engine.TaskConfig.Fit;
import io.atelier.engine.TaskConfig.ImageInput;
import io.atelier.engine.TaskConfig.ImageSize;
import io.atelier.engine.TaskConfig.Interpolation;
import io.atelier.engine.TaskConfig.Labels;
import io.atelier.engine.TaskConfig.Scoring;
import io.atelier.testing.Images;
import java.awt.Color;
import java.awt.image.BufferedImage;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Every number is worked out by hand. */
class ImageInputsTest {
    private static final int MANY = 1 << 20;

    private Fit fit = Fit.STRETCH;
    private Channels channels = Channels.RGB;
    private Interpolation interpolation = Interpolation.BILINEAR;
    private Align align = Align.CENTER;
    private boolean antialias = true;
    private Optional<Integer> shorterSide = Optional.empty();
    private double scale = 1;
    private List<Double> mean = List.of();
    private List<Double> std = List.of();

    @Test
    void normalisesByImageNetWhereNothingElseIsSaid() throws Exception {
        scale = 1 / 255.0;

        float[] numbers = numbers(Images.plain(4, 4, new Color(255, 0, 51)), DataType.FP32, true, -1, 3, 1, 1);

        assertThat(numbers)
                .containsExactly(
                        new float[] {(1 - 0.485f) / 0.229f, -0.456f / 0.224f, (0.2f - 0.406f) / 0.225f}, within(1e-6f));
    }

    @Test
    void turnsColoursAndTheirMeansRoundForBgr() throws Exception {
        channels = Channels.BGR;
        scale = 1 / 255.0;

        float[] numbers = numbers(Images.plain(4, 4, new Color(255, 0, 51)), DataType.FP32, true, -1, 3, 1, 1);

        assertThat(numbers)
                .containsExactly(
                        new float[] {(0.2f - 0.406f) / 0.225f, -0.456f / 0.224f, (1 - 0.485f) / 0.229f}, within(1e-6f));
    }

    @Test
    void subtractsTheConfiguredMeanAndDividesByTheDeviation() throws Exception {
        mean = List.of(1.0, 2.0, 3.0);
        std = List.of(2.0, 4.0, 8.0);

        assertThat(numbers(Images.plain(1, 1, new Color(11, 22, 43)), DataType.FP32, true, -1, 3, 1, 1))
                .containsExactly(5, 5, 5);
    }

    @Test
    void putsChannelsWhereTheModelWantsThem() throws Exception {
        BufferedImage image = new BufferedImage(1, 2, BufferedImage.TYPE_INT_RGB);
        image.setRGB(0, 0, 0x010203);
        image.setRGB(0, 1, 0x040506);

        assertThat(numbers(image, DataType.FP32, false, -1, 3, 2, 1)).containsExactly(1, 4, 2, 5, 3, 6);
        assertThat(numbers(image, DataType.FP32, false, -1, 2, 1, 3)).containsExactly(1, 2, 3, 4, 5, 6);
        assertThat(numbers(image, DataType.UINT8, false, -1, 2, 1, 3)).containsExactly(1, 2, 3, 4, 5, 6);
    }

    @Test
    void makesGreyForAModelOfOneChannel() throws Exception {
        assertThat(numbers(Images.plain(2, 2, new Color(100, 200, 50)), DataType.FP32, true, -1, 1, 1, 1))
                .containsExactly(153);
    }

    @Test
    void looksAtEveryPixelWhereItShrinks() throws Exception {
        BufferedImage stripes = columns(0, 80, 160, 240);

        assertThat(numbers(stripes, DataType.FP32, false, -1, 1, 1, 2))
                .containsExactly(57, 183); // (3 * 80 + 160) / 7, and 240 less that
        antialias = false;
        assertThat(numbers(stripes, DataType.FP32, false, -1, 1, 1, 2)).containsExactly(40, 200);
        interpolation = Interpolation.NEAREST;
        assertThat(numbers(stripes, DataType.FP32, false, -1, 1, 1, 2)).containsExactly(80, 240);
    }

    @Test
    void growsSmoothly() throws Exception {
        BufferedImage two = columns(0, 80);

        assertThat(numbers(two, DataType.FP32, false, -1, 1, 1, 4)).containsExactly(0, 20, 60, 80);
        interpolation = Interpolation.NEAREST;
        assertThat(numbers(two, DataType.FP32, false, -1, 1, 1, 4)).containsExactly(0, 0, 80, 80);
        interpolation = Interpolation.BICUBIC;
        float[] bicubic = numbers(columns(0, 0, 80, 80), DataType.FP32, false, -1, 1, 1, 8);
        assertThat(bicubic[3]).isLessThan(20); // steeper than a straight line
        assertThat(bicubic[0]).isZero(); // below 0 is cut off
    }

    @Test
    void cutsTheMiddleOut() throws Exception {
        fit = Fit.CROP;
        shorterSide = Optional.of(1);

        assertThat(numbers(columns(10, 20, 30, 40, 50), DataType.FP32, false, -1, 1, 1, 1))
                .containsExactly(30);
    }

    @Test
    void fillsUpWhatIsTooNarrow() throws Exception {
        fit = Fit.PAD;
        BufferedImage wide = columns(10, 20);

        assertThat(numbers(wide, DataType.FP32, false, -1, 1, 4, 2)).containsExactly(7, 7, 10, 20, 7, 7, 7, 7);
        align = Align.START;
        assertThat(numbers(wide, DataType.FP32, false, -1, 1, 4, 2)).containsExactly(10, 20, 7, 7, 7, 7, 7, 7);
    }

    @Test
    void findsAPlaceOnTheImageAgain() throws Exception {
        fit = Fit.PAD;
        Placement placement = Placement.of(image(), layout(DataType.FP32, -1, 3, 32, 32), 64, 32);

        assertThat(placement).isEqualTo(new Placement(64, 32, 32, 16, 0, 8));
        assertThat(placement.onImage(12, 12, 20, 20)).isEqualTo(new Box(24, 8, 40, 24));
        assertThat(placement.onImage(-5, 0, 40, 40)).isEqualTo(new Box(0, 0, 64, 32));
    }

    @Test
    void saysWhichOfSeveralImagesIsBroken() throws Exception {
        ImageInputs inputs = new ImageInputs(image(), layout(DataType.FP32, -1, 3, 1, 1), false);
        TaskInput good = new TaskInput.Image(ByteBuffer.wrap(Images.png(Images.plain(1, 1, Color.RED))));
        TaskInput bad = new TaskInput.Image(ByteBuffer.wrap(new byte[20]));

        assertThatThrownBy(() -> inputs.parts(List.of(good, bad), (outputs, placement) -> List.of()))
                .hasMessage("image 1: the image is neither JPEG nor PNG");
    }

    private float[] numbers(BufferedImage image, DataType type, boolean imageNet, long... shape) throws Exception {
        ImageLayout layout = layout(type, shape);
        ImageInputs inputs = new ImageInputs(image(), layout, imageNet);
        Picture picture = Picture.decode(ByteBuffer.wrap(Images.png(image)), MANY);
        Tensor tensor = inputs.tensor(picture, Placement.of(image(), layout, picture.width(), picture.height()));
        float[] numbers = new float[Math.toIntExact(tensor.shape().elements().orElseThrow())];
        if (type == DataType.UINT8) {
            for (int i = 0; i < numbers.length; i++) {
                numbers[i] = tensor.data().get(i);
            }
        } else {
            FloatBuffer floats = tensor.data().asFloatBuffer();
            floats.get(numbers);
        }
        return numbers;
    }

    private ImageLayout layout(DataType type, long... shape) throws ModelLoadException {
        return ImageLayout.of(
                new TaskConfig.ImageClassification(
                        image(), Labels.UNSAID, new Scoring(Activation.SOFTMAX, 5, 0), Optional.empty()),
                new ModelSignature(List.of(new TensorSpec("x", type, Shape.of(shape))), List.of()));
    }

    private ImageInput image() {
        return new ImageInput(
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                channels,
                fit,
                shorterSide,
                Optional.empty(),
                Optional.empty(),
                7,
                align,
                interpolation,
                antialias,
                scale,
                mean,
                std,
                MANY,
                ImageSize.CLASSIFIED,
                Map.of());
    }

    /** One row of greys. */
    private static BufferedImage columns(int... greys) {
        BufferedImage image = new BufferedImage(greys.length, 1, BufferedImage.TYPE_INT_RGB);
        for (int x = 0; x < greys.length; x++) {
            image.setRGB(x, 0, greys[x] * 0x010101);
        }
        return image;
    }
}
