package io.atelier.repository;

import io.atelier.core.DataType;
import io.atelier.core.ModelSignature;
import io.atelier.core.Shape;
import io.atelier.core.Tensor;
import io.atelier.core.TensorSpec;
import io.atelier.engine.TaskConfig.OfText;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Finds how many tokens a model bears, by running it: a model has no position for a token behind the last one of its
 * table, and fails there, whatever the files beside it say. One thread, which waits for each run to return.
 */
final class LongestText {
    /** What every model bears that bears anything. */
    private static final int SHORT = 2;

    /** Ids that a vocabulary has, the likeliest first: a token that fills up may take no position. */
    private static final int[] IDS = {3, 2, 1, 0};

    private final ModelSignature signature;
    private final Executions executions;

    LongestText(ModelSignature signature, Executions executions) {
        this.signature = signature;
        this.executions = executions;
    }

    /**
     * The longest text that the model bears, up to {@code wanted} tokens; {@code wanted} itself if it does not even bear a
     * short one, which tells nothing of lengths. Takes one run where the model bears what is wanted, else one for each
     * halving of the range.
     */
    int atMost(int wanted) {
        if (bears(wanted, IDS[0])) {
            return wanted;
        }
        int id = IntStream.of(IDS)
                .filter(one -> bears(Math.min(SHORT, wanted), one))
                .findFirst()
                .orElse(-1);
        if (id < 0 || (id != IDS[0] && bears(wanted, id))) {
            return wanted;
        }
        int least = Math.min(SHORT, wanted);
        int tooLong = wanted;
        while (tooLong - least > 1) {
            int middle = least + (tooLong - least) / 2;
            if (bears(middle, id)) {
                least = middle;
            } else {
                tooLong = middle;
            }
        }
        return least;
    }

    private boolean bears(int tokens, int id) {
        List<Tensor> inputs =
                signature.inputs().stream().map(spec -> input(spec, tokens, id)).toList();
        try {
            executions.answer(inputs);
            return true;
        } catch (Executions.FailedException failed) {
            return executions.isOver(); // then nothing is known
        }
    }

    private static Tensor input(TensorSpec spec, int tokens, int id) {
        long value = switch (spec.name()) {
            case OfText.ATTENTION_MASK -> 1;
            case OfText.TOKEN_TYPE_IDS -> 0;
            default -> id;
        };
        ByteBuffer data = ByteBuffer.allocateDirect(tokens * Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        while (data.hasRemaining()) {
            data.putLong(value);
        }
        return new Tensor(spec.name(), DataType.INT64, Shape.of(1, tokens), data.flip());
    }
}
