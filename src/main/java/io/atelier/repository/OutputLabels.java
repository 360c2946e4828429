package io.atelier.repository;

import io.atelier.engine.LabelText;
import io.atelier.engine.ModelLoadException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The names of classes that a folder gives to outputs. */
public final class OutputLabels {
    private OutputLabels() {}

    /**
     * The names by their index, for each output that has some.
     *
     * @throws ModelLoadException if a file cannot be read, or is no text
     */
    public static Map<String, List<String>> read(ModelDefinition definition) throws ModelLoadException {
        Map<String, List<String>> labels = new HashMap<>();
        for (DeclaredTensor output : definition.config().declaration().outputs()) {
            Optional<String> file = output.labels();
            if (file.isPresent()) {
                labels.put(
                        output.name(),
                        LabelText.lines(LabelText.read(definition.folder().resolve(file.get()), file.get())));
            }
        }
        return Map.copyOf(labels);
    }
}
