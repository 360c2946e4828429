import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import triton.client.InferInput;
import triton.client.InferRequestedOutput;
import triton.client.InferResult;
import triton.client.InferenceException;
import triton.client.InferenceServerClient;
import triton.client.InferenceServerClient.InferArguments;
import triton.client.pojo.DataType;

/**
 * Triton's own Java client against a service of ours, whose models are the identities of the conformance suite and
 * {@code simple}: {@code java -cp <the client's jar> TritonClient.java localhost:8080}.
 */
public final class TritonClient {
    private static final long[] SHAPE = {1, 3};
    private static final int MANY = 200_000;

    private final InferenceServerClient client;

    private TritonClient(InferenceServerClient client) {
        this.client = client;
    }

    public static void main(String[] arguments) throws Exception {
        try (InferenceServerClient client = new InferenceServerClient(arguments[0], 5_000, 30_000)) {
            client.setRetryCnt(1);
            TritonClient test = new TritonClient(client);
            for (boolean binary : new boolean[] {true, false}) {
                test.everyDatatype(binary);
                test.requestedOutputs(binary);
                test.largeAnswers(binary);
            }
            test.arguments();
            test.errors();
        }
        System.out.println("right");
    }

    private void everyDatatype(boolean binary) throws Exception {
        boolean[] bools = {true, false, true};
        InferInput bool = new InferInput("INPUT0", SHAPE, DataType.BOOL);
        bool.setData(bools, binary);
        check(Arrays.equals(ask("identity_bool", bool, binary).getOutputAsBool("OUTPUT0"), bools), "BOOL");

        byte[] bytes = {Byte.MIN_VALUE, 0, Byte.MAX_VALUE};
        InferInput int8 = new InferInput("INPUT0", SHAPE, DataType.INT8);
        int8.setData(bytes, binary);
        check(Arrays.equals(ask("identity_int8", int8, binary).getOutputAsByte("OUTPUT0"), bytes), "INT8");

        short[] shorts = {Short.MIN_VALUE, 0, Short.MAX_VALUE};
        InferInput int16 = new InferInput("INPUT0", SHAPE, DataType.INT16);
        int16.setData(shorts, binary);
        check(Arrays.equals(ask("identity_int16", int16, binary).getOutputAsShort("OUTPUT0"), shorts), "INT16");

        int[] ints = {Integer.MIN_VALUE, 0, Integer.MAX_VALUE};
        InferInput int32 = new InferInput("INPUT0", SHAPE, DataType.INT32);
        int32.setData(ints, binary);
        check(Arrays.equals(ask("identity_int32", int32, binary).getOutputAsInt("OUTPUT0"), ints), "INT32");

        long[] longs = {Long.MIN_VALUE, 0, Long.MAX_VALUE};
        InferInput int64 = new InferInput("INPUT0", SHAPE, DataType.INT64);
        int64.setData(longs, binary);
        check(Arrays.equals(ask("identity_int64", int64, binary).getOutputAsLong("OUTPUT0"), longs), "INT64");

        float[] floats = {-0.1f, 0, Float.MAX_VALUE};
        InferInput fp32 = new InferInput("INPUT0", SHAPE, DataType.FP32);
        fp32.setData(floats, binary);
        check(Arrays.equals(ask("identity_fp32", fp32, binary).getOutputAsFloat("OUTPUT0"), floats), "FP32");

        double[] doubles = {-0.1, Double.MIN_VALUE, Double.MAX_VALUE};
        InferInput fp64 = new InferInput("INPUT0", SHAPE, DataType.FP64);
        fp64.setData(doubles, binary);
        check(Arrays.equals(ask("identity_fp64", fp64, binary).getOutputAsDouble("OUTPUT0"), doubles), "FP64");
    }

    private InferResult ask(String model, InferInput input, boolean binary) throws Exception {
        InferResult result =
                client.infer(model, List.of(input), List.of(new InferRequestedOutput("OUTPUT0", binary)));
        check(result.getOutputs().equals(List.of("OUTPUT0")), "one output");
        return result;
    }

