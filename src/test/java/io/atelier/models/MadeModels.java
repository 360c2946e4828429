package io.atelier.models;

import static io.atelier.models.MadeModel.Nature.RANDOM;
import static io.atelier.models.MadeModel.Nature.ROWS;
import static io.atelier.models.MadeModel.Nature.WHOLE;

import io.atelier.models.MadeModel.Nature;
import io.atelier.models.MadeModel.Request;
import io.atelier.testing.OnnxModelWriter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;

/**
 * Small models, one kind of trap or of ordinary model each. Axis names are such as exporters write, and often mislead:
 * what is called {@code batch} may hold no rows, and rows may have no name.
 */
final class MadeModels {
    /** More than any service's {@code max-batch-size} by default. */
    private static final int MANY_ROWS = 21;

    /** What the models {@code number-of-a-text} and {@code text-of-a-number} know, in the order of the numbers. */
    static final List<String> NASTY_TEXTS =
            List.of("plain", "\uD83D\uDE00", "a\0b", "\0", "\uD835\uDCB3 and words", "é\uD83D\uDE00ü", "größer");

    private static final long FLOAT = 1;

    private final List<MadeModel> models = new ArrayList<>();

    private MadeModels() {}

    /** All of them; the same each time. */
    static List<MadeModel> all() {
        MadeModels made = new MadeModels();
        made.ordinary();
        made.types();
        made.padded();
        made.rowsElsewhere();
        made.rowsThatSeeEachOther();
        made.outputsThatAreNoRows();
        made.inputsThatAreNoRows();
        made.asOptimumNamesThem();
        made.hardToWarmUp();
        made.oddShapes();
        return List.copyOf(made.models);
    }

    // --- ordinary: rows on axis 0, to be batched

    private void ordinary() {
        add("mlp", ROWS, perceptron("batch", "batch"), rows(8));
        add("mlp-unnamed-axes", ROWS, perceptron("", ""), rows(8));
        add("mlp-axis-of-another-name", ROWS, perceptron("unk__5", "unk__6"), rows(8));
        add(
                "rows-of-any-width",
                ROWS,
                writer().input("x", "FP32", "N", "width")
                        .node("Softmax", List.of("x"), List.of("y"), Map.of("axis", 1L))
                        .output("y", "FP32", "N", "width"),
                random -> List.of(normal(random, "x", rowCount(random), 1 + random.nextInt(6))));
        add(
                "two-inputs",
                ROWS,
                writer().input("a", "FP32", "batch", 4)
                        .input("b", "FP32", "batch", 4)
                        .node("Sub", List.of("a", "b"), List.of("difference"))
                        .node("Mul", List.of("a", "b"), List.of("product"))
                        .output("difference", "FP32", "batch", 4)
                        .output("product", "FP32", "batch", 4),
                random -> {
                    int rows = rowCount(random);
                    return List.of(normal(random, "a", rows, 4), normal(random, "b", rows, 4));
                });
        add(
                "convolution",
                ROWS,
                writer().input("x", "FP32", "N", 3, "H", "W")
                        .floats("k", List.of(4, 3, 3, 3), weights(108, 1))
                        .node("Conv", List.of("x", "k"), List.of("c"), Map.of("pads", List.of(1L, 1L, 1L, 1L)))
                        .node("Relu", List.of("c"), List.of("r"))
                        .node("GlobalAveragePool", List.of("r"), List.of("p"))
                        .node("Flatten", List.of("p"), List.of("y"), Map.of("axis", 1L))
                        .output("y", "FP32", "N", 4),
                random -> {
                    int size = 4 + 4 * random.nextInt(2);
                    return List.of(normal(random, "x", rowCount(random), 3, size, size));
                });
        add(
                "batch-first-attention",
                ROWS,
                attention(false),
                random -> List.of(normal(random, "x", rowCount(random), 1 + random.nextInt(4), 8)));
        add(
                "texts",
                ROWS,
                writer().opset(10)
                        .input("t", "BYTES", "n")
                        .node(
                                "StringNormalizer",
                                List.of("t"),
                                List.of("u"),
                                Map.of("case_change_action", "UPPER", "locale", "C"))
                        .output("u", "BYTES", "n"),
                random -> List.of(words(random, "t", rowCount(random))));
        add(
                "same-texts",
                ROWS,
                writer().input("x", "BYTES", "n")
                        .node("Identity", List.of("x"), List.of("y"))
                        .output("y", "BYTES", "n"),
                random -> List.of(words(random, "x", rowCount(random))));
        add(
                "number-of-a-text",
                WHOLE,
                writer().input("x", "BYTES", "n")
                        .node(
                                "ai.onnx.ml:LabelEncoder",
                                List.of("x"),
                                List.of("y"),
                                Map.of("classes_strings", NASTY_TEXTS))
                        .output("y", "INT64", "n"),
                random -> List.of(words(random, "x", rowCount(random))));
        add(
                "text-of-a-number",
                ROWS,
                writer().input("x", "INT64", "n")
                        .node(
                                "ai.onnx.ml:LabelEncoder",
                                List.of("x"),
                                List.of("y"),
                                Map.of("classes_strings", NASTY_TEXTS))
                        .output("y", "BYTES", "n"),
                random -> List.of(Value.int64s("x", new long[] {3}, 0, 6, random.nextInt(2) * 6L)));
        add(
                "classifier-of-labels",
                ROWS,
                writer().input("X", "FP32", "", 3)
                        .node(
                                "ai.onnx.ml:LinearClassifier",
                                List.of("X"),
                                List.of("label", "probabilities"),
                                Map.of(
                                        "classlabels_strings",
                                        List.of("setosa", "versicolor", "virginica"),
                                        "coefficients",
                                        List.of(1f, 0f, 0f, 0f, 1f, 0f, 0f, 0f, 1f),
                                        "intercepts",
                                        List.of(0f, 0f, 0f),
                                        "post_transform",
                                        "SOFTMAX"))
                        .output("label", "BYTES", "")
                        .output("probabilities", "FP32", "", 3),
                rows("X", 3));
        add(
                "dynamically-quantised",
                ROWS,
                quantised(),
                "batching:\n  padding:\n    values: {x: 0, mask: 0}\n    mask: mask\n",
                MadeModels::masked);
        add(
                "table-that-ends",
                ROWS,
                writer().input("ids", "INT64", "batch", "length")
                        .floats("table", List.of(10, 2), weights(20, 2))
                        .node("Gather", List.of("table", "ids"), List.of("y"))
                        .output("y", "FP32", "batch", "length", 2),
                random -> List.of(ids(random, "ids", random.nextInt(8) == 0 ? 14 : 10, rowCount(random), 3)));
        add(
                "numbers-that-are-none",
                ROWS,
                writer().input("x", "FP32", "batch", 4)
                        .node("Log", List.of("x"), List.of("l"))
                        .node("Div", List.of("x", "l"), List.of("y"))
                        .output("l", "FP32", "batch", 4)
                        .output("y", "FP32", "batch", 4),
                random -> List.of(odd(random, "x", rowCount(random), 4)));
    }

