/** An application as a module. What the library needs besides comes with its own descriptors. */
module com.example.app {
    requires io.signalbox.java;
    requires io.signalbox.micrometer;
    requires io.signalbox.quorum;
    requires io.signalbox.testkit;
}
