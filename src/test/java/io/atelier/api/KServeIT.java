package io.atelier.api;

import io.atelier.testing.SuiteService;
import io.quarkus.test.junit.QuarkusIntegrationTest;
import io.quarkus.test.junit.TestProfile;

/** {@link KServeScenarios} as the service is packaged. */
@QuarkusIntegrationTest
@TestProfile(SuiteService.class)
class KServeIT extends KServeScenarios {}