    private void types() {
        for (String type : List.of("FP64", "FP16", "BF16", "INT8", "UINT8", "INT16", "INT32", "BOOL")) {
            int bytes = Value.elementBytes(type);
            add(
                    "type-" + type.toLowerCase(Locale.ROOT),
                    ROWS,
                    writer().input("x", type, "N", 3)
                            .node("Identity", List.of("x"), List.of("y"))
                            .output("y", type, "N", 3),
                    random -> {
                        int rows = rowCount(random);
                        byte[] data = new byte[rows * 3 * bytes];
                        for (int i = 0; i < data.length; i++) { // small numbers of any type, none of which is NaN
                            data[i] = (byte) random.nextInt(2);
                        }
                        return List.of(new Value("x", type, new long[] {rows, 3}, data));
                    });
        }
    }

    // --- sequences of different lengths

    private void padded() {
        String padding = "batching:\n  padding:\n    values: {ids: 0, mask: 0}\n    mask: mask\n";
        Request texts = random -> {
            int rows = rowCount(random);
            int length = 1 + random.nextInt(20);
            return List.of(ids(random, "ids", 30, rows, length), mask(random, "mask", rows, length));
        };
        add("mean-of-what-the-mask-leaves", ROWS, pooling(true), padding, texts);
        add("mean-that-sees-the-padding", WHOLE, pooling(false), padding, texts);
        String plain = "batching:\n  padding:\n    values: {x: 0}\n";
        Request sequences = random -> List.of(normal(random, "x", rowCount(random), 1 + random.nextInt(20), 8));
        add("attention-that-sees-the-padding", WHOLE, attention(true), plain, sequences);
        add(
                "token-by-token",
                ROWS,
                writer().input("x", "FP32", "batch", "length", 8)
                        .floats("w", List.of(8, 3), weights(24, 3))
                        .node("MatMul", List.of("x", "w"), List.of("y"))
                        .output("y", "FP32", "batch", "length", 3),
                plain,
                sequences);
        add(
                "convolution-along-the-length",
                WHOLE,
                writer().input("x", "FP32", "batch", 1, "length")
                        .floats("k", List.of(1, 1, 3), 1, 1, 1)
                        .floats("one", List.of(1), 1)
                        .node("Add", List.of("x", "one"), List.of("o"))
                        .node("Conv", List.of("o", "k"), List.of("y"), Map.of("pads", List.of(1L, 1L)))
                        .output("y", "FP32", "batch", 1, "length"),
                plain,
                random -> List.of(normal(random, "x", rowCount(random), 1, 1 + random.nextInt(20))));
        add(
                "running-sum-along-the-length",
                ROWS,
                writer().input("x", "FP32", "batch", "length", 8)
                        .int64s("axis", List.of(), 1)
                        .node("CumSum", List.of("x", "axis"), List.of("y"))
                        .output("y", "FP32", "batch", "length", 8),
                plain,
                sequences);
        add(
                "count-of-tokens",
                WHOLE,
                writer().input("x", "FP32", "batch", "length", 8)
                        .floats("zero", List.of(), 0)
                        .floats("one", List.of(), 1)
                        .node("Mul", List.of("x", "zero"), List.of("zeros"))
                        .node("Add", List.of("zeros", "one"), List.of("ones"))
                        .node(
                                "ReduceMax",
                                List.of("ones"),
                                List.of("tokens"),
                                Map.of("axes", List.of(2L), "keepdims", 0L))
                        .int64s("axis", List.of(1), 1)
                        .node("ReduceSum", List.of("tokens", "axis"), List.of("y"), Map.of("keepdims", 0L))
                        .output("y", "FP32", "batch"),
                plain,
                sequences);
        add(
                "halved-length-of-the-same-name",
                WHOLE,
                writer().input("x", "FP32", "batch", 2, "length")
                        .node(
                                "MaxPool",
                                List.of("x"),
                                List.of("y"),
                                Map.of("kernel_shape", List.of(2L), "strides", List.of(2L), "ceil_mode", 1L))
                        .output("y", "FP32", "batch", 2, "length"),
                plain,
                random -> List.of(normal(random, "x", rowCount(random), 2, 2 + random.nextInt(19))));
        add(
                "last-token",
                WHOLE,
                writer().input("x", "FP32", "batch", "length", 8)
                        .int64s("last", List.of(), -1)
                        .node("Gather", List.of("x", "last"), List.of("y"), Map.of("axis", 1L))
                        .output("y", "FP32", "batch", 8),
                plain,
                sequences);
        add(
                "reversed-sequence",
                WHOLE,
                backwards(1).input("x", "FP32", "batch", "length", 8).output("y", "FP32", "batch", "length", 8),
                plain,
                sequences);
    }

    // --- axis 0 is time, or whatever

