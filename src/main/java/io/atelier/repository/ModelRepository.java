package io.atelier.repository;

import io.atelier.core.ModelId;
import io.atelier.engine.ModelLoadException;
import io.atelier.engine.TaskConfig.OfClasses;
import io.atelier.engine.TaskConfig.OfText;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.regex.Pattern;

/**
 * A folder of models in Triton's layout: {@code <model>/<version>/model.onnx}, and beside the versions
 * {@code model.yaml} or {@code config.pbtxt}; or in the Hub's: {@code <model>/onnx/model.onnx}; or single files. The
 * folder may also be that of one model as the Hub has it. Thread-safe; keeps nothing between scans.
 *
 * <p>Links are followed. Names that start with a dot are hidden: Kubernetes mounts keep their {@code ..data} there.
 *
 * @see <a href="https://github.com/triton-inference-server/server/blob/main/docs/user_guide/model_repository.md">Triton:
 *     model repository</a>
 */
public final class ModelRepository {
    private static final Pattern MODEL_NAME = Pattern.compile("[A-Za-z0-9._-]{1,128}");

    /** No leading zero, as in Triton, so that a version has one name; 18 digits fit a long. */
    private static final Pattern VERSION = Pattern.compile("[1-9][0-9]{0,17}");

    /** No model can have this name: its path would be that of the statistics. */
    private static final String TAKEN = "stats";

    /** Stands at the root of every ext4 volume. */
    private static final String LOST_AND_FOUND = "lost+found";

    /** Of an ensemble without folders for its versions, which would be empty. */
    private static final long ONLY_VERSION = 1;

    /** Files that no folder of several models has. */
    private static final List<String> BESIDE_A_MODEL = List.of(
            ModelYaml.FILE_NAME,
            TritonConfig.FILE_NAME,
            HubFolder.CONFIG,
            HubFolder.MODULES,
            OfText.DEFAULT_TOKENIZER,
            "preprocessor_config.json");

    private static final int LARGEST_CONFIG_BYTES = 1 << 20;

    private final Path root;

    public ModelRepository(Path root) {
        this.root = root;
    }

    /**
     * What a repository holds.
     *
     * @param models every version to serve, by name, the versions of a model in ascending order
     * @param ensembles what is made of other models, as {@code models}
     * @param broken what cannot be served; the others are not touched by it
     */
    public record Scan(List<ModelDefinition> models, List<EnsembleDefinition> ensembles, List<BrokenFolder> broken) {
        public Scan {
            models = List.copyOf(models);
            ensembles = List.copyOf(ensembles);
            broken = List.copyOf(broken);
        }
    }

    /**
     * A model that cannot be served, or one version of it, and why.
     *
     * @param name   the model's folder
     * @param reason for people; without paths
     */
    public record BrokenFolder(String name, String reason) {}

    /**
     * Reads the folders as they are now.
     *
     * @throws ModelRepositoryException if the repository itself cannot be read
     */
    public Scan scan() throws ModelRepositoryException {
        List<ModelDefinition> models = new ArrayList<>();
        List<EnsembleDefinition> ensembles = new ArrayList<>();
        List<BrokenFolder> broken = new ArrayList<>();
        for (Entry entry : entries()) {
            Scan scan = scan(entry, Optional.empty());
            models.addAll(scan.models());
            ensembles.addAll(scan.ensembles());
            broken.addAll(scan.broken());
        }
        return new Scan(models, ensembles, broken);
    }

    /**
     * Reads one model's folder as it is now.
     *
     * @param config JSON that stands above the folder's configuration: keys of {@code model.yaml}, or fields of Triton's
     *     model configuration
     * @return empty if there is no such folder
     * @throws ModelRepositoryException if the repository itself cannot be read
     */
    public Optional<Scan> scan(String name, Optional<String> config) throws ModelRepositoryException {
        return entries().stream()
                .filter(entry -> entry.name().equals(name))
                .findFirst()
                .map(entry -> scan(entry, config));
    }

