//! A certificate authority that lives as long as one Hub.

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::PrivateKeyDer;
use std::sync::Arc;

/// The authority's certificate as PEM, for clients to trust, and a server's side of TLS with a
/// certificate for all `hosts`.
pub fn authority(hosts: Vec<String>) -> (String, Arc<ServerConfig>) {
    let ca_key = KeyPair::generate().expect("make the authority's key");
    let mut ca = CertificateParams::default();
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    ca.distinguished_name
        .push(DnType::CommonName, "test authority");
    let ca_cert = ca.self_signed(&ca_key).expect("sign the authority");
    let issuer = Issuer::new(ca, ca_key);

    let key = KeyPair::generate().expect("make the server's key");
    let mut server = CertificateParams::new(hosts).expect("valid host names");
    server
        .distinguished_name
        .push(DnType::CommonName, "test server");
    let cert = server.signed_by(&key, &issuer).expect("sign the server");

    // The provider is named because the crate under test may link another one as well, and
    // rustls chooses by itself only where there is no choice.
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("TLS versions")
        .with_no_client_auth()
        .with_single_cert(
            vec![cert.der().clone()],
            PrivateKeyDer::Pkcs8(key.serialize_der().into()),
        )
        .expect("a usable certificate");
    (ca_cert.pem(), Arc::new(config))
}