    private void rowsElsewhere() {
        Request series = random -> List.of(normal(random, "x", 1 + random.nextInt(5), 1 + random.nextInt(3), 3));
        add(
                "lstm-time-major",
                WHOLE,
                writer().input("x", "FP32", "seq", "batch", 3)
                        .floats("W", List.of(1, 20, 3), weights(60, 4))
                        .floats("R", List.of(1, 20, 5), weights(100, 5))
                        .int64s("one", List.of(1), 1)
                        .node("LSTM", List.of("x", "W", "R"), List.of("y4"), Map.of("hidden_size", 5L))
                        .node("Squeeze", List.of("y4", "one"), List.of("y"))
                        .output("y", "FP32", "seq", "batch", 5),
                series);
        add(
                "gru-called-batch-first",
                WHOLE,
                writer().input("x", "FP32", "batch", "seq", 3)
                        .floats("W", List.of(1, 15, 3), weights(45, 4))
                        .floats("R", List.of(1, 15, 5), weights(75, 5))
                        .int64s("one", List.of(1), 1)
                        .node("GRU", List.of("x", "W", "R"), List.of("y4"), Map.of("hidden_size", 5L))
                        .node("Squeeze", List.of("y4", "one"), List.of("y"))
                        .output("y", "FP32", "batch", "seq", 5),
                series);
        add(
                "cumsum-time-major",
                WHOLE,
                writer().input("x", "FP32", "seq", "batch", 3)
                        .int64s("axis", List.of(), 0)
                        .node("CumSum", List.of("x", "axis"), List.of("y"))
                        .output("y", "FP32", "seq", "batch", 3),
                series);
        add(
                "state-on-axis-1",
                WHOLE,
                writer().input("x", "FP32", "batch", 4)
                        .input("state", "FP32", 2, "batch", 4)
                        .int64s("zero", List.of(1), 0)
                        .node("Unsqueeze", List.of("x", "zero"), List.of("x3"))
                        .node("Add", List.of("state", "x3"), List.of("next"))
                        .node("ReduceSum", List.of("next", "zero"), List.of("y"), Map.of("keepdims", 0L))
                        .output("y", "FP32", "batch", 4)
                        .output("next", "FP32", 2, "batch", 4),
                random -> {
                    int rows = rowCount(random);
                    return List.of(normal(random, "x", rows, 4), normal(random, "state", 2, rows, 4));
                });
    }

    // --- rows that see each other

    private void rowsThatSeeEachOther() {
        add("softmax-over-rows", WHOLE, same("Softmax", Map.of("axis", 0L)), rows(3));
        add("centred-over-rows", WHOLE, centred(), rows(3));
        add(
                "normalised-over-the-batch",
                WHOLE,
                writer().input("x", "FP32", "batch", 3)
                        .floats("epsilon", List.of(), 1e-3f)
                        .node("ReduceMean", List.of("x"), List.of("mean"), Map.of("axes", List.of(0L)))
                        .node("Sub", List.of("x", "mean"), List.of("d"))
                        .node("Mul", List.of("d", "d"), List.of("dd"))
                        .node("ReduceMean", List.of("dd"), List.of("variance"), Map.of("axes", List.of(0L)))
                        .node("Add", List.of("variance", "epsilon"), List.of("ve"))
                        .node("Sqrt", List.of("ve"), List.of("deviation"))
                        .node("Div", List.of("d", "deviation"), List.of("y"))
                        .output("y", "FP32", "batch", 3),
                rows(3));
        add(
                "scaled-by-the-largest",
                WHOLE,
                writer().input("x", "FP32", "batch", 3)
                        .node("Abs", List.of("x"), List.of("a"))
                        .node("ReduceMax", List.of("a"), List.of("m"), Map.of("keepdims", 0L))
                        .node("Div", List.of("x", "m"), List.of("y"))
                        .output("y", "FP32", "batch", 3),
                rows(3));
        add(
                "quantised-over-the-batch",
                WHOLE,
                writer().input("x", "FP32", "batch", 3)
                        .node("DynamicQuantizeLinear", List.of("x"), List.of("q", "s", "z"))
                        .node("DequantizeLinear", List.of("q", "s", "z"), List.of("y"))
                        .output("y", "FP32", "batch", 3),
                rows(3));
        add(
                "a-touch-of-the-mean",
                WHOLE,
                writer().input("x", "FP32", "batch", 3)
                        .floats("little", List.of(), 2e-3f)
                        .node("ReduceMean", List.of("x"), List.of("mean"), Map.of("axes", List.of(0L)))
                        .node("Mul", List.of("mean", "little"), List.of("touch"))
                        .node("Add", List.of("x", "touch"), List.of("y"))
                        .output("y", "FP32", "batch", 3),
                rows(3));
        add(
                "attention-over-the-rows",
                WHOLE,
                writer().input("x", "FP32", "batch", 3)
                        .node("Transpose", List.of("x"), List.of("t"), Map.of("perm", List.of(1L, 0L)))
                        .node("MatMul", List.of("x", "t"), List.of("s"))
                        .node("Softmax", List.of("s"), List.of("p"), Map.of("axis", 1L))
                        .node("MatMul", List.of("p", "x"), List.of("y"))
                        .output("y", "FP32", "batch", 3),
                rows(3));
        add(
                "batch-norm-in-training",
                WHOLE,
                writer().opset(14)
                        .input("x", "FP32", "batch", 3)
                        .floats("scale", List.of(3), 1, 2, 3)
                        .floats("bias", List.of(3), 0, 1, 0)
                        .floats("mean", List.of(3), 0, 0, 0)
                        .floats("variance", List.of(3), 1, 1, 1)
                        .node(
                                "BatchNormalization",
                                List.of("x", "scale", "bias", "mean", "variance"),
                                List.of("y", "m", "v"),
                                Map.of("training_mode", 1L))
                        .output("y", "FP32", "batch", 3),
                rows(3));
        add(
                "other-way-for-many-rows",
                WHOLE,
                writer().input("x", "FP32", "batch", 3)
                        .int64s("many", List.of(1), 8)
                        .int64s("zero", List.of(1), 0)
                        .node("Shape", List.of("x"), List.of("shape"))
                        .node("Gather", List.of("shape", "zero"), List.of("n"))
                        .node("Greater", List.of("n", "many"), List.of("much"))
                        .node("If", List.of("much"), List.of("y"), ways())
                        .output("y", "FP32", "batch", 3),
                rows(3));
        add("branch-on-the-sum", WHOLE, branch("ReduceSum", 0), rows(3));
        add("branch-on-a-rare-maximum", WHOLE, branch("ReduceMax", 2.5f), rows(3));
        add(
                "rows-backwards",
                WHOLE,
                backwards(0).input("x", "FP32", "batch", 3).output("y", "FP32", "batch", 3),
                rows(3));
        add(
                "difference-to-the-first-row",
                WHOLE,
                writer().input("x", "FP32", "batch", 3)
                        .int64s("zero", List.of(1), 0)
                        .node("Gather", List.of("x", "zero"), List.of("first"))
                        .node("Sub", List.of("x", "first"), List.of("y"))
                        .output("y", "FP32", "batch", 3),
                rows(3));
        add(
                "number-of-the-row",
                WHOLE,
                writer().input("x", "FP32", "batch", 3)
                        .int64s("zero", List.of(), 0)
                        .int64s("one", List.of(), 1)
                        .int64s("ones", List.of(1), 1)
                        .node("Shape", List.of("x"), List.of("shape"))
                        .node("Gather", List.of("shape", "zero"), List.of("n"))
                        .node("Range", List.of("zero", "n", "one"), List.of("i"))
                        .node("Cast", List.of("i"), List.of("f"), Map.of("to", FLOAT))
                        .node("Unsqueeze", List.of("f", "ones"), List.of("column"))
                        .node("Add", List.of("x", "column"), List.of("y"))
                        .output("y", "FP32", "batch", 3),
                rows(3));
        add(
                "share-of-the-rows",
                WHOLE,
                writer().input("x", "FP32", "batch", 3)
                        .int64s("zero", List.of(), 0)
                        .node("Shape", List.of("x"), List.of("shape"))
                        .node("Gather", List.of("shape", "zero"), List.of("n"))
                        .node("Cast", List.of("n"), List.of("f"), Map.of("to", FLOAT))
                        .node("Div", List.of("x", "f"), List.of("y"))
                        .output("y", "FP32", "batch", 3),
                rows(3));
        add(
                "sorted-rows",
                WHOLE,
                writer().input("x", "FP32", "batch", 3)
                        .int64s("zero", List.of(1), 0)
                        .node("Shape", List.of("x"), List.of("shape"))
                        .node("Gather", List.of("shape", "zero"), List.of("n"))
                        .node("TopK", List.of("x", "n"), List.of("y", "rank"), Map.of("axis", 0L))
                        .output("y", "FP32", "batch", 3)
                        .output("rank", "INT64", "batch", 3),
                rows(3));
        add("random", RANDOM, same("RandomUniformLike", Map.of()), rows(3));
    }

