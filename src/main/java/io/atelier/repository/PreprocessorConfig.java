package io.atelier.repository;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.atelier.repository.ImageProcessor.Resizing;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What {@code preprocessor_config.json} says about a model's images: each of its keys is done as Hugging Face's image
 * processor does it, changes nothing, or is refused by its name. One thread.
 *
 * @see <a href="https://huggingface.co/docs/transformers/main_classes/image_processor">Transformers: image processors</a>
 */
final class PreprocessorConfig {
    static final String FILE_NAME = "preprocessor_config.json";

    /** From here on ConvNeXt's processor cuts nothing off. */
    private static final int CONVNEXT_WHOLE = 384;

    private static final double LEVIT_PART = 256.0 / 224;

    /** On what no answer depends: labels of training data, the form of the outcome, names. Images are always colours. */
    private static final Set<String> WITHOUT_EFFECT = Set.of(
            "_processor_class",
            "_valid_processor_keys",
            "device",
            "disable_grouping",
            "do_convert_annotations",
            "do_convert_rgb",
            "do_reduce_labels",
            "format",
            "input_data_format",
            "model_input_names",
            "processor_class",
            "reduce_labels",
            "return_tensors",
            "transformers_version");

    private static final List<String> DONE = List.of(
            "crop_pct",
            "crop_size",
            "data_format",
            "default_to_square",
            "do_center_crop",
            "do_flip_channel_order",
            "do_normalize",
            "do_rescale",
            "do_resize",
            "feature_extractor_type",
            "image_mean",
            "image_processor_type",
            "image_std",
            "include_top",
            "resample",
            "rescale_factor",
            "rescale_offset",
            "size");

    /** Pillow's filters, by its numbers. */
    private static final List<String> FILTERS = List.of("nearest", "lanczos", "bilinear", "bicubic", "box", "hamming");

    private final JsonNode said;
    private final Resizing resizing;
    private final ImageKeys keys;

    private PreprocessorConfig(JsonNode said, Resizing resizing, ImageKeys keys) {
        this.said = said;
        this.resizing = resizing;
        this.keys = keys;
    }

    /**
     * Says it in keys of {@code task.image}.
     *
     * @param modelType {@code model_type} of {@code config.json}; empty where there is none
     * @throws ModelConfigException if it says what is not done here
     */
    static void read(JsonNode given, String modelType, ImageKeys keys) throws ModelConfigException {
        if (!given.isObject()) {
            throw keys.problem("is not a JSON object");
        }
        for (Map.Entry<String, JsonNode> entry : given.properties()) {
            String key = entry.getKey();
            boolean off = entry.getValue().isBoolean() && !entry.getValue().booleanValue();
            if (!off && !WITHOUT_EFFECT.contains(key) && !DONE.contains(key)) {
                keys.refuse(key, "is not supported, allowed are " + String.join(", ", DONE), "fit");
            }
        }
        ImageProcessor processor = processor(given, modelType, keys);
        ObjectNode said = processor.defaults().deepCopy();
        given.properties().forEach(entry -> said.set(entry.getKey(), entry.getValue()));
        PreprocessorConfig config = new PreprocessorConfig(said, processor.resizing(), keys);
        if (!keys.areSaid("fit")) {
            config.placing();
        }
        config.resampling();
        config.levels();
        if (config.flag("do_flip_channel_order", false)) {
            keys.put("channels", "bgr", "do_flip_channel_order");
        }
        if (said.path("data_format").asText().toLowerCase(Locale.ROOT).endsWith("last")) {
            keys.put("layout", "nhwc", "data_format");
        }
    }

    private static ImageProcessor processor(JsonNode given, String modelType, ImageKeys keys)
            throws ModelConfigException {
        for (String key : List.of("image_processor_type", "feature_extractor_type")) {
            String type = given.path(key).asText("");
            if (given.has(key)) {
                return ImageProcessor.named(type)
                        .orElseThrow(() -> keys.refused(
                                key,
                                given.path(key),
                                "an image processor of " + ImageProcessor.known()
                                        + "; with task.image.preprocessor: false in model.yaml the file is not read"));
            }
        }
        return ImageProcessor.ofModelType(modelType);
    }

    /** Both sides in pixels, or the shorter one alone. */
    private record Size(int height, int width) {
        static Size ofShorter(int side) {
            return new Size(side, 0);
        }

        boolean isShorter() {
            return width == 0;
        }

