package io.atelier.engine.onnx;

import io.atelier.engine.onnx.DynamicQuantization.UnsupportedException;
import java.nio.ByteBuffer;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Rewrites a dynamically quantised ONNX model so that it quantises each row of a batch (axis 0) by itself, and leaves
 * padding out of account. As exported, such a model measures one range over the whole tensor, so that an answer
 * depends on the neighbours in the batch. Pure functions, safe for use by any thread.
 *
 * <p>With activations {@code x} [B,S,K] and weights {@code w} [K,N], each {@code DynamicQuantizeLinear} with its
 * products becomes:
 *
 * <pre>
 * scale, zero  [B]      range over axes 1 and 2 of x, where the mask is not 0
 * q            [B,S,K]  QuantizeLinear(x, scale, zero), axis 0
 * y            [B,S,N]  MatMulIntegerToFloat(q - 128, w)
 * result       [B,S,N]  (y + (128 - zero) * sum of w over K) * (scale * scale of w)
 * </pre>
 *
 * <p>The sums stand for whole numbers, which a float holds exactly up to 2^24. All roundings are then those of the
 * model as it was, in their order, and a row gets the very bits that it would get alone. That matters: one bit more
 * or less may move a zero point by one, and the answer by a hundredth. For the same reason the bias is added in a step
 * of its own.
 *
 * @see <a href="https://onnx.ai/onnx/operators/onnx__DynamicQuantizeLinear.html">ONNX: DynamicQuantizeLinear</a>
 * @see <a href="https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md">ONNX Runtime: contributed
 *     operators</a>
 */
public final class PerRowQuantization {
    private PerRowQuantization() {}

    /** What became of a model. */
    public sealed interface Result {}

    /** The model does not quantise as it runs; it can be batched as it is. */
    public record NotNeeded() implements Result {}

    /**
     * The model quantises each row by itself.
     *
     * @param model ONNX bytes, one buffer behind the other; in part views of the model as it was
     */
    public record Rewritten(List<ByteBuffer> model) implements Result {}

    /**
     * The model quantises as it runs, and not in the way that this class can rewrite.
     *
     * @param reason names the node or input at fault
     */
    public record Impossible(String reason) implements Result {}

    /**
     * Rewrites a model if it needs that. Takes axis 0 for the batch and axis 1 for the sequence, as the mask has them.
     *
     * @param model     ONNX bytes from the buffer's start to its limit; read, not changed, not copied
     * @param files     where its weights are that lie in other files
     * @param maskInput name of the model's INT64 input [B,S] that is 1 where a position counts and 0 where it is
     *                  padding
     */
    public static Result rewrite(ByteBuffer model, WeightFiles files, @Nullable String maskInput) {
        try {
            OnnxModel parsed = OnnxModel.parse(model, files);
            if (parsed.allNodes().noneMatch(DynamicQuantization::isIn)) {
                return new NotNeeded();
            }
            List<DynamicQuantization> quantizations = DynamicQuantization.in(parsed);
            String mask = requireMask(parsed, maskInput);
            return new Rewritten(
                    new PerRowRewriting(parsed, mask, quantizations).write().parts());
        } catch (UnsupportedException e) {
            return new Impossible(e.reason());
        } catch (MalformedModelException e) {
            return new Impossible("not an ONNX model: " + e.getMessage());
        }
    }

    private static String requireMask(OnnxModel model, @Nullable String maskInput) throws UnsupportedException {
        if (maskInput == null) {
            throw new UnsupportedException("no mask input is named");
        }
        OnnxValue mask = model.inputs().get(maskInput);
        if (mask == null) {
            throw new UnsupportedException("the mask '" + maskInput + "' is not an input");
        }
        if (mask.elementType() != OnnxTensor.INT64 || mask.rank().orElse(2) != 2) {
            throw new UnsupportedException("the mask '" + maskInput + "' is not INT64 [batch, sequence]");
        }
        return maskInput;
    }
}
