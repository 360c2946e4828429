package io.atelier.repository;

import io.atelier.core.DataType;
import io.atelier.repository.WarmUpRequest.Data;
import io.atelier.repository.WarmUpRequest.Input;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Reads {@code model_warmup} of Triton's model configuration. */
final class TritonWarmUps {
    private TritonWarmUps() {}

    /** @param rows whether the model has rows, as far as it is known */
    static List<WarmUpRequest> read(ProtoSection root, Declaration.Rows rows) throws ModelConfigException {
        List<WarmUpRequest> requests = new ArrayList<>();
        for (ProtoSection sample : root.sections("model_warmup")) {
            long batch = sample.integer("batch_size", WarmUpRequest.MOST_ROWS).orElse(0L);
            if (batch < 1) {
                throw sample.problem("batch_size", "is 0, allowed is an integer of at least 1");
            }
            if (rows == Declaration.Rows.NO && batch > 1) {
                throw sample.problem("batch_size", "is " + batch + ", allowed is 1 where max_batch_size is 0");
            }
            Map<String, Input> inputs = new LinkedHashMap<>();
            for (Map.Entry<String, ProtoSection> entry :
                    sample.entries("inputs").entrySet()) {
                inputs.put(entry.getKey(), input(entry.getValue()));
            }
            if (inputs.isEmpty()) {
                throw sample.problem("inputs", "is missing, allowed is an entry for each input of the model");
            }
            long count = sample.integer("count", WarmUpRequest.MOST_TIMES).orElse(0L);
            requests.add(new WarmUpRequest(
                    sample.text("name").orElse(""),
                    rows == Declaration.Rows.NO ? 0 : (int) batch,
                    (int) Math.max(1, count),
                    inputs));
        }
        return requests;
    }

    private static Input input(ProtoSection section) throws ModelConfigException {
        DataType type = TritonTensors.dataType(section);
        List<Long> dims = section.integers("dims", 1);
        Optional<String> file = section.text("input_data_file");
        if (file.isPresent()) {
            if (!FolderFile.isInside(file.get())) {
                throw section.problem(
                        "input_data_file",
                        "is " + ProtoSection.quoted(file.get()) + ", allowed is the name of a file in the folder "
                                + WarmUpRequest.FOLDER);
            }
            return new Input(type, dims, new Data.File(file.get()));
        }
        if (section.has("zero_data")) {
            return new Input(type, dims, new Data.Zero());
        }
        if (section.has("random_data")) {
            return new Input(type, dims, new Data.Random());
        }
        throw section.problem("zero_data", "is missing, allowed is zero_data, random_data or input_data_file");
    }
}