        boolean isSquare() {
            return height == width;
        }
    }

    private void placing() throws ModelConfigException {
        boolean resizes = flag("do_resize", true);
        Optional<Size> crop = flag("do_center_crop", false) ? Optional.of(cropSize()) : Optional.empty();
        if (!resizes && crop.isEmpty()) {
            keys.refuse("do_resize", "is false without do_center_crop: images of any size do not fit the model", "fit");
        }
        if (resizes && !said.has("size") && !said.has("do_resize") && crop.isEmpty()) {
            return; // nothing is said of it
        }
        Size input;
        if (resizes) {
            input = resized(size(), crop);
        } else {
            keys.put("fit", "none", "do_resize");
            input = crop.orElseThrow();
        }
        keys.put("height", input.height(), crop.isPresent() ? "crop_size" : "size");
        keys.put("width", input.width(), crop.isPresent() ? "crop_size" : "size");
        keys.put("fill", 0, crop.isPresent() ? "do_center_crop" : "size");
    }

    /** Says how an image is scaled; returns the sides of the model's input. */
    private Size resized(Size size, Optional<Size> crop) throws ModelConfigException {
        boolean hasPart = said.has("crop_pct");
        switch (resizing) {
            case CONVNEXT -> {
                if (!size.isShorter()) {
                    throw keys.refused("size", said.path("size"), "{shortest_edge}");
                }
                Size square = new Size(size.height(), size.height());
                return size.height() < CONVNEXT_WHOLE
                        ? cut(larger(size.height()), Optional.of(square))
                        : stretched(square, Optional.empty());
            }
            case LEVIT -> {
                return size.isShorter()
                        ? cut(keys.side("size", LEVIT_PART * size.height()), crop)
                        : stretched(size, crop);
            }
            case POOLFORMER -> {
                if (hasPart) {
                    return size.isShorter() || size.isSquare()
                            ? cut(larger(size.height()), crop)
                            : stretched(new Size(larger(size.height()), larger(size.width())), crop);
                }
                return size.isShorter() ? cut(size.height(), crop) : stretched(size, crop);
            }
            case PLAIN -> {
                if (hasPart) {
                    keys.refuse("crop_pct", "is supported by the image processors of ConvNext and PoolFormer", "fit");
                }
                return size.isShorter() ? cut(size.height(), crop) : stretched(size, crop);
            }
        }
        throw new IllegalStateException(resizing.name());
    }

    private int larger(int side) throws ModelConfigException {
        JsonNode part = said.path("crop_pct");
        if (!part.isNumber() || !(part.doubleValue() > 0)) {
            throw keys.refused("crop_pct", part, "a number above 0");
        }
        return keys.side("crop_pct", side / part.doubleValue());
    }

    private Size cut(int shorter, Optional<Size> crop) throws ModelConfigException {
        if (crop.isEmpty()) {
            keys.refuse(
                    "size.shortest_edge",
                    "is not supported without do_center_crop: each image would have sides of its own",
                    "fit");
        }
        keys.put("fit", "crop", "size");
        keys.put("shorter-side", shorter, "size");
        return crop.orElseThrow();
    }

    private Size stretched(Size size, Optional<Size> crop) {
        keys.put("fit", "stretch", "size");
        if (crop.isPresent() && !crop.get().equals(size)) {
            keys.put("scaled-height", size.height(), "size");
            keys.put("scaled-width", size.width(), "size");
        }
        return crop.orElse(size);
    }

    private Size size() throws ModelConfigException {
        JsonNode size = said.path("size");
        if (size.isNumber()) {
            int side = keys.side("size", size);
            if (!said.has("default_to_square") && flag("do_center_crop", false)) {
                keys.refuse(
                        "size",
                        "is a number, and image_processor_type is missing, which says what that means; allowed is"
                                + " {height, width} or {shortest_edge}",
                        "fit");
            }
            return flag("default_to_square", true) ? new Size(side, side) : Size.ofShorter(side);
        }
        if (size.has("shortest_edge")) {
            requireOnly("size", size, Set.of("shortest_edge"));
            return Size.ofShorter(keys.side("size.shortest_edge", size.path("shortest_edge")));
        }
        return sides("size", size);
    }

    private Size cropSize() throws ModelConfigException {
        JsonNode size = said.path("crop_size");
        if (size.isNumber()) {
            int side = keys.side("crop_size", size);
            return new Size(side, side);
        }
        return sides("crop_size", size);
    }

