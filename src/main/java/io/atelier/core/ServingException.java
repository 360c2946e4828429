package io.atelier.core;

import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A request that is not answered with a result, and why. The message is written for the caller: no paths, no causes.
 *
 * <p>Refusing must stay cheap, so no stack trace is captured.
 */
public abstract sealed class ServingException extends RuntimeException {
    private final ErrorCode code;

    private ServingException(ErrorCode code, String detail, @Nullable Throwable cause) {
        super(detail, cause, false, false);
        this.code = code;
    }

    public ErrorCode code() {
        return code;
    }

    /** What the caller is told. */
    public String detail() {
        return String.valueOf(getMessage());
    }

    /** When it is worth asking again, where that is known. */
    public Optional<Duration> retryAfter() {
        return Optional.empty();
    }

    /** Names, shapes, types or values do not fit the model or the protocol. */
    public static final class InvalidInput extends ServingException {
        public InvalidInput(String detail) {
            super(ErrorCode.INVALID_INPUT, detail, null);
        }
    }

    /** A model could not be loaded. */
    public static final class LoadFailed extends ServingException {
        /** Clients of Triton look for the first words of this message. */
        public LoadFailed(String model, String reason) {
            super(ErrorCode.LOAD_FAILED, "failed to load '" + model + "', " + reason, null);
        }
    }

    /** What is asked for is switched off. */
    public static final class Forbidden extends ServingException {
        public Forbidden(String detail) {
            super(ErrorCode.FORBIDDEN, detail, null);
        }
    }

    /** No model, or no such version of it, is known under this name. */
    public static final class ModelNotFound extends ServingException {
        /** Clients of the protocol look for the first words of this message. */
        public ModelNotFound(String name, @Nullable String version) {
            super(
                    ErrorCode.MODEL_NOT_FOUND,
                    "Request for unknown model: '" + name + "'" + (version == null ? "" : " version " + version)
                            + " is not found",
                    null);
        }

        /** A model that was there, and takes no more requests. */
        public static ModelNotFound unloaded(String name, @Nullable String version) {
            return new ModelNotFound(new ModelNotFound(name, version).detail() + ", it has been unloaded");
        }

        private ModelNotFound(String detail) {
            super(ErrorCode.MODEL_NOT_FOUND, detail, null);
        }

        /** A model that cannot be loaded, since the repository has none of this name. */
        public static ModelNotFound toLoad(String name) {
            return new ModelNotFound("Request for unknown model: failed to load '" + name
                    + "', the model repository has no such folder");
        }
    }

    /** The body is larger than the service takes. */
    public static final class PayloadTooLarge extends ServingException {
        public PayloadTooLarge(String detail) {
            super(ErrorCode.PAYLOAD_TOO_LARGE, detail, null);
        }
    }

    /** The body is of a kind that the model does not take. */
    public static final class UnsupportedMediaType extends ServingException {
        public UnsupportedMediaType(String detail) {
            super(ErrorCode.UNSUPPORTED_MEDIA_TYPE, detail, null);
        }
    }

    /** There is no room, or the answer could not be there in time. */
    public static final class Overloaded extends ServingException {
        private final Duration retryAfter;

        public Overloaded(String detail, Duration retryAfter) {
            super(ErrorCode.OVERLOADED, detail, null);
            this.retryAfter = retryAfter;
        }

        @Override
        public Optional<Duration> retryAfter() {
            return Optional.of(retryAfter);
        }
    }

    /** The caller has gone. */
    public static final class Cancelled extends ServingException {
        public Cancelled() {
            super(ErrorCode.CANCELLED, "the caller has gone", null);
        }
    }

    /** The execution failed. */
    public static final class EngineFailure extends ServingException {
        public EngineFailure(String detail, @Nullable Throwable cause) {
            super(ErrorCode.ENGINE_FAILURE, detail, cause);
        }
    }

    /** Still loading, draining, or without a healthy device. */
    public static final class NotReady extends ServingException {
        private final Duration retryAfter;

        public NotReady(String detail, Duration retryAfter) {
            super(ErrorCode.NOT_READY, detail, null);
            this.retryAfter = retryAfter;
        }

        @Override
        public Optional<Duration> retryAfter() {
            return Optional.of(retryAfter);
        }
    }

    /** No device took the request in the time that its model lets requests wait. */
    public static final class WaitedTooLong extends ServingException {
        /** Clients of Triton look for the first words of this message. */
        public WaitedTooLong(String model, Duration longest) {
            super(
                    ErrorCode.QUEUE_TIMEOUT,
                    "Request timeout expired: it waited " + longest.toNanos() / 1000 + " us in the queue of model '"
                            + model + "'",
                    null);
        }

        @Override
        public Optional<Duration> retryAfter() {
            return Optional.of(Duration.ofSeconds(1));
        }
    }

    /** No result in time. */
    public static final class DeadlineExceeded extends ServingException {
        public DeadlineExceeded(String detail) {
            super(ErrorCode.DEADLINE_EXCEEDED, detail, null);
        }
    }
}
