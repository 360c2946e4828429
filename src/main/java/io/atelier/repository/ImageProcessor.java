package io.atelier.repository;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.regex.Pattern;

/**
 * One kind of Hugging Face's image processors: what it does where its file says nothing, in the file's own keys, and what
 * it means by a size. Immutable.
 *
 * @param defaults what the file leaves out
 * @param resizing what becomes of the size
 */
record ImageProcessor(ObjectNode defaults, Resizing resizing) {
    /** The endings under which one processor is known: the older name, the newer, and its fast twin. */
    private static final Pattern ENDING = Pattern.compile("(FeatureExtractor|ImageProcessor)(Fast|Pil)?$");

    private static final double[] STANDARD = {0.5, 0.5, 0.5};
    private static final double[][] HALVES = {STANDARD, STANDARD};
    private static final double[][] IMAGENET = {{0.485, 0.456, 0.406}, {0.229, 0.224, 0.225}};
    private static final double[][] OPENAI = {{0.48145466, 0.4578275, 0.40821073}, {0.26862954, 0.26130258, 0.27577711}
    };
    private static final int NEAREST = 0;
    private static final int BILINEAR = 2;
    private static final int BICUBIC = 3;

    /** Nobody said which it is: what the file leaves out is not known. */
    static final ImageProcessor UNSAID = new ImageProcessor(JsonNodeFactory.instance.objectNode(), Resizing.PLAIN);

    private static final Map<String, ImageProcessor> BY_NAME = Map.ofEntries(
            Map.entry("ViT", sides(224, BILINEAR, HALVES)),
            Map.entry("DeiT", cropped(sides(256, BICUBIC, HALVES), 224)),
            Map.entry("Beit", cropped(sides(256, BICUBIC, HALVES), 224)),
            Map.entry("Siglip", sides(224, BICUBIC, HALVES)),
            Map.entry("Blip", sides(384, BICUBIC, OPENAI)),
            Map.entry("Pvt", sides(224, BILINEAR, IMAGENET)),
            Map.entry("Segformer", sides(512, BILINEAR, IMAGENET)),
            Map.entry("CLIP", cropped(shorter(224, BICUBIC, OPENAI), 224)),
            Map.entry("ChineseCLIP", cropped(shorter(224, BICUBIC, OPENAI), 224)),
            Map.entry("Bit", cropped(shorter(224, BICUBIC, OPENAI), 224)),
            Map.entry("MobileNetV1", cropped(shorter(256, BILINEAR, HALVES), 224)),
            Map.entry("MobileNetV2", cropped(shorter(256, BILINEAR, HALVES), 224)),
            Map.entry("MobileViT", mobileViT()),
            Map.entry("EfficientNet", efficientNet()),
            Map.entry("Levit", cropped(shorter(224, BICUBIC, IMAGENET), 224).with(Resizing.LEVIT)),
            Map.entry(
                    "ConvNext", withPart(shorter(384, BILINEAR, HALVES), 0.875).with(Resizing.CONVNEXT)),
            Map.entry(
                    "PoolFormer",
                    withPart(cropped(shorter(224, BICUBIC, IMAGENET), 224), 0.9).with(Resizing.POOLFORMER)),
            Map.entry("RTDetr", rtDetr()));

    /** The processor of a model whose file does not name one, by {@code model_type} of {@code config.json}. */
    private static final Map<String, String> BY_MODEL_TYPE = Map.ofEntries(
            Map.entry("vit", "ViT"),
            Map.entry("vit_msn", "ViT"),
            Map.entry("vit_mae", "ViT"),
            Map.entry("swin", "ViT"),
            Map.entry("swinv2", "ViT"),
            Map.entry("swiftformer", "ViT"),
            Map.entry("deit", "DeiT"),
            Map.entry("beit", "Beit"),
            Map.entry("data2vec-vision", "Beit"),
            Map.entry("siglip", "Siglip"),
            Map.entry("blip", "Blip"),
            Map.entry("pvt", "Pvt"),
            Map.entry("segformer", "Segformer"),
            Map.entry("clip", "CLIP"),
            Map.entry("chinese_clip", "ChineseCLIP"),
            Map.entry("bit", "Bit"),
            Map.entry("dinov2", "Bit"),
            Map.entry("focalnet", "Bit"),
            Map.entry("hiera", "Bit"),
            Map.entry("mobilenet_v1", "MobileNetV1"),
            Map.entry("mobilenet_v2", "MobileNetV2"),
            Map.entry("mobilevit", "MobileViT"),
            Map.entry("mobilevitv2", "MobileViT"),
            Map.entry("efficientnet", "EfficientNet"),
            Map.entry("levit", "Levit"),
            Map.entry("convnext", "ConvNext"),
            Map.entry("convnextv2", "ConvNext"),
            Map.entry("resnet", "ConvNext"),
            Map.entry("regnet", "ConvNext"),
            Map.entry("cvt", "ConvNext"),
            Map.entry("poolformer", "PoolFormer"),
            Map.entry("rt_detr", "RTDetr"));

