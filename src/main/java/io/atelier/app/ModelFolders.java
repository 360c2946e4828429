package io.atelier.app;

import io.atelier.repository.EmbeddedModel;
import io.atelier.repository.ModelRepository;
import io.atelier.repository.ModelRepositoryException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.jboss.logging.Logger;

/** Where models come from: the folder that is configured, or the embedded model, unpacked for as long as it is read. */
final class ModelFolders {
    private static final Logger LOG = Logger.getLogger(ModelFolders.class);

    private final Optional<Path> configured;

    ModelFolders(Optional<Path> configured) {
        this.configured = configured;
    }

    /**
     * A repository that can be read until {@code close} is run.
     *
     * @param close to be run when everything is loaded from it
     */
    record Opened(ModelRepository repository, Runnable close) {}

    Opened open() throws ModelRepositoryException {
        if (configured.isPresent()) {
            return new Opened(new ModelRepository(configured.get()), () -> {});
        }
        Path folder = unpack();
        return new Opened(new ModelRepository(folder), () -> delete(folder));
    }

    /** The names of the models that there are now. */
    List<String> names() throws ModelRepositoryException {
        return configured.isPresent() ? new ModelRepository(configured.get()).names() : List.of(EmbeddedModel.NAME);
    }

    private static Path unpack() throws ModelRepositoryException {
        try {
            Path folder = Files.createTempDirectory("atelier-");
            EmbeddedModel.unpackInto(folder);
            return folder;
        } catch (IOException failure) {
            throw new UncheckedIOException("the embedded model cannot be unpacked", failure);
        }
    }

    private static void delete(Path folder) {
        try (Stream<Path> all = Files.walk(folder)) {
            for (Path path :
                    new ArrayList<>(all.sorted(Comparator.reverseOrder()).toList())) {
                Files.delete(path);
            }
        } catch (IOException failure) {
            LOG.warnf("the unpacked model was not deleted: %s", failure.getMessage());
        }
    }
}
