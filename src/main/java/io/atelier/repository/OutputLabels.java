package io.atelier.repository;

import io.atelier.engine.LabelText;
import io.atelier.engine.ModelLoadException;
import java.nio.file.Path;
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
        return read(definition.config().declaration(), definition.folder());
    }

    static Map<String, List<String>> read(Declaration declaration, Path folder) throws ModelLoadException {
        Map<String, List<String>> labels = new HashMap<>();
        for (DeclaredTensor output : declaration.outputs()) {
            Optional<String> file = output.labels();
            if (file.isPresent()) {
                labels.put(output.name(), LabelText.lines(LabelText.read(folder.resolve(file.get()), file.get())));
            }
        }
        return Map.copyOf(labels);
    }
}
