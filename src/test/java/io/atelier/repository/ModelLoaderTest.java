package io.atelier.repository;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.atelier.core.DataType;
import io.atelier.core.DeviceId;
import io.atelier.core.ModelId;
import io.atelier.core.ModelSignature;
import io.atelier.core.ServingException;
import io.atelier.core.Shape;
import io.atelier.core.Sharing;
import io.atelier.core.Tensor;
import io.atelier.core.TensorSpec;
import io.atelier.engine.GoldenSample;
import io.atelier.engine.ModelLoadException;
import io.atelier.engine.ModelSource;
import io.atelier.engine.TaskConfig.OfText;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class ModelLoaderTest {
    private static final DeviceId DEVICE = DeviceId.cpu(0);
    private static final Duration LIMIT = Duration.ofMinutes(1);
    private static final TensorSpec IDS = spec("input_ids", DataType.INT64, -1, -1);
    private static final TensorSpec MASK = spec("attention_mask", DataType.INT64, -1, -1);
    private static final TensorSpec HIDDEN = spec("last_hidden_state", DataType.FP32, -1, -1, 384);
    private static final TensorSpec POOLED = spec("pooled", DataType.FP32, -1, 384);
    private static final ModelSignature TEXT = new ModelSignature(List.of(IDS, MASK), List.of(HIDDEN));
    private static final ModelSignature PICTURES = new ModelSignature(
            List.of(spec("x", DataType.FP32, -1, 3, -1, -1)), List.of(spec("y", DataType.FP32, -1, 2)));
    private static final String TASK = "task: {name: text-embedding}";

    @Test
    void loadsAndWarmsUpAndMeasuresHowLongEachTook() throws Exception {
        StubEngine engine = new StubEngine(TEXT);
        ModelDefinition definition =
                definition("batching: {max-batch-size: 1, padding: {values: {attention_mask: 0}}}");

        LoadedModel loaded =
                new ModelLoader(engine, LIMIT, engine.ticker()).load(definition, DEVICE, 1, 2, Supplier::get);

        assertThat(engine.loads)
                .containsExactly(new ModelSource(
                        definition.id(),
                        definition.file(),
                        definition.config().batching().padding(),
                        2));
        assertThat(engine.runs).hasSize(3).allSatisfy(run -> {
            assertThat(run.outputs()).containsExactly("last_hidden_state");
            assertThat(run.requests()).singleElement().hasToString("[input_ids:INT64[1,8], attention_mask:INT64[1,8]]");
        });
        assertThat(loaded.definition()).isSameAs(definition);
        assertThat(loaded.loadTime()).isEqualTo(StubEngine.LOAD_TIME);
        assertThat(loaded.warmUpTime()).isEqualTo(StubEngine.RUN_TIME.multipliedBy(3));
        assertThat(engine.closed).isZero();
        loaded.instance().close();
        assertThat(engine.closed).isEqualTo(1);
    }

    @Test
    void doesNotTryToShareWhatTheEngineCannot() throws Exception {
        StubEngine engine = new StubEngine(TEXT);
        engine.canBatch = false;

        LoadedModel loaded = load(engine, "", 16);

        assertThat(loaded.sharing()).isEqualTo(Sharing.none("the stub does not"));
        assertThat(engine.runs).extracting(run -> run.requests().size()).containsExactly(1, 1, 1);
    }

    @Test
    void warmsUpWithOnesInTheMask() throws Exception {
        StubEngine engine = new StubEngine(TEXT);

        load(engine, "batching: {padding: {values: {attention_mask: 0}, mask: attention_mask}}", 1);
        load(engine, TASK, 1);

        assertThat(engine.runs)
                .hasSize(7)
                .allSatisfy(
                        run -> assertThat(numbers(run.requests().get(0).get(1))).containsOnly(1));
    }

    @Test
    void recordsTheAnswerOfTheWarmModelAsItsGoldenSample() throws Exception {
        StubEngine engine = new StubEngine(TEXT);

        LoadedModel loaded =
                new ModelLoader(engine, LIMIT, engine.ticker()).load(definition(""), DEVICE, 16, 2, Supplier::get);

        GoldenSample golden = Objects.requireNonNull(loaded.golden());
        assertThat(golden.expected()).hasToString("[last_hidden_state:FP32[1,1]]");
        assertThat(golden.isAnsweredBy(golden.expected())).isTrue();
    }

    @ParameterizedTest
    @CsvSource({
        "BOOL, 01",
        "UINT8, 01",
        "INT8, 01",
        "UINT16, 0100",
        "INT16, 0100",
        "UINT32, 01000000",
        "INT32, 01000000",
        "UINT64, 0100000000000000",
        "INT64, 0100000000000000",
        "FP16, 003c",
        "BF16, 803f",
        "FP32, 0000803f",
        "FP64, 000000000000f03f"
    })
    void writesTheOnesOfAMaskInItsType(DataType type, String element) throws Exception {
        StubEngine engine = new StubEngine(
                new ModelSignature(List.of(spec("mask", type, -1, -1)), List.of(spec("y", DataType.FP32, -1))));

        load(engine, "batching: {padding: {values: {mask: 0}, mask: mask}}", 1);

        ByteBuffer data = engine.runs.get(0).requests().get(0).get(0).data();
        StringBuilder hex = new StringBuilder();
        while (data.hasRemaining()) {
            hex.append("%02x".formatted(data.get()));
        }
        assertThat(hex.toString()).isEqualTo(element.repeat(8));
    }

    @ParameterizedTest
    @EnumSource(DataType.class)
    void makesInputsOfEveryTypeAndFixedShape(DataType type) throws Exception {
        StubEngine engine =
                new StubEngine(new ModelSignature(List.of(spec("x", type, 2, -1, 3), spec("scalar", type)), List.of()));

        load(engine, "", 1);

        assertThat(engine.runs.get(0).requests().get(0)).hasToString("[x:" + type + "[2,8,3], scalar:" + type + "[]]");
    }

    @Test
    void servesAModelWhoseInputsAreTooLargeToMakeUp() throws Exception {
        StubEngine engine =
                new StubEngine(new ModelSignature(List.of(spec("x", DataType.FP32, -1, 1L << 30)), List.of()));

        LoadedModel loaded = load(engine, "", 1);

        assertThat(loaded.warning()).get().asString().endsWith("the input x is too large: FP32[1,1073741824]");
        assertThat(loaded.golden()).isNull();
    }

    @Test
    void servesAModelThatTakesNoMadeUpInputOneRequestAtATime() throws Exception {
        StubEngine engine = new StubEngine(TEXT);
        engine.answer = batch -> {
            throw new IllegalStateException("no such token");
        };

        LoadedModel loaded = load(engine, "", 16);

        assertThat(loaded.warning())
                .get()
                .asString()
                .startsWith("not warmed up: ")
                .endsWith("tried: no such token");
        assertThat(loaded.sharing()).isEqualTo(Sharing.none("not shown: no inputs are known that the model takes"));
        assertThat(loaded.golden()).isNull();
    }

    @Test
    void warmsUpWithTheFirstMadeUpInputsThatTheModelTakes() throws Exception {
        StubEngine engine = new StubEngine(PICTURES);
        engine.answer = batch -> batch.requests().get(0).get(0).shape().dimension(2) == 32
                ? StubEngine.oneNumberForEachOutput(batch)
                : CompletableFuture.failedStage(new ServingException.EngineFailure("too small", null));

        LoadedModel loaded = load(engine, "", 1);

        assertThat(loaded.warning()).isEmpty();
        assertThat(Objects.requireNonNull(loaded.golden()).inputs()).hasToString("[x:FP32[1,3,32,32]]");
    }

    @Test
    void runsOneRequestAtATimeWhereTheLargestBatchFails() throws Exception {
        StubEngine engine = new StubEngine(TEXT);
        engine.answer = batch -> batch.requests().size() < 32
                ? StubEngine.oneNumberForEachOutput(batch)
                : CompletableFuture.failedStage(new ServingException.EngineFailure("out of device memory", null));

        assertThat(load(engine, "", 32).sharing()).isEqualTo(Sharing.none("with 32 rows: out of device memory"));
    }

    @Test
    void endsAWarmUpThatTakesTooLongByTheEnginesOwnMeans() throws Exception {
        StubEngine engine = new StubEngine(TEXT);
        engine.answer = batch -> batch.abandoned().thenApply(over -> {
            throw new CancellationException();
        });

        LoadedModel loaded = new ModelLoader(engine, Duration.ofMillis(1), engine.ticker())
                .load(definition(""), DEVICE, 16, 1, Supplier::get);

        assertThat(loaded.warning()).get().asString().contains("of 1 tried: it was ended after");
        assertThat(engine.runs).hasSize(1);
    }

    @Test
    void closesAModelThatBreaksWithAnError() {
        StubEngine engine = new StubEngine(TEXT);
        engine.answer = batch -> {
            throw new UnsatisfiedLinkError("gone");
        };

        assertThatThrownBy(() -> load(engine, "", 1)).isInstanceOf(UnsatisfiedLinkError.class);
        assertThat(engine.closed).isEqualTo(1);
    }

    @Test
    void doesNotTakeAnAnswerWithoutEveryOutputForOne() throws Exception {
        StubEngine engine = new StubEngine(TEXT);
        engine.answer = batch -> CompletableFuture.completedStage(List.of(List.of()));

        assertThat(load(engine, "", 1).warning())
                .get()
                .asString()
                .endsWith("it did not give every output of every request");
    }

    @Test
    void waitsForTheRunThatHasNotReturnedThoughInterrupted() throws Exception {
        StubEngine engine = new StubEngine(TEXT);
        CompletableFuture<List<List<Tensor>>> answer = new CompletableFuture<>();
        CountDownLatch running = new CountDownLatch(1);
        engine.answer = batch -> {
            running.countDown();
            return answer;
        };
        FutureTask<LoadedModel> load = new FutureTask<>(() -> {
            LoadedModel loaded = load(engine, "", 1);
            assertThat(Thread.interrupted()).isTrue();
            return loaded;
        });
        Thread loader = new Thread(load, "loader");
        loader.start();
        running.await();

        loader.interrupt();
        assertThat(engine.closed).isZero();
        answer.complete(List.of(List.of(tensor("last_hidden_state"))));

        assertThat(load.get(10, TimeUnit.SECONDS).instance()).isNotNull();
        assertThat(engine.closed).isZero();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{ids: 0} | padding.values.ids: the model has no such input, it has input_ids, attention_mask, flags, image",
                "{image: 0} | padding.values.image: the input is FP32[-1,3] and has no dynamic axis after the first, so there is nothing to pad",
                "{input_ids: 0.5} | padding.values.input_ids: 0.5 is no value of INT64",
                "{flags: 2} | padding.values.flags: 2.0 is no value of BOOL",
                "{attention_mask: 0, gone: 0}, mask: gone | padding.mask: the model has no input gone, it has input_ids, attention_mask, flags, image",
            })
    void refusesPaddingThatDoesNotFit(String values, String reason) {
        StubEngine engine = new StubEngine(new ModelSignature(
                List.of(IDS, MASK, spec("flags", DataType.BOOL, -1, -1), spec("image", DataType.FP32, -1, 3)),
                List.of(HIDDEN)));

        assertRefused(engine, () -> load(engine, "batching: {padding: {values: " + values + "}}", 1), reason);
    }

    @ParameterizedTest
    @CsvSource({
        "INT8, -128, true", "INT8, -129, false", "INT8, 128, false", "UINT8, 255, true", "UINT8, 256, false",
        "UINT8, -1, false", "UINT64, 1e19, true", "INT64, 1e19, false", "FP16, 0.5, true", "BYTES, 0, false"
    })
    void paddingIsAValueOfTheInputsType(DataType type, String value, boolean fits) throws Throwable {
        StubEngine engine = new StubEngine(new ModelSignature(List.of(spec("x", type, -1, -1)), List.of()));
        ThrowingCallable load = () -> load(engine, "batching: {padding: {values: {x: " + value + "}}}", 1);

        if (fits) {
            load.call();
        } else {
            assertRefused(engine, load, "padding.values.x: " + Double.valueOf(value) + " is no value of " + type);
        }
    }

    @Test
    void takesTheOnlyOutputThatFitsATask() throws Exception {
        StubEngine engine =
                new StubEngine(new ModelSignature(List.of(IDS), List.of(spec("ids", DataType.INT64, -1, -1), POOLED)));

        assertThat(load(engine, TASK, 1).instance()).isNotNull();
    }

    @Test
    void takesTheOutputThatTheTaskNames() throws Exception {
        StubEngine engine = new StubEngine(new ModelSignature(List.of(IDS), List.of(HIDDEN, POOLED)));

        assertThat(load(engine, "task: {name: text-embedding, output: pooled}", 1)
                        .instance())
                .isNotNull();
    }

    @Test
    void cutsTextsAtTheLengthThatTheModelBears() throws Exception {
        for (int room : List.of(8, 9, 77, 511, 512)) {
            StubEngine engine = engineWithRoomFor(room);

            LoadedModel loaded = load(engine, TASK, 1);

            assertThat(maxTokens(loaded)).as("room for " + room).isEqualTo(room);
            assertThat(engine.runs).as("runs for room for " + room).hasSizeLessThan(20);
        }
    }

    @Test
    void tellsOfTextsThatItsOwnerWantedLonger() throws Exception {
        LoadedModel loaded = load(engineWithRoomFor(100), "task: {name: text-embedding, max-tokens: 8192}", 1);

        assertThat(loaded.definition().inferred())
                .containsEntry("task.max-tokens", "100 (the model bears no more, asked for are 8192)");
    }

    @Test
    void readsLongTextsWhereTheModelBearsThem() throws Exception {
        LoadedModel loaded = load(new StubEngine(TEXT), "task: {name: text-embedding, max-tokens: 8192}", 1);

        assertThat(maxTokens(loaded)).isEqualTo(8192);
    }

    private static StubEngine engineWithRoomFor(int tokens) {
        StubEngine engine = new StubEngine(TEXT);
        engine.answer = batch -> batch.requests().get(0).get(0).shape().dimension(1) <= tokens
                ? StubEngine.oneNumberForEachOutput(batch)
                : CompletableFuture.failedStage(new ServingException.EngineFailure("no such position", null));
        return engine;
    }

    private static int maxTokens(LoadedModel loaded) {
        return ((OfText) loaded.definition().config().task().orElseThrow())
                .text()
                .maxTokens();
    }

    @Test
    void refusesATaskThatTheModelCannotDo() {
        assertTaskRefused(
                new ModelSignature(List.of(MASK), List.of(HIDDEN)),
                TASK,
                "the model has no input input_ids, it has attention_mask");
        assertTaskRefused(
                new ModelSignature(List.of(IDS, spec("image", DataType.FP32, -1, 3)), List.of(HIDDEN)),
                TASK,
                "the input image cannot be made from a text, allowed are input_ids, attention_mask and token_type_ids");
        assertTaskRefused(
                new ModelSignature(List.of(spec("input_ids", DataType.FP32, -1, -1)), List.of(HIDDEN)),
                TASK,
                "the input input_ids is FP32[-1,-1], allowed is INT64 or INT32 [batch,sequence] with a dynamic sequence");
        assertTaskRefused(
                new ModelSignature(List.of(spec("input_ids", DataType.INT64, -1, 128)), List.of(HIDDEN)),
                TASK,
                "the input input_ids is INT64[-1,128], allowed is INT64 or INT32 [batch,sequence] with a dynamic sequence");
        assertTaskRefused(
                new ModelSignature(List.of(IDS), List.of(spec("hidden", DataType.FP32, -1, -1, 384), POOLED)),
                TASK,
                "several outputs fit, name one as task.output: hidden, pooled");
        assertTaskRefused(
                new ModelSignature(List.of(IDS), List.of(spec("y", DataType.INT8, -1, 384))),
                TASK,
                "no output fits: y INT8[-1,384], allowed is [batch,sequence,d] or [batch,d] of FP16, BF16, FP32, FP64");
        assertTaskRefused(
                new ModelSignature(List.of(IDS), List.of(HIDDEN, spec("y", DataType.FP32, -1))),
                "task: {name: text-embedding, output: y}",
                "the output y is FP32[-1], allowed is [batch,sequence,d] or [batch,d] of FP16, BF16, FP32, FP64");
        assertTaskRefused(
                TEXT,
                "task: {name: text-embedding, output: pooled}",
                "the model has no output pooled, it has last_hidden_state");
    }

    @Test
    void warmsUpWithAnImageOfTheTasksSize() throws Exception {
        StubEngine engine = new StubEngine(PICTURES);

        load(engine, "task: {name: image-classification, image: {height: 48, width: 192}}", 1);

        assertThat(engine.runs)
                .isNotEmpty()
                .allSatisfy(run -> assertThat(run.requests()).hasToString("[[x:FP32[1,3,48,192]]]"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "FP32 | -1,3,224,224 | {layout: nhwc} | the input x is FP32[-1,3,224,224] with 224 channels, allowed are 1 or 3",
                "FP32 | -1,3,224,224 | {width: 192} | task.image.width is 192, the input x is FP32[-1,3,224,224]",
                "FP32 | -1,3,224,224 | {mean: [0.5, 0.5]} | task.image.mean has 2 numbers, the model has 3 channels",
                "FP32 | -1,3,224,224 | {std: [1, 2]} | task.image.std has 2 numbers, the model has 3 channels",
                "FP32 | -1,4,224,224 | {} | the input x is FP32[-1,4,224,224] with 4 channels, allowed are 1 or 3",
                "FP32 | -1,3,224 | {} | the input x is FP32[-1,3,224], allowed is [batch,channels,height,width] or [batch,height,width,channels] of UINT8, FP16, BF16, FP32, FP64",
                "INT64 | -1,3,224,224 | {} | the input x is INT64[-1,3,224,224], allowed is [batch,channels,height,width] or [batch,height,width,channels] of UINT8, FP16, BF16, FP32, FP64",
            })
    void refusesAnImageThatTheModelDoesNotTake(DataType type, String shape, String image, String reason) {
        long[] dimensions =
                Stream.of(shape.split(",", -1)).mapToLong(Long::parseLong).toArray();
        StubEngine engine = new StubEngine(
                new ModelSignature(List.of(spec("x", type, dimensions)), List.of(spec("y", DataType.FP32, -1, 2))));

        assertRefused(
                engine,
                () -> load(engine, "task: {name: image-classification, image: " + image + "}", 1),
                "task image-classification: " + reason);
    }

    @Test
    void refusesOutputsThatAreNoBoxes() {
        StubEngine engine = new StubEngine(PICTURES);

        assertRefused(
                engine,
                () -> load(engine, "task: {name: object-detection, format: ssd}", 1),
                "task object-detection: 0 outputs could be [batch,boxes,4] of FP16, BF16, FP32, FP64, needed is one; the model has y FP32[-1,2]");
    }

    @Test
    void refusesEmptyBatchesBeforeItLoads() {
        StubEngine engine = new StubEngine(TEXT);

        assertThatThrownBy(() -> new ModelLoader(engine, LIMIT, engine.ticker())
                        .load(definition(""), DEVICE, 0, 1, Supplier::get))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("a batch of 0 rows, 1 executions at once");
        assertThat(engine.loads).isEmpty();
    }

    private static void assertTaskRefused(ModelSignature signature, String yaml, String reason) {
        StubEngine engine = new StubEngine(signature);
        assertRefused(engine, () -> load(engine, yaml, 1), "task text-embedding: " + reason);
    }

    private static void assertRefused(StubEngine engine, ThrowingCallable load, String reason) {
        assertThatThrownBy(load).isInstanceOf(ModelLoadException.class).hasMessage(reason);
        assertThat(engine.loads).hasSize(1);
        assertThat(engine.closed).isEqualTo(1);
    }

    private static LoadedModel load(StubEngine engine, String yaml, int maxBatchSize) throws Exception {
        return new ModelLoader(engine, LIMIT, engine.ticker())
                .load(definition(yaml), DEVICE, maxBatchSize, 1, Supplier::get);
    }

    private static ModelDefinition definition(String yaml) throws ModelConfigException {
        return new ModelDefinition(
                new ModelId("m", "1"),
                Path.of("m", "1", "model.onnx"),
                Path.of("m"),
                ModelYaml.parse(yaml),
                ModelFormat.ONNX);
    }

    private static TensorSpec spec(String name, DataType type, long... shape) {
        return new TensorSpec(name, type, Shape.of(shape));
    }

    private static Tensor tensor(String name) {
        return new Tensor(name, DataType.FP32, Shape.of(1), ByteBuffer.allocate(4));
    }

    private static long[] numbers(Tensor tensor) {
        long[] numbers = new long[tensor.sizeBytes() / Long.BYTES];
        tensor.data().asLongBuffer().get(numbers);
        return numbers;
    }
}
