package io.atelier.app;

import static org.assertj.core.api.Assertions.assertThat;

import io.atelier.core.Ticker;
import io.atelier.serving.InferenceService;
import io.atelier.testing.FakeEngine;
import io.quarkus.test.junit.QuarkusTestProfile;
import jakarta.enterprise.inject.Alternative;
import jakarta.enterprise.inject.Produces;
import jakarta.inject.Singleton;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * The whole service over a {@link FakeEngine}: enabled by a test's profile, it takes the engine's place and listens at
 * the door of the use case, so that a test knows when a request has been taken in.
 */
@Alternative
@Singleton
public class FakeService {
    private final BlockingQueue<CompletableFuture<?>> asked = new LinkedBlockingQueue<>();
    private final List<CompletableFuture<?>> inFlight = new ArrayList<>();
    private int mostInFlight;
    private volatile boolean counting;

    /** Two logical CPU devices of one slot each, and a repository of models that are all the fake engine's. */
    public abstract static class Profile implements QuarkusTestProfile {
        /** Files of the repository, by path. */
        protected abstract Map<String, String> repository();

        protected Map<String, String> settings() {
            return Map.of();
        }

        @Override
        public Set<Class<?>> getEnabledAlternatives() {
            return Set.of(FakeService.class);
        }

        @Override
        public Map<String, String> getConfigOverrides() {
            Map<String, String> overrides = new HashMap<>(settings());
            overrides.put("quarkus.arc.exclude-types", "io.atelier.api.StubInferenceService");
            overrides.put("atelier.devices", "cpu*2");
            overrides.put("atelier.slots", "1");
            overrides.putIfAbsent("atelier.watch.hang-floor", "60S"); // a test that holds a device back means no fault
            overrides.put("atelier.model-repository", write(repository()).toString());
            return overrides;
        }

        private static Path write(Map<String, String> files) {
            try {
                Path root = Files.createTempDirectory("atelier-test-");
                for (Map.Entry<String, String> file : files.entrySet()) {
                    Path path = root.resolve(file.getKey());
                    Files.createDirectories(path.getParent());
                    Files.writeString(path, file.getValue());
                }
                return root;
            } catch (IOException failure) {
                throw new UncheckedIOException(failure);
            }
        }
    }

    @Produces
    @Singleton
    FakeEngine engine() {
        return new FakeEngine();
    }

    @Produces
    @Singleton
    SkippingTicker ticker() {
        return new SkippingTicker();
    }

    /** The machine's clock, which a test can put forward. */
    static final class SkippingTicker implements Ticker {
        private final AtomicLong skipped = new AtomicLong();

        void skip(Duration duration) {
            skipped.addAndGet(duration.toNanos());
        }

        @Override
        public long nanoTime() {
            return System.nanoTime() + skipped.get();
        }
    }

    @Produces
    @Singleton
    InferenceService inference(Service service) {
        InferenceService real = service.inference();
        return (InferenceService) Proxy.newProxyInstance(
                InferenceService.class.getClassLoader(),
                new Class<?>[] {InferenceService.class},
                (proxy, method, arguments) -> {
                    try {
                        Object result = method.invoke(real, arguments);
                        if (result instanceof CompletableFuture<?> answer) {
                            heard(answer);
                        }
                        return result;
                    } catch (InvocationTargetException thrown) {
                        throw thrown.getCause();
                    }
                });
    }

    private void heard(CompletableFuture<?> answer) {
        synchronized (inFlight) {
            inFlight.removeIf(CompletableFuture::isDone);
            inFlight.add(answer);
            mostInFlight = Math.max(mostInFlight, inFlight.size());
        }
        if (!counting) {
            asked.add(answer);
        }
    }

    /** Forgets what was asked before. */
    void forget() {
        asked.clear();
        synchronized (inFlight) {
            mostInFlight = 0;
        }
        counting = false;
    }

    /** From now on questions are counted, not remembered: for a test that asks many. */
    void onlyCount() {
        counting = true;
    }

    /** Most questions that waited for their answer at once. */
    int mostInFlight() {
        synchronized (inFlight) {
            return mostInFlight;
        }
    }

    /** Returns when so many more questions have been taken in. */
    void awaitAsked(int count) throws InterruptedException {
        for (int i = 0; i < count; i++) {
            assertThat(nextAsked()).isNotNull();
        }
    }

    /** The answer-to-be of the next question that was asked and taken in. */
    CompletableFuture<?> nextAsked() throws InterruptedException {
        @Nullable CompletableFuture<?> next = asked.poll(20, TimeUnit.SECONDS);
        if (next == null) {
            throw new AssertionError("no question was asked");
        }
        return next;
    }
}
