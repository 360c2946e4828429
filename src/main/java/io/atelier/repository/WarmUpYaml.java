package io.atelier.repository;

import io.atelier.core.DataType;
import io.atelier.repository.WarmUpRequest.Data;
import io.atelier.repository.WarmUpRequest.Input;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Reads the key {@code warm-up} of {@code model.yaml}: requests, each with the inputs that it has. */
final class WarmUpYaml {
    private static final String KEY = "warm-up";

    private WarmUpYaml() {}

    static List<WarmUpRequest> read(YamlSection root) throws ModelConfigException {
        List<WarmUpRequest> requests = new ArrayList<>();
        for (YamlSection sample : root.sections(KEY)) {
            Map<String, Input> inputs = new LinkedHashMap<>();
            for (YamlSection input : sample.sections("inputs")) {
                Optional<String> name = input.text("name", "a name", text -> !text.isBlank());
                if (name.isEmpty()) {
                    throw input.problem(input.path("name") + " is missing, allowed is a name");
                }
                if (inputs.put(name.get(), input(input)) != null) {
                    throw sample.problem(sample.path("inputs") + " has '" + name.get() + "' twice");
                }
            }
            if (inputs.isEmpty()) {
                throw sample.problem(sample.path("inputs") + " is missing, allowed is a list of mappings");
            }
            requests.add(new WarmUpRequest(
                    sample.text("name", "a name", text -> !text.isBlank()).orElse(""),
                    sample.integer("rows", WarmUpRequest.MOST_ROWS).orElse(0),
                    sample.integer("count", WarmUpRequest.MOST_TIMES).orElse(1),
                    inputs));
        }
        return requests;
    }

    private static Input input(YamlSection input) throws ModelConfigException {
        Optional<DataType> type = input.text(
                        "datatype",
                        "a datatype such as FP32",
                        word -> DataType.byName(word).isPresent())
                .flatMap(DataType::byName);
        if (type.isEmpty()) {
            throw input.problem(input.path("datatype") + " is missing, allowed is a datatype such as FP32");
        }
        Optional<String> file =
                input.text("file", "the name of a file in the folder " + WarmUpRequest.FOLDER, FolderFile::isInside);
        Optional<String> values = input.word("values", List.of("zero", "random"));
        if (file.isPresent() && values.isPresent()) {
            throw input.problem(input.path("file") + " is not allowed beside values");
        }
        Data data = file.<Data>map(Data.File::new)
                .orElseGet(() -> values.filter("random"::equals).isPresent() ? new Data.Random() : new Data.Zero());
        return new Input(type.get(), input.integers("shape", 1), data);
    }
}
