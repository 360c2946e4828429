package io.atelier.app;

import static org.assertj.core.api.Assertions.assertThat;

import io.atelier.core.DeviceId;
import io.atelier.core.InferenceRequest;
import io.atelier.core.ModelId;
import io.atelier.core.ServingException.LoadFailed;
import io.atelier.core.ServingListener;
import io.atelier.core.Tensor;
import io.atelier.device.DeviceExecutor;
import io.atelier.device.WatchPolicy;
import io.atelier.metrics.MetricsListener;
import io.atelier.serving.Admission;
import io.atelier.serving.Ensembles;
import io.atelier.serving.InferenceService;
import io.atelier.serving.ModelControl;
import io.atelier.serving.ModelDirectory;
import io.atelier.serving.ModelState;
import io.atelier.serving.ModelState.State;
import io.atelier.serving.ModelStatistics;
import io.atelier.serving.QueuedInferenceService;
import io.atelier.testing.FakeEngine;
import io.atelier.testing.ManualTime;
import io.atelier.testing.OpenGuard;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Loading on two devices of one slot each, at the start and later; the clock is moved by hand. */
@Timeout(60)
class ModelLoadingTest {
    private static final Duration LIMIT = Duration.ofMinutes(10);
    private static final Duration LONG = Duration.ofHours(1);
    private static final DeviceId FIRST = DeviceId.cpu(0);
    private static final DeviceId SECOND = DeviceId.cpu(1);

    @TempDir
    Path repository;

    private final ManualTime time = new ManualTime();
    private final FakeEngine engine = new FakeEngine();
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final ExecutorService loaders = Executors.newCachedThreadPool();
    private final Admission admission = new Admission();
    private final List<DeviceExecutor> devices = List.of(device(FIRST), device(SECOND));
    private final ModelDirectory directory = new ModelDirectory();
    private final InferenceService inference = new QueuedInferenceService(
            directory, devices, admission, false, LONG, threads, time, time, ServingListener.NONE);
    private InitialLoad initialLoad;
    private ModelControl models;

    @BeforeEach
    void compose() throws IOException {
        write("slow/1/model.onnx", "1");
        write("other/1/model.onnx", "1");
        ModelDefaults defaults = new ModelDefaults(4, Duration.ZERO, 100, Duration.ofSeconds(1), LONG);
        ModelFolders folders = new ModelFolders(Optional.of(repository));
        Ensembles ensembles = new Ensembles(directory);
        ModelConfigurations configurations = new ModelConfigurations(directory, ensembles);
        VersionLoader loader = new VersionLoader(defaults, engine, devices, LIMIT, LONG, time);
        ServedVersions served = new ServedVersions(
                defaults,
                devices,
                directory,
                configurations,
                new MetricsListener(new SimpleMeterRegistry(), time),
                new ModelStatistics(time, InstantSource.system()),
                time);
        initialLoad = new InitialLoad(folders, loader, served, directory, ensembles, LONG);
        models = new ChangeableModels(
                folders,
                directory,
                ensembles,
                configurations,
                new ModelReplacement(folders, devices, loader, served, directory, ensembles, LONG),
                served,
                admission,
                threads);
    }

    @AfterEach
    void letGo() {
        engine.letLoad();
        threads.shutdownNow();
        loaders.shutdownNow();
    }

    /** Neither load returns before both have begun. */
    @Test
    void devicesLoadSideBySide() throws Exception {
        engine.holdLoads("slow"::equals);

        CompletableFuture<List<String>> started = initialLoad.begin();

        assertThat(List.of(engine.awaitHeldLoad(), engine.awaitHeldLoad())).containsExactlyInAnyOrder(FIRST, SECOND);
        assertThat(started).isNotDone();
        engine.letLoad();
        assertThat(started.get(20, TimeUnit.SECONDS)).hasSize(2).noneMatch(line -> line.contains("FAILED"));
    }

