package io.atelier.serving.map;

import io.atelier.core.InferenceResult;
import io.atelier.core.ServingException.NotReady;
import io.atelier.core.ServingException.Overloaded;
import io.atelier.core.Timer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The requests of one stream that are on their way, answered in the order in which they came.
 *
 * <p>Each is asked at once. One that the model's queue has no room for waits here, and those behind it with it; after a
 * pause it is asked again, until the queue takes it or its own deadline has passed. So a stream never fails for being
 * faster than the devices, and costs the queue one refusal in a pause. A model that is not ready ends the stream.
 *
 * <p>Confined to one thread, that of {@code home}: every method is called there, and what is completed elsewhere comes
 * back there.
 *
 * @param <Q> a request
 */
public final class MapWindow<Q> {
    private static final long SHORTEST_PAUSE_NANOS = Duration.ofMillis(5).toNanos();
    private static final long LONGEST_PAUSE_NANOS = Duration.ofMillis(100).toNanos();

    private final MapPolicy policy;
    private final Asking<Q> asking;
    private final Executor home;
    private final Timer timer;
    private final Runnable changed;
    private final Deque<Place> places = new ArrayDeque<>();
    private final Deque<Place> unasked = new ArrayDeque<>();
    private long sizeBytes;
    private boolean pausing;
    private boolean ending;
    private boolean closed;

    /** What is done with a request. Called on the home thread; must not block. */
    public interface Asking<Q> {
        /** Asks it; called again after an {@link Overloaded}. Cancelled when the stream ends early. */
        CompletableFuture<InferenceResult> ask(Q question);

        CompletableFuture<byte[]> write(Q question, InferenceResult result);

        /** What stands in the place of an answer. */
        byte[] refuse(long line, Throwable failure);
    }

    /** A request's place in the order. */
    private final class Place {
        final long line;
        long bytes;

        @Nullable
        CompletableFuture<?> pending;

        @Nullable
        Q question;

        byte @Nullable [] answer;
        boolean last;

        Place(long line, long bytes) {
            this.line = line;
            this.bytes = bytes;
        }
    }

    /** @param changed called on the home thread when an answer has come */
    public MapWindow(MapPolicy policy, Asking<Q> asking, Executor home, Timer timer, Runnable changed) {
        this.policy = policy;
        this.asking = asking;
        this.home = home;
        this.timer = timer;
        this.changed = changed;
    }

    /** Whether one more may be added. */
    public boolean hasRoom() {
        return !closed
                && !ending
                && (places.isEmpty() || (places.size() < policy.window() && sizeBytes < policy.windowBytes()));
    }

    /** Whether every answer has been taken. */
    public boolean isEmpty() {
        return places.isEmpty();
    }

    /** Whether nothing more will come: the last answer that was taken ended the stream, or it was cancelled. */
    public boolean isClosed() {
        return closed;
    }

    /**
     * Adds a request, for which there is room.
     *
     * @param line      its number
     * @param bytes     what it holds
     * @param question  the request, once it is read
     */
    public void add(long line, long bytes, CompletableFuture<Q> question) {
        if (!hasRoom()) {
            throw new IllegalStateException("there is no room for line " + line);
        }
        Place place = new Place(line, bytes);
        places.addLast(place);
        sizeBytes += bytes;
        follow(place, question, read -> {
            place.question = read;
            unasked.addLast(place);
            askOn();
        });
    }

    /** Takes the next answer in order; null if it has not come yet. */
    public byte @Nullable [] poll() {
        Place first = places.peekFirst();
        if (first == null || first.answer == null) {
            return null;
        }
        places.removeFirst();
        sizeBytes -= first.bytes;
        if (first.last) {
            cancel();
        }
        return first.answer;
    }

    /** Nobody wants the answers any more: what has not begun is never executed. */
    public void cancel() {
        closed = true;
        for (Place place : places) {
            if (place.pending != null) {
                place.pending.cancel(false);
            }
        }
        places.clear();
        unasked.clear();
        sizeBytes = 0;
    }

    private void askOn() {
        while (!pausing && !unasked.isEmpty()) {
            Place place = unasked.removeFirst();
            Q question = place.question;
            if (question != null) {
                follow(
                        place,
                        asking.ask(question),
                        result -> follow(place, asking.write(question, result), text -> answer(place, text)));
            }
        }
    }

    /** Goes on with what {@code future} gives, at once if it is there. */
    private <T> void follow(Place place, CompletableFuture<T> future, Consumer<T> next) {
        place.pending = future;
        boolean here = future.isDone();
        var unused = future.whenComplete((value, failure) -> {
            Runnable step = () -> {
                if (!closed) {
                    if (failure == null) {
                        next.accept(value);
                    } else {
                        fail(place, cause(failure));
                    }
                }
            };
            if (here) {
                step.run();
            } else {
                home.execute(step);
            }
        });
    }

    private void fail(Place place, Throwable failure) {
        if (failure instanceof Overloaded full) {
            unasked.addFirst(place);
            pause(full.retryAfter().orElse(Duration.ZERO));
            return;
        }
        if (failure instanceof NotReady) {
            place.last = true;
            ending = true;
        }
        answer(place, asking.refuse(place.line, failure));
    }

    private void pause(Duration wish) {
        if (pausing) {
            return;
        }
        pausing = true;
        long nanos = Math.max(SHORTEST_PAUSE_NANOS, Math.min(LONGEST_PAUSE_NANOS, wish.toNanos()));
        timer.schedule(
                nanos,
                () -> home.execute(() -> {
                    pausing = false;
                    askOn();
                }));
    }

    private void answer(Place place, byte[] text) {
        place.answer = text;
        place.question = null;
        place.pending = null;
        sizeBytes += text.length - place.bytes;
        place.bytes = text.length;
        changed.run();
    }

    private static Throwable cause(Throwable failure) {
        @Nullable Throwable cause = failure instanceof CompletionException ? failure.getCause() : null;
        return cause == null ? failure : cause;
    }
}
