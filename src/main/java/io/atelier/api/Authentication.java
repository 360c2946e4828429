package io.atelier.api;

import io.atelier.access.ApiKeys;
import io.atelier.access.Caller;
import io.atelier.core.ErrorCode;
import io.quarkus.vertx.http.runtime.filters.Filters;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpVersion;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;
import org.jboss.logging.Logger;

/**
 * Lets in whoever shows an API key, where the service wants one: {@code Authorization: Bearer <key>}. Asked before
 * anything of the body is read. Probes, metrics and the description are open: they tell nothing of a model's data, and
 * who asks for them has no key. What only some callers may do asks {@link #requireAdmin}.
 *
 * @see <a href="https://www.rfc-editor.org/rfc/rfc6750">RFC 6750, bearer tokens</a>
 */
@Singleton
public class Authentication {
    private static final Logger LOG = Logger.getLogger(Authentication.class);

    /** Before anything else that a filter does: the limit of bodies has 100. */
    private static final int FIRST = 200;

    private static final long REFRESH_MILLIS = 5_000;
    private static final String SCHEME = "bearer ";
    private static final String CALLER = Caller.class.getName();

    /** Of the normalised path, which is the one that finds a resource; so no detour leads past this. */
    private static final Pattern OPEN =
            Pattern.compile("/q/(health|metrics|openapi)(/[a-z]+)*|/v2/health/(live|ready)");

    private final Vertx vertx;
    private final ApiKeys keys;
    private List<String> faults = List.of();

    @Inject
    public Authentication(Vertx vertx, ApiKeys keys) {
        this.vertx = vertx;
        this.keys = keys;
    }

    void ask(@Observes Filters filters) {
        if (keys.required()) {
            LOG.infof("requests need an API key; callers that have one: %d", keys.size());
            filters.register(this::letIn, FIRST);
            vertx.setPeriodic(
                    REFRESH_MILLIS,
                    fired -> vertx.executeBlocking(keys::refresh).onSuccess(this::report));
        }
    }

    /**
     * Returns if the caller may change what the service serves.
     *
     * @throws ProblemException FORBIDDEN, if not
     */
    public void requireAdmin(RoutingContext context) {
        Caller caller = context.get(CALLER);
        if (keys.required() && (caller == null || !caller.admin())) {
            throw new ProblemException(
                    Problem.of(ErrorCode.FORBIDDEN, "this API key may not load or unload models", null));
        }
    }

    private void letIn(RoutingContext context) {
        if (OPEN.matcher(context.normalizedPath()).matches()) {
            context.next();
            return;
        }
        List<String> credentials = context.request().headers().getAll(HttpHeaders.AUTHORIZATION);
        Optional<Caller> caller = credentials.size() == 1 ? caller(credentials.get(0)) : Optional.empty();
        if (caller.isPresent()) {
            context.put(CALLER, caller.get());
            context.next();
        } else {
            refuse(context, !credentials.isEmpty());
        }
    }

    private Optional<Caller> caller(String credentials) {
        return credentials.toLowerCase(Locale.ROOT).startsWith(SCHEME)
                ? keys.caller(credentials.substring(SCHEME.length()).strip())
                : Optional.empty();
    }

    private void refuse(RoutingContext context, boolean shown) {
        HttpServerRequest request = context.request();
        if (RequestBodyReader.isAnnounced(request) || (request.version() == HttpVersion.HTTP_2 && !request.isEnded())) {
            LingeringClose.of(vertx, request);
        }
        request.response()
                .putHeader(
                        "WWW-Authenticate",
                        shown ? "Bearer realm=\"atelier\", error=\"invalid_token\"" : "Bearer realm=\"atelier\"");
        Problem.of(
                        ErrorCode.UNAUTHENTICATED,
                        shown
                                ? "this is no API key of this service"
                                : "an API key is missing: 'Authorization: Bearer <key>'",
                        null)
                .send(request);
    }

    /** Says a fault once, not every few seconds. On the timer's event loop alone. */
    private void report(List<String> now) {
        if (!now.isEmpty() && !now.equals(faults)) {
            LOG.errorf("API keys: %s", String.join("; ", now));
        }
        faults = now;
    }
}
