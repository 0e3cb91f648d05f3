import { DEFAULT_CONNECTION_CONFIG } from '@whiskeysockets/baileys';

/** What the page of the service worker answers: the newest revision, or something that holds none. */
export type VersionPage =
  | { readonly revision: number }
  | { readonly status: number }
  | { readonly text: string }
  | 'silence';

/** Which versions of WhatsApp Web the server takes, and which one it names as the newest. */
export class ClientVersions {
  #accepted: ReadonlySet<string> | undefined;
  #linkable: ReadonlySet<string> | undefined;
  #page: VersionPage = newestPage;

  /** What `/sw.js` answers. Default: the version that Baileys reports by itself. */
  get page(): VersionPage {
    return this.#page;
  }

  /** Whether a client of this version may log in, or ask to be linked. */
  isAccepted(version: string): boolean {
    return this.#accepted?.has(version) ?? true;
  }

  /** Whether a phone can link a client of this version. */
  isLinkable(version: string): boolean {
    return this.#linkable?.has(version) ?? true;
  }

  /** Clients of other versions are refused with `<failure reason="405">`. */
  acceptOnly(versions: readonly string[]): void {
    this.#accepted = new Set(versions);
  }

  /**
   * Clients of other versions show QR codes and pairing codes as ever, and the phone that takes one says that it could
   * not link the device. The client learns nothing of that.
   */
  linkOnly(versions: readonly string[]): void {
    this.#linkable = new Set(versions);
  }

  serve(page: VersionPage): void {
    this.#page = page;
  }

  /** Every version is accepted, and the page names that of Baileys. */
  reset(): void {
    this.#accepted = undefined;
    this.#linkable = undefined;
    this.#page = newestPage;
  }
}

const newestPage: VersionPage = { revision: DEFAULT_CONNECTION_CONFIG.version[2] };
