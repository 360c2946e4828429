package io.atelier.device;

import org.jetbrains.lincheck.datastructures.ModelCheckingOptions;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;
import org.jetbrains.lincheck.datastructures.ThreadIdGen;
import org.jetbrains.lincheck.datastructures.Validate;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Permits are never more than their limit, whoever takes them and gives them back, also twice. */
@Tag("concurrency")
@Param(name = "thread", gen = ThreadIdGen.class)
public class PermitsLincheckTest {
    private final Permits permits = new Permits(2);
    private final Permits.@Nullable Permit[] held = new Permits.Permit[8];

    @Operation
    public boolean acquire(@Param(name = "thread") int thread) {
        if (held[thread] != null) {
            return false;
        }
        held[thread] = permits.tryAcquire().orElse(null);
        return held[thread] != null;
    }

    @Operation
    public boolean release(@Param(name = "thread") int thread) {
        Permits.Permit permit = held[thread];
        if (permit == null) {
            return false;
        }
        permit.close();
        permit.close();
        held[thread] = null;
        return true;
    }

    @Operation
    public int free() {
        return permits.free();
    }

    @Validate
    public void whatIsNotHeldIsFree() {
        int taken = 0;
        for (Permits.Permit permit : held) {
            taken += permit == null ? 0 : 1;
        }
        if (permits.free() != permits.limit() - taken) {
            throw new IllegalStateException(permits.free() + " free with " + taken + " held");
        }
    }

    @Test
    void everyInterleavingIsOneInOrder() {
        new ModelCheckingOptions()
                .threads(3)
                .actorsPerThread(3)
                .iterations(40)
                .invocationsPerIteration(1000)
                .check(PermitsLincheckTest.class);
    }
}
