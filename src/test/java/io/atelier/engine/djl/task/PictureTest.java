package io.atelier.engine.djl.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.atelier.core.ServingException.InvalidInput;
import io.atelier.core.ServingException.PayloadTooLarge;
import io.atelier.core.ServingException.UnsupportedMediaType;
import io.atelier.testing.Images;
import java.awt.Color;
import java.awt.color.ColorSpace;
import java.awt.image.BufferedImage;
import java.awt.image.ComponentColorModel;
import java.awt.image.DataBuffer;
import java.awt.image.IndexColorModel;
import java.awt.image.WritableRaster;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PictureTest {
    private static final int MANY = 1 << 20;

    @Test
    void readsColoursAsTheyStand() {
        BufferedImage image = new BufferedImage(2, 1, BufferedImage.TYPE_INT_RGB);
        image.setRGB(0, 0, 0x102030);
        image.setRGB(1, 0, 0xFFFEFD);

        assertThat(row(Images.png(image))).containsExactly(0x10, 0x20, 0x30, 0xFF, 0xFE, 0xFD);
    }

    @Test
    void leavesTransparencyAside() {
        BufferedImage image = new BufferedImage(1, 1, BufferedImage.TYPE_INT_ARGB);
        image.setRGB(0, 0, 0x01405060);

        assertThat(row(Images.png(image))).containsExactly(0x40, 0x50, 0x60);
    }

    @Test
    void doesNotBrightenGrey() {
        BufferedImage image = new BufferedImage(2, 1, BufferedImage.TYPE_BYTE_GRAY);
        image.getRaster().setPixels(0, 0, 2, 1, new int[] {100, 128});

        assertThat(row(Images.png(image))).containsExactly(100, 100, 100, 128, 128, 128);
    }

    @Test
    void takesTheUpperHalfOfSixteenBits() {
        BufferedImage image = new BufferedImage(1, 1, BufferedImage.TYPE_USHORT_GRAY);
        image.getRaster().setPixel(0, 0, new int[] {0x7FEE});

        assertThat(row(Images.png(image))).containsExactly(0x7F, 0x7F, 0x7F);
    }

    @Test
    void looksColoursUpInAPalette() {
        byte[] reds = {10, 20};
        byte[] greens = {11, 21};
        byte[] blues = {12, 22};
        BufferedImage image = new BufferedImage(
                2, 1, BufferedImage.TYPE_BYTE_INDEXED, new IndexColorModel(8, 2, reds, greens, blues));
        image.getRaster().setPixels(0, 0, 2, 1, new int[] {1, 0});

        assertThat(row(Images.png(image))).containsExactly(20, 21, 22, 10, 11, 12);
    }

    @Test
    void readsJpeg() {
        assertThat(row(Images.jpeg(Images.plain(16, 8, Color.WHITE))))
                .containsOnly(255)
                .hasSize(48);
    }

    @Test
    void readsGreyJpeg() {
        WritableRaster raster = WritableRaster.createBandedRaster(DataBuffer.TYPE_BYTE, 8, 8, 1, null);
        raster.setPixels(0, 0, 8, 8, filled(64, 77));
        BufferedImage image = new BufferedImage(
                new ComponentColorModel(
                        ColorSpace.getInstance(ColorSpace.CS_GRAY), false, false, 1, DataBuffer.TYPE_BYTE),
                raster,
                false,
                null);

        assertThat(row(Images.jpeg(image))).containsOnly(77);
    }

    @Test
    void refusesABombBeforeItTakesMemory() {
        assertThatThrownBy(() -> Picture.decode(ByteBuffer.wrap(Images.bomb(100_000, 100_000)), MANY))
                .isInstanceOf(PayloadTooLarge.class)
                .hasMessage("the image has 100000 x 100000 pixels, the model takes at most " + MANY);
    }

    @Test
    void refusesAChunkThatClaimsMoreThanThereIs() {
        byte[] png = Images.png(Images.plain(8, 8, Color.RED));
        ByteBuffer.wrap(png).putInt(33, Integer.MAX_VALUE); // the length of the chunk behind the header

        assertBroken(png, "png");
    }

    @ParameterizedTest
    @ValueSource(ints = {9, 40, 60, 99})
    void refusesHalfAFile(int percent) {
        BufferedImage image = new BufferedImage(64, 64, BufferedImage.TYPE_INT_RGB);
        for (int i = 0; i < 64 * 64; i++) {
            image.setRGB(i % 64, i / 64, i * 7919);
        }
        byte[] png = Images.png(image);
        byte[] jpeg = Images.jpeg(image);

        assertBroken(Arrays.copyOf(png, png.length * percent / 100), "png");
        assertBroken(Arrays.copyOf(jpeg, jpeg.length * percent / 100), "jpeg");
    }

    @Test
    void refusesWhatIsNoImage() {
        for (String text : new String[] {"", "hello world, I am no image"}) {
            assertThatThrownBy(() -> Picture.decode(ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)), MANY))
                    .isInstanceOf(InvalidInput.class)
                    .hasMessage("the image is neither JPEG nor PNG");
        }
    }

    @ParameterizedTest
    @CsvSource({
        "524946460000000057454250, WebP",
        "474946383961, GIF",
        "424D3600000000000000, BMP",
        "49492A0008000000, TIFF",
        "4D4D002A00000008, TIFF",
        "000000206674797068656963, HEIF or a video",
        "000000206674797061766966, AVIF",
        "0000000C4A584C200D0A870A, JPEG XL",
        "0000000C6A5020200D0A870A, JPEG 2000"
    })
    void saysThatAnImageIsOfAnotherFormat(String start, String format) {
        byte[] file = Arrays.copyOf(HexFormat.of().parseHex(start), 64);

        assertThatThrownBy(() -> Picture.decode(ByteBuffer.wrap(file), MANY))
                .isInstanceOf(UnsupportedMediaType.class)
                .hasMessage("the image is " + format + ", allowed are JPEG and PNG");
    }

    private static void assertBroken(byte[] file, String format) {
        assertThatThrownBy(() -> Picture.decode(ByteBuffer.wrap(file), MANY))
                .isInstanceOf(InvalidInput.class)
                .hasMessage("the image is a broken or unusual " + format + " file and cannot be decoded");
    }

    private static int[] row(byte[] file) {
        Picture picture = Picture.decode(ByteBuffer.wrap(file), MANY);
        int[] rgb = new int[3 * picture.width()];
        picture.row(0, rgb);
        return rgb;
    }

    private static int[] filled(int count, int value) {
        int[] numbers = new int[count];
        Arrays.fill(numbers, value);
        return numbers;
    }
}
