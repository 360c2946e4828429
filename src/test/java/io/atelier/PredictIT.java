package io.atelier;

import io.atelier.testing.SuiteService;
import io.quarkus.test.junit.QuarkusIntegrationTest;
import io.quarkus.test.junit.TestProfile;

/** {@link PredictScenarios} as the service is packaged: texts, JSON, and images in PNG and JPEG. */
@QuarkusIntegrationTest
@TestProfile(SuiteService.class)
class PredictIT extends PredictScenarios {}