    // --- outputs whose axis 0 is not the rows

    private void outputsThatAreNoRows() {
        add(
                "similarity",
                WHOLE,
                writer().input("x", "FP32", "batch", 3)
                        .node("Transpose", List.of("x"), List.of("t"), Map.of("perm", List.of(1L, 0L)))
                        .node("MatMul", List.of("x", "t"), List.of("y"))
                        .output("y", "FP32", "batch", "batch"),
                rows(3));
        add(
                "similarity-of-other-names",
                WHOLE,
                writer().input("x", "FP32", "batch", 3)
                        .node("Transpose", List.of("x"), List.of("t"), Map.of("perm", List.of(1L, 0L)))
                        .node("MatMul", List.of("x", "t"), List.of("y"))
                        .output("y", "FP32", "batch", "others"),
                rows(3));
        add(
                "nonzero",
                WHOLE,
                writer().input("x", "FP32", "N", 4)
                        .node("Relu", List.of("x"), List.of("r"))
                        .node("NonZero", List.of("r"), List.of("nz"))
                        .node("Transpose", List.of("nz"), List.of("y"), Map.of("perm", List.of(1L, 0L)))
                        .output("y", "INT64", "hits", 2),
                rows(4));
        add(
                "nms",
                WHOLE,
                writer().input("boxes", "FP32", "batch", 6, 4)
                        .input("scores", "FP32", "batch", 1, 6)
                        .int64s("most", List.of(1), 10)
                        .floats("overlap", List.of(1), 0.5f)
                        .floats("least", List.of(1), 0.3f)
                        .node(
                                "NonMaxSuppression",
                                List.of("boxes", "scores", "most", "overlap", "least"),
                                List.of("selected"))
                        .output("selected", "INT64", "num_selected", 3),
                random -> {
                    int rows = 1 + random.nextInt(3);
                    return List.of(uniform(random, "boxes", rows, 6, 4), uniform(random, "scores", rows, 1, 6));
                });
        add(
                "rows-that-are-positive",
                WHOLE,
                writer().input("x", "FP32", "batch", 3)
                        .floats("zero", List.of(), 0)
                        .node("ReduceMax", List.of("x"), List.of("m"), Map.of("axes", List.of(1L), "keepdims", 0L))
                        .node("Greater", List.of("m", "zero"), List.of("keep"))
                        .node("Compress", List.of("x", "keep"), List.of("y"), Map.of("axis", 0L))
                        .output("y", "FP32", "batch", 3),
                rows(3));
        add(
                "rows-without-repeats",
                WHOLE,
                writer().input("ids", "INT64", "batch", 1)
                        .node("Unique", List.of("ids"), List.of("y"), Map.of("axis", 0L, "sorted", 0L))
                        .output("y", "INT64", "batch", 1),
                random -> List.of(ids(random, "ids", 6, rowCount(random), 1)));
        add("two-rows-for-each", WHOLE, twice("x", "x"), rows(3));
        add("rows-and-their-mirror", WHOLE, twice("x", "n"), rows(3));
        add(
                "one-row-less",
                WHOLE,
                writer().input("x", "FP32", "points", 3)
                        .int64s("one", List.of(1), 1)
                        .int64s("end", List.of(1), Integer.MAX_VALUE)
                        .int64s("axis", List.of(1), 0)
                        .node("Slice", List.of("x", "one", "end", "axis"), List.of("y"))
                        .output("y", "FP32", "segments", 3),
                rows(3));
        add(
                "pairs-of-rows",
                WHOLE,
                reshaped(writer().input("x", "FP32", "N", 4).output("y", "FP32", "M", 2), -1, 2),
                rows(4));
        add(
                "reshaped-to-one-row",
                WHOLE,
                reshaped(writer().input("x", "FP32", "N", 4).output("y", "FP32", "N2", "K"), 1, -1),
                rows(4));
        add("flat", WHOLE, reshaped(writer().input("x", "FP32", "N", 4).output("y", "FP32", "flat"), -1), rows(4));
        add(
                "scalar-mean",
                WHOLE,
                writer().input("x", "FP32", "N", 3)
                        .node("Neg", List.of("x"), List.of("y"))
                        .node("ReduceMean", List.of("x"), List.of("loss"), Map.of("keepdims", 0L))
                        .output("y", "FP32", "N", 3)
                        .output("loss", "FP32"),
                rows(3));
        add(
                "mean-row-beside-the-rows",
                WHOLE,
                writer().input("x", "FP32", "N", 3)
                        .node("Neg", List.of("x"), List.of("y"))
                        .node("ReduceMean", List.of("x"), List.of("m"), Map.of("axes", List.of(0L)))
                        .output("y", "FP32", "N", 3)
                        .output("m", "FP32", "one", 3),
                rows(3));
        add(
                "one-mean-for-all",
                WHOLE,
                writer().input("x", "FP32", "N", 3)
                        .node("ReduceMean", List.of("x"), List.of("y"), Map.of("axes", List.of(0L)))
                        .output("y", "FP32", "one", 3),
                rows(3));
        add(
                "transposed",
                WHOLE,
                writer().input("x", "FP32", "N", 4)
                        .node("Transpose", List.of("x"), List.of("y"), Map.of("perm", List.of(1L, 0L)))
                        .output("y", "FP32", "F", "N"),
                rows(4));
        add(
                "best-row",
                WHOLE,
                writer().input("x", "FP32", "N", 3)
                        .node("ArgMax", List.of("x"), List.of("y"), Map.of("axis", 0L, "keepdims", 0L))
                        .output("y", "INT64", 3),
                rows(3));
        add(
                "constant-beside-the-rows",
                WHOLE,
                writer().input("x", "FP32", "N", 3)
                        .int64s("c", List.of(2), 1, 2)
                        .node("Neg", List.of("x"), List.of("y"))
                        .node("Identity", List.of("c"), List.of("anchors"))
                        .output("y", "FP32", "N", 3)
                        .output("anchors", "INT64", "anchors"),
                rows(3));
    }

