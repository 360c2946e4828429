package io.atelier.api.oip;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.atelier.core.TensorSpec;
import io.atelier.serving.ModelView;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What a model takes and gives. */
record ModelMetadata(
        String name,
        List<String> versions,
        String platform,
        List<TensorMetadata> inputs,
        List<TensorMetadata> outputs) {

    static ModelMetadata of(ModelView model) {
        return new ModelMetadata(
                model.id().name(),
                model.versions(),
                model.platform(),
                tensors(model.signature().inputs()),
                tensors(model.signature().outputs()));
    }

    private static List<TensorMetadata> tensors(List<TensorSpec> specs) {
        return specs.stream()
                .map(spec -> new TensorMetadata(
                        spec.name(),
                        spec.dataType().name(),
                        dimensions(spec),
                        spec.labels().isEmpty() ? null : new TensorParameters(spec.labels())))
                .toList();
    }

    private static List<Long> dimensions(TensorSpec spec) {
        return Arrays.stream(spec.shape().toArray()).boxed().toList();
    }

    /**
     * One input or output.
     *
     * @param shape      -1 where any size fits; [-1] if the model does not tell it
     * @param parameters null if there is nothing more to tell
     */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    record TensorMetadata(
            String name,
            String datatype,
            List<Long> shape,
            @Nullable TensorParameters parameters) {}

    /**
     * What else is known of an output.
     *
     * @param labels the classes along its last axis
     */
    record TensorParameters(List<String> labels) {}
}
