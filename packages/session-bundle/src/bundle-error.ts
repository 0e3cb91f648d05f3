/** What is wrong with what is to be imported. */
export type BundleProblem =
  /** There are no credentials: no `creds.json`, row or field `creds`. */
  | 'no-credentials'
  /** A text is not JSON, also not its beginning. */
  | 'not-json'
  /** More records, larger or deeper ones than a session can have. */
  | 'too-large'
  /** A field is missing, or has another form than all known releases give it. */
  | 'malformed'
  /** A link was begun and not finished: there is nothing that could log in. */
  | 'not-linked'
  /** The two halves of a key do not belong together. */
  | 'key-mismatch'
  /** The phone's signature is not over the device's key: fields of several sessions are mixed. */
  | 'signature-invalid'
  /** Records of several accounts or devices are mixed. */
  | 'several-accounts'
  /** Sessions of WhatsApp clients other than Baileys, such as whatsmeow or a browser's profile. */
  | 'unknown-format'
  /** It is not a bundle, or of a later release. */
  | 'not-a-bundle'
  /** The bundle does not open: it is damaged, or the passphrase is another one. */
  | 'not-opened';

/** Something that cannot be imported. Names the place, never a value: the values are keys. */
export class BundleError extends Error {
  readonly problem: BundleProblem;
  /** The record and field, such as `creds.noiseKey`. */
  readonly path: string;

  constructor(problem: BundleProblem, path: string, message: string) {
    super(message);
    this.name = 'BundleError';
    this.problem = problem;
    this.path = path;
  }
}