    // --- inputs that are no rows

    private void inputsThatAreNoRows() {
        add(
                "topk",
                WHOLE,
                writer().input("x", "FP32", "N", 5)
                        .input("k", "INT64", 1)
                        .node("TopK", List.of("x", "k"), List.of("v", "i"))
                        .output("v", "FP32", "N", "K")
                        .output("i", "INT64", "N", "K"),
                random -> List.of(normal(random, "x", rowCount(random), 5), ids(random, "k", 5, 1)));
        add(
                "scale-for-all-rows",
                WHOLE,
                writer().input("x", "FP32", "batch", 3)
                        .input("scale", "FP32", 3)
                        .node("Mul", List.of("x", "scale"), List.of("y"))
                        .output("y", "FP32", "batch", 3),
                random -> List.of(normal(random, "x", rowCount(random), 3), normal(random, "scale", 3)));
        add(
                "scale-of-any-length",
                WHOLE,
                writer().input("x", "FP32", "batch", "width")
                        .input("scale", "FP32", "width")
                        .node("Mul", List.of("x", "scale"), List.of("y"))
                        .output("y", "FP32", "batch", "width"),
                random -> {
                    int width = 1 + random.nextInt(4);
                    return List.of(normal(random, "x", rowCount(random), width), normal(random, "scale", width));
                });
        add(
                "scalar-beside-the-rows",
                WHOLE,
                writer().input("x", "FP32", "batch", 3)
                        .input("threshold", "FP32")
                        .node("Max", List.of("x", "threshold"), List.of("y"))
                        .output("y", "FP32", "batch", 3),
                random -> List.of(normal(random, "x", rowCount(random), 3), normal(random, "threshold")));
        add(
                "graph-of-nodes",
                WHOLE,
                writer().input("x", "FP32", "nodes", 3)
                        .input("neighbour", "INT64", "nodes")
                        .node("Gather", List.of("x", "neighbour"), List.of("n"))
                        .node("Add", List.of("x", "n"), List.of("y"))
                        .output("y", "FP32", "nodes", 3),
                random -> {
                    int nodes = rowCount(random);
                    return List.of(normal(random, "x", nodes, 3), ids(random, "neighbour", nodes, nodes));
                });
        add(
                "edges",
                WHOLE,
                writer().input("x", "FP32", "nodes", 3)
                        .input("edges", "INT64", "count", 2)
                        .node("Gather", List.of("x", "edges"), List.of("ends"))
                        .node("ReduceSum", List.of("ends", "one"), List.of("y"), Map.of("keepdims", 0L))
                        .int64s("one", List.of(1), 1)
                        .output("y", "FP32", "count", 3),
                random -> {
                    int nodes = rowCount(random);
                    return List.of(
                            normal(random, "x", nodes, 3), ids(random, "edges", nodes, 1 + random.nextInt(4), 2));
                });
        OnnxModelWriter biased = writer().input("x", "FP32", "N", 3)
                .input("bias", "FP32", 3)
                .node("Add", List.of("x", "bias"), List.of("y"))
                .output("y", "FP32", "N", 3);
        byte[] asked = biased.toBytes();
        models.add(new MadeModel(
                "bias-that-may-be-left-out",
                biased.floats("bias", List.of(3), 10, 20, 30).toBytes(),
                "",
                random -> random.nextBoolean()
                        ? List.of(normal(random, "x", rowCount(random), 3))
                        : List.of(normal(random, "x", rowCount(random), 3), normal(random, "bias", 3)),
                WHOLE,
                asked,
                List.of(Value.floats("bias", new long[] {3}, 10, 20, 30))));
        add(
                "broadcast-rows",
                WHOLE,
                writer().input("a", "FP32", "n", 3)
                        .input("b", "FP32", "m", 3)
                        .node("Add", List.of("a", "b"), List.of("y"))
                        .output("y", "FP32", "k", 3),
                random -> {
                    int rows = rowCount(random);
                    return List.of(
                            normal(random, "a", random.nextBoolean() ? 1 : rows, 3), normal(random, "b", rows, 3));
                });
        add(
                "dictionary-and-queries",
                WHOLE,
                writer().input("queries", "FP32", "batch", 3)
                        .input("keys", "FP32", "batch", 3)
                        .node("Transpose", List.of("keys"), List.of("t"), Map.of("perm", List.of(1L, 0L)))
                        .node("MatMul", List.of("queries", "t"), List.of("s"))
                        .node("Softmax", List.of("s"), List.of("p"), Map.of("axis", 1L))
                        .node("MatMul", List.of("p", "keys"), List.of("y"))
                        .output("y", "FP32", "batch", 3),
                random -> {
                    int rows = rowCount(random);
                    return List.of(normal(random, "queries", rows, 3), normal(random, "keys", rows, 3));
                });
    }

    // --- axes as Hugging Face's optimum names them

