package io.atelier.engine;

import io.atelier.core.ModelSignature;
import io.atelier.core.TaskKind;
import io.atelier.core.TensorSpec;
import java.util.Collections;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;

/** What a model is for, as its folder says. Immutable. */
public sealed interface TaskConfig {
    TaskKind kind();

    /** A task that reads texts. */
    sealed interface OfText extends TaskConfig permits TextEmbedding, TextClassification {
        String DEFAULT_TOKENIZER = "tokenizer.json";

        /** The input that takes the token ids; the model must have it. */
        String INPUT_IDS = "input_ids";

        /** The input that is 1 where there is a token. */
        String ATTENTION_MASK = "attention_mask";

        /** The input that tells apart the two texts of a pair; 0 here. */
        String TOKEN_TYPE_IDS = "token_type_ids";

        /** The inputs that can be made from a text; a model that asks for any other does not fit. */
        Set<String> INPUTS = Set.of(INPUT_IDS, ATTENTION_MASK, TOKEN_TYPE_IDS);

        TextInput text();

        /** The same with texts that are cut at so many tokens. */
        OfText withMaxTokens(int maxTokens);
    }

    /** A task that reads images. */
    sealed interface OfImage extends TaskConfig permits ImageClassification, ObjectDetection {
        ImageInput image();
    }

    /** A task that names classes. */
    sealed interface OfClasses extends TaskConfig permits TextClassification, ImageClassification, ObjectDetection {
        Labels labels();
    }

    /** A task with one output of a certain form. */
    sealed interface OfOneOutput extends TaskConfig permits TextEmbedding, TextClassification, ImageClassification {
        /** The output to read; empty where the model has only one that fits. */
        Optional<String> output();

        /** The forms that fit, for people. */
        String forms();

        boolean fits(TensorSpec output);

        /** The output named, or the only one that fits; empty if there is none. */
        default Optional<TensorSpec> outputOf(ModelSignature signature) {
            if (output().isPresent()) {
                return signature.output(output().get()).filter(this::fits);
            }
            List<TensorSpec> fitting = fitting(signature);
            return fitting.size() == 1 ? Optional.of(fitting.get(0)) : Optional.empty();
        }

        default List<TensorSpec> fitting(ModelSignature signature) {
            return signature.outputs().stream().filter(this::fits).toList();
        }
    }

    /**
     * Texts become vectors: tokens in, one vector of each text out.
     *
     * @param pooling   how the vectors of the tokens become one, several one behind the other in the order of
     *                  {@link Pooling}; at least one; without effect where the model pools itself
     * @param normalize whether vectors are scaled to length 1
     */
    record TextEmbedding(
            TextInput text, Set<Pooling> pooling, boolean normalize, Prompts prompts, Optional<String> output)
            implements OfText, OfOneOutput {
        /** Of several outputs the first of these is read: the whole pipeline's, then the usual names of hidden states. */
        private static final List<String> USUAL_OUTPUTS =
                List.of("sentence_embedding", "last_hidden_state", "token_embeddings");

        public TextEmbedding {
            if (pooling.isEmpty()) {
                throw new IllegalArgumentException("no pooling makes no vector");
            }
            pooling = Collections.unmodifiableSet(EnumSet.copyOf(pooling));
        }

        @Override
        public TextEmbedding withMaxTokens(int maxTokens) {
            return new TextEmbedding(text.withMaxTokens(maxTokens), pooling, normalize, prompts, output);
        }

        @Override
        public Optional<TensorSpec> outputOf(ModelSignature signature) {
            return OfOneOutput.super
                    .outputOf(signature)
                    .or(() -> output.isPresent()
                            ? Optional.empty()
                            : USUAL_OUTPUTS.stream()
                                    .flatMap(name -> signature.output(name).filter(this::fits).stream())
                                    .findFirst());
        }

        @Override
        public TaskKind kind() {
            return TaskKind.TEXT_EMBEDDING;
        }

        @Override
        public String forms() {
            return "[batch,sequence,d] or [batch,d] of " + Floats.types();
        }

        @Override
        public boolean fits(TensorSpec spec) {
            int rank = spec.shape().rank();
            return Floats.are(spec.dataType()) && (rank == 2 || rank == 3);
        }
    }

