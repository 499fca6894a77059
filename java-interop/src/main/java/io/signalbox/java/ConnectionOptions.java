package io.signalbox.java;

import io.lettuce.core.ClientOptions;
import io.lettuce.core.RedisCredentialsProvider;
import io.signalbox.java.internal.Nulls;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * How {@link Signalbox#connect(String, SignalboxOptions)} and {@link Signalbox#connectCluster(String, SignalboxOptions)} reach their servers,
 * beyond what the URI says. The same for every server: a primary, its successor, each node of a cluster; Sentinels themselves go by what the URI
 * says.
 *
 * <p>Immutable. What is left out has its default. What is wrong with files is told when the client is made.
 */
public final class ConnectionOptions {
    private final @Nullable Path trustedCertificates;
    private final @Nullable Path clientCertificate;
    private final @Nullable Path clientKey;
    private final @Nullable String clientKeyPassword;
    private final boolean verifyHostName;
    private final @Nullable RedisCredentialsProvider credentials;
    private final @Nullable Consumer<ClientOptions.Builder> options;

    private ConnectionOptions(Builder builder) {
        trustedCertificates = builder.trustedCertificates;
        clientCertificate = builder.clientCertificate;
        clientKey = builder.clientKey;
        clientKeyPassword = builder.clientKeyPassword;
        verifyHostName = builder.verifyHostName;
        credentials = builder.credentials;
        options = builder.options;
    }

    /**
     * Starts with all defaults.
     *
     * @return a new builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * A file with the certificates of authorities that are trusted.
     *
     * @return what was given to the builder, or empty
     */
    public Optional<Path> trustedCertificates() {
        return Optional.ofNullable(trustedCertificates);
    }

    /**
     * A file with the client's certificate.
     *
     * @return what was given to the builder, or empty
     */
    public Optional<Path> clientCertificate() {
        return Optional.ofNullable(clientCertificate);
    }

    /**
     * A file with the private key of the client's certificate.
     *
     * @return what was given to the builder, or empty
     */
    public Optional<Path> clientKey() {
        return Optional.ofNullable(clientKey);
    }

    /**
     * What the private key is encrypted with.
     *
     * @return what was given to the builder, or empty
     */
    public Optional<String> clientKeyPassword() {
        return Optional.ofNullable(clientKeyPassword);
    }

    /**
     * Whether a certificate has to be for the host that was asked for.
     *
     * @return true unless the builder was told otherwise
     */
    public boolean verifyHostName() {
        return verifyHostName;
    }

    /**
     * Who is asked for user and password.
     *
     * @return what was given to the builder, or empty
     */
    public Optional<RedisCredentialsProvider> credentials() {
        return Optional.ofNullable(credentials);
    }

    /**
     * What changes the options of the driver.
     *
     * @return what was given to the builder, or empty
     */
    public Optional<Consumer<ClientOptions.Builder>> options() {
        return Optional.ofNullable(options);
    }

    @Override
    public String toString() {
        // Neither password nor provider.
        return "ConnectionOptions[trustedCertificates=" + trustedCertificates
                + ", clientCertificate=" + clientCertificate
                + ", verifyHostName=" + verifyHostName
                + "]";
    }

    /** Collects connection options. Not thread-safe. */
    public static final class Builder {
        private @Nullable Path trustedCertificates;
        private @Nullable Path clientCertificate;
        private @Nullable Path clientKey;
        private @Nullable String clientKeyPassword;
        private boolean verifyHostName = true;
        private @Nullable RedisCredentialsProvider credentials;
        private @Nullable Consumer<ClientOptions.Builder> options;

        private Builder() {}

        /**
         * Sets the authorities that are trusted instead of the JVM's.
         *
         * @param trustedCertificates a PEM file with their certificates
         * @return this
         */
        public Builder trustedCertificates(Path trustedCertificates) {
            this.trustedCertificates = Nulls.given(trustedCertificates, "trustedCertificates");
            return this;
        }

        /**
         * Sets the client's certificate; together with {@link #clientKey}.
         *
         * @param clientCertificate a PEM file with it, and those between it and its authority
         * @return this
         */
        public Builder clientCertificate(Path clientCertificate) {
            this.clientCertificate = Nulls.given(clientCertificate, "clientCertificate");
            return this;
        }

        /**
         * Sets the private key of the client's certificate.
         *
         * @param clientKey a PEM file with it (PKCS#8)
         * @return this
         */
        public Builder clientKey(Path clientKey) {
            this.clientKey = Nulls.given(clientKey, "clientKey");
            return this;
        }

        /**
         * Sets what the private key is encrypted with, if it is.
         *
         * @param clientKeyPassword the password
         * @return this
         */
        public Builder clientKeyPassword(String clientKeyPassword) {
            this.clientKeyPassword = Nulls.given(clientKeyPassword, "clientKeyPassword");
            return this;
        }

        /**
         * Says whether a certificate has to be for the host that was asked for. False still wants one of a trusted authority, for servers that
         * are known by addresses that their certificates do not have. By default true.
         *
         * @param verifyHostName whether it has to
         * @return this
         */
        public Builder verifyHostName(boolean verifyHostName) {
            this.verifyHostName = verifyHostName;
            return this;
        }

        /**
         * Sets who is asked for user and password whenever a connection is made: for those that change. Instead of what the URI says.
         *
         * @param credentials asked by the driver
         * @return this
         */
        public Builder credentials(RedisCredentialsProvider credentials) {
            this.credentials = Nulls.given(credentials, "credentials");
            return this;
        }

        /**
         * Changes the options of the driver before the client is made. Whatever they say, connections that broke are replaced by this library and
         * not repaired by the driver.
         *
         * @param options called with the builder of the driver's options
         * @return this
         */
        public Builder options(Consumer<ClientOptions.Builder> options) {
            this.options = Nulls.given(options, "options");
            return this;
        }

        /**
         * Makes the options.
         *
         * @return them
         */
        public ConnectionOptions build() {
            return new ConnectionOptions(this);
        }
    }
}
