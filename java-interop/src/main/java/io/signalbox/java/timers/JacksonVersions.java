package io.signalbox.java.timers;

/** Which Jackson is on the class path. */
final class JacksonVersions {
    private JacksonVersions() {}

    static boolean has2() {
        return isThere("com.fasterxml.jackson.databind.json.JsonMapper");
    }

    static void require3() {
        if (!isThere("tools.jackson.databind.json.JsonMapper")) {
            throw new IllegalStateException(
                    "There is no Jackson on the class path. Add com.fasterxml.jackson.core:jackson-databind (Jackson 2) or "
                            + "tools.jackson.core:jackson-databind (Jackson 3), or give the topic another TimerCodec.");
        }
    }

    private static boolean isThere(String name) {
        try {
            Class.forName(name, false, JacksonVersions.class.getClassLoader());
            return true;
        } catch (ClassNotFoundException | LinkageError missing) {
            return false;
        }
    }
}
