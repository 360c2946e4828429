package io.atelier.engine.djl;

import ai.djl.Device;
import ai.djl.MalformedModelException;
import ai.djl.Model;
import ai.djl.huggingface.tokenizers.Encoding;
import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.atelier.core.DeviceId;
import io.atelier.core.TextTokenizer;
import io.atelier.engine.Engine;
import io.atelier.engine.ModelInstance;
import io.atelier.engine.ModelLoadException;
import io.atelier.engine.ModelSource;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * DJL with its OnnxRuntime engine. Reads local files alone: DJL is told to stay offline and not to report its use.
 *
 * <p>Thread-safe.
 */
public final class DjlEngine implements Engine {
    private static final String ENGINE = "OnnxRuntime";

    private final ai.djl.engine.Engine engine;
    private final SessionSettings settings;

    public DjlEngine(SessionSettings settings) {
        this.settings = settings;
        System.setProperty("ai.djl.offline", "true");
        System.setProperty("OPT_OUT_TRACKING", "true");
        // DJL must be first to touch ONNX Runtime: it is unusable in a process whose OrtEnvironment exists already
        this.engine = ai.djl.engine.Engine.getEngine(ENGINE);
    }

    @Override
    public String description() {
        return "DJL " + ai.djl.engine.Engine.getDjlVersion() + ", ONNX Runtime "
                + OrtEnvironment.getEnvironment().getVersion();
    }

    @Override
    public int gpuCount() {
        return engine.getGpuCount();
    }

    @Override
    public ModelInstance load(ModelSource source, DeviceId device) throws ModelLoadException {
        Model model = loadModel(source, device);
        try {
            return new DjlModelInstance(source, model);
        } catch (ModelLoadException | RuntimeException failure) {
            model.close();
            throw failure;
        }
    }

    private Model loadModel(ModelSource source, DeviceId device) throws ModelLoadException {
        if (!Files.isRegularFile(source.file())) {
            throw new ModelLoadException("there is no file " + source.file().getFileName());
        }
        Device target = device.kind() == DeviceId.Kind.GPU ? Device.gpu(device.index()) : Device.cpu();
        Model model = Model.newInstance(source.model().name(), target, ENGINE);
        try {
            OrtSession.SessionOptions options = new OrtSession.SessionOptions();
            options.setIntraOpNumThreads(settings.intraOpThreads());
            options.setInterOpNumThreads(1);
            options.addConfigEntry("session.intra_op.allow_spinning", settings.allowSpinning() ? "1" : "0");
            // with options DJL adds the CUDA provider for a GPU, and fails if it is not there; without, it would
            // silently stay on the CPU
            model.load(source.file(), null, Map.of("sessionOptions", options));
            return model;
        } catch (OrtException | IOException | MalformedModelException | RuntimeException failure) {
            model.close();
            throw new ModelLoadException(
                    "%s cannot be loaded on %s: %s"
                            .formatted(source.file().getFileName(), device, rootMessage(failure)),
                    failure);
        }
    }

    @Override
    public TextTokenizer loadTokenizer(Path file, int maxTokens) throws ModelLoadException {
        try {
            return new Tokenizer(
                    HuggingFaceTokenizer.builder()
                            .optTokenizerPath(file)
                            .optTruncation(true)
                            .optMaxLength(maxTokens)
                            .optPadding(false)
                            .build(),
                    maxTokens);
        } catch (IOException | RuntimeException failure) {
            throw new ModelLoadException(file.getFileName() + " cannot be loaded: " + rootMessage(failure), failure);
        }
    }

    static String rootMessage(Throwable failure) {
        Throwable root = failure;
        while (root.getCause() != null) {
            root = root.getCause();
        }
        return String.valueOf(root.getMessage());
    }

    /** A HuggingFace tokenizer; its native part may be called by several threads. */
    private record Tokenizer(HuggingFaceTokenizer tokenizer, int maxTokens) implements TextTokenizer {
        @Override
        public List<long[]> encode(List<String> texts) {
            return Arrays.stream(tokenizer.batchEncode(texts))
                    .map(Encoding::getIds)
                    .toList();
        }
    }
}