    /** What a processor makes of a size, beyond what the size says. */
    enum Resizing {
        /** What it says. */
        PLAIN,
        /** The shorter side is a part of itself larger, 256 for 224, of which the middle stays. */
        LEVIT,
        /** Below 384 the shorter side is larger by {@code crop_pct}, of which the middle stays; from there both sides. */
        CONVNEXT,
        /** Larger by {@code crop_pct}. */
        POOLFORMER
    }

    /** The processor of this class, such as {@code ViTFeatureExtractor}; empty if it is not known. */
    static Optional<ImageProcessor> named(String className) {
        return ENDING.matcher(className).find()
                ? Optional.ofNullable(BY_NAME.get(ENDING.matcher(className).replaceFirst("")))
                : Optional.empty();
    }

    /** That of a type of model; {@link #UNSAID} if the type is not known. */
    static ImageProcessor ofModelType(String type) {
        return Optional.ofNullable(BY_MODEL_TYPE.get(type)).map(BY_NAME::get).orElse(UNSAID);
    }

    /** All classes, for people. */
    static String known() {
        return String.join(", ", new TreeSet<>(BY_NAME.keySet()));
    }

    private ImageProcessor with(Resizing how) {
        return new ImageProcessor(defaults, how);
    }

    private static ImageProcessor sides(int side, int resample, double[][] colours) {
        ImageProcessor processor = of(resample, colours);
        square(processor.defaults, "size", side);
        processor.defaults.put("default_to_square", true);
        return processor;
    }

    private static ImageProcessor shorter(int side, int resample, double[][] colours) {
        ImageProcessor processor = of(resample, colours);
        processor.defaults.putObject("size").put("shortest_edge", side);
        processor.defaults.put("default_to_square", false);
        return processor;
    }

    private static ImageProcessor of(int resample, double[][] colours) {
        ObjectNode defaults = JsonNodeFactory.instance.objectNode();
        defaults.put("do_resize", true).put("resample", resample).put("do_rescale", true);
        defaults.put("do_normalize", true);
        for (double mean : colours[0]) {
            defaults.withArray("image_mean").add(mean);
        }
        for (double deviation : colours[1]) {
            defaults.withArray("image_std").add(deviation);
        }
        return new ImageProcessor(defaults, Resizing.PLAIN);
    }

    private static ImageProcessor cropped(ImageProcessor processor, int side) {
        processor.defaults.put("do_center_crop", true);
        square(processor.defaults, "crop_size", side);
        return processor;
    }

    private static ImageProcessor withPart(ImageProcessor processor, double part) {
        processor.defaults.put("crop_pct", part);
        return processor;
    }

    private static ImageProcessor mobileViT() {
        ImageProcessor processor = cropped(shorter(224, BILINEAR, HALVES), 256);
        processor.defaults.put("do_normalize", false).put("do_flip_channel_order", true);
        return processor;
    }

    private static ImageProcessor efficientNet() {
        ImageProcessor processor = cropped(sides(346, NEAREST, HALVES), 289);
        processor.defaults.put("do_center_crop", false).put("include_top", true);
        return processor;
    }

    private static ImageProcessor rtDetr() {
        ImageProcessor processor = sides(640, BILINEAR, IMAGENET);
        processor.defaults.put("do_normalize", false);
        return processor;
    }

    private static void square(ObjectNode defaults, String key, int side) {
        defaults.putObject(key).put("height", side).put("width", side);
    }
}