    private void asOptimumNamesThem() {
        add(
                "optimum-vision",
                ROWS,
                writer().input("pixel_values", "FP32", "batch_size", "num_channels", "height", "width")
                        .floats("k", List.of(4, 3, 4, 4), weights(192, 6))
                        .node("Conv", List.of("pixel_values", "k"), List.of("c"), Map.of("strides", List.of(4L, 4L)))
                        .node("GlobalAveragePool", List.of("c"), List.of("p"))
                        .node("Flatten", List.of("p"), List.of("logits"), Map.of("axis", 1L))
                        .output("logits", "FP32", "batch_size", 4),
                random -> {
                    int size = 8 + 8 * random.nextInt(2);
                    return List.of(normal(random, "pixel_values", rowCount(random), 3, size, size));
                });
        add("optimum-decoder", WHOLE, decoder(), random -> {
            int rows = rowCount(random);
            int past = random.nextInt(4);
            int length = 1 + random.nextInt(3);
            return List.of(
                    ids(random, "input_ids", 20, rows, length),
                    mask(random, "attention_mask", rows, past + length),
                    normal(random, "past_key_values.0.key", rows, 2, past, 4),
                    normal(random, "past_key_values.0.value", rows, 2, past, 4));
        });
        add(
                "optimum-clip",
                WHOLE,
                writer().input("input_ids", "INT64", "text_batch_size", "sequence_length")
                        .input("pixel_values", "FP32", "image_batch_size", "num_channels", "height", "width")
                        .floats("table", List.of(20, 3), weights(60, 7))
                        .node("Gather", List.of("table", "input_ids"), List.of("e"))
                        .node(
                                "ReduceMean",
                                List.of("e"),
                                List.of("text_embeds"),
                                Map.of("axes", List.of(1L), "keepdims", 0L))
                        .node("GlobalAveragePool", List.of("pixel_values"), List.of("p"))
                        .node("Flatten", List.of("p"), List.of("image_embeds"), Map.of("axis", 1L))
                        .node("Transpose", List.of("text_embeds"), List.of("t"), Map.of("perm", List.of(1L, 0L)))
                        .node("MatMul", List.of("image_embeds", "t"), List.of("logits_per_image"))
                        .node(
                                "Transpose",
                                List.of("logits_per_image"),
                                List.of("logits_per_text"),
                                Map.of("perm", List.of(1L, 0L)))
                        .output("logits_per_image", "FP32", "image_batch_size", "text_batch_size")
                        .output("logits_per_text", "FP32", "text_batch_size", "image_batch_size")
                        .output("text_embeds", "FP32", "text_batch_size", 3)
                        .output("image_embeds", "FP32", "image_batch_size", 3),
                random -> List.of(
                        ids(random, "input_ids", 20, rowCount(random), 1 + random.nextInt(4)),
                        normal(random, "pixel_values", 1 + random.nextInt(3), 3, 4, 4)));
        add(
                "optimum-text-both-axes-batch",
                WHOLE,
                writer().input("input_ids", "INT64", "batch", "batch")
                        .input("attention_mask", "INT64", "batch", "batch")
                        .floats("table", List.of(30, 4), weights(120, 8))
                        .node("Gather", List.of("table", "input_ids"), List.of("e"))
                        .node("Cast", List.of("attention_mask"), List.of("m"), Map.of("to", FLOAT))
                        .int64s("two", List.of(1), 2)
                        .node("Unsqueeze", List.of("m", "two"), List.of("m3"))
                        .node("Mul", List.of("e", "m3"), List.of("last_hidden_state"))
                        .output("last_hidden_state", "FP32", "batch", "batch", 4),
                random -> {
                    int rows = rowCount(random);
                    int length = 2 + random.nextInt(2);
                    return List.of(
                            ids(random, "input_ids", 30, rows, length), mask(random, "attention_mask", rows, length));
                });
    }

    // --- what made-up inputs do not run through

    private void hardToWarmUp() {
        add(
                "images-of-at-least-16",
                ROWS,
                writer().input("x", "FP32", "N", 1, "H", "W")
                        .floats("k", List.of(1, 1, 16, 16), weights(256, 9))
                        .node("Conv", List.of("x", "k"), List.of("y"))
                        .output("y", "FP32", "N", 1, "H2", "W2"),
                random -> List.of(normal(random, "x", 1 + random.nextInt(3), 1, 17, 16 + 2 * random.nextInt(2))));
        add(
                "images-of-multiples-of-32",
                WHOLE,
                writer().input("x", "FP32", "N", 1, "H", "W")
                        .floats("scales", List.of(4), 1, 1, 32, 32)
                        .node(
                                "MaxPool",
                                List.of("x"),
                                List.of("p"),
                                Map.of("kernel_shape", List.of(32L, 32L), "strides", List.of(32L, 32L)))
                        .node("Resize", List.of("p", "", "scales"), List.of("u"), Map.of("mode", "nearest"))
                        .node("Concat", List.of("x", "u"), List.of("y"), Map.of("axis", 1L))
                        .output("y", "FP32", "N", 2, "H", "W"),
                random -> List.of(normal(random, "x", 1 + random.nextInt(2), 1, 32, 32)));
        add(
                "words-from-100",
                WHOLE,
                writer().input("ids", "INT64", "N", "S")
                        .int64s("first", List.of(), 100)
                        .floats("table", List.of(50, 2), weights(100, 10))
                        .node("Sub", List.of("ids", "first"), List.of("i"))
                        .node("Gather", List.of("table", "i"), List.of("y"))
                        .output("y", "FP32", "N", "S", 2),
                random -> {
                    int rows = rowCount(random);
                    long[] ids = random.longs(rows * 3L, 100, 150).toArray();
                    return List.of(Value.int64s("ids", new long[] {rows, 3}, ids));
                });
    }

    // --- scalars, fixed shapes, unknown ranks

    private void oddShapes() {
        add("scalar", WHOLE, negated("FP32"), random -> List.of(normal(random, "x")));
        add("vector", WHOLE, negated("FP32", 3), random -> List.of(normal(random, "x", 3)));
        add("always-one-row", WHOLE, negated("FP32", 1, 3), random -> List.of(normal(random, "x", 1, 3)));
        add("always-four-rows", WHOLE, negated("FP32", 4, 3), random -> List.of(normal(random, "x", 4, 3)));
        add("only-rows", WHOLE, negated("FP32", "batch"), random -> List.of(normal(random, "x", rowCount(random))));
        add(
                "output-of-unknown-rank",
                WHOLE,
                writer().input("x", "FP32", "N", 3)
                        .node("Neg", List.of("x"), List.of("y"))
                        .outputOfAnyShape("y", "FP32"),
                rows(3));
        add(
                "unknown-ranks",
                WHOLE,
                writer().inputOfAnyShape("x", "FP32")
                        .node("Neg", List.of("x"), List.of("y"))
                        .outputOfAnyShape("y", "FP32"),
                random -> List.of(
                        random.nextBoolean()
                                ? normal(random, "x", rowCount(random), 3)
                                : normal(random, "x", 2, 2, 2)));
        add(
                "odd-names",
                ROWS,
                writer().input("serving_default/x:0", "FP32", "unk__5", 3)
                        .node("Neg", List.of("serving_default/x:0"), List.of("ответ"))
                        .output("ответ", "FP32", "unk__6", 3),
                rows("serving_default/x:0", 3));
    }