    /**
     * The names of the model folders that are there now, whether or not they can be served.
     *
     * @throws ModelRepositoryException if the repository itself cannot be read
     */
    public List<String> names() throws ModelRepositoryException {
        return entries().stream().map(Entry::name).toList();
    }

    /**
     * What is one model.
     *
     * @param folder where its files lie
     * @param file   the model file, where it stands in the repository without a folder of its own
     */
    private record Entry(String name, Path folder, Optional<String> file) {}

    private static Scan scan(Entry entry, Optional<String> config) {
        String name = entry.name();
        List<ModelDefinition> models = new ArrayList<>();
        List<EnsembleDefinition> ensembles = new ArrayList<>();
        List<BrokenFolder> broken = new ArrayList<>();
        try {
            scan(entry, config, models, ensembles, broken);
        } catch (ModelConfigException e) {
            broken.add(new BrokenFolder(name, e.reason()));
        } catch (IOException e) {
            broken.add(new BrokenFolder(name, "cannot be read: " + ModelRepositoryException.problem(e)));
        }
        return new Scan(models, ensembles, broken);
    }

    private List<Entry> entries() throws ModelRepositoryException {
        String name = "the model repository " + nameOf(root);
        if (!Files.exists(root)) {
            throw new ModelRepositoryException(name + " does not exist", null);
        }
        if (!Files.isDirectory(root)) {
            throw new ModelRepositoryException(name + " is not a folder", null);
        }
        try {
            if (isOneModel(root)) {
                return List.of(new Entry(nameOf(root.toAbsolutePath().normalize()), root, Optional.empty()));
            }
            List<Entry> entries = new ArrayList<>();
            for (Path folder : foldersIn(root)) {
                if (!nameOf(folder).equals(LOST_AND_FOUND)) {
                    entries.add(new Entry(nameOf(folder), folder, Optional.empty()));
                }
            }
            for (String file : ModelFiles.onnxFiles(root, "")) {
                String stem = file.substring(0, file.lastIndexOf('.'));
                if (entries.stream().noneMatch(entry -> entry.name().equals(stem))) {
                    entries.add(new Entry(stem, root, Optional.of(file)));
                }
            }
            entries.sort(Comparator.comparing(Entry::name));
            return entries;
        } catch (IOException e) {
            throw new ModelRepositoryException(name + " cannot be read: " + ModelRepositoryException.problem(e), e);
        }
    }

    /** Whether this is no folder of models, but the folder of one as the Hub has it. */
    private static boolean isOneModel(Path folder) throws IOException {
        return BESIDE_A_MODEL.stream().anyMatch(file -> Files.isRegularFile(folder.resolve(file)))
                && ModelFiles.lieIn(folder);
    }

    private static void scan(
            Entry entry,
            Optional<String> override,
            List<ModelDefinition> models,
            List<EnsembleDefinition> ensembles,
            List<BrokenFolder> broken)
            throws IOException, ModelConfigException {
        String name = entry.name();
        Path folder = entry.folder();
        if (!MODEL_NAME.matcher(name).matches()) {
            broken.add(new BrokenFolder(
                    printable(name), "the name has to be 1 to 128 letters, digits, dots, underscores and hyphens"));
            return;
        }
        if (name.equals(TAKEN)) {
            broken.add(new BrokenFolder(name, "the name is taken: /v2/models/stats are the statistics of all models"));
            return;
        }
        if (!Files.exists(folder)) {
            broken.add(new BrokenFolder(name, "is a link that leads nowhere"));
            return;
        }
        if (entry.file().isPresent()) {
            models.add(alone(entry, override));
            return;
        }
        HubFolder files = HubFolder.of(folder);
        ModelConfig config = readConfig(folder, name, override, files);
        SortedSet<Long> present = versionsIn(folder);
        boolean isFlat = present.isEmpty() && ModelFiles.lieIn(folder);
        if (present.isEmpty() && (isFlat || config.ensemble().isPresent())) {
            present.add(ONLY_VERSION);
        }
        List<Long> served = config.versions().served(present);
        if (served.isEmpty()) {
            broken.add(new BrokenFolder(
                    name,
                    "has no version: a folder named by a positive integer, such as 1;"
                            + " and no model file, such as model.onnx or onnx/model.onnx"));
        }
        for (long version : served) {
            if (!present.contains(version)) {
                broken.add(new BrokenFolder(name, "version " + version + ": there is no such folder"));
                continue;
            }
            if (config.ensemble().isPresent()) {
                ensembles.add(new EnsembleDefinition(
                        new ModelId(name, Long.toString(version)),
                        config.ensemble().get(),
                        config.timeout(),
                        config.declaration(),
                        labels(config, folder)));
                continue;
            }
            try {
                Path place = isFlat ? folder : folder.resolve(Long.toString(version));
                models.add(model(new ModelId(name, Long.toString(version)), place, folder, config, files));
            } catch (ModelConfigException problem) {
                broken.add(new BrokenFolder(name, (isFlat ? "" : "version " + version + ": ") + problem.reason()));
            }
        }
    }

