#!/bin/sh
# Makes a runtime image for the class path and runs the cases on it: image.sh JAVA_HOME TARGET
set -eu
jdk=$1
target=$2
# Optional parts of the dependencies name what is not there; what they would need is not counted.
modules=$("$jdk/bin/jdeps" --multi-release 17 --ignore-missing-deps --print-module-deps --recursive \
  --class-path "$target/dependency/*" "$target/classes" | tail -1)
echo "modules: $modules"
rm -rf "$target/image"
"$jdk/bin/jlink" --add-modules "$modules" --output "$target/image"
"$target/image/bin/java" -Xmx256m -cp "$target/classes:$target/dependency/*" io.signalbox.consumer.JavaCases