    /** Texts get labels: tokens in, one score for each class out. */
    record TextClassification(TextInput text, Labels labels, Scoring scoring, Optional<String> output)
            implements OfText, OfClasses, OfOneOutput {
        @Override
        public TextClassification withMaxTokens(int maxTokens) {
            return new TextClassification(text.withMaxTokens(maxTokens), labels, scoring, output);
        }

        @Override
        public TaskKind kind() {
            return TaskKind.TEXT_CLASSIFICATION;
        }

        @Override
        public String forms() {
            return Scoring.FORMS;
        }

        @Override
        public boolean fits(TensorSpec spec) {
            return Scoring.fits(spec);
        }
    }

    /** Images get labels: pixels in, one score for each class out. */
    record ImageClassification(ImageInput image, Labels labels, Scoring scoring, Optional<String> output)
            implements OfImage, OfClasses, OfOneOutput {
        @Override
        public TaskKind kind() {
            return TaskKind.IMAGE_CLASSIFICATION;
        }

        @Override
        public String forms() {
            return Scoring.FORMS;
        }

        @Override
        public boolean fits(TensorSpec spec) {
            return Scoring.fits(spec);
        }
    }

    /**
     * Things are found in images: pixels in, boxes with scores out.
     *
     * @param threshold  least score of what is found; 0 to 1
     * @param overlap    of two boxes of one label that overlap more (area in common, divided by the area of both), the
     *                   likelier one stays; 0 to 1
     * @param maxObjects most objects in one answer; at least 1
     */
    record ObjectDetection(
            ImageInput image, Labels labels, BoxFormat format, double threshold, double overlap, int maxObjects)
            implements OfImage, OfClasses {
        @Override
        public TaskKind kind() {
            return TaskKind.OBJECT_DETECTION;
        }
    }

    /**
     * How a text becomes tokens.
     *
     * @param tokenizer name of the tokenizer's file in the model's folder
     * @param maxTokens most tokens of one text, special ones included; longer texts are cut; at least 1
     * @param lowerCase whether a text is put into small letters before the tokenizer sees it
     */
    record TextInput(String tokenizer, int maxTokens, boolean lowerCase) {
        public TextInput {
            if (!isFileName(tokenizer)) {
                throw new IllegalArgumentException("tokenizer \"" + tokenizer + "\" is not a file name");
            }
            if (maxTokens < 1) {
                throw new IllegalArgumentException("at most " + maxTokens + " tokens leave nothing to read");
            }
        }

        TextInput withMaxTokens(int most) {
            return new TextInput(tokenizer, most, lowerCase);
        }
    }

    /**
     * What is written before texts, since the model was trained so.
     *
     * @param byName what callers may ask for by name
     * @param usual  before the texts of callers that ask for none; empty for nothing
     */
    record Prompts(Map<String, String> byName, String usual) {
        public static final Prompts NONE = new Prompts(Map.of(), "");

        public Prompts {
            byName = Map.copyOf(byName);
        }
    }

    /** How the vectors of a text's tokens become one, in the order in which Sentence Transformers joins several. */
    enum Pooling {
        /** That of the first token. */
        CLS,
        /** The largest number of any token, in each dimension. */
        MAX,
        /** Their mean. */
        MEAN,
        /** Their sum, divided by the square root of their number. */
        MEAN_SQRT_LEN,
        /** Their mean, in which the first token counts once, the second twice, and so on. */
        WEIGHTEDMEAN,
        /** That of the last token. */
        LASTTOKEN
    }

    /**
     * How the numbers that a model gives its classes become scores.
     *
     * @param activation empty where nobody said: {@link Activation#SIGMOID} of one class, whose softmax would always be
     *                   1, and {@link Activation#SOFTMAX} of more
     * @param topK       most labels in one answer; at least 1
     * @param threshold  labels with a lower score are left out
     */
    record Scoring(Optional<Activation> activation, int topK, double threshold) {
        static final String FORMS = "[batch,classes] of " + Floats.types();

        public Scoring(Activation activation, int topK, double threshold) {
            this(Optional.of(activation), topK, threshold);
        }

        /** Axes of size 1 behind the classes are what a pooling layer leaves. */
        private static boolean fits(TensorSpec spec) {
            return Floats.are(spec.dataType())
                    && spec.shape().rank() >= 2
                    && IntStream.range(2, spec.shape().rank())
                            .allMatch(axis -> spec.shape().dimension(axis) == 1);
        }
    }

    /** What turns a model's numbers into scores. */
    enum Activation {
        /** One label is right: the scores add up to 1. */
        SOFTMAX,
        /** Each label is right or not by itself. */
        SIGMOID,
        /** The model has done it. */
        NONE
    }

