package io.atelier.device;

import io.atelier.core.DeviceState;
import io.atelier.core.ServingException;
import io.atelier.core.ServingException.EngineFailure;
import io.atelier.core.Tensor;
import io.atelier.core.Ticker;
import io.atelier.core.Ticket;
import io.atelier.core.Timer;
import io.atelier.engine.EngineBatch;
import io.atelier.engine.GoldenSample;
import io.atelier.scheduling.ModelQueue;
import java.util.Comparator;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Watches one device: whether executions hang, whether golden samples are still answered rightly after a failure and
 * now and then, and whether a quarantined device has come back.
 *
 * <p>Thread-safe: checks that are due are in a concurrent queue, and each is judged once.
 */
final class Watch {
    private final DeviceExecutor device;
    private final WatchPolicy policy;
    private final Executor settler;
    private final Timer timer;
    private final Ticker ticker;
    private final Queue<Check> due = new ConcurrentLinkedQueue<>();
    private final Set<Check> asked = ConcurrentHashMap.newKeySet();

    /**
     * A golden check.
     *
     * @param sinceNanos an answer later than this will do
     * @param accused    the ticket whose failure asks for it: guilty if the device proves well
     */
    record Check(
            Resident resident,
            long sinceNanos,
            @Nullable Ticket accused,
            @Nullable Throwable failure,
            AtomicBoolean judged) {
        Check(Resident resident, long sinceNanos, @Nullable Ticket accused, @Nullable Throwable failure) {
            this(resident, sinceNanos, accused, failure, new AtomicBoolean());
        }

        boolean isAnswered() {
            return resident.goldenAtNanos() > sinceNanos;
        }
    }

    Watch(DeviceExecutor device, WatchPolicy policy, Executor settler, Timer timer, Ticker ticker) {
        this.device = device;
        this.policy = policy;
        this.settler = settler;
        this.timer = timer;
        this.ticker = ticker;
    }

    /** The device has begun to pull. */
    void begin() {
        if (!policy.goldenInterval().isZero()) {
            timer.schedule(policy.goldenInterval().toNanos(), this::checkNowAndThen);
        }
    }

    /** Sets the alarm for an execution that does not return. */
    void expectReturn(Launch launch) {
        long usual = launch.resident.queue.times().p99Nanos(device.id(), launch.elements);
        launch.hangAlarm = timer.schedule(policy.hangLimitNanos(usual), () -> {
            if (!launch.isOver()) {
                device.hangs(launch);
            }
        });
    }

    /** Sets the alarm for an execution of which nothing is known, and which answers no request. */
    Timer.Alarm expectReturn() {
        return timer.schedule(policy.hangLimitNanos(0), () -> device.quarantine("hang"));
    }

    /** Whether a golden check waits for a slot. */
    boolean isDue() {
        return !due.isEmpty();
    }

    /** The next golden check that waits for a slot. */
    @Nullable
    Check next() {
        return due.poll();
    }

    /** A ticket failed alone: its own fault, unless the device proves unable to answer what it could answer before. */
    void accuse(Launch launch, Ticket ticket, @Nullable Throwable cause) {
        Check check = new Check(launch.resident, launch.execution.startedNanos(), ticket, cause);
        if (device.state() == DeviceState.QUARANTINED) {
            judge(check, false);
        } else if (device.state() != DeviceState.READY || check.isAnswered()) {
            judge(check, true);
        } else {
            due.add(check);
            device.goOn();
            if (device.state() == DeviceState.QUARANTINED) {
                quarantined(); // since we looked
            }
        }
    }

    /** Runs a golden sample with the permit, unless it was answered since; wrong, and the device is out. */
    void run(Check check, Permits.Permit permit) {
        if (check.isAnswered()) {
            permit.close();
            judgeLater(check, true);
            device.goOn();
            return;
        }
        asked.add(check);
        if (device.state() == DeviceState.QUARANTINED) {
            quarantined(); // since it was taken
        }
        golden(check.resident(), permit, right -> {
            asked.remove(check);
            if (!right) {
                device.distrust("golden");
            }
            judgeLater(check, right);
            device.goOn();
        });
    }

