package io.atelier.engine.djl.task;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import io.atelier.core.ModelSignature;
import io.atelier.core.Task;
import io.atelier.core.TensorSpec;
import io.atelier.engine.DetectionOutputs;
import io.atelier.engine.EngineMessage;
import io.atelier.engine.ImageLayout;
import io.atelier.engine.ModelLoadException;
import io.atelier.engine.TaskConfig;
import io.atelier.engine.TaskConfig.ImageClassification;
import io.atelier.engine.TaskConfig.ObjectDetection;
import io.atelier.engine.TaskConfig.OfOneOutput;
import io.atelier.engine.TaskConfig.OfText;
import io.atelier.engine.TaskConfig.TextClassification;
import io.atelier.engine.TaskConfig.TextEmbedding;
import io.atelier.engine.TaskConfig.TextInput;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/** Makes tasks from what a model's folder says and holds. */
public final class Tasks {
    private Tasks() {}

    /**
     * The task of one model.
     *
     * @param folder    where the files lie that the task names
     * @param signature of the model, which the task fits
     * @throws ModelLoadException if a file cannot be used
     */
    public static Task load(TaskConfig config, Path folder, ModelSignature signature) throws ModelLoadException {
        if (config instanceof TextEmbedding embedding) {
            return new EmbeddingTask(embedding, texts(embedding, folder, signature), output(embedding, signature));
        }
        if (config instanceof TextClassification text) {
            TensorSpec output = output(text, signature);
            return new TextClassificationTask(
                    texts(text, folder, signature),
                    new ClassScores(
                            LabelFile.names(
                                    text.labels(), folder, output.shape().dimension(1)),
                            text.scoring()),
                    output.name());
        }
        if (config instanceof ImageClassification image) {
            TensorSpec output = output(image, signature);
            return new ImageClassificationTask(
                    new ImageInputs(image.image(), ImageLayout.of(image, signature), true),
                    new ClassScores(
                            LabelFile.names(
                                    image.labels(), folder, output.shape().dimension(1)),
                            image.scoring()),
                    output.name());
        }
        ObjectDetection detection = (ObjectDetection) config;
        BoxReader boxes = BoxReader.of(detection, DetectionOutputs.of(detection, signature));
        return new ObjectDetectionTask(
                new ImageInputs(detection.image(), ImageLayout.of(detection, signature), false),
                boxes,
                LabelFile.names(detection.labels(), folder, boxes.classes()),
                detection);
    }

    private static TensorSpec output(OfOneOutput task, ModelSignature signature) {
        return task.outputOf(signature).orElseThrow();
    }

    private static TextInputs texts(OfText task, Path folder, ModelSignature signature) throws ModelLoadException {
        TextInput text = task.text();
        try (InputStream file = Files.newInputStream(folder.resolve(text.tokenizer()))) {
            return new TextInputs(text, tokenizer(file, text.maxTokens()), signature);
        } catch (IOException | RuntimeException failure) {
            throw new ModelLoadException(text.tokenizer() + " cannot be loaded: " + EngineMessage.of(failure), failure);
        }
    }

    /**
     * From the file alone: given a path, DJL would also read what lies beside it. It takes no limit above the one it
     * calls the model's, which is 512 unless it is told.
     */
    private static HuggingFaceTokenizer tokenizer(InputStream file, int maxTokens) throws IOException {
        String most = Integer.toString(maxTokens);
        return HuggingFaceTokenizer.newInstance(
                file, Map.of("truncation", "true", "padding", "false", "maxLength", most, "modelMaxLength", most));
    }
}