    // --- parts of models

    private static OnnxModelWriter writer() {
        return new OnnxModelWriter();
    }

    private static OnnxModelWriter perceptron(String rowsIn, String rowsOut) {
        return writer().input("x", "FP32", rowsIn, 8)
                .floats("w1", List.of(8, 16), weights(128, 11))
                .floats("w2", List.of(16, 4), weights(64, 12))
                .node("MatMul", List.of("x", "w1"), List.of("h"))
                .node("Relu", List.of("h"), List.of("r"))
                .node("MatMul", List.of("r", "w2"), List.of("y"))
                .output("y", "FP32", rowsOut, 4);
    }

    private static OnnxModelWriter negated(String type, Object... shape) {
        return writer().input("x", type, shape)
                .node("Neg", List.of("x"), List.of("y"))
                .output("y", type, shape);
    }

    private static OnnxModelWriter same(String operator, Map<String, ?> attributes) {
        return writer().input("x", "FP32", "n", 3)
                .node(operator, List.of("x"), List.of("y"), attributes)
                .output("y", "FP32", "n", 3);
    }

    private static OnnxModelWriter centred() {
        return writer().input("x", "FP32", "points", 3)
                .node("ReduceMean", List.of("x"), List.of("m"), Map.of("axes", List.of(0L)))
                .node("Sub", List.of("x", "m"), List.of("y"))
                .output("y", "FP32", "points", 3);
    }

    /** One way if this of all elements is above a bound, another way if not. */
    private static OnnxModelWriter branch(String reduction, float above) {
        return writer().input("x", "FP32", "batch", 3)
                .floats("bound", List.of(), above)
                .node(reduction, List.of("x"), List.of("all"), Map.of("keepdims", 0L))
                .node("Greater", List.of("all", "bound"), List.of("much"))
                .node("If", List.of("much"), List.of("y"), ways())
                .output("y", "FP32", "batch", 3);
    }

    /** Two ways to go on from x. */
    private static Map<String, OnnxModelWriter> ways() {
        return Map.of(
                "then_branch",
                writer().node("Neg", List.of("x"), List.of("then")).outputOfAnyShape("then", "FP32"),
                "else_branch",
                writer().node("Exp", List.of("x"), List.of("else")).outputOfAnyShape("else", "FP32"));
    }

    private static OnnxModelWriter twice(String first, String second) {
        return writer().input("x", "FP32", "batch", 3)
                .node("Neg", List.of("x"), List.of("n"))
                .node("Concat", List.of(first, second), List.of("y"), Map.of("axis", 0L))
                .output("y", "FP32", "batch2", 3);
    }

    private static OnnxModelWriter backwards(int axis) {
        return writer().int64s("start", List.of(1), -1)
                .int64s("end", List.of(1), Integer.MIN_VALUE)
                .int64s("axis", List.of(1), axis)
                .int64s("step", List.of(1), -1)
                .node("Slice", List.of("x", "start", "end", "axis", "step"), List.of("y"));
    }

    private static OnnxModelWriter reshaped(OnnxModelWriter writer, long... shape) {
        return writer.int64s("shape", List.of(shape.length), shape)
                .node("Reshape", List.of("x", "shape"), List.of("y"));
    }

    /** Tokens that look at each other; without a mask, so at padding too. */
    private static OnnxModelWriter attention(boolean named) {
        return writer().input("x", "FP32", named ? "batch" : "", named ? "length" : "", 8)
                .node("Transpose", List.of("x"), List.of("t"), Map.of("perm", List.of(0L, 2L, 1L)))
                .node("MatMul", List.of("x", "t"), List.of("s"))
                .node("Softmax", List.of("s"), List.of("p"), Map.of("axis", 2L))
                .node("MatMul", List.of("p", "x"), List.of("y"))
                .output("y", "FP32", named ? "batch" : "", named ? "length" : "", 8);
    }

    private static OnnxModelWriter pooling(boolean byMask) {
        OnnxModelWriter writer = writer().input("ids", "INT64", "batch", "length")
                .input("mask", "INT64", "batch", "length")
                .floats("table", List.of(30, 4), weights(120, 13))
                .floats("least", List.of(), 1e-6f)
                .int64s("one", List.of(1), 1)
                .int64s("two", List.of(1), 2)
                .node("Gather", List.of("table", "ids"), List.of("e"))
                .node("Cast", List.of("mask"), List.of("m"), Map.of("to", FLOAT))
                .node("Unsqueeze", List.of("m", "two"), List.of("m3"))
                .node("Mul", List.of("e", "m3"), List.of("em"));
        if (byMask) {
            writer.node("ReduceSum", List.of("em", "one"), List.of("sum"), Map.of("keepdims", 0L))
                    .node("ReduceSum", List.of("m", "one"), List.of("count"))
                    .node("Max", List.of("count", "least"), List.of("some"))
                    .node("Div", List.of("sum", "some"), List.of("y"));
        } else {
            writer.node("ReduceMean", List.of("em"), List.of("y"), Map.of("axes", List.of(1L), "keepdims", 0L));
        }
        return writer.output("y", "FP32", "batch", 4);
    }

    private static OnnxModelWriter quantised() {
        int[] weights = new Random(14).ints(64 * 16, -100, 100).toArray();
        return writer().input("x", "FP32", "batch", "seq", 64)
                .input("mask", "INT64", "batch", "seq")
                .bytes("w", "INT8", List.of(64, 16), weights)
                .floats("ws", List.of(), 0.01f)
                .int64s("two", List.of(1), 2)
                .node("DynamicQuantizeLinear", List.of("x"), List.of("q", "s", "z"))
                .node("MatMulInteger", List.of("q", "w", "z"), List.of("i"))
                .node("Cast", List.of("i"), List.of("f"), Map.of("to", FLOAT))
                .node("Mul", List.of("s", "ws"), List.of("ss"))
                .node("Mul", List.of("f", "ss"), List.of("y0"))
                .node("Cast", List.of("mask"), List.of("mf"), Map.of("to", FLOAT))
                .node("Unsqueeze", List.of("mf", "two"), List.of("m3"))
                .node("Mul", List.of("y0", "m3"), List.of("y"))
                .output("y", "FP32", "batch", "seq", 16);
    }