    /** Out of service, the device is to blame, also for what its golden check, should it ever return, would tell. */
    void quarantined() {
        asked.forEach(check -> judgeLater(check, false));
        for (Check check = due.poll(); check != null; check = due.poll()) {
            judgeLater(check, false);
        }
    }

    /** Tries a quarantined device after a while. */
    void probeLater() {
        timer.schedule(policy.probeInterval().toNanos(), this::probe);
    }

    private void judgeLater(Check check, boolean deviceIsWell) {
        if (check.accused() != null) {
            settler.execute(() -> judge(check, deviceIsWell));
        }
    }

    private static void judge(Check check, boolean deviceIsWell) {
        Ticket accused = check.accused();
        if (accused == null || !check.judged().compareAndSet(false, true)) {
            return;
        }
        ModelQueue queue = check.resident().queue;
        if (!deviceIsWell && queue.slots() > 0 && accused.tryRetry()) {
            queue.putBack(List.of(accused));
        } else {
            accused.fail(failureOf(check.failure()));
        }
    }

    /** Asks the golden sample; {@code then} runs once it has truly returned and the permit is back. */
    private void golden(Resident resident, Permits.Permit permit, Consumer<Boolean> then) {
        if (!resident.tryEnterForCheck()) {
            permit.close();
            then.accept(true); // given up meanwhile: nothing is left that could answer wrongly
            return;
        }
        GoldenSample golden = resident.golden;
        if (golden == null) {
            resident.goldenPassed(ticker.nanoTime());
            resident.leave();
            permit.close();
            then.accept(true); // nobody knows a question to ask it
            return;
        }
        EngineBatch input = new EngineBatch(
                List.of(golden.inputs()),
                resident.instance.signature().outputs().stream()
                        .map(spec -> spec.name())
                        .toList(),
                new CompletableFuture<>());
        Launch launch = device.launch(resident, List.of(), input, permit);
        CompletableFuture<List<List<Tensor>>> answer = launch.begin(() -> {});
        launch.callEngine(() -> {}, () -> {});
        var unused = answer.handle((outputs, failure) -> {
            boolean right = failure == null && golden.isAnsweredBy(outputs.get(0));
            if (right) {
                long now = ticker.nanoTime();
                resident.goldenPassed(now);
                resident.queue.times().record(device.id(), launch.elements, now - launch.execution.startedNanos());
            }
            device.finish(launch);
            resident.leave();
            permit.close();
            then.accept(right);
            return right;
        });
    }

    /** Now and then, under load too: a device that lies looks well from everywhere else. */
    private void checkNowAndThen() {
        if (device.state() == DeviceState.CLOSED || device.state() == DeviceState.DRAINING) {
            return;
        }
        timer.schedule(policy.goldenInterval().toNanos(), this::checkNowAndThen);
        if (device.state() == DeviceState.READY && due.isEmpty()) {
            device.residents().stream()
                    .min(Comparator.comparingLong(Resident::goldenAtNanos))
                    .ifPresent(resident -> {
                        due.add(new Check(resident, ticker.nanoTime(), null, null));
                        device.goOn(); // without a free slot, whoever gives one back finds the check
                    });
        }
    }

    /** Every model must answer its golden sample, one after the other. */
    private void probe() {
        if (device.state() != DeviceState.QUARANTINED) {
            return;
        }
        if (!device.isIdle() || !device.withPermit(permit -> probe(permit, device.residents()))) {
            probeLater();
        }
    }

    private void probe(Permits.Permit permit, List<Resident> left) {
        if (left.isEmpty()) {
            permit.close();
            device.readmit();
            return;
        }
        golden(left.get(0), permit, right -> {
            if (!right || !device.withPermit(next -> probe(next, left.subList(1, left.size())))) {
                probeLater();
            }
        });
    }

    static ServingException failureOf(@Nullable Throwable cause) {
        return cause instanceof ServingException known ? known : new EngineFailure("the execution failed", cause);
    }
}
