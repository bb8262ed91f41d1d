/** An id or an endpoint in the middle of an address: `/v1/calls/last:PJSIP/alice/ratings`. */
const NAME_IN_THE_MIDDLE = /^(\/v1\/(?:calls|trunks)\/)([^?]+?)(\/(?:ratings|evidence(?:\/page)?|share))(?=\?|$)/;

/** Endpoints have a slash in them, and people write it as it is: the same address with `%2F` there. */
export function withEncodedSlashes(url: string): string {
  return url.replace(
    NAME_IN_THE_MIDDLE,
    (_, before: string, name: string, after: string) => `${before}${name.replaceAll('/', '%2F')}${after}`,
  );
}
