package io.atelier.api;

import io.quarkus.smallrye.openapi.OpenApiFilter;
import io.quarkus.smallrye.openapi.OpenApiFilter.RunStage;
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
 * itself, the descriptions and examples of {@code META-INF/openapi.yaml}, and takes away the "OK" that it puts beside a
 * reference to a described answer. Runs when the service is built.
 */
@OpenApiFilter(stages = RunStage.BUILD)
public final class DescriptionFilter implements OASFilter {
    @Override
    public void filterOpenAPI(OpenAPI description) {
        Map<String, Parameter> described = description.getComponents().getParameters();
        description
                .getPaths()
                .getPathItems()
                .forEach((path, item) -> item.getOperations().forEach((method, operation) -> {
                    referToParameters(path, method, operation, described);
                    leaveReferencesAlone(operation);
                }));
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