    private static Map<String, List<String>> labels(ModelConfig config, Path folder) throws ModelConfigException {
        try {
            return OutputLabels.read(config.declaration(), folder);
        } catch (ModelLoadException unreadable) {
            throw new ModelConfigException("output.label_filename", unreadable.reason());
        }
    }

    /** A file without a folder of its own: no other file is its, whatever lies beside it. */
    private static ModelDefinition alone(Entry entry, Optional<String> override)
            throws IOException, ModelConfigException {
        HubFolder files = HubFolder.none();
        ModelConfig config = override.isPresent()
                ? ConfigOverride.parse(override.get()).above("", entry.name(), files)
                : ModelConfig.DEFAULTS;
        ModelFiles.Found found = ModelFiles.find(entry.folder(), entry.file(), config.format());
        files.note("file", found.path(), "a model without a folder");
        Path file = entry.folder().resolve(found.path());
        ModelId id = new ModelId(entry.name(), Long.toString(ONLY_VERSION));
        return new ModelDefinition(id, file, entry.folder(), config, found.format(), files.taken());
    }

    /** @param place where the model file is looked for */
    private static ModelDefinition model(ModelId id, Path place, Path folder, ModelConfig config, HubFolder files)
            throws IOException, ModelConfigException {
        ModelFiles.Found found = ModelFiles.find(place, config.file(), config.format());
        Path file = place.resolve(found.path());
        if (!Files.isReadable(file)) {
            throw new ModelConfigException(found.path() + " cannot be read");
        }
        if (!found.isUsual() && config.file().isEmpty()) {
            files.note("file", found.path(), found.source());
        }
        return new ModelDefinition(id, file, folder, config, found.format(), files.taken());
    }

    private static ModelConfig readConfig(Path folder, String name, Optional<String> override, HubFolder files)
            throws IOException, ModelConfigException {
        Path yaml = folder.resolve(ModelYaml.FILE_NAME);
        Path triton = folder.resolve(TritonConfig.FILE_NAME);
        Optional<ConfigOverride> above =
                override.isPresent() ? Optional.of(ConfigOverride.parse(override.get())) : Optional.empty();
        if (!Files.exists(yaml) && Files.exists(folder.resolve("model.yml"))) {
            throw new ModelConfigException("model.yml", "is not read, its name has to be " + ModelYaml.FILE_NAME);
        }
        if (!Files.exists(yaml) && Files.exists(triton)) {
            ModelConfig config = TritonConfig.parse(readText(triton), name);
            ModelConfig both = above.isPresent() ? above.get().aboveTritons(config, name) : config;
            requireNamedFiles(folder, both, TritonConfig.FILE_NAME);
            return both;
        }
        String text = Files.exists(yaml) ? readText(yaml) : "";
        ModelConfig config = above.isPresent()
                ? above.get().above(text, name, files)
                : ModelYaml.parse(YamlSection.parse(ModelYaml.FILE_NAME, text), files);
        requireTaskFiles(folder, config);
        requireNamedFiles(folder, config, ModelYaml.FILE_NAME);
        return Files.exists(triton) ? config.ignoring(List.of(TritonConfig.FILE_NAME)) : config;
    }

