import { createHash, randomBytes } from 'node:crypto';

/** What the media host does with an upload in place of taking it. `cut` ends its connection. */
export type UploadFault = 'cut' | 'busy';

/** An upload as its address describes it. */
interface UploadAddress {
  /** The last part of the path. */
  readonly name: string | undefined;
  readonly auth: string | undefined;
  readonly token: string | undefined;
}

/** Decides what the media host takes: uploads with a token that it has given out, under the hash of what is uploaded. */
export class UploadDesk {
  #auth = newAuth();
  readonly #faults: UploadFault[] = [];
  /** How many uploads were taken. */
  taken = 0;
  /** How many were refused for their token. */
  refused = 0;

  /** The token that clients get now. */
  get auth(): string {
    return this.#auth;
  }

  /** Makes the tokens that were given out until now invalid. */
  revokeAuth(): void {
    this.#auth = newAuth();
  }

  /** The next uploads get these faults, one each. */
  failNext(...faults: readonly UploadFault[]): void {
    this.#faults.push(...faults);
  }

  /** The fault of the upload that begins now. */
  takeFault(): UploadFault | undefined {
    return this.#faults.shift();
  }

  /** The status that WhatsApp answers to an upload that it does not take; undefined for one that it takes. */
  refusalOf({ name, auth, token }: UploadAddress, blob: Buffer): number | undefined {
    if (auth !== this.#auth) {
      this.refused += 1;
      return 401;
    }
    const hash = createHash('sha256').update(blob).digest('base64url');
    if (name !== hash || token !== hash) return 400;
    this.taken += 1;
    return undefined;
  }
}

function newAuth(): string {
  return randomBytes(24).toString('base64url');
}