    private Size sides(String key, JsonNode size) throws ModelConfigException {
        if (size.isArray() && size.size() == 2) {
            return new Size(keys.side(key, size.path(0)), keys.side(key, size.path(1)));
        }
        if (!size.isObject()) {
            throw keys.refused(
                    key, size, "an integer or {height, width}" + (key.equals("size") ? " or {shortest_edge}" : ""));
        }
        requireOnly(key, size, Set.of("height", "width"));
        return new Size(keys.side(key + ".height", size.path("height")), keys.side(key + ".width", size.path("width")));
    }

    private void requireOnly(String key, JsonNode size, Set<String> allowed) throws ModelConfigException {
        for (Map.Entry<String, JsonNode> entry : size.properties()) {
            if (!allowed.contains(entry.getKey())) {
                keys.refuse(key + "." + entry.getKey(), "is not supported", "fit");
            }
        }
    }

    private void resampling() throws ModelConfigException {
        JsonNode filter = said.path("resample");
        if (filter.isMissingNode()) {
            return;
        }
        boolean isNumber = filter.isIntegralNumber() && filter.intValue() >= 0 && filter.intValue() < FILTERS.size();
        String word = isNumber ? FILTERS.get(filter.intValue()) : filter.asText();
        if (!FILTERS.contains(word)) {
            keys.refuse("resample", "is " + filter + ", allowed are Pillow's filters, 0 to 5", "interpolation");
        }
        keys.put("interpolation", word, "resample");
    }

    private void levels() throws ModelConfigException {
        boolean rescales = flag("do_rescale", true);
        boolean isShifted = rescales && flag("rescale_offset", false);
        if (!rescales) {
            keys.put("scale", 1, "do_rescale");
        } else if (said.has("rescale_factor")) {
            keys.put("scale", number("rescale_factor"), "rescale_factor");
        }
        boolean normalizes = flag("do_normalize", said.has("image_mean") || said.has("image_std"));
        boolean dividesAgain = flag("include_top", false); // as EfficientNet's does for models that end in a classifier
        if (!normalizes && !dividesAgain && !isShifted && !said.has("do_normalize")) {
            return; // nothing is said of it
        }
        double shift = isShifted ? 1 : 0;
        keys.put(
                "mean",
                (normalizes ? colours("image_mean", "mean") : List.of(0.0))
                        .stream().map(mean -> mean + shift).toList(),
                normalizes ? "image_mean" : "do_normalize");
        int divisions = (normalizes ? 1 : 0) + (dividesAgain ? 1 : 0);
        keys.put(
                "std",
                (divisions > 0 ? deviations() : List.of(1.0))
                        .stream()
                                .map(std -> Math.pow(std, Math.max(1, divisions)))
                                .toList(),
                divisions > 0 ? "image_std" : "do_normalize");
    }

    private List<Double> deviations() throws ModelConfigException {
        List<Double> numbers = colours("image_std", "std");
        if (numbers.contains(0.0)) {
            keys.refuse("image_std", "has a 0, by which nothing can be divided", "std");
        }
        return numbers;
    }

    /** A number for each colour, or one for all. */
    private List<Double> colours(String key, String yamlKey) throws ModelConfigException {
        JsonNode value = said.path(key);
        if (keys.areSaid(yamlKey)) {
            return List.of();
        }
        if (value.isNumber()) {
            return List.of(value.doubleValue());
        }
        List<Double> numbers = new ArrayList<>();
        for (JsonNode number : value) {
            numbers.add(number.isNumber() ? number.doubleValue() : Double.NaN);
        }
        if (!value.isArray() || numbers.isEmpty() || numbers.contains(Double.NaN)) {
            throw keys.refused(key, value, "a list of numbers");
        }
        return numbers;
    }

    private double number(String key) throws ModelConfigException {
        if (!Double.isFinite(said.path(key).asDouble(Double.NaN))
                || !said.path(key).isNumber()) {
            throw keys.refused(key, said.path(key), "a number");
        }
        return said.path(key).doubleValue();
    }

    private boolean flag(String key, boolean otherwise) throws ModelConfigException {
        JsonNode value = said.path(key);
        if (!value.isMissingNode() && !value.isBoolean()) {
            throw keys.refused(key, value, "true or false");
        }
        return value.asBoolean(otherwise);
    }
}
