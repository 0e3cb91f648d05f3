import { randomBytes } from 'node:crypto';
import type { SessionSettings } from '@wafleet/contract';
import { type Logger, withTimeout } from '@wafleet/runtime';
import { type CallReplies, type Fence, FencedError } from '@wafleet/store';
import type { WACallEvent, WASocket } from '@whiskeysockets/baileys';
import type { People } from '../identity/people.js';
import { personId, toLid, toNumberId } from '../identity/person-id.js';
import type { MessageSender } from './message-sender.js';

interface CallRejectionOptions {
  readonly fence: Fence;
  readonly inForce: { readonly settings: SessionSettings };
  readonly callReplies: CallReplies;
  readonly messages: MessageSender;
  readonly people: People;
  readonly lifecycle: { end(end: 'fenced'): void };
  readonly logger: Logger;
}

/** How many calls are rejected at the same time. Further ones ring. */
const MAX_AT_ONCE = 10;
/** How long WhatsApp may take to confirm. */
const ANSWER_MS = 10_000;
/** How many calls are remembered, since WhatsApp announces one several times. */
const REMEMBERED = 100;

/** Rejects calls as they come, if the settings say so, and then sends the caller a message. */
export class CallRejection {
  readonly #options: CallRejectionOptions;
  readonly #known = new Set<string>();
  #running = 0;

  constructor(options: CallRejectionOptions) {
    this.#options = options;
  }

  /** Never throws. */
  receive(socket: WASocket, calls: readonly WACallEvent[]): void {
    for (const call of calls) {
      if (!this.#isRejected(call)) continue;
      this.#remember(call.id);
      if (this.#running >= MAX_AT_ONCE) {
        this.#options.logger.warn({ callId: call.id }, 'too many calls at once: a call is not rejected');
        continue;
      }
      this.#running += 1;
      void this.#answer(socket, call).finally(() => {
        this.#running -= 1;
      });
    }
  }

  #isRejected({ id, from, status, offline, isGroup }: WACallEvent): boolean {
    const { reject } = this.#options.inForce.settings.calls;
    const isNew = status === 'offer' && !offline && Boolean(id) && Boolean(from) && !this.#known.has(id);
    return isNew && (reject === 'all' || reject === (isGroup === true ? 'group' : 'direct'));
  }

  #remember(id: string): void {
    this.#known.add(id);
    const [oldest] = this.#known;
    if (this.#known.size > REMEMBERED && oldest !== undefined) this.#known.delete(oldest);
  }

  async #answer(socket: WASocket, call: WACallEvent): Promise<void> {
    const { lifecycle, logger } = this.#options;
    try {
      const isConfirmed = await withTimeout(socket.rejectCall(call.id, call.from), ANSWER_MS);
      if (!isConfirmed) logger.warn({ callId: call.id }, 'WhatsApp did not confirm that a call is rejected');
      else if (call.isGroup !== true) await this.#reply(socket, call);
    } catch (error) {
      if (error instanceof FencedError) lifecycle.end('fenced');
      else logger.warn({ err: error, callId: call.id }, 'a call could not be rejected or answered');
    }
  }

  async #reply(socket: WASocket, { from }: WACallEvent): Promise<void> {
    const { fence, inForce, callReplies, messages, people } = this.#options;
    const { message: text } = inForce.settings.calls;
    const caller = personId(from);
    if (text === '' || caller === undefined) return;
    const jid = caller.kind === 'lid' ? toLid(caller.user) : toNumberId(caller.user);
    // A caller is named by either id.
    const lid = caller.kind === 'lid' ? jid : (people.otherId(caller) ?? jid);
    messages.requireReading();
    if (!(await callReplies.note(fence, lid))) return;
    const messageId = `3EB0${randomBytes(9).toString('hex').toUpperCase()}`;
    await messages.send(socket, { jid, content: { extendedTextMessage: { text } }, messageId });
  }
}
