package io.atelier.repository;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.atelier.engine.TaskConfig.Align;
import io.atelier.engine.TaskConfig.Channels;
import io.atelier.engine.TaskConfig.Fit;
import io.atelier.engine.TaskConfig.ImageInput;
import io.atelier.engine.TaskConfig.ImageSize;
import io.atelier.engine.TaskConfig.Interpolation;
import io.atelier.engine.TaskConfig.Layout;
import io.atelier.engine.TaskConfig.OfImage;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PreprocessingTest {
    private static final List<Double> HALVES = List.of(0.5, 0.5, 0.5);

    @TempDir
    Path folder;

    @Test
    void everythingStaysAsItIsWithoutAFile() throws Exception {
        assertThat(image("", Map.of())).isEqualTo(image("", Map.of("labels.txt", "a")));
        assertThat(image("", Map.of()).inferred()).isEmpty();
    }

    @Test
    void readsAnOldFileWhoseSizeIsANumber() throws Exception {
        ImageInput image = preprocessed("""
                {"do_normalize": true, "do_resize": true, "feature_extractor_type": "ViTFeatureExtractor",
                 "image_mean": [0.1, 0.2, 0.3], "image_std": [0.4, 0.5, 0.6], "resample": 2, "size": 224}""");

        assertThat(image.fit()).isEqualTo(Fit.STRETCH);
        assertThat(image.width()).contains(224);
        assertThat(image.height()).contains(224);
        assertThat(image.scaledWidth()).isEmpty();
        assertThat(image.interpolation()).isEqualTo(Interpolation.BILINEAR);
        assertThat(image.mean()).containsExactly(0.1, 0.2, 0.3);
        assertThat(image.std()).containsExactly(0.4, 0.5, 0.6);
        assertThat(image.scale()).isEqualTo(1 / 255.0);
        assertThat(image.channels()).isEqualTo(Channels.RGB);
    }

    @Test
    void takesFromTheKindOfProcessorWhatTheFileLeavesOut() throws Exception {
        ImageInput clip = preprocessed("{\"image_processor_type\": \"CLIPImageProcessorFast\", \"size\": 336}");

        assertThat(clip.fit()).isEqualTo(Fit.CROP);
        assertThat(clip.shorterSide()).contains(336);
        assertThat(clip.width()).contains(224);
        assertThat(clip.interpolation()).isEqualTo(Interpolation.BICUBIC);
        assertThat(clip.mean()).containsExactly(0.48145466, 0.4578275, 0.40821073);
        assertThat(clip.fill()).isZero();
        ImageInput mobileViT = preprocessed("{\"image_processor_type\": \"MobileViTImageProcessor\"}");
        assertThat(mobileViT.channels()).isEqualTo(Channels.BGR);
        assertThat(mobileViT.mean()).containsExactly(0.0);
        assertThat(mobileViT.std()).containsExactly(1.0);
        assertThat(mobileViT.shorterSide()).contains(224);
        assertThat(mobileViT.width()).contains(256);
    }

    @Test
    void knowsTheProcessorByTheTypeOfTheModel() throws Exception {
        ImageInput image = image(
                "",
                Map.of("preprocessor_config.json", "{\"size\": 224}", "config.json", "{\"model_type\": \"resnet\"}"));

        assertThat(image.fit()).isEqualTo(Fit.CROP);
        assertThat(image.shorterSide()).contains(256);
        assertThat(image.mean()).isEqualTo(HALVES);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{size: {height: 9, width: 8}} | STRETCH 8x9",
                "{size: [9, 8]} | STRETCH 8x9",
                "{size: 9} | STRETCH 9x9",
                "{size: 9, do_resize: true, do_center_crop: false, crop_size: 5} | STRETCH 9x9",
                "{size: {height: 9, width: 8}, do_center_crop: true, crop_size: 5} | STRETCH 5x5 of 8x9",
                "{size: {shortest_edge: 9}, do_center_crop: true, crop_size: {height: 7, width: 5}} | CROP 5x7 of 9",
                "{size: {shortest_edge: 9, longest_edge: null}, do_center_crop: true, crop_size: 5} | CROP 5x5 of 9",
                "{size: 9, default_to_square: false, do_center_crop: true, crop_size: 5} | CROP 5x5 of 9",
                "{do_resize: false, do_center_crop: true, crop_size: 5} | NONE 5x5",
                "{do_resize: false, size: 9, do_center_crop: true, crop_size: 5} | NONE 5x5",
                "{image_processor_type: ConvNextImageProcessor, size: 224, crop_pct: 0.875} | CROP 224x224 of 256",
                "{image_processor_type: ConvNextImageProcessor, size: {shortest_edge: 224}, crop_pct: 0.9} | CROP 224x224 of 248",
                "{image_processor_type: ConvNextImageProcessor} | STRETCH 384x384",
                "{image_processor_type: LevitImageProcessor} | CROP 224x224 of 256",
                "{image_processor_type: PoolFormerImageProcessor} | CROP 224x224 of 248",
                "{image_processor_type: PoolFormerImageProcessor, size: {height: 90, width: 45}} | STRETCH 224x224 of 50x100",
                "{image_processor_type: EfficientNetImageProcessor} | STRETCH 346x346",
                "{image_processor_type: DeiTImageProcessor} | STRETCH 224x224 of 256x256",
                "{image_processor_type: BitImageProcessor, size: {shortest_edge: 256}} | CROP 224x224 of 256",
            })
    void placesTheImageAsTheProcessorDoes(String file, String placed) throws Exception {
        ImageInput image = preprocessed(json(file));

        String sides = image.fit() + " " + image.width().orElse(0) + "x"
                + image.height().orElse(0);
        String scaled = image.scaledWidth()
                .map(width -> " of " + width + "x" + image.scaledHeight().orElse(0))
                .or(() -> image.shorterSide().map(side -> " of " + side))
                .orElse("");
        assertThat(sides + scaled).isEqualTo(placed);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{image_mean: [1, 2, 3], image_std: [4, 5, 6]} | [1.0, 2.0, 3.0] | [4.0, 5.0, 6.0] | 0.00392156862745098",
                "{image_mean: 0.5, image_std: 0.25} | [0.5] | [0.25] | 0.00392156862745098",
                "{do_normalize: false, image_mean: [1], image_std: [2]} | [0.0] | [1.0] | 0.00392156862745098",
                "{do_normalize: false, do_rescale: false} | [0.0] | [1.0] | 1.0",
                "{do_rescale: false, rescale_factor: 0.5, image_mean: [1], image_std: [2]} | [1.0] | [2.0] | 1.0",
                "{rescale_factor: 0.5} | [] | [] | 0.5",
                "{rescale_factor: 0.5, rescale_offset: true, image_mean: [1], image_std: [2]} | [2.0] | [2.0] | 0.5",
                "{rescale_factor: 0.5, rescale_offset: true, do_normalize: false} | [1.0] | [1.0] | 0.5",
                "{image_mean: [1], image_std: [0.5], include_top: true} | [1.0] | [0.25] | 0.00392156862745098",
                "{do_normalize: false, image_std: [0.5], include_top: true} | [0.0] | [0.5] | 0.00392156862745098",
            })
    void turnsLevelsIntoNumbersAsTheProcessorDoes(String file, String mean, String std, double scale) throws Exception {
        ImageInput image = preprocessed(json(file));

        assertThat(image.mean()).hasToString(mean);
        assertThat(image.std()).hasToString(std);
        assertThat(image.scale()).isEqualTo(scale);
    }

    @ParameterizedTest
    @CsvSource({"0, NEAREST", "1, LANCZOS", "2, BILINEAR", "3, BICUBIC", "4, BOX", "5, HAMMING"})
    void readsPillowsNumbersOfFilters(int number, Interpolation filter) throws Exception {
        assertThat(preprocessed("{\"resample\": " + number + "}").interpolation())
                .isEqualTo(filter);
    }

    @Test
    void takesChannelsInTheOrderThatTheFileSays() throws Exception {
        assertThat(preprocessed("{\"do_flip_channel_order\": true}").channels()).isEqualTo(Channels.BGR);
        assertThat(preprocessed("{\"data_format\": \"channels_last\"}").layout())
                .contains(Layout.NHWC);
        assertThat(preprocessed("{\"data_format\": \"channels_first\"}").layout())
                .isEmpty();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{do_pad: true} | do_pad is not supported, allowed are crop_pct, crop_size, data_format, default_to_square, do_center_crop, do_flip_channel_order, do_normalize, do_rescale, do_resize, feature_extractor_type, image_mean, image_processor_type, image_std, include_top, resample, rescale_factor, rescale_offset, size; task.image.fit in model.yaml stands above it",
                "{size: {shortest_edge: 9}} | size.shortest_edge is not supported without do_center_crop: each image would have sides of its own; task.image.fit in model.yaml stands above it",
                "{size: {shortest_edge: 9, longest_edge: 20}} | size.longest_edge is not supported; task.image.fit in model.yaml stands above it",
                "{size: {longest_edge: 20}} | size.longest_edge is not supported; task.image.fit in model.yaml stands above it",
                "{size: {height: 20}} | size.width is missing, allowed is an integer from 1 to 8192",
                "{size: 0} | size is 0, allowed is an integer from 1 to 8192",
                "{size: large} | size is \"large\", allowed is an integer or {height, width} or {shortest_edge}",
                "{do_resize: true} | size is missing, allowed is an integer or {height, width} or {shortest_edge}",
                "{do_center_crop: true} | crop_size is missing, allowed is an integer or {height, width}",
                "{size: 9, do_center_crop: true, crop_size: 8} | size is a number, and image_processor_type is missing, which says what that means; allowed is {height, width} or {shortest_edge}; task.image.fit in model.yaml stands above it",
                "{do_resize: false} | do_resize is false without do_center_crop: images of any size do not fit the model; task.image.fit in model.yaml stands above it",
                "{do_resize: maybe} | do_resize is \"maybe\", allowed is true or false",
                "{size: 9, crop_pct: 0.9} | crop_pct is supported by the image processors of ConvNext and PoolFormer; task.image.fit in model.yaml stands above it",
                "{resample: 6} | resample is 6, allowed are Pillow's filters, 0 to 5; task.image.interpolation in model.yaml stands above it",
                "{do_normalize: true} | image_mean is missing, allowed is a list of numbers",
                "{image_mean: [1], image_std: [0]} | image_std has a 0, by which nothing can be divided; task.image.std in model.yaml stands above it",
                "{image_mean: [a], image_std: [1]} | image_mean is [\"a\"], allowed is a list of numbers",
                "{rescale_factor: x} | rescale_factor is \"x\", allowed is a number",
                "{image_processor_type: ConvNextImageProcessor, size: {height: 9, width: 9}} | size is {\"height\":9,\"width\":9}, allowed is {shortest_edge}",
            })
    void refusesWhatIsNotDoneByTheNameOfItsKey(String file, String problem) {
        assertThatThrownBy(() -> preprocessed(json(file)))
                .isInstanceOf(ModelConfigException.class)
                .hasMessage("preprocessor_config.json: " + problem);
    }

    @Test
    void refusesAProcessorThatIsNotKnown() {
        assertThatThrownBy(() -> preprocessed("{\"image_processor_type\": \"DonutImageProcessor\"}"))
                .hasMessageStartingWith("preprocessor_config.json: image_processor_type is \"DonutImageProcessor\","
                        + " allowed is an image processor of Beit, Bit, Blip, CLIP, ");
        assertThatThrownBy(() -> preprocessed("[]")).hasMessage("preprocessor_config.json: is not a JSON object");
        assertThatThrownBy(() -> preprocessed("{")).hasMessage("preprocessor_config.json: is not JSON");
    }

    @Test
    void whatModelYamlSaysStandsAboveTheFile() throws Exception {
        String file = """
                {"do_pad": true, "size": {"shortest_edge": 9}, "resample": 9, "image_mean": [1, 2, 3],
                 "image_std": [0, 0, 0], "do_flip_channel_order": true}""";

        ImageInput image = image(
                "fit: stretch, width: 5, interpolation: box, std: [7, 8, 9], channels: rgb",
                Map.of("preprocessor_config.json", file));

        assertThat(image.fit()).isEqualTo(Fit.STRETCH);
        assertThat(image.width()).contains(5);
        assertThat(image.height()).isEmpty();
        assertThat(image.interpolation()).isEqualTo(Interpolation.BOX);
        assertThat(image.std()).containsExactly(7.0, 8.0, 9.0);
        assertThat(image.mean()).containsExactly(1.0, 2.0, 3.0);
        assertThat(image.channels()).isEqualTo(Channels.RGB);
        assertThat(image.inferred()).containsOnlyKeys("mean");
        assertThat(image("preprocessor: false", Map.of("preprocessor_config.json", file))
                        .inferred())
                .isEmpty();
    }

    @Test
    void tellsWhatItInferredAndFromWhere() throws Exception {
        assertThat(preprocessed(json("{size: 9, resample: 3, image_mean: [1], image_std: [2]}"))
                        .inferred())
                .containsExactly(
                        Map.entry("fit", "stretch (preprocessor_config.json size)"),
                        Map.entry("height", "9 (preprocessor_config.json size)"),
                        Map.entry("width", "9 (preprocessor_config.json size)"),
                        Map.entry("fill", "0 (preprocessor_config.json size)"),
                        Map.entry("interpolation", "bicubic (preprocessor_config.json resample)"),
                        Map.entry("mean", "[1.0] (preprocessor_config.json image_mean)"),
                        Map.entry("std", "[2.0] (preprocessor_config.json image_std)"));
    }

    @Test
    void readsWhatTimmSays() throws Exception {
        ImageInput image = timm("""
                {"input_size": [3, 256, 256], "interpolation": "bicubic", "crop_pct": 0.95, "crop_mode": "center",
                 "mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5], "num_classes": 1000, "first_conv": "stem"}""");

        assertThat(image.fit()).isEqualTo(Fit.CROP);
        assertThat(image.shorterSide()).contains(269);
        assertThat(image.align()).isEqualTo(Align.EVEN);
        assertThat(image.width()).contains(256);
        assertThat(image.interpolation()).isEqualTo(Interpolation.BICUBIC);
        assertThat(image.mean()).isEqualTo(HALVES);
        ImageInput squashed = timm("{\"input_size\": [3, 384, 192], \"crop_mode\": \"squash\", \"crop_pct\": 1.0}");
        assertThat(squashed.fit()).isEqualTo(Fit.STRETCH);
        assertThat(squashed.scaledHeight()).contains(384);
        assertThat(squashed.mean()).containsExactly(0.485, 0.456, 0.406);
        assertThat(timm("{}").shorterSide()).contains(256);
        assertThatThrownBy(() -> timm("{\"crop_mode\": \"border\"}"))
                .hasMessage("config.json: pretrained_cfg.crop_mode is border, supported are squash, and center where"
                        + " height and width are the same; task.image.fit in model.yaml stands above it");
    }

    @Test
    void takesTheSizeOfAModelThatLeavesItOpenFromItsConfiguration() throws Exception {
        assertThat(image("", Map.of("config.json", "{\"image_size\": 28, \"num_channels\": 1}"))
                        .usual())
                .isEqualTo(new ImageSize(1, 28, 28));
        assertThat(image("", Map.of("config.json", "{\"image_size\": [48, 192]}"))
                        .usual())
                .isEqualTo(new ImageSize(3, 48, 192));
        assertThat(image("", Map.of("config.json", "{\"vision_config\": {\"image_size\": 336}}"))
                        .usual())
                .isEqualTo(new ImageSize(3, 336, 336));
        assertThat(image("", Map.of("config.json", "{\"id2label\": {}}")).usual())
                .isEqualTo(ImageSize.CLASSIFIED);
    }

    private ImageInput preprocessed(String file) throws Exception {
        return image("", Map.of("preprocessor_config.json", file));
    }

    private ImageInput timm(String pretrained) throws Exception {
        return image("", Map.of("config.json", "{\"architecture\": \"x\", \"pretrained_cfg\": " + pretrained + "}"));
    }

    private ImageInput image(String yaml, Map<String, String> files) throws Exception {
        for (Map.Entry<String, String> file : files.entrySet()) {
            Files.writeString(folder.resolve(file.getKey()), file.getValue());
        }
        ModelConfig config = ModelYaml.parse(
                YamlSection.parse("model.yaml", "task: {name: image-classification, image: {" + yaml + "}}"),
                HubFolder.of(folder));
        return ((OfImage) config.task().orElseThrow()).image();
    }

    /** Without the quotes of names and words, which a table is easier to read without. */
    private static String json(String yaml) {
        return yaml.replaceAll("([A-Za-z_]*[A-Za-z][A-Za-z_]*)", "\"$1\"")
                .replace("\"true\"", "true")
                .replace("\"false\"", "false")
                .replace("\"null\"", "null");
    }
}
