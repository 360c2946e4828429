package io.atelier.api;

import io.atelier.core.ErrorCode;
import jakarta.ws.rs.WebApplicationException;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.Response;
import jakarta.ws.rs.core.Response.ResponseBuilder;
import jakarta.ws.rs.core.UriInfo;
import java.util.Set;
import org.jboss.logging.Logger;
import org.jboss.resteasy.reactive.server.ServerExceptionMapper;

/** Renders every failure of every resource, in one place; what it does not know is a bug, and logged as one. */
public class ProblemMapper {
    private static final Logger LOG = Logger.getLogger(ProblemMapper.class);

    @ServerExceptionMapper
    public Response render(Throwable failure, UriInfo uri) {
        if (Problem.unwrap(failure) instanceof WebApplicationException http
                && http.getResponse().getStatus() < 500) {
            Response refusal = http.getResponse();
            return refusal.getStatus() < 400
                    ? refusal
                    : refused(refusal.getStatus(), uri).build();
        }
        Problem problem = Problem.of(failure);
        if (problem == null) {
            LOG.error("unexpected failure", failure);
            problem = Problem.internal();
        }
        return problem.status() == ErrorCode.CANCELLED.status()
                ? Response.status(problem.status()).build() // nobody reads it
                : response(problem, uri).build();
    }

    private static ResponseBuilder refused(int status, UriInfo uri) {
        ResponseBuilder response = response(Problem.http(status), uri);
        Set<String> allowed = AllowedMethods.of(uri.getRequestUri().getPath());
        return status == 405 && !allowed.isEmpty() ? response.allow(allowed) : response;
    }

    private static ResponseBuilder response(Problem problem, UriInfo uri) {
        ResponseBuilder response = Response.status(problem.status())
                .type(Problem.MEDIA_TYPE)
                .entity(problem.json(uri.getRequestUri().getPath()));
        String retryAfter = problem.retryAfterSeconds();
        if (retryAfter != null) {
            response.header(HttpHeaders.RETRY_AFTER, retryAfter);
        }
        return response;
    }
}
