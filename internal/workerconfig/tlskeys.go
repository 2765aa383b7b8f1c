package workerconfig

import "github.com/gokconnect/connect"

// tlsKeys are the keys of TLS.
func tlsKeys() []connect.ConfigKey {
	return []connect.ConfigKey{
		{
			Name: "ssl.protocol", Type: connect.ConfigString, Default: "TLSv1.3", Importance: connect.Medium,
			Documentation: "The SSL protocol used to generate the SSLContext. The default is 'TLSv1.3', which should be fine for most use " +
				"cases. A typical alternative to the default is 'TLSv1.2'. Allowed values for this config are dependent on the " +
				"JVM. Clients using the defaults for this config and 'ssl.enabled.protocols' will downgrade to 'TLSv1.2' if " +
				"the server does not support 'TLSv1.3'. If this config is set to 'TLSv1.2', however, clients will not use " +
				"'TLSv1.3' even if it is one of the values in <code>ssl.enabled.protocols</code> and the server only supports " +
				"'TLSv1.3'.",
		},
		{
			Name: "ssl.provider", Type: connect.ConfigString, Default: nil, Importance: connect.Medium,
			Documentation: "The name of the security provider used for SSL connections. Default value is the default security provider of " +
				"the JVM.",
		},
		{
			Name: "ssl.cipher.suites", Type: connect.ConfigList, Default: "", Importance: connect.Low,
			Validator: connect.AnyNonDuplicate(true, false),
			Documentation: "A list of cipher suites. This is a named combination of authentication, encryption, MAC and key exchange " +
				"algorithm used to negotiate the security settings for a network connection using TLS or SSL network protocol. " +
				"By default all the available cipher suites are supported.",
		},
		{
			Name: "ssl.enabled.protocols", Type: connect.ConfigList, Default: "TLSv1.2,TLSv1.3", Importance: connect.Medium,
			Validator: connect.AnyNonDuplicate(true, false),
			Documentation: "The list of protocols enabled for SSL connections. The default is 'TLSv1.2,TLSv1.3'. This means that clients " +
				"and servers will prefer TLSv1.3 if both support it and fallback to TLSv1.2 otherwise (assuming both support " +
				"at least TLSv1.2). This default should be fine for most use cases. If this configuration is set to an empty " +
				"list, Kafka will use the protocols enabled by default in the underlying SSLEngine, which may include " +
				"additional protocols depending on the JVM version. Also see the config documentation for " +
				"<code>ssl.protocol</code> to understand how it can impact the TLS version negotiation behavior.",
		},
		{
			Name: "ssl.keystore.type", Type: connect.ConfigString, Default: "JKS", Importance: connect.Medium,
			Documentation: "The file format of the key store file. This is optional for client. The values currently supported by the " +
				"default <code>ssl.engine.factory.class</code> are [JKS, PKCS12, PEM].",
		},
		{
			Name: "ssl.keystore.location", Type: connect.ConfigString, Default: nil, Importance: connect.High,
			Documentation: "The location of the key store file. This is optional for client and can be used for two-way authentication " +
				"for client.",
		},
		{
			Name: "ssl.keystore.password", Type: connect.ConfigPassword, Default: nil, Importance: connect.High,
			Documentation: "The store password for the key store file. This is optional for client and only needed if " +
				"'ssl.keystore.location' is configured. Key store password is not supported for PEM format.",
		},
		{
			Name: "ssl.key.password", Type: connect.ConfigPassword, Default: nil, Importance: connect.High,
			Documentation: "The password of the private key in the key store file or the PEM key specified in 'ssl.keystore.key'.",
		},
		{
			Name: "ssl.keystore.key", Type: connect.ConfigPassword, Default: nil, Importance: connect.High,
			Documentation: "Private key in the format specified by 'ssl.keystore.type'. Default SSL engine factory supports only PEM " +
				"format with PKCS#8 keys. If the key is encrypted, key password must be specified using 'ssl.key.password'",
		},
		{
			Name: "ssl.keystore.certificate.chain", Type: connect.ConfigPassword, Default: nil, Importance: connect.High,
			Documentation: "Certificate chain in the format specified by 'ssl.keystore.type'. Default SSL engine factory supports only " +
				"PEM format with a list of X.509 certificates",
		},
		{
			Name: "ssl.truststore.certificates", Type: connect.ConfigPassword, Default: nil, Importance: connect.High,
			Documentation: "Trusted certificates in the format specified by 'ssl.truststore.type'. Default SSL engine factory supports " +
				"only PEM format with X.509 certificates.",
		},
		{
			Name: "ssl.truststore.type", Type: connect.ConfigString, Default: "JKS", Importance: connect.Medium,
			Documentation: "The file format of the trust store file. The values currently supported by the default " +
				"<code>ssl.engine.factory.class</code> are [JKS, PKCS12, PEM].",
		},
		{
			Name: "ssl.truststore.location", Type: connect.ConfigString, Default: nil, Importance: connect.High,
			Documentation: "The location of the trust store file.",
		},
		{
			Name: "ssl.truststore.password", Type: connect.ConfigPassword, Default: nil, Importance: connect.High,
			Documentation: "The password for the trust store file. If a password is not set, trust store file configured will still be " +
				"used, but integrity checking is disabled. Trust store password is not supported for PEM format.",
		},
		{
			Name: "ssl.keymanager.algorithm", Type: connect.ConfigString, Default: "SunX509", Importance: connect.Low,
			Documentation: "The algorithm used by key manager factory for SSL connections. Default value is the key manager factory " +
				"algorithm configured for the Java Virtual Machine.",
		},
		{
			Name: "ssl.trustmanager.algorithm", Type: connect.ConfigString, Default: "PKIX", Importance: connect.Low,
			Documentation: "The algorithm used by trust manager factory for SSL connections. Default value is the trust manager factory " +
				"algorithm configured for the Java Virtual Machine.",
		},
		{
			Name: "ssl.endpoint.identification.algorithm", Type: connect.ConfigString, Default: "https", Importance: connect.Low,
			Documentation: "The endpoint identification algorithm to validate server hostname using server certificate. ",
		},
		{
			Name: "ssl.secure.random.implementation", Type: connect.ConfigString, Default: nil, Importance: connect.Low,
			Documentation: "The SecureRandom PRNG implementation to use for SSL cryptography operations. ",
		},
		{
			Name: "ssl.engine.factory.class", Type: connect.ConfigClass, Default: nil, Importance: connect.Low,
			Documentation: "The class of type org.apache.kafka.common.security.auth.SslEngineFactory to provide SSLEngine objects. " +
				"Default value is org.apache.kafka.common.security.ssl.DefaultSslEngineFactory. Alternatively, setting this to " +
				"org.apache.kafka.common.security.ssl.CommonNameLoggingSslEngineFactory will log the common name of expired " +
				"SSL certificates used by clients to authenticate at any of the brokers with log level INFO. Note that this " +
				"will cause a tiny delay during establishment of new connections from mTLS clients to brokers due to the extra " +
				"code for examining the certificate chain provided by the client. Note further that the implementation uses a " +
				"custom truststore based on the standard Java truststore and thus might be considered a security risk due to " +
				"not being as mature as the standard one.",
		},
	}
}
