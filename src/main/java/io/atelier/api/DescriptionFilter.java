package io.atelier.api;

import io.quarkus.smallrye.openapi.OpenApiFilter;
import io.quarkus.smallrye.openapi.OpenApiFilter.RunStage;
import java.util.List;
import java.util.Map;
import org.eclipse.microprofile.openapi.OASFactory;
import org.eclipse.microprofile.openapi.OASFilter;
import org.eclipse.microprofile.openapi.models.OpenAPI;
import org.eclipse.microprofile.openapi.models.Operation;
import org.eclipse.microprofile.openapi.models.PathItem.HttpMethod;
import org.eclipse.microprofile.openapi.models.parameters.Parameter;
import org.eclipse.microprofile.openapi.models.parameters.Parameter.In;

/**
 * Does in the API's description what annotations cannot say: gives the parameters of the paths, which the scanner finds by
 * itself, the descriptions and examples of {@code META-INF/openapi.yaml}; takes away the "OK" that it puts beside a
 * reference to a described answer, and the schemas of Vert.x' buffers; names headers, of which SmallRye keeps one reference
 * alone; gives each refusal its body, each operation that may want a key the refusal of one, and each that takes a body the refusal of one
 * that is late. Runs when the service is built.
 */
@OpenApiFilter(stages = RunStage.BUILD)
public final class DescriptionFilter implements OASFilter {
    private static final String OPEN_PATHS = "/v2/health/";
    private static final List<String> NO_SCHEMAS_OF_OURS = List.of("Buffer", "ByteBuf");

    @Override
    public void filterOpenAPI(OpenAPI description) {
        Map<String, Parameter> described = description.getComponents().getParameters();
        description
                .getPaths()
                .getPathItems()
                .forEach((path, item) -> item.getOperations().forEach((method, operation) -> {
                    referToParameters(path, method, operation, described);
                    nameHeaders(operation);
                    refuseWithoutKey(path, operation);
                    refuseALateBody(operation);
                    sayProblems(operation);
                    leaveReferencesAlone(operation);
                }));
        NO_SCHEMAS_OF_OURS.forEach(description.getComponents()::removeSchema);
    }

    /** The headers of a request that asks a model, told by what it may be answered. */
    private static void nameHeaders(Operation operation) {
        if (operation.getResponses().hasAPIResponse("202")) {
            name("header-length", operation);
            name("prefer", operation);
        }
        if (operation.getResponses().hasAPIResponse("504")) {
            name("request-timeout", operation);
        }
    }

    private static void name(String header, Operation operation) {
        operation.addParameter(OASFactory.createParameter().ref(header));
    }

    private static void refuseWithoutKey(String path, Operation operation) {
        if (!path.startsWith(OPEN_PATHS)) {
            operation
                    .getResponses()
                    .addAPIResponse("401", OASFactory.createAPIResponse().ref("unauthenticated"));
        }
    }

    private static void refuseALateBody(Operation operation) {
        if (operation.getRequestBody() != null) {
            operation
                    .getResponses()
                    .addAPIResponse("408", OASFactory.createAPIResponse().ref("late"));
        }
    }

    private static void sayProblems(Operation operation) {
        operation.getResponses().getAPIResponses().forEach((code, response) -> {
            if (!code.startsWith("2") && response.getRef() == null && response.getContent() == null) {
                response.setContent(OASFactory.createContent()
                        .addMediaType(
                                Problem.MEDIA_TYPE,
                                OASFactory.createMediaType()
                                        .schema(OASFactory.createSchema().ref("Problem"))));
            }
        });
    }

    private static void referToParameters(
            String path, HttpMethod method, Operation operation, Map<String, Parameter> described) {
        if (operation.getParameters() != null) {
            operation.setParameters(operation.getParameters().stream()
                    .map(parameter -> parameter.getIn() == In.PATH
                            ? referTo(component(path, method, parameter.getName()), described, parameter)
                            : parameter)
                    .toList());
        }
    }

    private static Parameter referTo(String component, Map<String, Parameter> described, Parameter otherwise) {
        return described.containsKey(component) ? OASFactory.createParameter().ref(component) : otherwise;
    }

    private static String component(String path, HttpMethod method, String name) {
        if (name.equals("model") && path.startsWith("/predict/")) {
            return "asked";
        }
        if (name.equals("model") && path.equals("/v1/models/{model}") && method == HttpMethod.POST) {
            return "predicted";
        }
        return name;
    }

    private static void leaveReferencesAlone(Operation operation) {
        operation.getResponses().getAPIResponses().values().stream()
                .filter(response -> response.getRef() != null)
                .forEach(response -> response.setDescription(null));
    }
}
