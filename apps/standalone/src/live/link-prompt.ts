import type { WafleetClient } from '@wafleet/client';
import type { SessionView } from '@wafleet/contract';
import { toString as drawQr } from 'qrcode';
import { Loop } from '../loop.js';
import { findQr, findSession, removeSession } from '../session-calls.js';

const LOOK_MS = 1_000;

/**
 * Guides the user of a terminal through linking a phone: draws each QR code of the session, reports when the phone is
 * linked, and creates the session again after the phone unlinked it.
 */
export class LinkPrompt {
  readonly #client: WafleetClient;
  readonly #sessionId: string;
  readonly #say: (text: string) => void;
  readonly #loop: Loop;
  #shown = '';

  constructor(options: { client: WafleetClient; sessionId: string; say: (text: string) => void }) {
    this.#client = options.client;
    this.#sessionId = options.sessionId;
    this.#say = options.say;
    this.#loop = new Loop({
      pauseMs: LOOK_MS,
      round: () => this.#look(),
      onError: (error) => {
        const reason = error instanceof Error ? error.message : String(error);
        this.#tell(`Cannot check the session (${reason}); trying again.`);
      },
    });
  }

  start(): void {
    this.#loop.start();
  }

  stop(): Promise<void> {
    return this.#loop.stop();
  }

  async #look(): Promise<void> {
    const session = await findSession(this.#client, this.#sessionId);
    if (session === undefined) {
      await this.#client.call('create-session', { body: { id: this.#sessionId, name: 'This phone' } });
    } else if (session.status === 'awaiting_link') {
      await this.#showQr();
    } else if (session.status === 'logged_out' || session.status === 'closed') {
      this.#tell(
        `The session is ${session.status}${because(session)}. It is being created again; then link it again.`,
      );
      await removeSession(this.#client, this.#sessionId);
    } else {
      this.#tell(describe(session));
    }
  }

  async #showQr(): Promise<void> {
    const offer = await findQr(this.#client, this.#sessionId);
    if (offer === undefined) return;
    const drawn = await drawQr(offer.qr, { type: 'terminal', small: true });
    this.#tell(`${drawn}\nScan this code in WhatsApp: Settings, Linked devices, Link a device.`);
  }

  /** Prints a text unless it is the same as the previous one. */
  #tell(text: string): void {
    if (text === this.#shown) return;
    this.#shown = text;
    this.#say(text);
  }
}

function because({ reason }: SessionView): string {
  return reason === undefined ? '' : ` (${reason})`;
}

function describe(session: SessionView): string {
  if (session.status !== 'open') return `The session is ${session.status}${because(session)}.`;
  return `The session is open${session.phone === undefined ? '' : `, linked to +${session.phone}`}.`;
}
