package io.atelier.app;

import io.atelier.testing.SuiteService;
import io.quarkus.test.junit.QuarkusIntegrationTest;
import io.quarkus.test.junit.TestProfile;

/** {@link EnsembleScenarios} as the service is packaged. */
@QuarkusIntegrationTest
@TestProfile(SuiteService.class)
class EnsembleIT extends EnsembleScenarios {}