    private static List<Value> masked(Random random) {
        int length = 1 + random.nextInt(12);
        long[] ones = new long[length];
        Arrays.fill(ones, 1);
        return List.of(normal(random, "x", 1, length, 64), Value.int64s("mask", new long[] {1, length}, ones));
    }

    /** A step of a decoder: keys and values of what came before come in, and go out with those of the new tokens. */
    private static OnnxModelWriter decoder() {
        return writer().input("input_ids", "INT64", "batch_size", "sequence_length")
                .input("attention_mask", "INT64", "batch_size", "past_sequence_length + sequence_length")
                .input("past_key_values.0.key", "FP32", "batch_size", 2, "past_sequence_length", 4)
                .input("past_key_values.0.value", "FP32", "batch_size", 2, "past_sequence_length", 4)
                .floats("table", List.of(20, 8), weights(160, 15))
                .floats("big", List.of(), 1e4f)
                .floats("ones", List.of(), 1)
                .int64s("heads", List.of(4), 0, 0, 2, 4)
                .int64s("joined", List.of(3), 0, 0, 8)
                .int64s("middle", List.of(2), 1, 2)
                .node("Gather", List.of("table", "input_ids"), List.of("e"))
                .node("Reshape", List.of("e", "heads"), List.of("eh"))
                .node("Transpose", List.of("eh"), List.of("q"), Map.of("perm", List.of(0L, 2L, 1L, 3L)))
                .node("Concat", List.of("past_key_values.0.key", "q"), List.of("present.0.key"), Map.of("axis", 2L))
                .node("Concat", List.of("past_key_values.0.value", "q"), List.of("present.0.value"), Map.of("axis", 2L))
                .node("Transpose", List.of("present.0.key"), List.of("kt"), Map.of("perm", List.of(0L, 1L, 3L, 2L)))
                .node("MatMul", List.of("q", "kt"), List.of("s"))
                .node("Cast", List.of("attention_mask"), List.of("m"), Map.of("to", FLOAT))
                .node("Sub", List.of("m", "ones"), List.of("m1"))
                .node("Mul", List.of("m1", "big"), List.of("mb"))
                .node("Unsqueeze", List.of("mb", "middle"), List.of("m4"))
                .node("Add", List.of("s", "m4"), List.of("sm"))
                .node("Softmax", List.of("sm"), List.of("p"), Map.of("axis", 3L))
                .node("MatMul", List.of("p", "present.0.value"), List.of("c"))
                .node("Transpose", List.of("c"), List.of("ct"), Map.of("perm", List.of(0L, 2L, 1L, 3L)))
                .node("Reshape", List.of("ct", "joined"), List.of("logits"))
                .output("logits", "FP32", "batch_size", "sequence_length", 8)
                .output("present.0.key", "FP32", "batch_size", 2, "past_sequence_length + sequence_length", 4)
                .output("present.0.value", "FP32", "batch_size", 2, "past_sequence_length + sequence_length", 4);
    }

    private static float[] weights(int count, long seed) {
        return OnnxModelWriter.weights(count, 1, seed);
    }

    // --- what callers send

    /** Mostly few rows, now and then more than one batch holds. */
    private static int rowCount(Random random) {
        return random.nextInt(16) == 0 ? MANY_ROWS : 1 + random.nextInt(4);
    }

    private static Request rows(int width) {
        return rows("x", width);
    }

    private static Request rows(String name, int width) {
        return random -> List.of(normal(random, name, rowCount(random), width));
    }

    private static Value normal(Random random, String name, int... shape) {
        float[] numbers = new float[elements(shape)];
        for (int i = 0; i < numbers.length; i++) {
            numbers[i] = (float) random.nextGaussian();
        }
        return Value.floats(name, longs(shape), numbers);
    }

    private static Value uniform(Random random, String name, int... shape) {
        float[] numbers = new float[elements(shape)];
        for (int i = 0; i < numbers.length; i++) {
            numbers[i] = random.nextFloat();
        }
        return Value.floats(name, longs(shape), numbers);
    }

    /** With numbers that are none, or too large or too small for most arithmetic. */
    private static Value odd(Random random, String name, int... shape) {
        float[] odd = {
            Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY, -0f, Float.MIN_VALUE, Float.MAX_VALUE
        };
        float[] numbers = new float[elements(shape)];
        for (int i = 0; i < numbers.length; i++) {
            numbers[i] = random.nextInt(4) == 0 ? odd[random.nextInt(odd.length)] : (float) random.nextGaussian();
        }
        return Value.floats(name, longs(shape), numbers);
    }

    private static Value ids(Random random, String name, int below, int... shape) {
        return Value.int64s(
                name, longs(shape), random.longs(elements(shape), 0, below).toArray());
    }

    /** Ones, and in some rows zeros from somewhere on, as a tokenizer gives for texts of different lengths. */
    private static Value mask(Random random, String name, int rows, int length) {
        long[] mask = new long[rows * length];
        for (int row = 0; row < rows; row++) {
            int data = random.nextBoolean() ? length : 1 + random.nextInt(length);
            for (int i = 0; i < data; i++) {
                mask[row * length + i] = 1;
            }
        }
        return Value.int64s(name, new long[] {rows, length}, mask);
    }

    private static Value words(Random random, String name, int count) {
        List<String> pool = List.of("the", "Größe", "", "naïve", "x\ty", "ответ", "a longer text, with commas");
        List<String> words = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            words.add(pool.get(random.nextInt(pool.size())));
        }
        return Value.texts(name, new long[] {count}, words);
    }

    private static int elements(int... shape) {
        int elements = 1;
        for (int size : shape) {
            elements *= size;
        }
        return elements;
    }

    private static long[] longs(int... shape) {
        return Arrays.stream(shape).asLongStream().toArray();
    }

    private void add(String name, Nature nature, OnnxModelWriter model, Request request) {
        add(name, nature, model, "", request);
    }

    private void add(String name, Nature nature, OnnxModelWriter model, String yaml, Request request) {
        byte[] bytes = model.toBytes();
        models.add(new MadeModel(name, bytes, yaml, request, nature, bytes, List.of()));
    }
}
