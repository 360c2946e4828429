package io.atelier.api;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.eclipse.microprofile.openapi.annotations.responses.APIResponse;

/** Says of an operation that asks a model how it can be refused. Read when the service is built, for its description. */
@APIResponse(responseCode = "400", ref = "invalid")
@APIResponse(responseCode = "404", ref = "unknown")
@APIResponse(responseCode = "413", ref = "too-large")
@APIResponse(responseCode = "429", ref = "overloaded")
@APIResponse(responseCode = "500", ref = "failed")
@APIResponse(responseCode = "503", ref = "not-ready")
@APIResponse(responseCode = "504", ref = "late")
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.METHOD)
public @interface Refusals {}