    @Test
    void aLoadThatHangsAtTheStartKeepsNothingElseFromServing() throws Exception {
        engine.holdLoads("slow"::equals);
        CompletableFuture<List<String>> started = initialLoad.begin();
        engine.awaitHeldLoad();
        engine.awaitHeldLoad();

        time.advance(LIMIT);

        assertThat(started.get(20, TimeUnit.SECONDS)).contains("model slow/1 FAILED: not loaded on cpu:0 within 600 s");
        open();
        assertThat(index())
                .containsExactly(
                        new ModelState("other", "1", State.READY, ""),
                        new ModelState("slow", "1", State.UNAVAILABLE, "not loaded on cpu:0 within 600 s"));
        assertThat(ask("other", 5)).isEqualTo(6);
    }

    @Test
    void aLoadThatHangsLaterIsGivenUpAndWhatServedServesOn() throws Exception {
        initialLoad.begin().get(20, TimeUnit.SECONDS);
        open();
        write("slow/2/model.onnx", "2");
        engine.holdLoads("slow"::equals);
        CompletableFuture<Void> hung = models.load("slow", null);
        engine.awaitHeldLoad();
        engine.awaitHeldLoad();
        CompletableFuture<Void> behind = models.load("other", null);

        time.advance(LIMIT.minusNanos(1));
        assertThat(hung).isNotDone();
        assertThat(behind).as("one load after the other").isNotDone();
        assertThat(ask("slow", 5)).isEqualTo(6);
        time.advance(Duration.ofNanos(1));

        assertThat(hung)
                .failsWithin(Duration.ofSeconds(20))
                .withThrowableThat()
                .havingCause()
                .isInstanceOf(LoadFailed.class)
                .withMessage("failed to load 'slow', version 2: not loaded on cpu:0 within 600 s");
        behind.get(20, TimeUnit.SECONDS);
        assertThat(index())
                .containsExactly(
                        new ModelState("other", "1", State.READY, ""),
                        new ModelState("slow", "1", State.READY, ""),
                        new ModelState("slow", "2", State.UNAVAILABLE, "version 2: not loaded on cpu:0 within 600 s"));
        assertThat(ask("slow", 5)).isEqualTo(6);
    }

    /** Both devices had hung; their next loads run on other threads, and what comes of the old ones is freed. */
    @Test
    void aModelWhoseLoadWasGivenUpCanBeLoadedAgain() throws Exception {
        engine.holdLoads("slow"::equals);
        CompletableFuture<List<String>> started = initialLoad.begin();
        engine.awaitHeldLoad();
        engine.awaitHeldLoad();
        time.advance(LIMIT);
        started.get(20, TimeUnit.SECONDS);
        open();
        int closedBefore = engine.closed();

        engine.holdLoads(model -> false); // but for those that hang already
        models.load("slow", null).get(20, TimeUnit.SECONDS);
        assertThat(ask("slow", 5)).isEqualTo(6);
        assertThat(engine.closed()).isEqualTo(closedBefore);

        engine.letLoad();
        loaders.shutdown();
        assertThat(loaders.awaitTermination(20, TimeUnit.SECONDS)).isTrue();
        assertThat(engine.closed()).isEqualTo(closedBefore + devices.size());
        assertThat(engine.misused()).isZero();
    }

    private void open() {
        devices.forEach(DeviceExecutor::open);
        admission.open();
    }

    private List<ModelState> index() throws Exception {
        return models.index().get(20, TimeUnit.SECONDS);
    }

    private float ask(String model, float number) throws Exception {
        InferenceRequest request =
                new InferenceRequest(null, new ModelId(model, "1"), List.of(FakeEngine.row(number)), List.of("y"), 0);
        Tensor answer = inference
                .infer(request, inference.deadline(LONG))
                .get(20, TimeUnit.SECONDS)
                .outputs()
                .get(0);
        return answer.data().getFloat(0);
    }

    private void write(String path, String text) throws IOException {
        Path file = repository.resolve(path);
        Files.createDirectories(file.getParent());
        Files.writeString(file, text);
    }

    private DeviceExecutor device(DeviceId id) {
        return new DeviceExecutor(
                id,
                1,
                threads,
                loaders,
                new OpenGuard(),
                new WatchPolicy(10, LONG, LONG, Duration.ZERO, LONG),
                threads,
                time,
                time,
                ServingListener.NONE);
    }
}
