package io.atelier.engine.djl.task;

import ai.djl.huggingface.tokenizers.Encoding;
import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import io.atelier.core.DataType;
import io.atelier.core.ModelSignature;
import io.atelier.core.ServingException.InvalidInput;
import io.atelier.core.Shape;
import io.atelier.core.Task;
import io.atelier.core.TaskAnswer;
import io.atelier.core.TaskInput;
import io.atelier.core.Tensor;
import io.atelier.core.TensorSpec;
import io.atelier.engine.TaskConfig.OfText;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongConsumer;

/**
 * Texts to token tensors INT64 or INT32 {@code [rows, tokens]}: {@code input_ids}, and where the model takes them
 * {@code attention_mask} of ones and {@code token_type_ids} of zeros. Texts of the same number of tokens go together, so
 * nothing is padded here. Thread-safe, as the tokenizer's native part is.
 */
final class TextInputs {
    private final HuggingFaceTokenizer tokenizer;
    private final ModelSignature signature;

    TextInputs(HuggingFaceTokenizer tokenizer, ModelSignature signature) {
        this.tokenizer = tokenizer;
        this.signature = signature;
    }

    /** An answer for each row of texts of so many tokens. */
    @FunctionalInterface
    interface Reading {
        List<TaskAnswer> answers(List<Tensor> outputs, int tokens);
    }

    List<Task.Part> parts(List<TaskInput> texts, int maxRows, Reading reading) {
        Encoding[] encoded = tokenizer.batchEncode(
                texts.stream().map(text -> ((TaskInput.Text) text).text()).toList());
        List<Task.Part> parts = new ArrayList<>();
        Map<Integer, List<Integer>> byLength = new LinkedHashMap<>();
        for (int i = 0; i < encoded.length; i++) {
            int length = encoded[i].getIds().length;
            if (length == 0) {
                throw new InvalidInput(
                        texts.size() == 1 ? "the text has no token" : "text %d has no token".formatted(i));
            }
            List<Integer> group = byLength.computeIfAbsent(length, tokens -> new ArrayList<>());
            group.add(i);
            if (group.size() == (signature.hasBatchAxis() ? maxRows : 1)) {
                parts.add(part(group, encoded, length, reading));
                byLength.remove(length);
            }
        }
        byLength.forEach((length, group) -> parts.add(part(group, encoded, length, reading)));
        return parts;
    }

    private Task.Part part(List<Integer> rows, Encoding[] encoded, int tokens, Reading reading) {
        List<long[]> ids = rows.stream().map(row -> encoded[row].getIds()).toList();
        return new Rows(
                rows,
                signature.inputs().stream()
                        .map(spec -> tensor(spec, ids, tokens))
                        .toList(),
                outputs -> reading.answers(outputs, tokens));
    }

    private static Tensor tensor(TensorSpec spec, List<long[]> texts, int tokens) {
        DataType type = spec.dataType();
        ByteBuffer data =
                ByteBuffer.allocateDirect(texts.size() * tokens * type.sizeBytes()).order(ByteOrder.LITTLE_ENDIAN);
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
