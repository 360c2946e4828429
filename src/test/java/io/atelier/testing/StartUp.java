package io.atelier.testing;

import static org.assertj.core.api.Assertions.assertThat;

import io.quarkus.runtime.StartupEvent;
import jakarta.annotation.Priority;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Singleton;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;

/** Hears the line with which the service says that loading is over, so that a component test need not ask again. */
@Singleton
public class StartUp {
    private static final int BEFORE_THE_SERVICE = 1;
    private static final String SERVICE = "io.atelier.app.Service";
    private static final String LAST_WORDS = "started in";

    private final CountDownLatch over = new CountDownLatch(1);
    private final Logger log = Logger.getLogger(SERVICE);

    void listen(@Observes @Priority(BEFORE_THE_SERVICE) StartupEvent event) {
        log.addHandler(new Handler() {
            @Override
            public void publish(LogRecord line) {
                if (line.getMessage().contains(LAST_WORDS)) {
                    over.countDown();
                }
            }

            @Override
            public void flush() {}

            @Override
            public void close() {}
        });
    }

    /** Returns when every model has been loaded, or has failed to. */
    public void await() throws InterruptedException {
        assertThat(over.await(60, TimeUnit.SECONDS)).as("loading is over").isTrue();
    }
}
