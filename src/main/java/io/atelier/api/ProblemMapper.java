package io.atelier.api;

import io.atelier.core.ErrorCode;
import jakarta.ws.rs.WebApplicationException;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.Response;
import jakarta.ws.rs.core.Response.ResponseBuilder;
import jakarta.ws.rs.core.UriInfo;
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
                    : withAllowedMethods(response(Problem.http(refusal.getStatus()), uri), refusal)
                            .build();
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

    private static ResponseBuilder withAllowedMethods(ResponseBuilder response, Response refusal) {
        return refusal.getAllowedMethods().isEmpty() ? response : response.allow(refusal.getAllowedMethods());
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
