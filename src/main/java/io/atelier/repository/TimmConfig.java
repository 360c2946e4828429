package io.atelier.repository;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;

/**
 * What timm says about a model's images: {@code pretrained_cfg} in {@code config.json}.
 *
 * @see <a href="https://github.com/huggingface/pytorch-image-models/blob/main/timm/data/config.py">timm: config.py</a>
 */
final class TimmConfig {
    private static final String OBJECT = "pretrained_cfg";
    private static final double USUAL_PART = 0.875;
    private static final int USUAL_SIDE = 224;
    private static final List<Double> USUAL_MEAN = List.of(0.485, 0.456, 0.406);
    private static final List<Double> USUAL_STD = List.of(0.229, 0.224, 0.225);
    private static final List<String> FILTERS = List.of("nearest", "box", "bilinear", "hamming", "bicubic", "lanczos");

    private final JsonNode config;
    private final ImageKeys keys;

    private TimmConfig(JsonNode config, ImageKeys keys) {
        this.config = config;
        this.keys = keys;
    }

    /** Whether {@code config.json} is timm's. */
    static boolean isIn(JsonNode config) {
        return config.path(OBJECT).isObject();
    }

    static void read(JsonNode config, ImageKeys keys) throws ModelConfigException {
        TimmConfig timm = new TimmConfig(config.path(OBJECT), keys);
        if (!keys.areSaid("fit")) {
            timm.placing();
        }
        String filter = timm.word("interpolation", "bicubic");
        if (!FILTERS.contains(filter)) {
            keys.refuse(
                    own("interpolation"),
                    "is " + filter + ", allowed are " + String.join(", ", FILTERS),
                    "interpolation");
        } else {
            keys.put("interpolation", filter, own("interpolation"));
        }
        keys.put("mean", timm.numbers("mean", USUAL_MEAN), own("mean"));
        List<Double> std = timm.numbers("std", USUAL_STD);
        if (std.contains(0.0)) {
            keys.refuse(own("std"), "has a 0, by which nothing can be divided", "std");
        }
        keys.put("std", std, own("std"));
    }

    private void placing() throws ModelConfigException {
        JsonNode size = config.path("input_size");
        if (!size.isMissingNode() && !(size.isArray() && size.size() == 3)) {
            throw keys.refused(own("input_size"), size, "a list of channels, height and width");
        }
        int height = size.isMissingNode() ? USUAL_SIDE : keys.side(own("input_size"), size.path(1));
        int width = size.isMissingNode() ? USUAL_SIDE : keys.side(own("input_size"), size.path(2));
        double part = number("crop_pct", USUAL_PART);
        String mode = word("crop_mode", "center");
        int scaledHeight = keys.side(own("crop_pct"), Math.floor(height / part));
        int scaledWidth = keys.side(own("crop_pct"), Math.floor(width / part));
        if (mode.equals("squash")) {
            keys.put("fit", "stretch", own("crop_mode"));
            keys.put("scaled-height", scaledHeight, own("crop_pct"));
            keys.put("scaled-width", scaledWidth, own("crop_pct"));
        } else if (mode.equals("center") && height == width) {
            keys.put("fit", "crop", own("crop_mode"));
            keys.put("shorter-side", scaledHeight, own("crop_pct"));
        } else {
            keys.refuse(
                    own("crop_mode"),
                    "is " + mode + ", supported are squash, and center where height and width are the same",
                    "fit");
        }
        keys.put("height", height, own("input_size"));
        keys.put("width", width, own("input_size"));
        keys.put("fill", 0, own("crop_mode"));
        keys.put("align", "even", own("crop_mode"));
    }

    private String word(String key, String otherwise) throws ModelConfigException {
        JsonNode value = config.path(key);
        if (!value.isMissingNode() && !value.isTextual()) {
            throw keys.refused(own(key), value, "a word");
        }
        return value.asText("").isEmpty() || value.isMissingNode() ? otherwise : value.asText();
    }

    private double number(String key, double otherwise) throws ModelConfigException {
        JsonNode value = config.path(key);
        if (!value.isMissingNode() && !(value.isNumber() && value.doubleValue() > 0)) {
            throw keys.refused(own(key), value, "a number above 0");
        }
        return value.isMissingNode() ? otherwise : value.doubleValue();
    }

    private List<Double> numbers(String key, List<Double> otherwise) throws ModelConfigException {
        JsonNode value = config.path(key);
        if (value.isMissingNode()) {
            return otherwise;
        }
        List<Double> numbers = new ArrayList<>();
        for (JsonNode one : value) {
            if (!one.isNumber()) {
                throw keys.refused(own(key), value, "a list of numbers");
            }
            numbers.add(one.doubleValue());
        }
        if (!value.isArray() || numbers.isEmpty()) {
            throw keys.refused(own(key), value, "a list of numbers");
        }
        return numbers;
    }

    private static String own(String key) {
        return OBJECT + "." + key;
    }
}
