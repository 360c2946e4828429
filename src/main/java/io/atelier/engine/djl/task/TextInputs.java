package io.atelier.engine.djl.task;

import ai.djl.huggingface.tokenizers.Encoding;
import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import io.atelier.core.DataType;
import io.atelier.core.ModelSignature;
import io.atelier.core.ServingException.InvalidInput;
import io.atelier.core.Shape;
import io.atelier.core.Task;
import io.atelier.core.TaskAnswer;
import io.atelier.core.Tensor;
import io.atelier.core.TensorSpec;
import io.atelier.engine.TaskConfig.OfText;
import io.atelier.engine.TaskConfig.TextInput;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.LongConsumer;
import java.util.stream.Stream;

/**
 * Texts to token tensors INT64 or INT32 {@code [rows, tokens]}: {@code input_ids}, and where the model takes them
 * {@code attention_mask} of ones and {@code token_type_ids} of zeros. Texts of the same number of tokens go together, so
 * nothing is padded here. Thread-safe, as the tokenizer's native part is.
 */
final class TextInputs {
    private final TextInput input;
    private final HuggingFaceTokenizer tokenizer;
    private final ModelSignature signature;

    TextInputs(TextInput input, HuggingFaceTokenizer tokenizer, ModelSignature signature) {
        this.input = input;
        this.tokenizer = tokenizer;
        this.signature = signature;
    }

    /** An answer for each row of texts of so many tokens. */
    @FunctionalInterface
    interface Reading {
        List<TaskAnswer> answers(List<Tensor> outputs, int tokens);
    }

    List<Task.Part> parts(List<String> texts, int maxRows, Reading reading) {
        for (int i = 0; i < texts.size(); i++) {
            if (hasHalfCharacter(texts.get(i))) {
                throw new InvalidInput(
                        "%s holds half of a surrogate pair, which is no character".formatted(place(i, texts.size())));
            }
        }
        Encoding[] encoded = tokenizer.batchEncode(
                input.lowerCase()
                        ? texts.stream()
                                .map(text -> text.toLowerCase(Locale.ROOT))
                                .toList()
                        : texts);
        List<long[]> ids = Stream.of(encoded).map(this::ids).toList();
        List<Task.Part> parts = new ArrayList<>();
        Map<Integer, List<Integer>> byLength = new LinkedHashMap<>();
        for (int i = 0; i < ids.size(); i++) {
            int length = ids.get(i).length;
            if (length == 0) {
                throw new InvalidInput(place(i, texts.size()) + " has no token");
            }
            List<Integer> group = byLength.computeIfAbsent(length, tokens -> new ArrayList<>());
            group.add(i);
            if (group.size() == (signature.hasBatchAxis() ? maxRows : 1)) {
                parts.add(part(group, ids, length, reading));
                byLength.remove(length);
            }
        }
        byLength.forEach((length, group) -> parts.add(part(group, ids, length, reading)));
        return parts;
    }

    /** The tokenizer cuts nothing where not even the tokens that begin and end a text would be left. */
    private long[] ids(Encoding encoding) {
        long[] ids = encoding.getIds();
        return ids.length <= input.maxTokens() ? ids : Arrays.copyOf(ids, input.maxTokens());
    }

    private static String place(int text, int texts) {
        return texts == 1 ? "the text" : "text " + text;
    }

    /** The tokenizer's native part would read another text in the place of one that is not Unicode. */
    private static boolean hasHalfCharacter(String text) {
        return text.codePoints().anyMatch(c -> c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE);
    }

    private Task.Part part(List<Integer> rows, List<long[]> texts, int tokens, Reading reading) {
        List<long[]> ids = rows.stream().map(texts::get).toList();
        return new Rows(
                rows,
                signature.inputs().stream()
                        .map(spec -> tensor(spec, ids, tokens))
                        .toList(),
                outputs -> reading.answers(outputs, tokens));
    }

    private static Tensor tensor(TensorSpec spec, List<long[]> texts, int tokens) {
        DataType type = spec.dataType();
        ByteBuffer data = ByteBuffer.allocateDirect(texts.size() * tokens * type.sizeBytes())
                .order(ByteOrder.LITTLE_ENDIAN);
        LongConsumer put = type == DataType.INT32 ? id -> data.putInt((int) id) : data::putLong;
        for (long[] ids : texts) {
            switch (spec.name()) {
                case OfText.ATTENTION_MASK -> Arrays.stream(ids).forEach(id -> put.accept(1));
                case OfText.TOKEN_TYPE_IDS -> Arrays.stream(ids).forEach(id -> put.accept(0));
                default -> Arrays.stream(ids).forEach(put);
            }
        }
        return new Tensor(spec.name(), type, Shape.of(texts.size(), tokens), data.flip());
    }
}