    /**
     * Where the names of the classes come from.
     *
     * @param names the names themselves; empty if they stand in a file
     * @param file  a file in the model's folder; empty for the first of the usual names that is there
     */
    record Labels(List<String> names, Optional<String> file) {
        /** Nothing was said. */
        public static final Labels UNSAID = new Labels(List.of(), Optional.empty());

        public Labels {
            names = List.copyOf(names);
        }
    }

    /** How a detector writes boxes. */
    enum BoxFormat {
        /** [batch,boxes,5+classes]: centre, width and height in pixels, objectness, a score for each class. */
        YOLOV5,
        /** [batch,4+classes,boxes]: centre, width and height in pixels, a score for each class. */
        YOLOV8,
        /**
         * [batch,boxes,4] and [batch,boxes,classes]: corners as parts of width and height, a score for each class,
         * of which the first is the background.
         */
        SSD
    }

    /**
     * How an image becomes an input. What is empty is inferred from the model or is the kind's default; see
     * {@link ImageLayout}.
     *
     * @param shorterSide    to what the shorter side is scaled before {@link Fit#CROP} cuts
     * @param scaledWidth    to what the width is scaled before {@link Fit#STRETCH} cuts
     * @param scaledHeight   to what the height is scaled, likewise
     * @param fill           what fills up where the image does not reach; 0 to 255
     * @param align          where the image stands where it does not fit exactly
     * @param antialias      whether shrinking looks at all pixels, as Pillow does, or at the nearest ones, as OpenCV does
     * @param scale          what a pixel of 0 to 255 is multiplied with
     * @param mean           what is subtracted then, for each channel in the model's order, or one number for all
     * @param std            what it is divided by at last, likewise
     * @param maxPixels      most pixels of an image as it is sent
     * @param usual          what a model takes whose own input leaves it open, where nothing else is said
     * @param inferred       keys of {@code task.image} that other files of the folder said, and which of them
     */
    record ImageInput(
            Optional<Integer> width,
            Optional<Integer> height,
            Optional<Layout> layout,
            Channels channels,
            Fit fit,
            Optional<Integer> shorterSide,
            Optional<Integer> scaledWidth,
            Optional<Integer> scaledHeight,
            double fill,
            Align align,
            Interpolation interpolation,
            boolean antialias,
            double scale,
            List<Double> mean,
            List<Double> std,
            int maxPixels,
            ImageSize usual,
            Map<String, String> inferred) {
        /** 4096 by 4096. */
        public static final int DEFAULT_MAX_PIXELS = 1 << 24;

        public static final int MOST_PIXELS = 1 << 28;

        public ImageInput {
            mean = List.copyOf(mean);
            std = List.copyOf(std);
            inferred = Collections.unmodifiableMap(new LinkedHashMap<>(inferred));
        }
    }

    /** One image as numbers. */
    record ImageSize(int channels, int height, int width) {
        /** Of ImageNet's classifiers. */
        public static final ImageSize CLASSIFIED = new ImageSize(3, 224, 224);

        /** Of the YOLO family. */
        public static final ImageSize DETECTED = new ImageSize(3, 640, 640);
    }

    /** In which order the axes of an image stand. */
    enum Layout {
        /** [batch,channels,height,width]. */
        NCHW,
        /** [batch,height,width,channels]. */
        NHWC
    }

    /** In which order the colours stand. */
    enum Channels {
        RGB,
        BGR
    }

    /** How an image of any shape becomes one of the model's. */
    enum Fit {
        /** Scaled until the shorter side fits, and cut in the middle. */
        CROP,
        /** Scaled until all of it fits, and filled up. */
        PAD,
        /** Scaled to both sides, whatever becomes of its shape, and cut in the middle if those are longer. */
        STRETCH,
        /** Not scaled: cut in the middle, or filled up. */
        NONE
    }

    /** Where an image stands on the input that it does not fill, or more than fills. */
    enum Align {
        /** In the middle; of half a pixel the smaller part stands before it. */
        CENTER,
        /** In the middle; half a pixel is cut so that an even number of pixels goes before it, as torchvision does. */
        EVEN,
        /** Top left. */
        START
    }

    /** How pixels are made between pixels: Pillow's filters. */
    enum Interpolation {
        NEAREST,
        BOX,
        BILINEAR,
        HAMMING,
        BICUBIC,
        LANCZOS
    }

    /** Whether this names a file in a folder, and nothing outside of it. */
    static boolean isFileName(String name) {
        return !name.isBlank()
                && !name.equals(".")
                && !name.equals("..")
                && name.chars().noneMatch(c -> c == '/' || c == '\\' || c < ' ');
    }
}
