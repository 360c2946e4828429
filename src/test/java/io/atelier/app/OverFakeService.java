package io.atelier.app;

import io.atelier.testing.FakeEngine;
import io.atelier.testing.ServiceClient;
import io.atelier.testing.StartUp;
import io.restassured.RestAssured;
import jakarta.inject.Inject;
import org.junit.jupiter.api.BeforeEach;

/** A test over real HTTP against the {@link FakeService}, whose models are loaded before each of its methods. */
abstract class OverFakeService {
    @Inject
    StartUp startUp;

    @Inject
    FakeEngine engine;

    @Inject
    FakeService service;

    ServiceClient client;

    @BeforeEach
    void awaitTheModels() throws InterruptedException {
        startUp.await();
        service.forget();
        client = new ServiceClient(RestAssured.port);
    }
}
