import { credentialSecrets } from './credential-secrets.js';
import type { Secret } from './secret-index.js';

let given: Secret[] = [];

/** Has the search look for a passphrase or key of a bundle, which a test has made. It is allowed nowhere. */
export function notePassphrase(text: string): void {
  given.push({ name: 'a passphrase of a bundle', owner: '', kind: 'credential', bytes: Buffer.from(text) });
}

/**
 * Has the search look for the secrets in a record of a session that a test has made, whether a cluster stores it or not.
 * @param field `creds` or `<type>:<id>`.
 * @param value with its bytes as bytes.
 */
export function noteCredential(field: string, value: unknown, owner: string): void {
  given.push(...credentialSecrets(field, value, owner));
}

/** The secrets that were noted since the last call. */
export function takeGivenSecrets(): Secret[] {
  const taken = given;
  given = [];
  return taken;
}
