#!/bin/sh
# Makes a runtime image with the modules that jdeps lists, and runs the cases on it, on its class path and on its module path, and the
# demo if it is built: image.sh JAVA_HOME TARGET CASES DEMO
set -eu
jdk=$1
target=$2
cases=$3
demo=$4

# Optional parts of the dependencies name what is not there; what they would need is not counted.
modules=$("$jdk/bin/jdeps" --multi-release 17 --ignore-missing-deps --print-module-deps --recursive \
  --class-path "$target/dependency/*" "$target/classes" | tail -1)
echo "modules: $modules"
rm -rf "$target/image"
"$jdk/bin/jlink" --add-modules "$modules" --output "$target/image"

echo "on the class path:"
"$target/image/bin/java" -Xmx256m -cp "$target/classes:$target/dependency/*" io.signalbox.consumer.MoreCases

echo "on the module path:"
"$jdk/bin/javac" -d "$target/application" -p "$target/dependency" "$cases/modules/module-info.java" \
  "$cases"/java/io/signalbox/consumer/*.java "$cases"/more/io/signalbox/consumer/*.java
"$target/image/bin/java" -Xmx256m -p "$target/dependency:$target/application" -m com.example.app/io.signalbox.consumer.MoreCases

if [ -f "$demo" ]; then
  echo "the demo:"
  "$target/image/bin/java" -Xmx128m -jar "$demo"
else
  echo "did not run: the demo, for $demo is not built"
fi