    /** One input in JSON and one in binary; outputs in the order in which they are named, in either form, or all. */
    private void requestedOutputs(boolean binary) throws Exception {
        List<InferInput> inputs = simple(binary);
        InferResult both = client.infer(
                "simple",
                inputs,
                List.of(new InferRequestedOutput("OUTPUT1", !binary), new InferRequestedOutput("OUTPUT0", binary)));
        check(both.getOutputs().equals(List.of("OUTPUT1", "OUTPUT0")), "order of the outputs");
        check(both.getOutputAsInt("OUTPUT0")[15] == 16, "sum");
        check(both.getOutputAsInt("OUTPUT1")[15] == 14, "difference");

        InferResult all = client.infer("simple", inputs, null);
        check(all.getOutputs().equals(List.of("OUTPUT0", "OUTPUT1")), "all outputs");
        check(all.getOutputAsInt("OUTPUT0")[0] == 1, "sum");
        check(all.getOutputAsLong("NONE") == null, "an output that is not there");
    }

    private static List<InferInput> simple(boolean binary) {
        InferInput input0 = new InferInput("INPUT0", new long[] {1, 16}, DataType.INT32);
        input0.setData(IntStream.range(0, 16).toArray(), binary);
        InferInput input1 = new InferInput("INPUT1", new long[] {1, 16}, DataType.INT32);
        input1.setData(IntStream.generate(() -> 1).limit(16).toArray(), !binary);
        return List.of(input0, input1);
    }

    /**
     * The client reads the JSON part of a binary answer in one call, so that part is made large too: in one form, one
     * output is all of it, in the other it stands before a large tensor.
     */
    private void largeAnswers(boolean binary) throws Exception {
        long[] shape = {1, MANY};
        int[] numbers = IntStream.range(0, MANY).toArray();
        InferInput input0 = new InferInput("INPUT0", shape, DataType.INT32);
        input0.setData(numbers, true);
        InferInput input1 = new InferInput("INPUT1", shape, DataType.INT32);
        input1.setData(numbers, true);

        InferResult result = client.infer(
                "wide",
                List.of(input0, input1),
                List.of(new InferRequestedOutput("OUTPUT0", false), new InferRequestedOutput("OUTPUT1", binary)));

        check(result.getOutputAsInt("OUTPUT0")[MANY - 1] == 2 * (MANY - 1), "the end of a large output in JSON");
        check(result.getOutputAsInt("OUTPUT1").length == MANY, "a large output behind it");
    }

    private void arguments() throws Exception {
        InferResult result = client.infer(new InferArguments("simple", simple(true))
                .setModelVersion("1")
                .setRequestId("seven")
                .setPriority(1)
                .setTimeout(20_000_000)
                .setHeader("X-Of-Mine", "1")
                .addQueryParam("test", "1"));
        check(result.getOutputAsInt("OUTPUT0")[15] == 16, "sum");
    }

    private void errors() throws Exception {
        InferInput input = new InferInput("INPUT0", SHAPE, DataType.FP32);
        input.setData(new float[] {1, 2, 3}, true);
        shown("unknown model", "no-such", input);

        InferInput wrong = new InferInput("INPUT0", new long[] {1, 15}, DataType.INT32);
        wrong.setData(new int[15], true);
        InferInput other = new InferInput("INPUT1", new long[] {1, 16}, DataType.INT32);
        other.setData(new int[16], false);
        shown("wrong shape", "simple", wrong, other);
    }

    /** Prints what a user of the client gets to see. */
    private void shown(String what, String model, InferInput... inputs) {
        try {
            client.infer(model, List.of(inputs), null);
            check(false, what + " was answered");
        } catch (InferenceException refused) {
            System.out.println(what + ": " + refused.getMessage());
        }
    }

    private static void check(boolean right, String what) {
        if (!right) {
            throw new AssertionError(what);
        }
    }
}