    private static void requireTaskFiles(Path folder, ModelConfig config) throws ModelConfigException {
        if (config.task().orElse(null) instanceof OfText text) {
            requireFile(folder, "task.tokenizer", text.text().tokenizer());
        }
        if (config.task().orElse(null) instanceof OfClasses classes
                && classes.labels().file().isPresent()) {
            requireFile(folder, "task.labels", classes.labels().file().get());
        }
    }

    private static void requireNamedFiles(Path folder, ModelConfig config, String place) throws ModelConfigException {
        for (DeclaredTensor output : config.declaration().outputs()) {
            if (output.labels().isPresent()
                    && !Files.isRegularFile(folder.resolve(output.labels().get()))) {
                throw new ModelConfigException(
                        place,
                        "output.label_filename: there is no file "
                                + output.labels().get() + " in the model's folder");
            }
        }
        for (WarmUpRequest request : config.warmUps()) {
            for (WarmUpRequest.Input input : request.inputs().values()) {
                if (input.data() instanceof WarmUpRequest.Data.File file
                        && !Files.isRegularFile(
                                folder.resolve(WarmUpRequest.FOLDER).resolve(file.name()))) {
                    throw new ModelConfigException(
                            place,
                            "warm-up: there is no file " + file.name() + " in the folder " + WarmUpRequest.FOLDER);
                }
            }
        }
    }

    private static void requireFile(Path folder, String key, String name) throws ModelConfigException {
        if (!Files.isRegularFile(folder.resolve(name))) {
            throw new ModelConfigException(ModelYaml.FILE_NAME, key + ": there is no file " + name + " beside it");
        }
    }

    private static String readText(Path file) throws ModelConfigException {
        try (InputStream stream = Files.newInputStream(file)) {
            byte[] bytes = stream.readNBytes(LARGEST_CONFIG_BYTES + 1);
            if (bytes.length > LARGEST_CONFIG_BYTES) {
                throw new ModelConfigException(nameOf(file), "is larger than 1 MiB");
            }
            String text = StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
            return text.startsWith("\uFEFF") ? text.substring(1) : text; // a byte order mark, as some editors write
        } catch (CharacterCodingException e) {
            throw new ModelConfigException(nameOf(file), "is not UTF-8");
        } catch (IOException e) {
            throw new ModelConfigException(nameOf(file), "cannot be read: " + ModelRepositoryException.problem(e));
        }
    }

    private static SortedSet<Long> versionsIn(Path folder) throws IOException {
        SortedSet<Long> versions = new TreeSet<>();
        for (Path version : foldersIn(folder)) {
            if (VERSION.matcher(nameOf(version)).matches()) {
                versions.add(Long.parseLong(nameOf(version)));
            }
        }
        return versions;
    }

    /** Folders and links to folders, by name; links that lead nowhere as well, since somebody meant them to be one. */
    private static List<Path> foldersIn(Path parent) throws IOException {
        List<Path> folders = new ArrayList<>();
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(parent)) {
            for (Path entry : entries) {
                boolean isFolder = Files.isDirectory(entry) || (Files.isSymbolicLink(entry) && !Files.exists(entry));
                if (isFolder && !nameOf(entry).startsWith(".")) {
                    folders.add(entry);
                }
            }
        } catch (DirectoryIteratorException e) {
            throw e.getCause();
        }
        folders.sort(Comparator.comparing(ModelRepository::nameOf));
        return folders;
    }

    /** A name that is safe to log. */
    private static String printable(String name) {
        String safe = name.replaceAll("\\p{Cntrl}", "?");
        return safe.length() <= 128 ? safe : safe.substring(0, 128) + "…";
    }

    private static String nameOf(Path path) {
        Path name = path.getFileName();
        return name == null ? path.toString() : name.toString();
    }
}
