package io.atelier.nativeanalysis;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.Map;
import java.util.Properties;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;

/** What a jar brings for native executables, in {@code META-INF/native-image}. */
final class JarMetadata {
    private static final String FOLDER = "META-INF/native-image/";
    private static final Map<String, String> OPTIONS = Map.of(
            "reflect-config.json", "ReflectionConfigurationResources",
            "jni-config.json", "JNIConfigurationResources",
            "resource-config.json", "ResourceConfigurationResources",
            "proxy-config.json", "DynamicProxyConfigurationResources",
            "serialization-config.json", "SerializationConfigurationResources",
            "reachability-metadata.json", "ReachabilityMetadataResources");

    private JarMetadata() {}

    static void addTo(BuilderOptions options, Path jar) throws IOException {
        if (!Files.isRegularFile(jar)) {
            return;
        }
        try (JarFile file = new JarFile(jar.toFile())) {
            for (JarEntry entry : Collections.list(file.entries())) {
                String resource = entry.getName();
                if (resource.startsWith(FOLDER) && !entry.isDirectory() && !options.excludes(jar, resource)) {
                    add(options, file, entry);
                }
            }
        }
    }

    private static void add(BuilderOptions options, JarFile jar, JarEntry entry) throws IOException {
        String resource = entry.getName();
        String folder = resource.substring(0, resource.lastIndexOf('/'));
        String name = resource.substring(folder.length() + 1);
        if (OPTIONS.containsKey(name)) {
            options.hosted().add("-H:" + OPTIONS.get(name) + "=" + resource);
        } else if (name.equals("native-image.properties")) {
            Properties properties = new Properties();
            try (InputStream content = jar.getInputStream(entry)) {
                properties.load(content);
            }
            String forTheProcess = properties.getProperty("JavaArgs", "");
            options.vm().addAll(NativeAnalysis.words(forTheProcess));
            String forTheBuilder = properties.getProperty("Args", "");
            options.add(
                    NativeAnalysis.words(forTheBuilder.replace("${.}", folder).replace("\"", "")));
        }
    }
}
