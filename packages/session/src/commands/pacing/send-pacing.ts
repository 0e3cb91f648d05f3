import { type SessionSettings, WafleetError } from '@wafleet/contract';
import type { Logger } from '@wafleet/runtime';
import { type Fence, FencedError, isRedisUnreachable, type SessionPacing } from '@wafleet/store';
import type { proto, WASocket } from '@whiskeysockets/baileys';
import type { ContactFinder } from '../contact-finder.js';
import { waitWhileOpen } from '../typing.js';
import { personOfChat } from './chat-person.js';
import { holdUp, holdUpOf } from './hold-up.js';
import { linkedAt } from './linked-at.js';
import { hasPrivacyToken } from './privacy-token.js';
import type { SendPause } from './send-pause.js';

interface SendPacingOptions {
  readonly fence: Fence;
  readonly store: SessionPacing;
  readonly pause: SendPause;
  readonly inForce: { readonly settings: SessionSettings };
  readonly contacts: ContactFinder;
  readonly logger: Logger;
}

/** How long a message waits for its turn. One that would wait for longer is refused. */
const PATIENCE_MS = 2_000;

/** WhatsApp's codes for a message of an account that writes too much. */
const REFUSALS: ReadonlySet<number> = new Set([429, 463]);

/** A message that is to be sent. */
interface RequestedSend {
  readonly jid: string;
  readonly content: proto.IMessage;
  readonly messageId: string;
  /** How long the chat first shows that the account is typing, ms. Default: as the settings say. */
  readonly typing?: number | undefined;
  /** It belongs to the message that was sent right before it, and to the same chat: it is not counted, and waits for nothing. */
  readonly isPart?: boolean | undefined;
}

/** A message that may be sent. One of these is called when it is known what became of it; none of them rejects. */
export interface SendPermit {
  /** WhatsApp has acknowledged it. */
  sent(): Promise<void>;
  /** WhatsApp has refused it. */
  refused(code: number): Promise<void>;
  /** Anything else. */
  failed(): void;
}

/** Decides whether a session may send a message now: by its settings, and by what WhatsApp refused before. */
export class SendPacing {
  readonly #options: SendPacingOptions;

  constructor(options: SendPacingOptions) {
    this.#options = options;
  }

  /**
   * Takes a message from the budgets, right before it is sent. Waits for up to 2 s for its turn, and then for as long as
   * the settings say, up to 8 s, or the client, up to 10 s.
   * @throws {WafleetError} PACED or SENDS_PAUSED with `retryAfterMs`: nothing was taken. UNAVAILABLE if the connection
   * closes, or Redis is out of reach. @throws {FencedError}
   */
  async request(socket: WASocket, send: RequestedSend): Promise<SendPermit> {
    try {
      return await this.#request(socket, send);
    } catch (error) {
      if (error instanceof FencedError || !isRedisUnreachable(error)) throw error;
      const message = 'The message could not be counted, hence was not sent.';
      throw new WafleetError('UNAVAILABLE', message, undefined, { cause: error });
    }
  }

  async #request(socket: WASocket, send: RequestedSend): Promise<SendPermit> {
    const { pause, contacts, inForce } = this.#options;
    await pause.load();
    if (send.isPart === true) return this.#permit([], { isNew: false, end: () => {} });
    const isWatched = pause.isWatching;
    const looksAtChats = this.limitsChats || isWatched;
    const person = looksAtChats ? await personOfChat(contacts, socket, send.jid) : [];
    const stranger = person.length > 0 && !(await hasPrivacyToken(socket, person)) ? person : [];
    const isNew = isWatched && stranger.length > 0 && !(await this.#knows(stranger));
    const end = isNew ? pause.begin() : () => {};
    try {
      const isTakenNew = await this.#take(socket, send.messageId, stranger);
      await holdUp(socket, send.jid, holdUpOf(send, inForce.settings.pacing));
      return this.#permit(stranger, { isNew: isNew || isTakenNew, end });
    } catch (error) {
      end();
      throw error;
    }
  }

  /** Whether the settings bound how many chats are begun. */
  get limitsChats(): boolean {
    const { newChatsPerDay, warmUp } = this.#options.inForce.settings.pacing;
    return newChatsPerDay > 0 || warmUp.length > 0;
  }

  #knows(ids: readonly string[]): Promise<boolean> {
    const { store, fence } = this.#options;
    return store.knows(fence, ids);
  }

  /** Returns whether the message is the first one to a person. */
  async #take(socket: WASocket, messageId: string, person: readonly string[]): Promise<boolean> {
    const { fence, store, inForce } = this.#options;
    const deadline = performance.now() + PATIENCE_MS;
    for (;;) {
      const { pacing } = inForce.settings;
      if (pacing.sendsPerMinute === 0 && !this.limitsChats) return false;
      const policy = { ...pacing, linkedAt: linkedAt(socket.authState.creds) };
      const send = { messageId, person: this.limitsChats ? person : [] };
      const taken = await store.take(fence, send, policy);
      if (taken.kind === 'taken') return taken.isNew;
      if (performance.now() + taken.waitMs > deadline) throw paced(taken);
      await waitWhileOpen(socket, taken.waitMs);
    }
  }

  #permit(
    stranger: readonly string[],
    { isNew, end }: { readonly isNew: boolean; readonly end: () => void },
  ): SendPermit {
    const { fence, store, pause, logger } = this.#options;
    const note = async (run: () => Promise<void>) => {
      try {
        await run();
      } catch (error) {
        // The message is sent or refused: nothing of that changes.
        logger.warn({ err: error }, 'what became of a message could not be noted for pacing');
      } finally {
        end();
      }
    };
    return {
      sent: () =>
        note(async () => {
          if (!isNew) return;
          await store.noteChats(fence, stranger);
          if (pause.isWatching) await pause.lift();
        }),
      refused: (code) =>
        note(async () => {
          if (REFUSALS.has(code)) await pause.refused();
        }),
      failed: end,
    };
  }
}

function paced({
  kind,
  waitMs,
  limit,
}: {
  readonly kind: 'sends' | 'new-chats';
  readonly waitMs: number;
  readonly limit: number;
}): WafleetError {
  const [resource, what] =
    kind === 'sends' ? ['paced_sends', 'messages in a minute'] : ['paced_new_chats', 'new chats in a day'];
  const message = `The settings of the session allow ${limit} ${what}. Nothing was sent.`;
  return new WafleetError('PACED', message, { resource, limit, retryAfterMs: Math.max(1, waitMs) });
}
