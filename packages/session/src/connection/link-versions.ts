import type { ConnectLimiter } from './connect-limiter.js';
import type { LinkStep } from './version-choice.js';

/** How long WhatsApp and the phone may take to link the session after a pairing code was typed into the phone, ms. */
export const LINK_AFTER_CODE_MS = 60_000;
/** After two first logins that failed, the version of the link may be the reason. */
const MOST_LOGIN_FAILURES = 2;

/**
 * Chooses the version of WhatsApp Web for the connections over which a phone is to link the session. WhatsApp lets old
 * versions show codes for some weeks during which no phone can take them, and the client learns nothing of that. So
 * after a round without a link the session reports another version, and asks for a look at the newest one.
 */
export class LinkVersions {
  readonly #connectLimiter: Pick<ConnectLimiter, 'suspectAtLinking'>;
  readonly #linkAfterCodeMs: number;
  #failedWith: string | undefined;
  #linkedWith: string | undefined;
  #loginFailures = 0;
  #timer: NodeJS.Timeout | undefined;

  /** @param options.linkAfterCodeMs how long a link may take after a pairing code was entered. Default: 60 s. */
  constructor(options: {
    connectLimiter: Pick<ConnectLimiter, 'suspectAtLinking'>;
    linkAfterCodeMs?: number;
  }) {
    this.#connectLimiter = options.connectLimiter;
    this.#linkAfterCodeMs = options.linkAfterCodeMs ?? LINK_AFTER_CODE_MS;
  }

  /** For which link the next connection is; undefined for a session that was linked before. */
  stepFor({ isLinked }: { isLinked: boolean }): LinkStep | undefined {
    if (!isLinked) return { failedWith: this.#failedWith };
    return this.#linkedWith === undefined ? undefined : { linkedWith: this.#linkedWith };
  }

  /** A phone has entered the pairing code of the current connection, which reports this version. */
  codeEntered(version: string): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#linkFailed(version, true), this.#linkAfterCodeMs);
  }

  /** The phone refuses the code, or goes on with the link: the version is not the reason if no link follows. */
  phoneAnswered(): void {
    clearTimeout(this.#timer);
  }

  /** The codes of a connection that reports this version were used up without a link. */
  roundEnded(version: string): void {
    this.#linkFailed(version, false);
  }

  /** A phone has linked the session over a connection that reports this version. The first login reports it too. */
  linked(version: string): void {
    clearTimeout(this.#timer);
    this.#linkedWith = version;
    this.#loginFailures = 0;
  }

  /**
   * The first login after a link has failed, or the connection over which the phone linked the session has ended. After
   * repeated failures the next login is like any other, since the version of the link may not be one to log in with.
   * @param options.isPaired whether the phone linked the session over that connection.
   */
  loginFailed({ isPaired }: { isPaired: boolean }): void {
    if (isPaired || this.#linkedWith === undefined) return;
    this.#loginFailures += 1;
    if (this.#loginFailures >= MOST_LOGIN_FAILURES) this.forgetLink();
  }

  /** The session has logged in, or WhatsApp does not take the link or the version: the next login is like any other. */
  forgetLink(): void {
    this.#linkedWith = undefined;
  }

  /** The current connection has ended. */
  connectionEnded(): void {
    clearTimeout(this.#timer);
  }

  #linkFailed(version: string, isCertain: boolean): void {
    clearTimeout(this.#timer);
    this.#failedWith = version;
    this.#connectLimiter.suspectAtLinking(version, { isCertain });
  }
}
