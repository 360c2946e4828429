import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.client.utils.KubernetesSerialization;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.lang.reflect.Field;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.charset.StandardCharsets;
import java.util.Collection;
import java.util.Map;

/**
 * Reads manifests, one JSON object on each line, and writes what two models of Kubernetes' objects say against each: a
 * line with the manifest's number, the model and the finding, separated by tabs. Fabric8's knows fields that are not
 * there, also of custom resources; the official client's knows those that have to be.
 */
class Validate {
    private static final KubernetesSerialization FABRIC8 = new KubernetesSerialization();

    public static void main(String[] arguments) throws Exception {
        var lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        int number = 0;
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            JsonObject manifest = JsonParser.parseString(line).getAsJsonObject();
            unknownFields(number, line);
            requiredFields(number, manifest);
            number++;
        }
    }

    private static void unknownFields(int number, String json) throws IllegalAccessException {
        Object resource;
        try {
            resource = FABRIC8.unmarshal(json);
        } catch (RuntimeException refused) {
            report(number, "fabric8", String.valueOf(refused.getCause()));
            return;
        }
        if (resource instanceof GenericKubernetesResource) {
            report(number, "fabric8", "unknown kind");
        } else {
            walk(number, "", resource);
        }
    }

    private static void walk(int number, String path, Object value) throws IllegalAccessException {
        if (value instanceof Collection<?> all) {
            int index = 0;
            for (Object one : all) {
                walk(number, path + "[" + index++ + "]", one);
            }
        } else if (value instanceof Map<?, ?> map) {
            for (Map.Entry<?, ?> entry : map.entrySet()) {
                walk(number, path + "." + entry.getKey(), entry.getValue());
            }
        } else if (value != null && value.getClass().getName().startsWith("io.fabric8.")
                && !value.getClass().isEnum()) {
            for (Field field : value.getClass().getDeclaredFields()) {
                if (Modifier.isStatic(field.getModifiers())) {
                    continue;
                }
                field.setAccessible(true);
                Object child = field.get(value);
                if (!field.getName().equals("additionalProperties")) {
                    walk(number, path + "." + field.getName(), child);
                } else if (child instanceof Map<?, ?> unknown) {
                    unknown.keySet().forEach(name -> report(number, "fabric8", "unknown field " + path + "." + name));
                }
            }
        }
    }

    private static void requiredFields(int number, JsonObject manifest) throws ReflectiveOperationException {
        String apiVersion = manifest.get("apiVersion").getAsString();
        String version = apiVersion.substring(apiVersion.indexOf('/') + 1);
        String kind = manifest.get("kind").getAsString();
        Class<?> model;
        try {
            model = Class.forName("io.kubernetes.client.openapi.models." + version.toUpperCase() + kind);
        } catch (ClassNotFoundException customResource) {
            return;
        }
        Method validate = model.getMethod("validateJsonElement", JsonElement.class);
        try {
            validate.invoke(null, manifest);
        } catch (InvocationTargetException refused) {
            report(number, "client-java", refused.getCause().getMessage());
        }
    }

    private static void report(int number, String model, String finding) {
        System.out.println(number + "\t" + model + "\t" + finding.replace('\t', ' ').replace('\n', ' '));
    }
}
