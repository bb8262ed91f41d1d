/** OpenSSL's and Node's codes for a certificate that fails the check. */
const ABOUT_THE_CERTIFICATE = /CERT|VERIFY|HOSTNAME_MISMATCH/;
const NO_TLS_AT_ALL = /^(?:EPROTO|ERR_SSL_)/;

/**
 * One sentence on why TLS with `target` failed, and what to do; undefined when `code` is about something else.
 * `hostSetting` is where its host name is set, such as `host in [ami]`.
 */
export function tlsProblem(code: string, target: string, hostSetting: string): string | undefined {
  if (ABOUT_THE_CERTIFICATE.test(code)) {
    return (
      `The certificate of ${target} is not trusted (${code}); start asterisk-mes with the environment variable ` +
      `NODE_EXTRA_CA_CERTS naming the file of its authority, and check that ${hostSetting} is the name in the certificate`
    );
  }
  if (NO_TLS_AT_ALL.test(code)) return `${target} does not speak TLS (${code}); check that it is the port for TLS`;
  return undefined;
}
