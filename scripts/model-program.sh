#!/usr/bin/env bash
# Runs a program of io.atelier.models on the tests' class path: model-program.sh CLASS ARGUMENTS
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if [[ ! -d target/test-classes/io/atelier/models ]]; then
    mvn -q test-compile
fi
if [[ ! -f target/classpath || pom.xml -nt target/classpath ]]; then
    mvn -q dependency:build-classpath -Dmdep.outputFile=target/classpath
fi
exec java -cp "target/test-classes:target/classes:$(cat target/classpath)" "io.atelier.models.$1" "${@:2}"
